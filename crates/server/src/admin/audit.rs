//! The audit log: who wrote what over HTTP.

use std::fmt;

use model::digest::Digest;
use serde::Serialize;
use store::Page;
use store::audit::{self, NumberedEntry};
use utoipa::ToSchema;

use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};

/// A write over HTTP.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditView {
    /// Its place in the log.
    pub number: i64,
    /// When it came.
    pub time: Moment,
    /// Whose token or session it came with.
    pub actor: String,
    /// The address it came from.
    pub remote: String,
    /// Its method.
    pub method: String,
    /// Its path and query.
    pub path: String,
    /// The digest of its body.
    pub body: Digest,
    /// The id of the request, as the answer and the server's log have it.
    pub request: String,
    /// The status of the answer; none if its end is not recorded.
    pub status: Option<u32>,
}

/// Writes, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct AuditLog(pub Vec<AuditView>);

impl fmt::Display for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "nothing was written over HTTP");
        }
        let row = |entry: &AuditView| {
            [
                entry.number.to_string(),
                entry.time.to_string(),
                entry.actor.clone(),
                entry.remote.clone(),
                entry.status.map_or("-".to_owned(), |status| status.to_string()),
                format!("{} {}", entry.method, entry.path),
                entry.body.short(),
            ]
        };
        let header = ["NUMBER", "TIME", "ACTOR", "FROM", "STATUS", "REQUEST", "BODY"];
        Table::of(header, self.0.iter().map(row)).fmt(f)
    }
}

impl Admin {
    /// The newest writes over HTTP, of one actor or of all.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn audit_log(
        &self,
        actor: Option<&str>,
        page: impl Into<Page>,
    ) -> Result<AuditLog, AdminError> {
        let view = |NumberedEntry { number, entry }: NumberedEntry| AuditView {
            number,
            time: Moment(entry.at),
            actor: entry.actor,
            remote: entry.remote,
            method: entry.method,
            path: entry.path,
            body: entry.body,
            request: entry.request,
            status: entry.status,
        };
        let found = audit::list(&mut *self.store.read().await?, actor, page.into()).await?;
        Ok(AuditLog(found.into_iter().map(view).collect()))
    }
}
