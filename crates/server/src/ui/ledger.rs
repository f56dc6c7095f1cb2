//! Lines of the ledger, as several pages show them.

use maud::{Markup, html};

use super::links;
use super::moments::Now;
use crate::admin::ledger::DecisionView;

/// What was decided, folded away: it is long, and the last resort of whoever wants to know everything.
pub(super) fn section(lines: &[DecisionView], now: Now) -> Markup {
    html! {
        @if !lines.is_empty() {
            section {
                details.ledger {
                    summary { h2 { "Ledger" } span.quiet { " " (lines.len()) " decisions, the newest first" } }
                    ol.lines reversed {
                        @for line in lines {
                            li {
                                span {
                                    @if let Some(artifact) = &line.artifact { (links::artifact(artifact)) ": " }
                                    (line.sentence)
                                }
                                span.quiet {
                                    (now.ago(line.time))
                                    @if let Some(plan) = line.plan { " in " (links::plan(plan)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
