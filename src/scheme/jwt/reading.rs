//! Which claims of an issuer's tokens say who it is and what is granted, besides the registered
//! ones: a tree of names, because a claim may be a member of a member.

use super::claim_path::ClaimPath;
use super::strict::{Members, NoMembers, ObjectVisitor, OneOrMany, Text};
use crate::principal::{Role, Roles, Scopes};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// As many names as there are numbers for them.
pub(super) const MOST_NAMES: usize = 40;

/// More roles than any token has as the names of an object.
const MOST_ROLES: usize = 128;

/// The claims that are read besides the registered ones.
#[derive(Debug)]
pub(super) struct Reading {
    /// Whether `sid` is the id of a family.
    pub(super) sid: bool,
    /// Whether `sub` may be a whole number.
    pub(super) takes_number_for_sub: bool,
    claims: Vec<Wanted>,
}

/// One name, on whatever level.
#[derive(Debug)]
struct Wanted {
    name: String,
    says: Says,
    members: Vec<Wanted>,
}

/// What a claim says. One claim may say several things.
#[derive(Debug, Default)]
struct Says {
    scopes: bool,
    roles: bool,
    /// That the names of its members, which are objects, are roles.
    role_names: bool,
    subject: bool,
    tenant: bool,
    /// `client_id` of RFC 9068, which has to be there.
    client: bool,
    /// What it may be where `aud` is missing.
    instead_of_audience: Vec<String>,
}

/// What was found of all that.
#[derive(Debug, Default)]
pub(super) struct Found<'a> {
    pub(super) scopes: Scopes,
    pub(super) roles: Roles,
    pub(super) subject: Option<Cow<'a, str>>,
    pub(super) tenant: Option<Cow<'a, str>>,
    pub(super) has_client: bool,
    /// Whether a claim says what may stand for a missing `aud`.
    pub(super) is_for_us: bool,
}

impl Reading {
    /// Of tokens that say their family, as ours do, or of others.
    pub(super) fn new(sid: bool) -> Self {
        Self {
            sid,
            takes_number_for_sub: false,
            claims: Vec::new(),
        }
    }

    pub(super) fn scopes(&mut self, path: &ClaimPath) {
        self.says(path).scopes = true;
    }

    pub(super) fn roles(&mut self, path: &ClaimPath) {
        self.says(path).roles = true;
    }

    pub(super) fn role_names(&mut self, path: &ClaimPath) {
        self.says(path).role_names = true;
    }

    pub(super) fn subject(&mut self, path: &ClaimPath) {
        self.says(path).subject = true;
    }

    pub(super) fn tenant(&mut self, path: &ClaimPath) {
        self.says(path).tenant = true;
    }

    pub(super) fn client(&mut self, path: &ClaimPath) {
        self.says(path).client = true;
    }

    pub(super) fn instead_of_audience(&mut self, path: &ClaimPath, value: &str) {
        let says = self.says(path);
        says.instead_of_audience.push(value.to_owned());
    }

    fn says(&mut self, path: &ClaimPath) -> &mut Says {
        says(&mut self.claims, path.names())
    }

    /// The place of a claim of that name, where one is wanted.
    #[inline]
    pub(super) fn number(&self, name: &str) -> Option<u8> {
        number(&self.claims, name)
    }

    pub(super) fn read<'de, A: MapAccess<'de>>(
        &self,
        number: u8,
        found: &mut Found<'de>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        read(&self.claims, number, found, map)
    }
}

fn says<'w>(level: &'w mut Vec<Wanted>, names: &[String]) -> &'w mut Says {
    // OK because no path is empty: a configuration that has such a one was refused.
    let (name, below) = names.split_first().expect("a path has a name");
    // Two paths may share their beginning, as `realm_access.roles` and `realm_access.scopes` do:
    // one claim may be read only once.
    let at = match level.iter().position(|wanted| wanted.name == *name) {
        Some(at) => at,
        None => {
            level.push(Wanted {
                name: name.clone(),
                says: Says::default(),
                members: Vec::new(),
            });
            level.len() - 1
        }
    };
    if below.is_empty() {
        &mut level[at].says
    } else {
        says(&mut level[at].members, below)
    }
}

#[inline]
fn number(level: &[Wanted], name: &str) -> Option<u8> {
    let at = level.iter().position(|wanted| wanted.name == name)?;
    u8::try_from(at).ok()
}

fn read<'de, A: MapAccess<'de>>(
    level: &[Wanted],
    number: u8,
    found: &mut Found<'de>,
    map: &mut A,
) -> Result<(), A::Error> {
    match level.get(usize::from(number)) {
        Some(wanted) => map.next_value_seed(WantedValue { wanted, found }),
        None => Err(A::Error::custom("no such claim")),
    }
}

/// The members of a claim of which some are wanted.
struct Below<'w, 'f, 'de> {
    level: &'w [Wanted],
    found: &'f mut Found<'de>,
}

