//! What shadow mode would have done, against what was built.

use std::fmt::{self, Write as _};
use std::time::Duration;

use model::shadow::{ActualBuild, Certainty, ShadowReport, WouldBuild};
use pipeline::shadow::Span;
use serde::{Serialize, Serializer};
use store::shadow_reports;

use super::time::Moment;
use super::{Admin, AdminError};
use crate::reconcile::shadow;

/// How many lines of a part are spelt out.
const LINES: usize = 50;

/// A report as people read it.
#[derive(Clone, Debug)]
pub struct ShadowView(pub ShadowReport);

/// Reports, the newest first, in a line each.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ShadowList(pub Vec<ShadowView>);

impl Serialize for ShadowView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        /// The report with its times as people write them.
        #[derive(Serialize)]
        struct Dated<'a> {
            begins: Moment,
            ends: Moment,
            #[serde(flatten)]
            report: &'a ShadowReport,
        }
        let (begins, ends) = (Moment(self.0.from), Moment(self.0.until));
        Dated { begins, ends, report: &self.0 }.serialize(serializer)
    }
}

impl fmt::Display for ShadowList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no day was reported on yet");
        }
        self.0.iter().try_for_each(|report| writeln!(f, "{}", report.title()))
    }
}

/// One part of a report: a title and its lines.
type Part = (&'static str, Vec<String>);

impl ShadowView {
    fn of(&self, certainty: Certainty) -> impl Iterator<Item = &WouldBuild> {
        self.0.only_we.iter().filter(move |would| would.certainty == certainty)
    }

    /// `shadow report for 2026-11-26: …`
    fn title(&self) -> String {
        let ShadowReport { from, until, both, only_they, .. } = &self.0;
        let day = |at| Moment(at).to_string().replace("T00:00:00Z", "");
        let span = match until.since(*from) {
            DAY => day(*from),
            _ => format!("{} to {}", day(*from), day(*until)),
        };
        let certain = |would: &&WouldBuild| would.certainty == Certainty::Certain;
        let built = both.iter().map(|both| &both.would).filter(certain).count();
        let wanted = built + self.of(Certainty::Certain).count();
        let missed = only_they.len();
        format!(
            "shadow report for {span}: {built} of {wanted} we would have built were built, {missed} we would have missed"
        )
    }

    fn parts(&self) -> [Part; 5] {
        let would = |would: &WouldBuild| {
            format!("{} (plan {}): {}", would.artifact, would.plan, would.sentence)
        };
        let actual = |build: &ActualBuild| {
            let by = build.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
            format!("{}{by}, {} in {}", build.nvr, Moment(build.at), build.system)
        };
        let both = self.0.both.iter().map(|both| {
            let builds: Vec<String> = both.builds.iter().map(actual).collect();
            let perhaps = match both.would.certainty {
                Certainty::Certain => "",
                Certainty::DependsOnFacets => ", if the facets had changed",
            };
            format!("{}{perhaps}; built: {}", would(&both.would), builds.join(", "))
        });
        let order = self.0.order.iter().map(|order| {
            format!(
                "{} was built before {} (plan {}): {}",
                order.dependent.nvr, order.dependency.nvr, order.plan, order.sentence
            )
        });
        [
            ("Both", both.collect()),
            ("Only we, for certain", self.of(Certainty::Certain).map(would).collect()),
            (
                "Only we, had the facets that they listen to changed",
                self.of(Certainty::DependsOnFacets).map(would).collect(),
            ),
            (
                "Only they",
                self.0
                    .only_they
                    .iter()
                    .map(|build| format!("{}: {}", build.artifact, actual(build)))
                    .collect(),
            ),
            ("In another order than ours", order.collect()),
        ]
    }

    fn footer(&self) -> String {
        let ShadowReport { plans, first_seen, .. } = &self.0;
        let import = match first_seen {
            0 => String::new(),
            count => format!("; {count} branches were seen for the first time and do not count"),
        };
        format!("{plans} plans were made{import}.")
    }

    /// The report as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n", self.title());
        for (title, lines) in self.parts().iter().filter(|(_, lines)| !lines.is_empty()) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n### {title} ({})\n", lines.len());
            lines.iter().take(LINES).for_each(|line| {
                let _ = writeln!(text, "- {line}");
            });
            if lines.len() > LINES {
                let _ = writeln!(text, "- and {} more", lines.len() - LINES);
            }
        }
        let _ = writeln!(text, "\n{}", self.footer());
        text
    }
}

const DAY: Duration = Duration::from_secs(86_400);

impl fmt::Display for ShadowView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title())?;
        for (title, lines) in self.parts().iter().filter(|(_, lines)| !lines.is_empty()) {
            writeln!(f, "\n{title} ({}):", lines.len())?;
            lines.iter().take(LINES).try_for_each(|line| writeln!(f, "  {line}"))?;
            if lines.len() > LINES {
                writeln!(f, "  and {} more", lines.len() - LINES)?;
            }
        }
        writeln!(f, "\n{}", self.footer())
    }
}

impl Admin {
    /// The report on a span of time, as far as it is known now; the last day if none is given.
    ///
    /// # Errors
    /// [`AdminError::Input`] when it ends before it begins.
    pub async fn shadow_report(
        &self,
        since: Option<Moment>,
        until: Option<Moment>,
    ) -> Result<ShadowView, AdminError> {
        let until = until.map_or(self.now(), |until| until.0);
        let from = since.map_or(until - DAY, |since| since.0);
        if from >= until {
            let (from, until) = (Moment(from), Moment(until));
            return Err(AdminError::Input(format!("nothing lies between {from} and {until}")));
        }
        let span = Span { from, until, grace: self.config.shadow.grace_seconds };
        let mut reader = self.store.snapshot().await?;
        Ok(ShadowView(shadow::over(&mut reader, span).await?))
    }

    /// The stored reports, the newest first.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn shadow_reports(&self, limit: u32) -> Result<ShadowList, AdminError> {
        let found = shadow_reports::list(&mut *self.store.read().await?, limit).await?;
        Ok(ShadowList(found.into_iter().map(ShadowView).collect()))
    }
}
