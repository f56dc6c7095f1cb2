//! Where a branch pointed, and when.

use std::fmt;

use model::artifact::{ArtifactKey, CommitId};
use serde::Serialize;
use store::{events, refs};
use utoipa::ToSchema;

use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};

/// The moves of a branch, the newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BranchHistory {
    /// Whose branch.
    pub artifact: ArtifactKey,
    /// The moves.
    pub moves: Vec<MoveView>,
}

/// A branch came to point elsewhere.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MoveView {
    /// Its place in the history, from 1.
    pub number: i64,
    /// When it was seen.
    pub time: Moment,
    /// What was done to the branch.
    pub change: MoveKind,
    /// Where it pointed before.
    pub previous: Option<CommitId>,
    /// Where it points since.
    pub commit: Option<CommitId>,
    /// The public number of the event that records it.
    pub event: Option<i64>,
}

/// What was done to a branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MoveKind {
    /// It is new.
    Created,
    /// It moved forward.
    Pushed,
    /// It was moved by force.
    Forced,
    /// It, or its repository, was deleted.
    Deleted,
}

impl MoveKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Pushed => "pushed",
            Self::Forced => "forced",
            Self::Deleted => "deleted",
        }
    }

    fn of(moved: &refs::Move) -> Self {
        match (&moved.previous, &moved.commit) {
            (_, None) => Self::Deleted,
            (None, _) => Self::Created,
            _ if moved.forced => Self::Forced,
            _ => Self::Pushed,
        }
    }
}

impl fmt::Display for BranchHistory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.moves.is_empty() {
            return writeln!(f, "the branch of {} was never seen", self.artifact);
        }
        let short = |commit: &Option<CommitId>| {
            commit.as_ref().map_or("-".to_owned(), |commit| commit.short().to_owned())
        };
        let row = |moved: &MoveView| {
            let event = moved.event.map_or("-".to_owned(), |event| event.to_string());
            let (from, to) = (short(&moved.previous), short(&moved.commit));
            [
                moved.number.to_string(),
                moved.time.to_string(),
                moved.change.as_str().to_owned(),
                from,
                to,
                event,
            ]
        };
        Table::of(["MOVE", "TIME", "CHANGE", "FROM", "TO", "EVENT"], self.moves.iter().map(row))
            .fmt(f)
    }
}

impl Admin {
    /// The last moves of an artifact's branch, forced pushes and deletions included.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn branch_history(
        &self,
        artifact: &ArtifactKey,
        limit: u32,
    ) -> Result<BranchHistory, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let mut moves = Vec::new();
        for refs::NumberedMove { number, moved } in
            refs::history(&mut reader, artifact, limit).await?
        {
            let event = match moved.event {
                Some(id) => events::get(&mut reader, id).await?.map(|event| event.number),
                None => None,
            };
            let (time, change) = (Moment(moved.at), MoveKind::of(&moved));
            moves.push(MoveView {
                number,
                time,
                change,
                previous: moved.previous,
                commit: moved.commit,
                event,
            });
        }
        Ok(BranchHistory { artifact: artifact.clone(), moves })
    }
}
