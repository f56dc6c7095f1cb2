//! What was removed from the disk, when and why; and what would be removed now.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use model::id::{BuildId, TestRunId};
use model::removal::{Doomed, Removal, RemovalReason, Subject, SubjectKind};
use pipeline::retention::Use;
use serde::Serialize;
use store::removals::{self, Moment as Marked};
use store::{Conn, Page, builds, leases, test_runs};

use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};
use crate::clock;
use crate::reconcile::retain;
use crate::records::Records;

/// How long a look by hand may take before a server may go on with it.
const AT_MOST: Duration = Duration::from_secs(600);

/// Something that was removed, or is about to be.
#[derive(Clone, Debug, Serialize)]
pub struct RemovalView {
    /// Its place in the record; none for what would be removed.
    pub number: Option<i64>,
    /// What kind of thing it is, and which.
    #[serde(flatten)]
    pub subject: Subject,
    /// Which one, as people call it.
    pub what: String,
    /// Why, as data.
    pub reason: RemovalReason,
    /// Why, as a sentence.
    pub sentence: String,
    /// How many bytes that frees; none if it was not measured.
    pub bytes: Option<u64>,
    /// When it was done.
    pub removed: Option<Moment>,
}

/// Removals, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct RemovalList(pub Vec<RemovalView>);

impl fmt::Display for RemovalList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "nothing was removed");
        }
        let row = |removal: &RemovalView| {
            let removed = removal.removed.map_or("under way".to_owned(), |at| at.to_string());
            let bytes = removal.bytes.map_or_else(|| "-".to_owned(), size);
            let kind = removal.subject.kind.to_string();
            [removed, kind, bytes, removal.what.clone(), removal.sentence.clone()]
        };
        Table::of(["REMOVED", "KIND", "FREED", "WHAT", "WHY"], self.0.iter().map(row)).fmt(f)
    }
}

/// What a look would remove, and what it would leave.
#[derive(Clone, Debug, Serialize)]
pub struct RetentionPreview {
    /// What would be removed.
    pub doomed: Vec<RemovalView>,
    /// Builds whose outputs nobody uses, which would be noted.
    pub unused: usize,
    /// What is kept.
    pub kept: Vec<KeptView>,
}

/// How many of a kind are kept for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct KeptView {
    /// What kind of thing.
    pub kind: SubjectKind,
    /// Why.
    pub why: String,
    /// How many.
    pub count: usize,
}

impl fmt::Display for RetentionPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.doomed.is_empty() {
            writeln!(f, "nothing would be removed")?;
        } else {
            let row = |doomed: &RemovalView| {
                [doomed.subject.kind.to_string(), doomed.what.clone(), doomed.sentence.clone()]
            };
            Table::of(["WOULD REMOVE", "WHAT", "WHY"], self.doomed.iter().map(row)).fmt(f)?;
        }
        if self.unused > 0 {
            writeln!(f, "\nnoted as unused from now on: the outputs of {} builds", self.unused)?;
        }
        if self.kept.is_empty() {
            return Ok(());
        }
        writeln!(f)?;
        let row =
            |kept: &KeptView| [kept.kind.to_string(), kept.count.to_string(), kept.why.clone()];
        Table::of(["KEEPS", "HOW MANY", "WHY"], self.kept.iter().map(row)).fmt(f)
    }
}

/// What a look by hand came to.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "retention", rename_all = "kebab-case")]
pub enum RetentionRun {
    /// It was gone through.
    Done {
        /// How many things were removed, by kind.
        removed: BTreeMap<SubjectKind, u64>,
        /// How many bytes that freed.
        bytes: u64,
    },
    /// A server looks after it, and was asked to look now.
    Asked,
}

impl fmt::Display for RetentionRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => writeln!(
                f,
                "the server looks at it now; `millstream retention list` shows what it removes"
            ),
            Self::Done { removed, .. } if removed.is_empty() => {
                writeln!(f, "nothing is to be removed")
            }
            Self::Done { removed, bytes } => {
                for (kind, count) in removed {
                    writeln!(f, "removed {count} of kind {kind}")?;
                }
                writeln!(f, "freed {}", size(*bytes))
            }
        }
    }
}

/// Bytes as people say them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    // Rounding is what this is for.
    let mut number = bytes as f64;
    while number >= 1024.0 && unit + 1 < UNITS.len() {
        number /= 1024.0;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{number:.1} {}", UNITS[unit]),
    }
}

