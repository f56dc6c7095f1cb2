//! Values on their way into a query: the three column types both databases share.

use model::artifact::{ArtifactName, BranchName, CommitId};
use model::clock::Timestamp;
use model::digest::Digest;
use model::id::{
    BuildId, DeliveryId, EventId, HoldId, NoticeId, OutboxId, PlanId, ResultId, TestRunId, WaiverId,
};
use serde::Serialize;
use sqlx::{Arguments, Encode, Postgres, Sqlite, Type};

use crate::connection::Sql;
use crate::error::{Error, Result};

/// A value for a placeholder. A null has a type as well, which PostgreSQL asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Integer(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// Appends it to the arguments of a query.
    pub(crate) fn add_to<A: Arguments>(self, arguments: &mut A) -> Result<()>
    where
        Option<i64>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
        Option<String>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
        Option<Vec<u8>>: for<'q> Encode<'q, A::Database> + Type<A::Database>,
    {
        let added = match self {
            Self::Integer(value) => arguments.add(value),
            Self::Text(value) => arguments.add(value),
            Self::Bytes(value) => arguments.add(value),
        };
        added.map_err(|error| Error::Refused(error.to_string()))
    }
}

/// What can be bound to a placeholder.
pub(crate) trait Bind {
    const NULL: Value;
    fn bind(self) -> Value;
}

/// The values of a query's placeholders, in order.
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::value::Bind::bind($value)),*] };
}
pub(crate) use args;

impl<T: Bind> Bind for Option<T> {
    const NULL: Value = T::NULL;
    fn bind(self) -> Value {
        self.map_or(Self::NULL, Bind::bind)
    }
}

macro_rules! binds {
    ($($type:ty => $variant:ident, |$value:ident| $expr:expr;)*) => {$(
        impl Bind for $type {
            const NULL: Value = Value::$variant(None);
            fn bind(self) -> Value {
                let $value = self;
                Value::$variant(Some($expr))
            }
        }
    )*};
}

binds! {
    i64 => Integer, |value| value;
    u32 => Integer, |value| i64::from(value);
    bool => Integer, |value| i64::from(value);
    usize => Integer, |value| i64::try_from(value).unwrap_or(i64::MAX);
    Timestamp => Integer, |value| value.0;
    &str => Text, |value| without_nul(value.to_owned());
    String => Text, |value| without_nul(value);
    &String => Text, |value| without_nul(value.clone());
    &ArtifactName => Text, |value| value.as_str().to_owned();
    &BranchName => Text, |value| value.as_str().to_owned();
    &CommitId => Text, |value| value.as_str().to_owned();
    Vec<u8> => Bytes, |value| value;
    &[u8] => Bytes, |value| value.to_vec();
    Digest => Bytes, |value| value.0.to_vec();
    EventId => Bytes, |value| value.0.as_bytes().to_vec();
    PlanId => Bytes, |value| value.0.as_bytes().to_vec();
    BuildId => Bytes, |value| value.0.as_bytes().to_vec();
    TestRunId => Bytes, |value| value.0.as_bytes().to_vec();
    ResultId => Bytes, |value| value.0.as_bytes().to_vec();
    WaiverId => Bytes, |value| value.0.as_bytes().to_vec();
    HoldId => Bytes, |value| value.0.as_bytes().to_vec();
    OutboxId => Bytes, |value| value.0.as_bytes().to_vec();
    NoticeId => Bytes, |value| value.0.as_bytes().to_vec();
    DeliveryId => Bytes, |value| value.0.as_bytes().to_vec();
}

impl Bind for Value {
    const NULL: Value = Value::Text(None);
    fn bind(self) -> Value {
        self
    }
}

/// PostgreSQL's texts cannot hold NUL; both databases then hold the same instead.
fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Refused(error.to_string()))
}

/// The one word by which an enum without facts is written in JSON, as a column's text.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(Error::Refused(format!("{other} is not one word"))),
        Err(error) => Err(Error::Refused(error.to_string())),
    }
}

