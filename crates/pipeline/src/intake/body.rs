//! The JSON body of a message, read field by field, so that an error can name the place.

use std::fmt;
use std::str::FromStr;

use model::event::Severity;
use serde_json::{Map, Value};

use super::Unreadable;

/// The fields of a body.
pub(super) struct Body(Map<String, Value>);

impl Body {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(other) => {
                Err(unreadable("body", format!("expected an object, got {}", kind(&other))))
            }
            Err(error) => Err(unreadable("body", error.to_string())),
        }
    }

    /// A field that must be there.
    pub(super) fn text(&self, field: &str) -> Result<&str, Unreadable> {
        self.optional_text(field)?.ok_or_else(|| unreadable_field(field, "the field is missing"))
    }

    /// A field that must be there and say something.
    pub(super) fn filled_text(&self, field: &str) -> Result<&str, Unreadable> {
        let text = self.text(field)?.trim();
        if text.is_empty() { Err(unreadable_field(field, "the text is empty")) } else { Ok(text) }
    }

    /// A field that may be null or left out.
    pub(super) fn optional_text(&self, field: &str) -> Result<Option<&str>, Unreadable> {
        match self.value(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => {
                Err(unreadable_field(field, format!("expected a text, got {}", kind(other))))
            }
        }
    }

    /// A field with a grammar of its own.
    pub(super) fn parsed<T: FromStr<Err: fmt::Display>>(
        &self,
        field: &str,
    ) -> Result<T, Unreadable> {
        self.optional_parsed(field)?.ok_or_else(|| unreadable_field(field, "the field is missing"))
    }

    /// A field with a grammar of its own that may be null or left out.
    pub(super) fn optional_parsed<T: FromStr<Err: fmt::Display>>(
        &self,
        field: &str,
    ) -> Result<Option<T>, Unreadable> {
        let text = self.optional_text(field)?;
        text.map(str::parse)
            .transpose()
            .map_err(|error: T::Err| unreadable_field(field, error.to_string()))
    }

    /// False if it is left out.
    pub(super) fn flag(&self, field: &str) -> Result<bool, Unreadable> {
        match self.value(field) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => {
                Err(unreadable_field(field, format!("expected true or false, got {}", kind(other))))
            }
        }
    }

    /// A whole number that must be there.
    pub(super) fn number(&self, field: &str) -> Result<i64, Unreadable> {
        let value =
            self.value(field).ok_or_else(|| unreadable_field(field, "the field is missing"))?;
        value.as_i64().ok_or_else(|| {
            unreadable_field(field, format!("expected a whole number, got {}", kind(value)))
        })
    }

    /// A whole number that may be null or left out.
    pub(super) fn optional_number(&self, field: &str) -> Result<Option<i64>, Unreadable> {
        self.value(field).map(|_| self.number(field)).transpose()
    }

    /// None if it is left out; upper and lower case are the same.
    pub(super) fn severity(&self, field: &str) -> Result<Severity, Unreadable> {
        let Some(text) = self.optional_text(field)? else { return Ok(Severity::None) };
        let named = |severity: &Severity| severity.as_str().eq_ignore_ascii_case(text);
        Severity::ALL.into_iter().find(named).ok_or_else(|| {
            let known = Severity::ALL.map(Severity::as_str).join(", ");
            unreadable_field(field, format!("{text:?} is not one of {known}"))
        })
    }

    fn value(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }
}

pub(super) fn unreadable_field(field: &str, reason: impl Into<String>) -> Unreadable {
    unreadable(&format!("body.{field}"), reason.into())
}

fn unreadable(place: &str, reason: String) -> Unreadable {
    Unreadable { place: place.to_owned(), reason }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