impl<'de> Members<'de> for Below<'_, '_, 'de> {
    fn number(&self, name: &str) -> Option<u8> {
        number(self.level, name)
    }

    fn read<A: MapAccess<'de>>(&mut self, number: u8, map: &mut A) -> Result<(), A::Error> {
        read(self.level, number, self.found, map)
    }
}

/// The value of a claim that is wanted. One of a type that it cannot have refuses the token: it is
/// never taken for absent.
struct WantedValue<'w, 'f, 'de> {
    wanted: &'w Wanted,
    found: &'f mut Found<'de>,
}

impl<'de> WantedValue<'_, '_, 'de> {
    fn text<E: Error>(self, text: Cow<'de, str>) -> Result<(), E> {
        let says = &self.wanted.says;
        // Only its members are wanted, or their names, and a text has neither.
        if says.is_nothing() {
            return Err(E::custom("not an object"));
        }
        if says.scopes {
            add_scopes(&mut self.found.scopes, &text);
        }
        if says.roles {
            self.found.roles.insert(Role::new(&*text));
        }
        // An empty `client_id` names no client (RFC 9068 §2.2 demands one).
        self.found.has_client |= says.client && !text.is_empty();
        self.found.is_for_us |= says.instead_of_audience.iter().any(|ours| *ours == *text);
        if says.tenant {
            self.found.tenant = Some(text.clone());
        }
        if says.subject {
            self.found.subject = Some(text);
        }
        Ok(())
    }

    /// Ids may be numbers.
    fn number<E: Error>(self, number: impl fmt::Display) -> Result<(), E> {
        // A number that is read as a scope or a role would be a grant that nobody has written.
        if !self.wanted.says.subject || self.wanted.says.needs_text() {
            return Err(E::custom("a number"));
        }
        self.found.subject = Some(Cow::Owned(number.to_string()));
        Ok(())
    }

    fn role_names<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            // RFC 7519 §4 lets a reader refuse a repeated name. Compared pairwise, which stays
            // cheap because there is a bound.
            if names.len() == MOST_ROLES || names.contains(&name) {
                return Err(A::Error::custom("repeated name, or too many"));
            }
            names.push(name);
            map.next_value::<AnyObject>()?;
        }
        let roles = &self.found.roles;
        let more = names.iter().map(|name| &**name);
        self.found.roles = roles.iter().chain(more).collect();
        Ok(())
    }

    fn names<E: Error>(self, names: &OneOrMany<'de>) -> Result<(), E> {
        let says = &self.wanted.says;
        // Subject and tenant have to be one text. Of an array one would have to be chosen, and
        // another service may choose another.
        if !says.takes_many() {
            return Err(E::custom("several values"));
        }
        if says.scopes {
            let scopes = &self.found.scopes;
            self.found.scopes = scopes.iter().chain(names.iter()).collect();
        }
        if says.roles {
            let roles = &self.found.roles;
            self.found.roles = roles.iter().chain(names.iter()).collect();
        }
        Ok(())
    }
}

impl Says {
    fn is_nothing(&self) -> bool {
        !self.scopes && !self.roles && !self.subject && !self.needs_text()
    }

    fn needs_text(&self) -> bool {
        self.tenant || self.client || !self.instead_of_audience.is_empty()
    }

    fn takes_many(&self) -> bool {
        (self.scopes || self.roles) && !self.subject && !self.needs_text()
    }
}

fn add_scopes(scopes: &mut Scopes, text: &str) {
    let more = Scopes::parse(text);
    if scopes.is_empty() {
        *scopes = more;
    } else {
        *scopes = scopes.iter().chain(more.iter()).collect();
    }
}

impl<'de> DeserializeSeed<'de> for WantedValue<'_, '_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for WantedValue<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, or an array of strings, or an object")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.text(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.text(Cow::Owned(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(number)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut many = Vec::new();
        while let Some(text) = seq.next_element()? {
            many.push(text);
        }
        self.names(&OneOrMany::Many(many))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        if self.wanted.says.role_names {
            return self.role_names(map);
        }
        if self.wanted.members.is_empty() {
            return Err(A::Error::custom("an object"));
        }
        let mut below = Below {
            level: &self.wanted.members,
            found: self.found,
        };
        ObjectVisitor(&mut below).visit_map(map)
    }
}

/// An object of which nothing is wanted. What else stands where one is expected, `false` for
/// example, is no value of a role.
struct AnyObject;

impl<'de> Deserialize<'de> for AnyObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(AnyObjectVisitor)
    }
}

struct AnyObjectVisitor;

impl<'de> Visitor<'de> for AnyObjectVisitor {
    type Value = AnyObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnyObject, A::Error> {
        ObjectVisitor(&mut NoMembers).visit_map(map)?;
        Ok(AnyObject)
    }
}
