//! A person accepts a result as it is, or signs off on a removed test.

use std::fmt;

use model::artifact::ArtifactKey;
use model::gate::{Waiver, WaiverKind};
use serde::Serialize;
use store::{Page, builds, steps, waivers};
use utoipa::ToSchema;

use super::ledger::intervened;
use super::signature::signed;
use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};
use crate::clock::mint;

/// What a person waives or signs off on.
#[derive(Clone, Debug)]
pub struct NewWaiver {
    /// A waiver or a sign-off.
    pub kind: WaiverKind,
    /// For which artifact.
    pub artifact: ArtifactKey,
    /// For which test case.
    pub case: String,
    /// For one build only.
    pub nvr: Option<String>,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Option<Moment>,
}

/// A waiver that is recorded.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WaiverView {
    /// Its public number.
    pub number: i64,
    /// A waiver or a sign-off.
    pub kind: WaiverKind,
    /// For which artifact.
    pub artifact: ArtifactKey,
    /// For which test case.
    pub case: String,
    /// For which build; for all of the artifact if none is given.
    pub nvr: Option<String>,
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub time: Moment,
    /// Until when.
    pub end: Option<Moment>,
    /// Whether it is in force now.
    pub in_force: bool,
}

/// Waivers, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct WaiverList(pub Vec<WaiverView>);

impl fmt::Display for WaiverView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, case, artifact, author, reason, .. } = self;
        let which = self.nvr.as_ref().map(|nvr| format!(" ({nvr} only)")).unwrap_or_default();
        let end = self.end.map(|end| format!(", until {end}")).unwrap_or_default();
        writeln!(
            f,
            "{} {number} for {case} of {artifact}{which}{end}, by {author}: {reason}",
            word(self.kind)
        )
    }
}

impl fmt::Display for WaiverList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no waivers");
        }
        let row = |waiver: &WaiverView| {
            let end = waiver.end.map_or("-".to_owned(), |end| end.to_string());
            let state = if waiver.in_force { "in force" } else { "ended" };
            let what = format!(
                "{} of {}",
                waiver.case,
                waiver.nvr.clone().unwrap_or_else(|| waiver.artifact.to_string())
            );
            let signed = format!("{}: {}", waiver.author, waiver.reason);
            [
                waiver.number.to_string(),
                word(waiver.kind).to_owned(),
                state.to_owned(),
                what,
                end,
                signed,
            ]
        };
        Table::of(["NUMBER", "KIND", "STATE", "CASE", "UNTIL", "BY"], self.0.iter().map(row)).fmt(f)
    }
}

fn word(kind: WaiverKind) -> &'static str {
    match kind {
        WaiverKind::Waiver => "waiver",
        WaiverKind::SignOff => "sign-off",
    }
}

impl Admin {
    /// Records a waiver or a sign-off. A running server opens what it lifts at its next look.
    ///
    /// # Errors
    /// [`AdminError::Input`] when nobody signs it, its end is past, or its build is no build of the artifact.
    pub async fn waive(&self, new: &NewWaiver) -> Result<WaiverView, AdminError> {
        signed(&new.author, &new.reason)?;
        let now = self.now();
        if let Some(end) = new.until.filter(|end| end.0 <= now) {
            return Err(AdminError::Input(format!(
                "{end} is past: the {} would never be in force",
                word(new.kind)
            )));
        }
        self.known_artifact(&new.artifact).await?;
        let waiver = Waiver {
            id: mint(),
            artifact: new.artifact.clone(),
            case: new.case.clone(),
            nvr: new.nvr.clone(),
            kind: new.kind,
            author: new.author.clone(),
            reason: new.reason.clone(),
            at: now,
            end: new.until.map(|end| end.0),
        };
        self.write(async |tx| {
            if let Some(nvr) = &new.nvr {
                let build =
                    builds::by_nvr(tx, nvr).await?.filter(|build| build.artifact == new.artifact);
                let none =
                    || AdminError::Input(format!("there is no build {nvr} of {}", new.artifact));
                build.ok_or_else(none)?;
            }
            let number = waivers::insert(tx, &waiver).await?;
            let view = view(number, waiver.clone(), now);
            let plan = steps::of_artifact(tx, &new.artifact, 1)
                .await?
                .first()
                .map(|placed| placed.step.plan);
            let detail = serde_json::json!(waiver);
            intervened(
                tx,
                now,
                (None, plan, Some(&new.artifact)),
                view.to_string().trim().to_owned(),
                detail,
            )
            .await?;
            Ok(view)
        })
        .await
    }

    /// A waiver, or a sign-off.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is none of this number and kind.
    pub async fn waiver(&self, number: i64, kind: WaiverKind) -> Result<WaiverView, AdminError> {
        let found = waivers::by_number(&mut *self.store.read().await?, number).await?;
        let found = found.filter(|found| found.waiver.kind == kind).ok_or_else(|| {
            AdminError::NotFound(format!(
                "there is no {} {number}: `millstream gate waivers` shows those there are",
                word(kind)
            ))
        })?;
        Ok(view(found.number, found.waiver, self.now()))
    }

    /// The newest waivers and sign-offs, of one artifact or of all, of one kind or of both.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn waivers(
        &self,
        artifact: Option<&ArtifactKey>,
        kind: Option<WaiverKind>,
        page: impl Into<Page>,
    ) -> Result<WaiverList, AdminError> {
        let mut reader = self.store.read().await?;
        let found = waivers::list(&mut reader, artifact, kind, page.into()).await?;
        let views =
            found.into_iter().map(|numbered| view(numbered.number, numbered.waiver, self.now()));
        Ok(WaiverList(views.collect()))
    }
}

pub(crate) fn view(number: i64, waiver: Waiver, now: model::clock::Timestamp) -> WaiverView {
    WaiverView {
        number,
        in_force: waiver.is_in_force(now),
        kind: waiver.kind,
        artifact: waiver.artifact,
        case: waiver.case,
        nvr: waiver.nvr,
        author: waiver.author,
        reason: waiver.reason,
        time: Moment(waiver.at),
        end: waiver.end.map(Moment),
    }
}