/// `$first, $first+1, …`: `count` placeholders for an IN list.
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let list: Vec<String> = (first..first + count).map(|n| format!("${n}")).collect();
    list.join(", ")
}

/// `($1, $2), ($3, $4), …`: the rows of a VALUES list.
pub(crate) fn values_list(rows: usize, columns: usize) -> String {
    let list: Vec<String> =
        (0..rows).map(|row| format!("({})", placeholders(row * columns + 1, columns))).collect();
    list.join(", ")
}

/// Rows of `columns` values as one JSON value for SQLite's `json_each`: a list of values, or of lists. Bytes are in
/// hexadecimal digits.
pub(crate) fn json_rows(values: &[Value], columns: usize) -> String {
    let value = |value: &Value| match value {
        Value::Integer(number) => serde_json::json!(number),
        Value::Text(text) => serde_json::json!(text),
        Value::Bytes(bytes) => serde_json::json!(bytes.as_deref().map(hexadecimal)),
    };
    let row = |row: &[Value]| match row {
        [only] if columns == 1 => value(only),
        row => row.iter().map(value).collect(),
    };
    values.chunks(columns).map(row).collect::<serde_json::Value>().to_string()
}

/// What gives the values of [`json_rows`] back, of one column and of one type.
pub(crate) fn json_each(values: &[Value]) -> &'static str {
    match values.first() {
        Some(Value::Bytes(_)) => "SELECT unhex(value) FROM json_each($1)",
        _ => "SELECT value FROM json_each($1)",
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)]);
    bytes.iter().flat_map(digits).map(char::from).collect()
}

/// How many rows of `columns` go into one statement: SQLite takes 32,766 placeholders, and beyond a few hundred rows
/// there is nothing to win.
pub(crate) fn rows_at_once(columns: usize) -> usize {
    (32_000 / columns).min(500)
}

/// The arguments as a database wants them.
pub(crate) fn sqlite_arguments(
    values: Vec<Value>,
) -> Result<<Sqlite as sqlx::Database>::Arguments> {
    let mut arguments = <Sqlite as sqlx::Database>::Arguments::default();
    values.into_iter().try_for_each(|value| value.add_to(&mut arguments))?;
    Ok(arguments)
}

/// The arguments as a database wants them.
pub(crate) fn postgres_arguments(
    values: Vec<Value>,
) -> Result<<Postgres as sqlx::Database>::Arguments> {
    let mut arguments = <Postgres as sqlx::Database>::Arguments::default();
    values.into_iter().try_for_each(|value| value.add_to(&mut arguments))?;
    Ok(arguments)
}

/// The conditions of a listing whose filters may be left out.
pub(crate) struct Filter {
    sql: String,
    args: Vec<Value>,
}

impl Filter {
    /// Starts with the page's condition on `number_column`.
    pub(crate) fn new(number_column: &str, page: crate::Page) -> Self {
        Self { sql: format!("WHERE {number_column} < $1"), args: args![page.below()] }
    }

    /// Adds `column = value`, if there is a value.
    pub(crate) fn equals<T: Bind>(&mut self, column: &str, value: Option<T>) {
        if let Some(value) = value {
            self.compares(column, "=", value);
        }
    }

    /// Adds `column comparison value`.
    pub(crate) fn compares<T: Bind>(&mut self, column: &str, comparison: &str, value: T) {
        self.args.push(value.bind());
        self.sql.push_str(&format!(" AND {column} {comparison} ${}", self.args.len()));
    }

    /// Adds a condition without a value.
    pub(crate) fn and(&mut self, condition: &str) {
        self.sql.push_str(&format!(" AND {condition}"));
    }

    /// The query: `select`, the conditions, the newest first, at most as many as the page holds.
    pub(crate) fn query(
        mut self,
        select: &str,
        number_column: &str,
        page: crate::Page,
    ) -> (Sql, Vec<Value>) {
        self.args.push(page.limit.bind());
        let limit = self.args.len();
        let sql = format!("{select} {} ORDER BY {number_column} DESC LIMIT ${limit}", self.sql);
        (Sql::kept(sql), self.args)
    }
}
