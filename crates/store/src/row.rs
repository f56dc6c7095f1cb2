//! Rows on their way out of a query, read column by column; what cannot be read is named with table, column and row.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::digest::Digest;
use model::id::{
    BuildId, DeliveryId, EventId, HoldId, NoticeId, OutboxId, PlanId, ResultId, TestRunId, WaiverId,
};
use serde::de::DeserializeOwned;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column as _, Row as _};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::value::{Value, hexadecimal};

/// A row of `table`. By convention its first column says which one.
pub(crate) struct Row {
    pub(crate) cells: Cells,
    pub(crate) table: &'static str,
    pub(crate) next: usize,
}

pub(crate) enum Cells {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// Which of the three column types something is stored as.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Integer,
    Text,
    Bytes,
}

/// What a column can be read as.
pub(crate) trait Column: Sized {
    const KIND: Kind;
    fn read(value: Value) -> Result<Self, String>;
}

impl Row {
    /// The next column.
    pub(crate) fn take<T: Column>(&mut self) -> Result<T> {
        self.take_with(Ok)
    }

    /// The next column, a text with a grammar.
    pub(crate) fn parse<T>(&mut self) -> Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.take_with(|text: String| text.parse().map_err(|error: T::Err| error.to_string()))
    }

    /// The next column, a text with a grammar or nothing.
    pub(crate) fn parse_optional<T>(&mut self) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.take_with(|text: Option<String>| {
            text.map(|text| text.parse().map_err(|error: T::Err| error.to_string())).transpose()
        })
    }

    /// The next column, an enum without facts, written as one word.
    pub(crate) fn word<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.take_with(|text: String| {
            serde_json::from_value(serde_json::Value::String(text)).map_err(|e| e.to_string())
        })
    }

    /// The next column, JSON.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        self.take_with(|text: String| serde_json::from_str(&text).map_err(|e| e.to_string()))
    }

    /// The next two columns, a state's name and the state with its facts as JSON.
    pub(crate) fn state<T: DeserializeOwned>(&mut self, name: fn(&T) -> &'static str) -> Result<T> {
        let tag: String = self.take()?;
        let state: T = self.json()?;
        if name(&state) == tag {
            Ok(state)
        } else {
            let problem = format!("the state's name is {tag:?}, its facts are of {}", name(&state));
            Err(self.inconsistent(self.next - 1, problem))
        }
    }

    /// The next three columns, an artifact's kind, name and branch.
    pub(crate) fn artifact(&mut self) -> Result<ArtifactKey> {
        Ok(ArtifactKey { kind: self.parse()?, name: self.parse()?, branch: self.parse()? })
    }

    /// The next three columns, an artifact's kind, name and branch, or nothing.
    pub(crate) fn artifact_optional(&mut self) -> Result<Option<ArtifactKey>> {
        let (kind, name, branch) =
            (self.parse_optional()?, self.parse_optional()?, self.parse_optional()?);
        Ok(kind.zip(name).zip(branch).map(|((kind, name), branch)| ArtifactKey {
            kind,
            name,
            branch,
        }))
    }

    /// The next column, read by `read`.
    pub(crate) fn take_with<C: Column, T>(
        &mut self,
        read: impl FnOnce(C) -> Result<T, String>,
    ) -> Result<T> {
        let index = self.next;
        self.next += 1;
        self.cell(index, C::KIND)
            .and_then(C::read)
            .and_then(read)
            .map_err(|problem| self.inconsistent(index, problem))
    }

    fn cell(&self, index: usize, kind: Kind) -> Result<Value, String> {
        let value = match (&self.cells, kind) {
            (Cells::Sqlite(row), Kind::Integer) => row.try_get(index).map(Value::Integer),
            (Cells::Sqlite(row), Kind::Text) => row.try_get(index).map(Value::Text),
            (Cells::Sqlite(row), Kind::Bytes) => row.try_get(index).map(Value::Bytes),
            (Cells::Postgres(row), Kind::Integer) => row.try_get(index).map(Value::Integer),
            (Cells::Postgres(row), Kind::Text) => row.try_get(index).map(Value::Text),
            (Cells::Postgres(row), Kind::Bytes) => row.try_get(index).map(Value::Bytes),
        };
        value.map_err(|error| error.to_string())
    }

    fn inconsistent(&self, index: usize, problem: String) -> Error {
        let column = match &self.cells {
            Cells::Sqlite(row) => row.columns().get(index).map(|c| c.name().to_owned()),
            Cells::Postgres(row) => row.columns().get(index).map(|c| c.name().to_owned()),
        };
        Error::Inconsistent {
            table: self.table,
            column: column.unwrap_or_else(|| format!("number {index}")),
            row: self.identity(),
            problem,
        }
    }

    fn identity(&self) -> String {
        let read = |kind| self.cell(0, kind);
        match (read(Kind::Integer), read(Kind::Text), read(Kind::Bytes)) {
            (Ok(Value::Integer(Some(number))), ..) => number.to_string(),
            (_, Ok(Value::Text(Some(text))), _) => text,
            (.., Ok(Value::Bytes(Some(bytes)))) => hexadecimal(&bytes),
            _ => "?".to_owned(),
        }
    }
}

