//! Reads fields of a rule file one by one and keeps what is wrong with them.

use std::str::FromStr;

use yaml_serde::{Mapping, Value};

use super::RuleProblem;
use super::locate::{Part, line_of};

/// A file and what is wrong with it so far.
pub(super) struct Reader<'a> {
    pub(super) file: &'a str,
    text: &'a str,
    pub(super) problems: Vec<RuleProblem>,
}

/// The names a mapping may have, and those that are refused with an explanation.
type Names<'n> = (&'n [&'n str], &'n [(&'n str, &'n str)]);

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text, problems: Vec::new() }
    }

    /// Something is wrong with the value at the end of this path.
    pub(super) fn problem(&mut self, path: &[Part<'_>], message: impl Into<String>) {
        self.problem_below(path, 0, message);
    }

    /// Something is wrong some lines below the beginning of a value.
    pub(super) fn problem_below(
        &mut self,
        path: &[Part<'_>],
        below: usize,
        message: impl Into<String>,
    ) {
        // What is wrong with a file as a whole shows where it begins.
        let line = if path.is_empty() { Some(1) } else { line_of(self.text, path, false) };
        self.add(line.map(|line| line + below), message.into());
    }

    fn add(&mut self, line: Option<usize>, message: String) {
        self.problems.push(RuleProblem { file: self.file.to_owned(), line, message });
    }

    /// What is no YAML. The reader of YAML ends its messages in the place, which has a field of its own here.
    pub(super) fn yaml_problem(&mut self, error: &yaml_serde::Error) {
        let line = error.location().map(|location| location.line());
        let mut message = error.to_string();
        if let Some(cut) = line.and_then(|line| message.rfind(&format!(" at line {line} column ")))
        {
            message.truncate(cut);
        }
        self.add(line, message);
    }

    pub(super) fn missing(&mut self, fields: &Mapping, path: &[Part<'_>]) {
        if let [.., Part::Key(name)] = path
            && !fields.contains_key(*name)
        {
            self.problem(&[], format!("`{name}` is missing"));
        }
    }

    /// A mapping with no other names than these.
    pub(super) fn fields<'v>(
        &mut self,
        path: &[Part<'_>],
        value: &'v Value,
        (known, reserved): Names<'_>,
    ) -> Option<&'v Mapping> {
        let Value::Mapping(fields) = value else {
            self.problem(
                path,
                format!("expected fields ({}), got {}", known.join(", "), kind(value)),
            );
            return None;
        };
        for name in fields.keys() {
            let Some(name) = name.as_str() else {
                self.problem(path, format!("the name of a field is a text, not {}", kind(name)));
                continue;
            };
            if known.contains(&name) {
                continue;
            }
            let path = [path, &[Part::Key(name)]].concat();
            let line = line_of(self.text, &path, true);
            let explained = reserved.iter().find(|(reserved, _)| *reserved == name);
            let unknown = || format!("there is no field `{name}`: there are {}", known.join(", "));
            self.add(line, explained.map_or_else(unknown, |(_, why)| (*why).to_owned()));
        }
        Some(fields)
    }

    /// A field that may be left out.
    fn value<'v>(&self, fields: &'v Mapping, path: &[Part<'_>]) -> Option<&'v Value> {
        let [.., Part::Key(name)] = path else { return None };
        fields.get(*name)
    }

    /// A text as it stands there, without a word about it.
    pub(super) fn peek<'v>(&self, fields: &'v Mapping, path: &[Part<'_>]) -> Option<&'v str> {
        self.value(fields, path).and_then(Value::as_str)
    }

    /// A text that says something.
    pub(super) fn text<'v>(&mut self, fields: &'v Mapping, path: &[Part<'_>]) -> Option<&'v str> {
        match self.value(fields, path)? {
            Value::String(text) if !text.trim().is_empty() => return Some(text),
            Value::String(_) | Value::Null => self.problem(path, "the text is empty"),
            other => self.problem(path, format!("expected a text, got {}", kind(other))),
        }
        None
    }

    pub(super) fn flag(&mut self, fields: &Mapping, path: &[Part<'_>]) -> Option<bool> {
        let value = self.value(fields, path)?;
        if value.as_bool().is_none() {
            self.problem(path, format!("expected true or false, got {}", kind(value)));
        }
        value.as_bool()
    }

    /// A number from 1.
    pub(super) fn count(&mut self, fields: &Mapping, path: &[Part<'_>]) -> Option<usize> {
        let value = self.value(fields, path)?;
        let count = value.as_u64().filter(|count| *count > 0);
        if count.is_none() {
            self.problem(path, format!("expected a number from 1, got {}", kind(value)));
        }
        count.and_then(|count| usize::try_from(count).ok())
    }

    /// A text with a grammar of its own.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        fields: &Mapping,
        path: &[Part<'_>],
    ) -> Option<T> {
        match self.text(fields, path)?.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problem(path, error.to_string());
                None
            }
        }
    }

    /// A text that `read` makes something of.
    pub(super) fn read<T>(
        &mut self,
        fields: &Mapping,
        path: &[Part<'_>],
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(fields, path)?;
        let value = read(text);
        if value.is_none() {
            self.problem(path, format!("expected {expected}, got {text:?}"));
        }
        value
    }

    /// One of these words.
    pub(super) fn word<T: Copy>(
        &mut self,
        fields: &Mapping,
        path: &[Part<'_>],
        known: &[(&str, T)],
    ) -> Option<T> {
        let text = self.text(fields, path)?;
        self.known(text, path, known)
    }

    fn known<T: Copy>(&mut self, text: &str, path: &[Part<'_>], known: &[(&str, T)]) -> Option<T> {
        let found = known.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            self.problem(path, format!("{text:?} is none of {}", names.join(", ")));
        }
        found.map(|(_, value)| *value)
    }

    /// A list of such words, with at least one; none if it is left out.
    pub(super) fn words<T: Copy>(
        &mut self,
        fields: &Mapping,
        path: &[Part<'_>],
        known: &[(&str, T)],
    ) -> Option<Vec<T>> {
        let entries = self.list(fields, path)?;
        let mut words = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            let at = [path, &[Part::Index(index)]].concat();
            match entry {
                Value::String(text) => words.extend(self.known(text, &at, known)),
                other => self.problem(&at, format!("expected a text, got {}", kind(other))),
            }
        }
        Some(words)
    }

    /// A list with something in it.
    pub(super) fn list<'v>(
        &mut self,
        fields: &'v Mapping,
        path: &[Part<'_>],
    ) -> Option<&'v Vec<Value>> {
        match self.value(fields, path)? {
            Value::Sequence(list) if !list.is_empty() => return Some(list),
            Value::Sequence(_) => self.problem(path, "the list is empty"),
            other => self.problem(path, format!("expected a list, got {}", kind(other))),
        }
        None
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "fields",
        Value::Tagged(_) => "a tag",
    }
}
