//! Freezes and holds: a person stops something for a while, and lets it go again.

use std::fmt;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::event::{Request, Severity};
use model::hold::{Hold, HoldKind};
use model::message::Message;
use serde::Serialize;
use store::holds::NumberedHold;
use store::{Conn, Page, Tx, holds, inbox};
use utoipa::ToSchema;

use super::events::Asked;
use super::ledger::intervened;
use super::signature::signed;
use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError, Signature};
use crate::clock::mint;

/// What a person wants to stop.
#[derive(Clone, Debug)]
pub struct NewHold {
    /// How.
    pub kind: HoldKind,
    /// Which artifact.
    pub artifact: ArtifactKey,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Option<Moment>,
}

/// A freeze or a hold.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HoldView {
    /// Its public number.
    pub number: i64,
    /// Which of the two.
    pub kind: HoldKind,
    /// For which artifact.
    pub artifact: ArtifactKey,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub time: Moment,
    /// Until when; until it is released if none is given.
    pub end: Option<Moment>,
    /// When it was released.
    pub released: Option<Moment>,
    /// Whether it is in force now.
    pub in_force: bool,
}

/// Freezes and holds, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct HoldList(pub Vec<HoldView>);

/// What was released.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = HoldRelease)]
pub struct Release {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// The public numbers of what held it.
    pub released: Vec<i64>,
    /// The message that asks for the rebuild that a freeze prevented.
    pub rebuild: Option<String>,
}

impl fmt::Display for HoldView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, kind, artifact, author, reason, .. } = self;
        let end =
            self.end.map_or(", until it is released".to_owned(), |end| format!(", until {end}"));
        writeln!(f, "{} {number} of {artifact}{end}, by {author}: {reason}", kind.as_str())
    }
}

impl fmt::Display for HoldList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "nothing is frozen or held");
        }
        let row = |hold: &HoldView| {
            let state = match (hold.in_force, hold.released) {
                (true, _) => "in force",
                (false, Some(_)) => "released",
                (false, None) => "ended",
            };
            let end = hold.end.map_or("-".to_owned(), |end| end.to_string());
            let signed = format!("{}: {}", hold.author, hold.reason);
            let (number, artifact) = (hold.number.to_string(), hold.artifact.to_string());
            [number, hold.kind.as_str().to_owned(), artifact, state.to_owned(), end, signed]
        };
        Table::of(["NUMBER", "KIND", "ARTIFACT", "STATE", "UNTIL", "BY"], self.0.iter().map(row))
            .fmt(f)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.released.iter().map(i64::to_string).collect();
        writeln!(f, "{} is released ({})", self.artifact, numbers.join(", "))?;
        match &self.rebuild {
            Some(message) => writeln!(f, "a rebuild was asked for: message {message}"),
            None => Ok(()),
        }
    }
}

impl Admin {
    /// Freezes or holds an artifact.
    ///
    /// # Errors
    /// [`AdminError::Input`] when nobody signs it, its end is past, or the artifact is stopped in this way already.
    pub async fn hold(&self, new: &NewHold) -> Result<HoldView, AdminError> {
        signed(&new.author, &new.reason)?;
        let now = self.now();
        if let Some(end) = new.until.filter(|end| end.0 <= now) {
            return Err(AdminError::Input(format!(
                "{end} is past: the {} would never be in force",
                new.kind.as_str()
            )));
        }
        self.known_artifact(&new.artifact).await?;
        let hold = Hold {
            id: mint(),
            kind: new.kind,
            artifact: new.artifact.clone(),
            author: new.author.clone(),
            reason: new.reason.clone(),
            at: now,
            end: new.until.map(|end| end.0),
            released: None,
        };
        self.write(async |tx| {
            let in_force = holds::in_force(tx, now).await?;
            let same = |other: &&Hold| other.kind == new.kind && other.artifact == new.artifact;
            if let Some(other) = in_force.iter().find(same) {
                return Err(AdminError::Unfit(format!(
                    "{} is under a {} by {} already: {}; release it first",
                    new.artifact,
                    new.kind.as_str(),
                    other.author,
                    other.reason
                )));
            }
            let number = holds::insert(tx, &hold).await?;
            let view = view(NumberedHold { number, hold: hold.clone() }, now);
            let (sentence, detail) = (view.to_string().trim().to_owned(), serde_json::json!(hold));
            intervened(tx, now, (None, None, Some(&new.artifact)), sentence, detail).await?;
            Ok(view)
        })
        .await
    }