impl<T: Column> Column for Option<T> {
    const KIND: Kind = T::KIND;
    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Integer(None) | Value::Text(None) | Value::Bytes(None) => Ok(None),
            value => T::read(value).map(Some),
        }
    }
}

impl Column for i64 {
    const KIND: Kind = Kind::Integer;
    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Integer(Some(number)) => Ok(number),
            _ => Err("it is empty".to_owned()),
        }
    }
}

impl Column for String {
    const KIND: Kind = Kind::Text;
    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Text(Some(text)) => Ok(text),
            _ => Err("it is empty".to_owned()),
        }
    }
}

impl Column for Vec<u8> {
    const KIND: Kind = Kind::Bytes;
    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Bytes(Some(bytes)) => Ok(bytes),
            _ => Err("it is empty".to_owned()),
        }
    }
}

macro_rules! columns {
    ($($type:ty => $kind:ident, |$raw:ident: $raw_type:ty| $expr:expr;)*) => {$(
        impl Column for $type {
            const KIND: Kind = Kind::$kind;
            fn read(value: Value) -> Result<Self, String> {
                let $raw = <$raw_type>::read(value)?;
                $expr
            }
        }
    )*};
}

columns! {
    u32 => Integer, |raw: i64| u32::try_from(raw).map_err(|_| format!("{raw} is out of range"));
    usize => Integer, |raw: i64| usize::try_from(raw).map_err(|_| format!("{raw} is out of range"));
    u64 => Integer, |raw: i64| u64::try_from(raw).map_err(|_| format!("{raw} is out of range"));
    bool => Integer, |raw: i64| Ok(raw != 0);
    Timestamp => Integer, |raw: i64| Ok(Self(raw));
    Duration => Integer, |raw: i64|
        u64::try_from(raw).map(Self::from_micros).map_err(|_| format!("{raw} is negative"));
    Digest => Bytes, |raw: Vec<u8>|
        <[u8; 32]>::try_from(raw).map(Self).map_err(|raw| format!("{} bytes, not 32", raw.len()));
    Uuid => Bytes, |raw: Vec<u8>| Self::from_slice(&raw).map_err(|error| error.to_string());
    EventId => Bytes, |raw: Uuid| Ok(Self(raw));
    PlanId => Bytes, |raw: Uuid| Ok(Self(raw));
    BuildId => Bytes, |raw: Uuid| Ok(Self(raw));
    TestRunId => Bytes, |raw: Uuid| Ok(Self(raw));
    ResultId => Bytes, |raw: Uuid| Ok(Self(raw));
    WaiverId => Bytes, |raw: Uuid| Ok(Self(raw));
    HoldId => Bytes, |raw: Uuid| Ok(Self(raw));
    OutboxId => Bytes, |raw: Uuid| Ok(Self(raw));
    NoticeId => Bytes, |raw: Uuid| Ok(Self(raw));
    DeliveryId => Bytes, |raw: Uuid| Ok(Self(raw));
}
