//! Connections to read from and transactions to write in.

use std::borrow::Cow;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};

use crate::artifacts::KnownIds;
use crate::error::{Error, Result};
use crate::row::{Cells, Row};
use crate::value::{
    Value, json_each, json_rows, placeholders, postgres_arguments, sqlite_arguments, values_list,
};

/// Which database it is. Asked only where no one SQL text serves both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// The embedded one.
    Sqlite,
    /// The one for several replicas.
    Postgres,
}

/// What queries run on.
pub struct Conn {
    on: Inner,
    /// Shared by all connections of a store.
    pub(crate) ids: Arc<KnownIds>,
}

enum Inner {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    SqliteTx(Transaction<'static, Sqlite>),
    PostgresTx(Transaction<'static, Postgres>),
}

enum Raw<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

/// A connection for reading.
pub struct Reader(Conn);

/// A transaction for writing. What is not committed is undone when it is dropped.
pub struct Tx(Conn);

impl Conn {
    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match &self.on {
            Inner::Sqlite(_) | Inner::SqliteTx(_) => Dialect::Sqlite,
            Inner::Postgres(_) | Inner::PostgresTx(_) => Dialect::Postgres,
        }
    }

    /// Whether what it sees may still be undone, or is no more the newest state.
    pub(crate) fn is_in_transaction(&self) -> bool {
        matches!(&self.on, Inner::SqliteTx(_) | Inner::PostgresTx(_))
    }

    fn raw(&mut self) -> Raw<'_> {
        match &mut self.on {
            Inner::Sqlite(connection) => Raw::Sqlite(connection),
            Inner::Postgres(connection) => Raw::Postgres(connection),
            Inner::SqliteTx(transaction) => Raw::Sqlite(transaction),
            Inner::PostgresTx(transaction) => Raw::Postgres(transaction),
        }
    }

    /// Every row of a query over `table`. The first column must identify the row.
    pub(crate) async fn rows(
        &mut self,
        table: &'static str,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let (sql, lasting) = statement(sql.into(), self.dialect());
        Ok(match self.raw() {
            Raw::Sqlite(connection) => {
                let query = sqlx::query_with(sql, sqlite_arguments(values)?).persistent(lasting);
                let rows = query.fetch_all(connection).await?;
                rows.into_iter().map(|row| Row::of(table, Cells::Sqlite(row))).collect()
            }
            Raw::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres_arguments(values)?).persistent(lasting);
                let rows = query.fetch_all(connection).await?;
                rows.into_iter().map(|row| Row::of(table, Cells::Postgres(row))).collect()
            }
        })
    }

    /// The only row of a query over `table`, or none.
    pub(crate) async fn row(
        &mut self,
        table: &'static str,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<Option<Row>> {
        Ok(self.rows(table, sql, values).await?.into_iter().next())
    }

    /// The first column of the row that an insertion returns: the number it was given.
    pub(crate) async fn number(
        &mut self,
        table: &'static str,
        sql: impl Into<Sql>,
        values: Vec<Value>,
    ) -> Result<i64> {
        match self.row(table, sql, values).await? {
            Some(mut row) => row.take(),
            None => Err(Error::Conflict(format!("nothing was inserted into {table}"))),
        }
    }

    /// Runs a statement and says how many rows it touched.
    pub(crate) async fn execute(&mut self, sql: impl Into<Sql>, values: Vec<Value>) -> Result<u64> {
        let (sql, lasting) = statement(sql.into(), self.dialect());
        Ok(match self.raw() {
            Raw::Sqlite(connection) => {
                let query = sqlx::query_with(sql, sqlite_arguments(values)?).persistent(lasting);
                query.execute(connection).await?.rows_affected()
            }
            Raw::Postgres(connection) => {
                let query = sqlx::query_with(sql, postgres_arguments(values)?).persistent(lasting);
                query.execute(connection).await?.rows_affected()
            }
        })
    }

    /// Runs `select` with a list of values of one type for `IN (…)` in place of each `{}`, and gathers the rows.
    ///
    /// On PostgreSQL the lists are of bounded length ([`LISTED`]), and each has its own rows.
    pub(crate) async fn rows_in(
        &mut self,
        table: &'static str,
        select: &str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        if values.is_empty() {
            return Ok(Vec::new());
        }
        // Dialect: one text and one value for lists of every length; to bind a thousand values takes SQLite longer than
        // to look them up.
        if self.dialect() == Dialect::Sqlite {
            let sql = Sql::kept(select.replace("{}", json_each(&values)));
            return self.rows(table, sql, crate::value::args![json_rows(&values, 1)]).await;
        }
        let mut found = Vec::new();
        for chunk in values.chunks(LISTED) {
            let values = padded(chunk, 1);
            let sql = Sql::kept(select.replace("{}", &placeholders(1, values.len())));
            found.extend(self.rows(table, sql, values).await?);
        }
        Ok(found)
    }

    /// Reads every row of `table` as the program would, a thousand values of the integer `key` at a time.
    pub(crate) async fn check_rows<T>(
        &mut self,
        table: &'static str,
        select: &str,
        key: &str,
        decode: fn(Row) -> Result<T>,
    ) -> Result<()> {
        let (_, column) = key.split_once('.').unwrap_or(("", key));
        let newest = self.row(table, format!("SELECT max({column}) FROM {table}"), vec![]).await?;
        let last: Option<i64> = newest.map(|mut row| row.take()).transpose()?.flatten();
        let mut from = 0;
        while last.is_some_and(|last| from < last) {
            let sql = format!("{select} WHERE {key} > $1 AND {key} <= $2 ORDER BY {key}");
            for row in self.rows(table, sql, crate::value::args![from, from + 1_000]).await? {
                decode(row)?;
            }
            from += 1_000;
        }
        Ok(())
    }

    /// Runs `insert` with rows of `columns` values each in place of `{}`, in statements of bounded length.
    pub(crate) async fn insert_rows(
        &mut self,
        insert: &str,
        columns: usize,
        values: Vec<Value>,
    ) -> Result<()> {
        for chunk in chunks(values, columns) {
            let sql = with_rows(insert, chunk.len() / columns, columns);
            self.execute(sql, chunk).await?;
        }
        Ok(())
    }

    /// As [`Conn::insert_rows`] into `table`, and gathers what the insertions return, in no order.
    pub(crate) async fn insert_returning(
        &mut self,
        table: &'static str,
        insert: &str,
        columns: usize,
        values: Vec<Value>,
    ) -> Result<Vec<Row>> {
        let mut returned = Vec::new();
        for chunk in chunks(values, columns) {
            let sql = with_rows(insert, chunk.len() / columns, columns);
            returned.extend(self.rows(table, sql, chunk).await?);
        }
        Ok(returned)
    }
}

