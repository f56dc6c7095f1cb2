//! The line of a field. The reader of YAML knows it only while it reads, so it is read again up to that field.

use std::fmt;

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use yaml_serde::Deserializer;

/// A part of the way to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// The field of this name.
    Key(&'a str),
    /// The entry at this place, from 0.
    Index(usize),
}

/// The line at which the value at the end of a path begins, from 1; or that of its name.
pub(super) fn line_of(text: &str, path: &[Part<'_>], of_name: bool) -> Option<usize> {
    let deserializer = Deserializer::from_str(text);
    // It always ends in an error: the one that is raised where the path ends.
    let error = Walk { path, of_name }.deserialize(deserializer).err()?;
    error.location().map(|location| location.line())
}

struct Walk<'a> {
    path: &'a [Part<'a>],
    of_name: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    /// Whatever is found at the end of the path, or where it leads no further, is not what is expected.
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the way to go on")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let Some((Part::Key(name), rest)) = self.path.split_first() else { return end() };
        let name_ends = self.of_name && rest.is_empty();
        while let Some(is_it) = map.next_key_seed(Name { name, ends: name_ends })? {
            if is_it {
                return map.next_value_seed(Walk { path: rest, of_name: self.of_name });
            }
            map.next_value::<IgnoredAny>()?;
        }
        end()
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<(), S::Error> {
        let Some((Part::Index(place), rest)) = self.path.split_first() else { return end() };
        for _ in 0..*place {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Walk { path: rest, of_name: self.of_name })?;
        end()
    }
}

fn end<E: Error>() -> Result<(), E> {
    Err(E::custom("here"))
}

/// A field's name: whether it is the one that is looked for.
struct Name<'a> {
    name: &'a str,
    ends: bool,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_any(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<bool, E> {
        match name == self.name {
            true if self.ends => Err(E::custom("here")),
            is_it => Ok(is_it),
        }
    }
}