    /// Releases whatever stops an artifact. What a freeze left out is asked for.
    ///
    /// # Errors
    /// [`AdminError::Unfit`] when nothing stops it.
    pub async fn release(
        &self,
        artifact: &ArtifactKey,
        signature: &Signature,
    ) -> Result<Release, AdminError> {
        signature.check()?;
        let rebuild = rebuild_after(artifact, signature);
        self.write(async |tx| {
            let now = self.now();
            let found = holds::list(tx, Some(artifact), Some(now), Page::first(1000)).await?;
            if found.is_empty() {
                return Err(AdminError::Unfit(format!(
                    "{artifact} is neither frozen nor held: `millstream hold list` shows what is"
                )));
            }
            self.release_all(tx, &found, signature, &rebuild).await
        })
        .await
    }

    /// Releases one freeze or hold. What a freeze left out is asked for.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none of this number, [`AdminError::Unfit`] when it is not in force.
    pub async fn release_hold(
        &self,
        number: i64,
        signature: &Signature,
    ) -> Result<Release, AdminError> {
        signature.check()?;
        let rebuild = rebuild_after(&self.hold_of(number).await?.artifact, signature);
        self.write(async |tx| {
            let found = numbered(tx, number).await?;
            let seen = view(found.clone(), self.now());
            signature.still_holds(&seen)?;
            if !seen.in_force {
                return Err(AdminError::Unfit(format!("{} {number} is over", seen.kind.as_str())));
            }
            self.release_all(tx, &[found], signature, &rebuild).await
        })
        .await
    }

    async fn release_all(
        &self,
        tx: &mut Tx,
        found: &[NumberedHold],
        signature: &Signature,
        rebuild: &(ArtifactKey, Message),
    ) -> Result<Release, AdminError> {
        let now = self.now();
        let (artifact, message) = rebuild;
        let mut release =
            Release { artifact: artifact.clone(), released: Vec::new(), rebuild: None };
        for NumberedHold { number, hold } in found {
            holds::release(tx, hold.id, now).await?;
            release.released.push(*number);
            let Signature { author, reason, .. } = signature;
            let sentence = format!("{author} released {} {number}: {reason}", hold.kind.as_str());
            let about = (None, None, Some(artifact));
            intervened(tx, now, about, sentence, serde_json::Value::Null).await?;
        }
        if found.iter().any(|found| found.hold.kind == HoldKind::Freeze) {
            inbox::receive(tx, message, now).await?;
            release.rebuild = Some(message.id.clone());
        }
        Ok(release)
    }

    /// A freeze or a hold.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none of this number.
    pub async fn hold_of(&self, number: i64) -> Result<HoldView, AdminError> {
        let found = numbered(&mut *self.store.read().await?, number).await?;
        Ok(view(found, self.now()))
    }

    /// The newest freezes and holds, of one artifact or of all: those in force, or all.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn holds(
        &self,
        artifact: Option<&ArtifactKey>,
        all: bool,
        page: impl Into<Page>,
    ) -> Result<HoldList, AdminError> {
        let now = self.now();
        let in_force_at = (!all).then_some(now);
        let mut reader = self.store.read().await?;
        let found = holds::list(&mut reader, artifact, in_force_at, page.into()).await?;
        Ok(HoldList(found.into_iter().map(|numbered| view(numbered, now)).collect()))
    }
}

async fn numbered(conn: &mut Conn, number: i64) -> Result<NumberedHold, AdminError> {
    holds::by_number(conn, number).await?.ok_or_else(|| {
        AdminError::NotFound(format!(
            "there is no freeze or hold {number}: `millstream hold list` shows those there are"
        ))
    })
}

/// The request for what a freeze left out.
fn rebuild_after(artifact: &ArtifactKey, signature: &Signature) -> (ArtifactKey, Message) {
    let asked = Asked {
        artifact: artifact.clone(),
        request: Request::Rebuild,
        by: signature.author.clone(),
        reason: format!("released from its freeze: {}", signature.reason),
        severity: Severity::None,
    };
    (artifact.clone(), asked.message())
}

pub(super) fn view(NumberedHold { number, hold }: NumberedHold, now: Timestamp) -> HoldView {
    HoldView {
        number,
        in_force: hold.is_in_force(now),
        kind: hold.kind,
        artifact: hold.artifact,
        author: hold.author,
        reason: hold.reason,
        time: Moment(hold.at),
        end: hold.end.map(Moment),
        released: hold.released.map(Moment),
    }
}
