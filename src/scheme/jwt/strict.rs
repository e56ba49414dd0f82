//! JSON objects in which every name may stand once.
//!
//! RFC 7515 §4 and RFC 7519 §4 let a reader refuse repeated names or take the last; two readers of
//! one token must not take different ones, so they are refused, in nested objects too.

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use std::borrow::Cow;
use std::fmt;

/// More names than any token has; comparing them pairwise stays cheap.
const MOST_NAMES: usize = 128;

/// Collects the members of an object that it knows.
pub(super) trait Members<'de> {
    /// The number of a member that is wanted, below 64.
    fn number(&self, name: &str) -> Option<u8>;

    /// Reads the value of that member.
    fn read<A: MapAccess<'de>>(&mut self, number: u8, map: &mut A) -> Result<(), A::Error>;
}

/// Not an object, not JSON, or a name or a type that is refused. It says no more: serde's message
/// quotes the text.
#[derive(Debug)]
pub(super) struct Refused;

pub(super) fn read_object<'de>(
    json: &'de str,
    members: &mut impl Members<'de>,
) -> Result<(), Refused> {
    let mut json = serde_json::Deserializer::from_str(json);
    json.deserialize_map(ObjectVisitor(members))
        .map_err(|_| Refused)?;
    // What follows the object would be read by another reader and not by this one.
    json.end().map_err(|_| Refused)
}

pub(super) struct ObjectVisitor<'m, M>(pub(super) &'m mut M);

impl<'de, M: Members<'de>> Visitor<'de> for ObjectVisitor<'_, M> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object whose names are unique")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self(members) = self;
        let mut seen: u64 = 0;
        let mut others = Names::default();
        while let Some(name) = map.next_key_seed(NameSeed(&*members))? {
            match name {
                Name::Wanted(number) => {
                    // A bit for each name that is wanted, so that the usual token needs no table of
                    // names.
                    let bit = 1_u64 << number;
                    if seen & bit != 0 {
                        return Err(A::Error::custom("repeated name"));
                    }
                    seen |= bit;
                    members.read(number, &mut map)?;
                }
                Name::Other(name) => {
                    others.add(name)?;
                    // Skipped by a reader of our own: that of serde would not look for repeated
                    // names.
                    map.next_value::<AnyValue>()?;
                }
            }
        }
        Ok(())
    }
}

/// The same of an object in an object.
pub(super) struct ObjectSeed<'m, M>(pub(super) &'m mut M);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for ObjectSeed<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(ObjectVisitor(self.0))
    }
}

enum Name<'de> {
    Wanted(u8),
    Other(Cow<'de, str>),
}

struct NameSeed<'m, M>(&'m M);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for NameSeed<'_, M> {
    type Value = Name<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name<'de>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for NameSeed<'_, M> {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Name<'de>, E> {
        Ok(self
            .0
            .number(name)
            .map_or(Name::Other(Cow::Borrowed(name)), Name::Wanted))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<'de>, E> {
        Ok(self
            .0
            .number(name)
            .map_or_else(|| Name::Other(Cow::Owned(name.to_owned())), Name::Wanted))
    }
}

#[derive(Default)]
struct Names<'de>(Vec<Cow<'de, str>>);

impl<'de> Names<'de> {
    fn add<E: Error>(&mut self, name: Cow<'de, str>) -> Result<(), E> {
        // Compared pairwise, which stays cheap because there is a bound. A set would have to be
        // hashed by a key, lest names be chosen that meet.
        if self.0.len() == MOST_NAMES || self.0.contains(&name) {
            return Err(E::custom("repeated name, or too many"));
        }
        self.0.push(name);
        Ok(())
    }
}

/// A value that nobody asked for: skipped, but its objects too may have a name only once.
pub(super) struct AnyValue;

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyVisitor)
    }
}

struct AnyVisitor;

impl<'de> Visitor<'de> for AnyVisitor {
    type Value = AnyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<AnyValue, E> {
        Ok(AnyValue)
    }

    fn visit_i64<E>(self, _: i64) -> Result<AnyValue, E> {
        Ok(AnyValue)
    }

    fn visit_u64<E>(self, _: u64) -> Result<AnyValue, E> {
        Ok(AnyValue)
    }

    fn visit_f64<E>(self, _: f64) -> Result<AnyValue, E> {
        Ok(AnyValue)
    }

    fn visit_str<E>(self, _: &str) -> Result<AnyValue, E> {
        Ok(AnyValue)
    }

    fn visit_unit<E>(self) -> Result<AnyValue, E> {
        Ok(AnyValue)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<AnyValue, A::Error> {
        while seq.next_element::<AnyValue>()?.is_some() {}
        Ok(AnyValue)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AnyValue, A::Error> {
        ObjectVisitor(&mut NoMembers)
            .visit_map(map)
            .map(|()| AnyValue)
    }
}

pub(super) struct NoMembers;

impl<'de> Members<'de> for NoMembers {
    fn number(&self, _: &str) -> Option<u8> {
        None
    }

    fn read<A: MapAccess<'de>>(&mut self, _: u8, map: &mut A) -> Result<(), A::Error> {
        map.next_value::<IgnoredAny>().map(drop)
    }
}

/// A string, borrowed where it has no escapes.
#[derive(Debug)]
pub(super) struct Text<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}

/// A string, or a whole number as its text: an id.
#[derive(Debug)]
pub(super) struct Id<'de>(pub(super) Cow<'de, str>);

impl<'de> Deserialize<'de> for Id<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl<'de> Visitor<'de> for IdVisitor {
    type Value = Id<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or a whole number")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Id<'de>, E> {
        Ok(Id(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Id<'de>, E> {
        Ok(Id(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Id<'de>, E> {
        Ok(Id(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Id<'de>, E> {
        Ok(Id(Cow::Owned(number.to_string())))
    }
}

/// A string or an array of strings.
#[derive(Debug)]
pub(super) enum OneOrMany<'de> {
    One(Cow<'de, str>),
    Many(Vec<Text<'de>>),
}

impl OneOrMany<'_> {
    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::One(one) => (Some(&**one), [].as_slice()),
            Self::Many(many) => (None, many.as_slice()),
        };
        one.into_iter().chain(many.iter().map(|text| &*text.0))
    }

    #[inline]
    pub(super) fn contains(&self, text: &str) -> bool {
        match self {
            Self::One(one) => one == text,
            Self::Many(many) => many.iter().any(|one| one.0 == text),
        }
    }

    /// The same, whatever becomes of the text that it was read from.
    pub(super) fn to_owned(&self) -> OneOrMany<'static> {
        match self {
            Self::One(one) => OneOrMany::One(owned(one)),
            Self::Many(many) => {
                OneOrMany::Many(many.iter().map(|text| Text(owned(&text.0))).collect())
            }
        }
    }
}

fn owned(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_owned())
}

impl<'de> Deserialize<'de> for OneOrMany<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<OneOrMany<'de>, E> {
        Ok(OneOrMany::One(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<OneOrMany<'de>, E> {
        Ok(OneOrMany::One(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<OneOrMany<'de>, A::Error> {
        let mut many = Vec::new();
        while let Some(text) = seq.next_element()? {
            many.push(text);
        }
        Ok(OneOrMany::Many(many))
    }
}
