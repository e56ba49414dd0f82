use super::attempts::{Attempts, Counted};
use super::look_up::LookUp;
use super::ticket::{Learns, Ticket};
use crate::principal::Subject;
use crate::reject::Rejection;
use crate::throttle::limiter::Key;
use crate::turns::{Source, Turn};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// Where attempts come from, and who counts them.
#[derive(Clone)]
pub(crate) struct Origin {
    attempts: Arc<Attempts>,
    /// `None` where the server does not tell.
    source: Source,
}

/// Whose account an attempt tries to get into.
#[derive(Clone, Copy)]
pub(crate) enum Target<'a> {
    /// An account that is there, counted by its id, whichever of its names was typed.
    Account(&'a Subject),
    /// A name that no account has, in its one form.
    Nobody(&'a str),
}

impl Origin {
    /// `peer` is the whole address.
    pub(crate) fn new(attempts: &Arc<Attempts>, peer: Option<IpAddr>) -> Self {
        Self {
            attempts: Arc::clone(attempts),
            source: peer.map(|peer| attempts.source(peer)),
        }
    }

    /// In whose turn work is done for somebody there.
    pub(crate) fn source(&self) -> Source {
        self.source
    }

    /// Counts an attempt of a credential of some scheme, or refuses it where too many from there
    /// were wrong: before anybody is asked. One that was good lately is not refused for that.
    pub(crate) fn enter(&self, scheme: &str, credential: &[u8]) -> Result<Ticket, Rejection> {
        let parts = [scheme.as_bytes(), credential];
        let credential = self.attempts.key(b'c', &parts);
        let ticket = self.enter_source(self.attempts.was_good(credential))?;
        Ok(ticket.learning(Some(Learns::Credential(credential))))
    }

    /// Counts an attempt at whoever has that name, in its one form, or refuses it where too many
    /// from there were wrong: before a store is asked. From where a name's owner is known, what
    /// others do there does not matter: the account is counted all the same.
    pub(crate) fn enter_name(&self, name: &str) -> Result<Ticket, Rejection> {
        let place = self.key_of_place(b'M', [b"", name.as_bytes()]);
        let is_known = place.is_some_and(|place| self.attempts.is_known(place));
        let ticket = self.enter_source(is_known)?;
        Ok(ticket.learning(place.map(Learns::Name)))
    }

    /// Counts a password that is to be checked for somebody there.
    pub(crate) fn enter_sign_in(&self) -> Result<Ticket, Rejection> {
        match self.source_key() {
            None => self.entered(&[]),
            Some(source) => self.entered(&[Counted::SignIn(source)]),
        }
    }

    /// Counts a user who is to be registered from there.
    pub(crate) fn enter_registration(&self) -> Result<Ticket, Rejection> {
        match self.source_key() {
            None => self.entered(&[]),
            Some(source) => self.entered(&[Counted::Registration(source)]),
        }
    }

    fn enter_source(&self, is_known: bool) -> Result<Ticket, Rejection> {
        match self.source_key() {
            None => self.entered(&[]),
            Some(source) if is_known => self.entered(&[Counted::Observed(source)]),
            Some(source) => self.entered(&[Counted::Source(source)]),
        }
    }

    fn source_key(&self) -> Option<Key> {
        let source = self.source?;
        Some(self.attempts.key(b'a', &[&source]))
    }

    /// Refuses where too many from there were wrong.
    pub(crate) fn check(&self) -> Result<(), Rejection> {
        let Some(source) = self.source_key() else {
            return Ok(());
        };
        match self.attempts.wait(source) {
            0 => Ok(()),
            wait => Err(throttled(wait)),
        }
    }

    /// Begins the look-up of a key, by its digest, when its turn has come. `None` where it was
    /// refused so lately that nobody need be asked. One that was good lately waits for nobody, and
    /// is not refused for what else comes from there.
    pub(crate) async fn look_up(&self, digest: &[u8]) -> Result<Option<LookUp>, Rejection> {
        let key = self.attempts.api_key(digest);
        if self.attempts.was_good(key) {
            return Ok(Some(self.begin(key, None)));
        }
        self.check()?;
        if self.attempts.is_wrong(key) {
            return Ok(None);
        }
        let turn = self.attempts.turn(self.source).await;
        let turn = turn.map_err(|_| Rejection::throttled(Duration::from_secs(1)))?;
        // Asked once more, because the turn had to be waited for: meanwhile others from there were
        // refused, perhaps with this very key.
        self.check()?;
        if self.attempts.is_wrong(key) {
            return Ok(None);
        }
        Ok(Some(self.begin(key, Some(turn))))
    }

    fn begin(&self, key: Key, turn: Option<Turn>) -> LookUp {
        LookUp::new(&self.attempts, key, self.source_key(), turn)
    }

    /// Counts an attempt at an account, or refuses it where there were too many: before a password
    /// is hashed.
    pub(crate) fn enter_account(&self, target: Target<'_>) -> Result<Ticket, Rejection> {
        match target {
            Target::Account(id) => {
                let parts = [id.kind().as_bytes(), id.id().as_bytes()];
                let place = self.key_of_place(b'I', parts);
                let ticket = self.enter_pair(self.attempts.key(b'i', &parts), place)?;
                Ok(ticket.learning(place.map(Learns::Owner)))
            }
            // A name that nobody has is counted as an account is, so that the limit does not tell
            // which names there are.
            Target::Nobody(name) => {
                let parts = [b"".as_slice(), name.as_bytes()];
                let place = self.key_of_place(b'N', parts);
                self.enter_pair(self.attempts.key(b'n', &parts), place)
            }
        }
    }

    fn key_of_place(&self, kind: u8, [first, second]: [&[u8]; 2]) -> Option<Key> {
        let source = self.source?;
        Some(self.attempts.key(kind, &[first, second, &source]))
    }

    /// From where its owner is known, what others do to the account does not matter.
    fn enter_pair(&self, account: Key, place: Option<Key>) -> Result<Ticket, Rejection> {
        match place {
            None => self.entered(&[Counted::Account(account)]),
            Some(place) if self.attempts.is_known(place) => self.entered(&[Counted::Pair(place)]),
            Some(place) => self.entered(&[Counted::Pair(place), Counted::Account(account)]),
        }
    }

    fn entered(&self, counted: &[Counted]) -> Result<Ticket, Rejection> {
        match self.attempts.enter(counted) {
            Ok(entered) => Ok(Ticket::new(&self.attempts, entered)),
            Err(wait) => Err(throttled(wait)),
        }
    }
}

fn throttled(wait: u64) -> Rejection {
    Rejection::throttled(Duration::from_nanos(wait))
}

#[cfg(all(test, feature = "test-util"))]
mod tests {
    use super::*;
    use crate::address::Addresses;
    use crate::attempt::AttemptLimits;
    use crate::attempt::attempts::KNOWN_FOR;
    use crate::reject::RejectionKind;
    use crate::test_util::ManualClock;
    use std::task::Poll;

    struct World {
        attempts: Arc<Attempts>,
        clock: ManualClock,
    }

    const RIGHT: Result<(), Rejection> = Ok(());

    fn wrong() -> Result<(), Rejection> {
        Err(Rejection::new(RejectionKind::InvalidPassword, "test"))
    }

    fn failure() -> Result<(), Rejection> {
        Err(Rejection::unavailable("test", "the store is down"))
    }

    fn source(n: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, n]))
    }

    impl World {
        fn new() -> Self {
            let (clock, mut problems) = (ManualClock::new(1_000), Vec::new());
            let attempts = Attempts::build(
                AttemptLimits::new(),
                Arc::new(Addresses::new()),
                Arc::new(clock.clone()),
                &mut problems,
            );
            assert!(problems.is_empty());
            Self {
                attempts: Arc::new(attempts),
                clock,
            }
        }

        fn from(&self, peer: Option<IpAddr>) -> Origin {
            Origin::new(&self.attempts, peer)
        }

        fn enter(&self, peer: Option<IpAddr>) -> Result<Ticket, Rejection> {
            self.from(peer).enter("Own", b"presented")
        }

        fn at(&self, id: &str, peer: Option<IpAddr>) -> Result<Ticket, Rejection> {
            self.from(peer)
                .enter_account(Target::Account(&Subject::user(id)))
        }

        fn signs_in(&self, id: &str, peer: Option<IpAddr>) -> bool {
            self.at(id, peer)
                .map(|ticket| ticket.conclude(&RIGHT))
                .is_ok()
        }

        /// How many of so many wrong passwords are judged.
        fn judged(&self, id: &str, peer: Option<IpAddr>, times: usize) -> usize {
            (0..times)
                .filter(|_| {
                    self.at(id, peer)
                        .map(|ticket| ticket.conclude(&wrong()))
                        .is_ok()
                })
                .count()
        }

        /// How many of so many wrong credentials of one address.
        fn judged_from(&self, peer: Option<IpAddr>, times: usize) -> usize {
            (0..times)
                .filter(|_| {
                    self.enter(peer)
                        .map(|ticket| ticket.conclude(&wrong()))
                        .is_ok()
                })
                .count()
        }
    }

    #[test]
    fn guessing_stops_and_the_owner_gets_in_from_elsewhere() {
        let world = World::new();
        assert_eq!(world.judged("anna", source(1), 50), 10);
        assert!(world.signs_in("anna", source(2)));
        assert!(!world.signs_in("anna", source(1)));
        assert_eq!(world.judged("ben", source(1), 1), 1, "another account is");
        world.clock.advance(Duration::from_secs(900));
        assert_eq!(
            world.judged("anna", source(1), 50),
            10,
            "never for longer than the period"
        );
    }

    #[test]
    fn guessing_from_many_addresses_stops_and_does_not_lock_out_who_signed_in_before() {
        let world = World::new();
        assert!(world.signs_in("anna", source(200)));
        let from_everywhere = || {
            (0..100)
                .map(|n| world.judged("anna", source(n), 5))
                .sum::<usize>()
        };
        assert_eq!(from_everywhere(), 100);
        assert!(!world.signs_in("anna", source(199)), "a new place waits");
        for _ in 0..50 {
            assert!(world.signs_in("anna", source(200)));
        }
        assert_eq!(
            world.judged("anna", source(200), 50),
            10,
            "but may not guess either"
        );
        world.clock.advance(KNOWN_FOR);
        assert_eq!(from_everywhere(), 100);
        assert!(
            !world.signs_in("anna", source(200)),
            "after 30 days it is a place like others"
        );
    }

    #[test]
    fn a_success_forgives_what_its_owner_mistyped_there_and_nothing_else() {
        let world = World::new();
        assert_eq!(world.judged("anna", source(1), 9), 9);
        assert_eq!(world.judged("ben", source(1), 9), 9);
        assert!(world.signs_in("anna", source(1)));
        assert_eq!(world.judged("anna", source(1), 50), 10, "forgiven");
        assert_eq!(
            world.judged("ben", source(1), 50),
            1,
            "another account is not"
        );
    }

    #[test]
    fn one_address_stops_whatever_it_presents() {
        let world = World::new();
        assert_eq!(world.judged_from(source(1), 500), 200);
        assert!(world.enter(source(1)).is_err() && world.enter(source(2)).is_ok());
        // A period and one of its 64 parts.
        world.clock.advance(Duration::from_secs(915));
        assert_eq!(world.judged_from(source(1), 1), 1);
    }

    #[test]
    fn a_name_that_nobody_has_is_counted_and_an_id_is_no_name() {
        let world = World::new();
        let tried = |name: &str| {
            let ticket = world.from(source(1)).enter_account(Target::Nobody(name));
            ticket.map(|ticket| ticket.conclude(&wrong())).is_ok()
        };
        assert!((0..10).all(|_| tried("anna")));
        assert!(!tried("anna") && tried("ben"));
        assert_eq!(world.judged("anna", source(1), 1), 1);
    }

    #[test]
    fn a_name_whose_owner_is_known_there_is_not_refused_for_what_a_neighbour_does() {
        let world = World::new();
        let enter = |name: &str, n: u8| world.from(source(n)).enter_name(name);
        enter("anna", 1).unwrap().conclude(&RIGHT);
        enter("ben", 1).unwrap().conclude(&wrong());
        assert_eq!(world.judged_from(source(1), 500), 199);
        assert!(enter("ben", 1).is_err() && enter("anna", 1).is_ok());
        assert_eq!(world.judged_from(source(2), 500), 200);
        assert!(enter("anna", 2).is_err(), "not from elsewhere");
    }

    #[test]
    fn whoever_goes_away_has_tried_and_the_services_own_failures_are_nobodys() {
        let world = World::new();
        for _ in 0..300 {
            world.at("anna", source(1)).unwrap().conclude(&failure());
            world.enter(source(1)).unwrap().conclude(&failure());
        }
        for _ in 0..10 {
            drop(world.at("anna", source(1)).unwrap());
        }
        assert!(!world.signs_in("anna", source(1)));
        for _ in 0..200 {
            drop(world.enter(source(1)).unwrap());
        }
        assert!(world.enter(source(1)).is_err());
    }

    #[test]
    fn attempts_at_the_same_time_are_counted_before_any_has_failed() {
        let world = World::new();
        let under_way: Vec<_> = (0..50)
            .filter_map(|_| world.at("anna", source(1)).ok())
            .collect();
        assert_eq!(under_way.len(), 10);
        for ticket in under_way {
            ticket.conclude(&RIGHT);
        }
        assert!(world.signs_in("anna", source(1)));
    }

    #[test]
    fn an_attempt_that_was_given_back_leaves_no_counter_behind() {
        let world = World::new();
        for n in 0..1_000 {
            let id = n.to_string();
            world.at(&id, source(1)).unwrap().conclude(&failure());
            assert!(world.signs_in(&id, source(2)));
            world.enter(source(3)).unwrap().conclude(&RIGHT);
        }
        assert_eq!(world.attempts.live(), 0);
        assert_eq!(world.judged("anna", source(1), 1), 1);
        assert_eq!(world.attempts.live(), 2);
    }

    /// Whatever it presents and whatever becomes of it: strangers keep places of their own.
    #[test]
    fn one_address_holds_no_more_places_than_it_may_be_wrong() {
        let world = World::new();
        let refused = || Err::<(), _>(Rejection::permission_denied("test"));
        for n in 0..20_000_u32 {
            let (id, origin) = (n.to_string(), world.from(source(1)));
            let Ok(source) = origin.enter("Own", id.as_bytes()) else {
                // The address is at its end; what it goes on to present holds nothing.
                continue;
            };
            let nobody = origin.enter_account(Target::Nobody(&id));
            let account = world.at(&id, self::source(1));
            match n % 4 {
                0 => [Ok(source), nobody, account].map(|ticket| ticket.unwrap().conclude(&RIGHT)),
                1 => {
                    [Ok(source), nobody, account].map(|ticket| ticket.unwrap().conclude(&failure()))
                }
                2 => {
                    [Ok(source), nobody, account].map(|ticket| ticket.unwrap().conclude(&refused()))
                }
                _ => [Ok(source), nobody, account].map(|ticket| ticket.unwrap().conclude(&wrong())),
            };
        }
        // 200 wrong ones, each at an account and at a name of nobody's, there and from everywhere.
        assert_eq!(world.attempts.live(), 1 + 200 * 2 * 2);
        // Somebody else's account is at its end: that refuses, and takes no place either.
        for n in 0..100 {
            world.judged("victim", source(n), 1);
        }
        let before = world.attempts.live();
        for n in 0..1_000_u32 {
            let peer = Some(IpAddr::from(0x0a00_0000_u32.wrapping_add(n).to_be_bytes()));
            assert!(world.at("victim", peer).is_err());
        }
        assert_eq!(world.attempts.live(), before);
    }

    #[test]
    fn without_an_address_the_account_is_counted() {
        let world = World::new();
        assert_eq!(world.judged("anna", None, 150), 100);
        assert_eq!(world.judged("ben", None, 1), 1);
        assert_eq!(world.judged_from(None, 300), 300);
    }

    #[test]
    fn a_key_that_was_refused_lately_waits_for_no_turn() {
        let world = World::new();
        let origin = world.from(source(1));
        let refused = world.attempts.api_key(b"refused");
        world.attempts.note_wrong(refused);
        let mut under_way = Vec::new();
        // As many as there may be at once: whoever comes now has to wait.
        loop {
            let digest = under_way.len().to_le_bytes();
            let mut asking = tokio_test::task::spawn(origin.look_up(&digest));
            match asking.poll() {
                Poll::Ready(begun) => under_way.push(begun.unwrap().unwrap()),
                Poll::Pending => break,
            }
        }
        let mut asking = tokio_test::task::spawn(origin.look_up(b"refused"));
        assert!(matches!(asking.poll(), Poll::Ready(Ok(None))));
        for look_up in under_way {
            look_up.conclude(&RIGHT);
        }
    }
}