impl Row {
    fn of(table: &'static str, cells: Cells) -> Self {
        Self { cells, table, next: 0 }
    }
}

/// The text of a statement. One that is put together holds our own words and placeholders, never a value from outside.
pub(crate) struct Sql {
    text: Cow<'static, str>,
    /// Whether the connection keeps it prepared. Not one of a length that hardly comes again: it would take the place
    /// of another.
    kept: bool,
}

impl Sql {
    /// A text that was put together and will be asked for again.
    pub(crate) fn kept(text: String) -> Self {
        Self { text: text.into(), kept: true }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Self {
        Self { text: text.into(), kept: true }
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Self {
        Self { text: text.into(), kept: false }
    }
}

/// How long a list for `IN (…)` is at most on PostgreSQL.
pub(crate) const LISTED: usize = 1_024;

/// Values in parts of as many rows as go into one statement. Nearly always that is one part.
fn chunks(mut values: Vec<Value>, columns: usize) -> Vec<Vec<Value>> {
    let most = crate::value::rows_at_once(columns) * columns;
    let mut chunks = Vec::with_capacity(1);
    while values.len() > most {
        let rest = values.split_off(most);
        chunks.push(std::mem::replace(&mut values, rest));
    }
    if !values.is_empty() {
        chunks.push(values);
    }
    chunks
}

/// A list for `IN (…)` of rows of `columns` values, the last row repeated until their number is a power of two: what is
/// found is the same, and there are few lengths of statements to be kept prepared.
pub(crate) fn padded(values: &[Value], columns: usize) -> Vec<Value> {
    let rows = (values.len() / columns).next_power_of_two();
    let last = values.chunks(columns).next_back().unwrap_or_default();
    let rest = last.iter().cycle().take(rows * columns - values.len());
    values.iter().chain(rest).cloned().collect()
}

/// A statement with a `VALUES` list of rows in place of `{}`. Those of a few rows come often.
pub(crate) fn with_rows(sql: &str, rows: usize, columns: usize) -> Sql {
    let text = sql.replace("{}", &values_list(rows, columns));
    if rows <= 16 { Sql::kept(text) } else { Sql::from(text) }
}

fn statement(sql: Sql, dialect: Dialect) -> (AssertSqlSafe<Cow<'static, str>>, bool) {
    let text = match (sql.text, dialect) {
        // Dialect: to SQLite `$1` and `?1` are names, and each is looked for among all the others, when the statement is
        // prepared and whenever a value is bound to it; a bare `?` has none.
        (Cow::Owned(text), Dialect::Sqlite) => Cow::Owned(nameless(&text)),
        (text, _) => text,
    };
    (AssertSqlSafe(text), sql.kept)
}

/// A text with `?` for `$1, $2, …`, if each stands there once and in their order; otherwise with `?1, ?2, …`.
fn nameless(text: &str) -> String {
    let mut bare = String::with_capacity(text.len());
    let mut parts = text.split('$');
    bare.push_str(parts.next().unwrap_or_default());
    for (before, part) in parts.enumerate() {
        let rest = part.trim_start_matches(|character: char| character.is_ascii_digit());
        if part[..part.len() - rest.len()].parse() != Ok(before + 1) {
            return text.replace('$', "?");
        }
        bare.push('?');
        bare.push_str(rest);
    }
    bare
}

impl Reader {
    pub(crate) fn sqlite(connection: PoolConnection<Sqlite>, ids: Arc<KnownIds>) -> Self {
        Self(Conn { on: Inner::Sqlite(connection), ids })
    }

    pub(crate) fn postgres(connection: PoolConnection<Postgres>, ids: Arc<KnownIds>) -> Self {
        Self(Conn { on: Inner::Postgres(connection), ids })
    }

    pub(crate) fn of(transaction: Tx) -> Self {
        Self(transaction.0)
    }
}

impl Tx {
    pub(crate) fn sqlite(transaction: Transaction<'static, Sqlite>, ids: Arc<KnownIds>) -> Self {
        Self(Conn { on: Inner::SqliteTx(transaction), ids })
    }

    pub(crate) fn postgres(
        transaction: Transaction<'static, Postgres>,
        ids: Arc<KnownIds>,
    ) -> Self {
        Self(Conn { on: Inner::PostgresTx(transaction), ids })
    }

    /// Makes everything that was done in it lasting and visible.
    ///
    /// # Errors
    /// When the database goes away meanwhile, it is unknown whether the commit took place; whoever tries again must
    /// bear both. Ids minted beforehand make that so.
    pub async fn commit(self) -> Result<()> {
        match self.0.on {
            Inner::SqliteTx(transaction) => transaction.commit().await?,
            Inner::PostgresTx(transaction) => transaction.commit().await?,
            Inner::Sqlite(_) | Inner::Postgres(_) => {}
        }
        Ok(())
    }

    /// Undoes everything at once; dropping the transaction does so a little later.
    ///
    /// # Errors
    /// None that matters: without a connection, the database undoes it by itself.
    pub async fn rollback(self) -> Result<()> {
        match self.0.on {
            Inner::SqliteTx(transaction) => transaction.rollback().await?,
            Inner::PostgresTx(transaction) => transaction.rollback().await?,
            Inner::Sqlite(_) | Inner::Postgres(_) => {}
        }
        Ok(())
    }
}

impl Deref for Reader {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

impl Deref for Tx {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_lose_their_numbers_where_they_stand_in_order() {
        let check = |text: &str, expected: &str| assert_eq!(nameless(text), expected);
        check("SELECT 1", "SELECT 1");
        check("VALUES ($1, $2), ($3, $4) LIMIT $5", "VALUES (?, ?), (?, ?) LIMIT ?");
        check("SET a = $2 WHERE b = $1", "SET a = ?2 WHERE b = ?1");
        check("a = $1 AND b = $2 AND c = $1", "a = ?1 AND b = ?2 AND c = ?1");
        check("$1 $2 $3 $4 $5 $6 $7 $8 $9 $10", "? ? ? ? ? ? ? ? ? ?");
    }

    #[test]
    fn values_are_parted_by_whole_rows() {
        let values = vec![Value::Integer(Some(1)); 1_203];
        let lengths = chunks(values, 1).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths, [500, 500, 203]);
        assert!(chunks(Vec::new(), 3).is_empty());
    }
}