impl Admin {
    /// What was removed, of one kind or of all.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn removals(
        &self,
        kind: Option<SubjectKind>,
        limit: u32,
    ) -> Result<RemovalList, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let mut list = Vec::new();
        for removal in removals::list(&mut reader, kind, Page::first(limit)).await? {
            list.push(view(&mut reader, removal).await?);
        }
        Ok(RemovalList(list))
    }

    /// What a look would remove now. Changes nothing.
    ///
    /// # Errors
    /// [`AdminError::Store`], or [`AdminError::Outside`] when the disk cannot be read.
    pub async fn preview_retention(&self) -> Result<RetentionPreview, AdminError> {
        let verdict = retain::decide(&self.config, &self.store, self.now()).await?;
        let mut reader = self.store.snapshot().await?;
        let mut doomed = Vec::new();
        for Doomed { subject, reason } in verdict.doomed {
            doomed.push(RemovalView {
                number: None,
                what: named(&mut reader, &subject).await?,
                subject,
                sentence: reason.to_string(),
                reason,
                bytes: None,
                removed: None,
            });
        }
        let kept = |((kind, why), count): ((SubjectKind, Use), usize)| KeptView {
            kind,
            why: why.to_string(),
            count,
        };
        let kept = verdict.kept.into_iter().map(kept).collect();
        Ok(RetentionPreview { doomed, unused: verdict.unused.len(), kept })
    }

    /// Removes what is not kept any more; if a server looks after that, it is asked to do so now.
    ///
    /// # Errors
    /// [`AdminError::Store`], or [`AdminError::Outside`] when something could not be removed.
    pub async fn run_retention(&self) -> Result<RetentionRun, AdminError> {
        let mut tx = self.store.begin().await?;
        let holder = format!("by-hand-{}", clock::owner());
        let lease = leases::acquire(&mut tx, "stage:retain", &holder, self.now(), AT_MOST).await?;
        if lease.is_none() {
            removals::note(&mut tx, Marked::Asked, self.now()).await?;
        }
        tx.commit().await?;
        let Some(lease) = lease else { return Ok(RetentionRun::Asked) };
        let Self { config, store, clock, .. } = self;
        let records = Records { config, store, clock: clock.as_ref(), lease: &lease };
        let tally = retain::run(&records).await;
        let mut tx = self.store.begin().await?;
        leases::release(&mut tx, &lease).await?;
        tx.commit().await?;
        let tally = tally?;
        Ok(RetentionRun::Done {
            bytes: tally.values().map(|total| total.bytes).sum(),
            removed: tally.into_iter().map(|(kind, total)| (kind, total.count)).collect(),
        })
    }
}

/// When and why something was removed, as a sentence; none if it was not, or is there again.
pub(crate) async fn told(
    conn: &mut Conn,
    config: &crate::config::Config,
    subject: &Subject,
) -> Result<Option<String>, AdminError> {
    if retain::path(config, subject).is_none_or(|path| path.exists()) {
        return Ok(None);
    }
    let removal = removals::last(conn, subject).await?;
    Ok(removal.map(|removal| {
        let at = Moment(removal.removed.unwrap_or(removal.decided));
        let kept = match subject.kind {
            SubjectKind::Log | SubjectKind::TestLog => "logs_days",
            _ => "builds_days",
        };
        format!("removed at {at}: {} ({kept} in [retention])", removal.doomed.reason)
    }))
}

async fn view(conn: &mut Conn, removal: Removal) -> Result<RemovalView, AdminError> {
    let Doomed { subject, reason } = removal.doomed;
    Ok(RemovalView {
        number: Some(removal.number),
        what: named(conn, &subject).await?,
        subject,
        sentence: reason.to_string(),
        reason,
        bytes: Some(removal.bytes),
        removed: removal.removed.map(Moment),
    })
}

/// What people call a thing.
async fn named(conn: &mut Conn, subject: &Subject) -> Result<String, AdminError> {
    let build: Option<BuildId> = match subject.kind {
        SubjectKind::Log | SubjectKind::Outputs => subject.name.parse().ok(),
        SubjectKind::TestLog => match subject.name.parse::<TestRunId>() {
            Ok(run) => test_runs::get(conn, run).await?.map(|run| run.build),
            Err(_) => None,
        },
        SubjectKind::Snapshot => {
            return Ok(subject.name.chars().take(12).collect());
        }
        SubjectKind::Generation | SubjectKind::Compose => None,
    };
    let found = match build {
        Some(build) => builds::get(conn, build).await?,
        None => None,
    };
    Ok(found.map_or_else(
        || subject.name.clone(),
        |build| format!("build {} ({})", build.number, build.nvr),
    ))
}
