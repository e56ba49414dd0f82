use crate::config::ConfigProblem;
use crate::rate::{Rate, RateError};

/// How often credentials may be wrong, of whatever scheme. An address is counted before a store or
/// a network is asked, an account before a password is hashed. Beyond that the answer is 429.
///
/// | counted | by default | stops |
/// |---|---|---|
/// | an account from one address | 10 in 15 minutes | guessing a password |
/// | an account from everywhere | 100 in 15 minutes | the same from many addresses |
/// | an address, for passwords and for what a store or an issuer is asked about | 200 in 15 minutes | trying many accounts, floods |
/// | passwords that are checked for an address, right or wrong | 300 a minute | taking all the time there is for hashing |
/// | registrations of an address | 100 an hour | the same, and a store full of accounts |
///
/// - What turns out right is not counted, nor is what failed for a reason of the service's own.
///   Until that is known it is, and so is whoever goes away before.
/// - From where an owner has signed in within 30 days, what others do to the account does not
///   matter. That is known to this process alone, until it ends: from a new address, and after a
///   restart, an owner waits as long as others guess at the account, for a period at most after the
///   last guess.
/// - What memory can refuse is not counted: a mistyped key, a token whose signature is wrong under
///   a key that is held.
/// - A key that was good when the store was asked last, and a sign-in by a name whose owner has
///   signed in from the same address, are not refused for what else that address was wrong in. Keys
///   are not guessed: they count to protect the database, where it has to be asked.
/// - An account is known by its id, so that a second name gives no second budget, and nothing that
///   is done under another name is forgiven. Names that nobody has are counted alike, in their one
///   form, whatever their case, spaces and width.
/// - Where the server does not tell the peer's address, the account from everywhere is all that is
///   counted. Behind a proxy, all callers seem to come from it until
///   [`Addresses`](crate::throttle::Addresses) says whom to trust.
/// - Counts are of this process.
///
/// ```
/// use tower_auth::throttle::AttemptLimits;
///
/// let stricter = AttemptLimits::new().per_account_and_address("5/15min").per_account("50/hour");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AttemptLimits {
    pair: Result<Rate, RateError>,
    account: Result<Rate, RateError>,
    address: Result<Rate, RateError>,
    sign_ins: Result<Rate, RateError>,
    registrations: Result<Rate, RateError>,
}

impl AttemptLimits {
    /// The limits that the table above names as defaults.
    pub fn new() -> Self {
        Self {
            pair: "10/15min".parse(),
            account: "100/15min".parse(),
            address: "200/15min".parse(),
            sign_ins: "300/min".parse(),
            registrations: "100/hour".parse(),
        }
    }

    /// How often one account may be tried wrongly from one address; `10/15min` by default.
    pub fn per_account_and_address(
        mut self,
        rate: impl TryInto<Rate, Error: Into<RateError>>,
    ) -> Self {
        self.pair = rate.try_into().map_err(Into::into);
        self
    }

    /// How often one account may be tried wrongly from all addresses together that its owner has
    /// not signed in from; `100/15min` by default.
    pub fn per_account(mut self, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        self.account = rate.try_into().map_err(Into::into);
        self
    }

    /// How often one address may be wrong, whatever it presents; `200/15min` by default.
    pub fn per_address(mut self, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        self.address = rate.try_into().map_err(Into::into);
        self
    }

    /// How many passwords are checked for one address, right and wrong ones; `300/min` by default.
    /// Those that Basic has remembered are not checked again.
    pub fn sign_ins_per_address(
        mut self,
        rate: impl TryInto<Rate, Error: Into<RateError>>,
    ) -> Self {
        self.sign_ins = rate.try_into().map_err(Into::into);
        self
    }

    /// How many users register from one address; `100/hour` by default. Those whose name is taken
    /// count as well, and those that the application registers itself do not.
    pub fn registrations_per_address(
        mut self,
        rate: impl TryInto<Rate, Error: Into<RateError>>,
    ) -> Self {
        self.registrations = rate.try_into().map_err(Into::into);
        self
    }
}

impl AttemptLimits {
    /// One account from one address, one account, one address, its sign-ins, its registrations. A
    /// text that is no rate is reported, and stands for one that lets next to nothing pass.
    pub(super) fn rates(self, problems: &mut Vec<ConfigProblem>) -> [Rate; 5] {
        let all = [
            self.pair,
            self.account,
            self.address,
            self.sign_ins,
            self.registrations,
        ];
        all.map(|rate| match rate {
            Ok(rate) => rate,
            Err(error) => {
                problems.push(ConfigProblem::Rate(error));
                Rate::LEAST
            }
        })
    }
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self::new()
    }
}
