//! What a person can do about a plan: start it at once, try again what failed, cancel it.

use std::sync::Arc;

use axum::extract::{Form, Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::{Markup, html};
use pipeline::plan::report::PlanState;

use crate::admin::board::PlanBoard;
use crate::admin::retry::RetryRequest;
use crate::admin::tokens::Scope;
use crate::admin::{Admin, Signature};
use crate::ui::Ui;
use crate::ui::forms::{self, Problem, Sent, Sheet, answered, asked, taken};
use crate::ui::moments::Now;
use crate::ui::trouble::Trouble;
use crate::ui::visitor::Writer;

/// What is done to a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Run,
    Approve,
    Retry,
    Cancel,
}

impl Act {
    fn of(word: &str) -> Result<Self, Trouble> {
        match word {
            "run" => Ok(Self::Run),
            "approve" => Ok(Self::Approve),
            "retry" => Ok(Self::Retry),
            "cancel" => Ok(Self::Cancel),
            _ => Err(Trouble::not_found(format!("Nothing called {word} can be done to a plan."))),
        }
    }

    fn sheet(self, number: i64) -> Sheet {
        let (title, introduction, submit) = match self {
            Self::Run => (
                format!("Start plan {number} at once"),
                html! { p { "It does not wait for more of the same any longer." } },
                "Start it",
            ),
            Self::Approve => (
                format!("Approve plan {number}"),
                html! { p { "A rule would touch more than its limit allows by itself. You agree to all of it." } },
                "Approve it",
            ),
            Self::Retry => (
                format!("Try again what stopped in plan {number}"),
                html! {
                    p {
                        "What failed is built again, and refused gates get new test runs. \
                         Nothing that succeeded is repeated."
                    }
                },
                "Try again",
            ),
            Self::Cancel => (
                format!("Cancel plan {number}"),
                html! {
                    p {
                        "Every step that is not settled ends, builds under way as well, unless \
                         another plan waits for them. What is published stays."
                    }
                },
                "Cancel the plan",
            ),
        };
        Sheet {
            title,
            introduction,
            action: format!("/plans/{number}/{}", self.word()),
            submit,
            back: format!("/plans/{number}"),
            hidden: Vec::new(),
            fields: forms::signature(),
        }
    }

    /// Does it.
    async fn done(
        self,
        (ui, writer): (&Ui, &Writer),
        number: i64,
        sent: &Sent,
    ) -> Result<Response, Problem> {
        let (by, reason) = sent.signature()?;
        let signature = Signature { author: writer.author(&by), reason, seen: None };
        let act = async move |admin: &Admin| match self {
            Self::Run => admin.run_plan(number, &signature).await.map(|_| None),
            Self::Approve => admin.approve_plan(number, &signature).await.map(|_| None),
            Self::Cancel => admin.cancel_plan(number, &signature).await.map(|_| None),
            Self::Retry => {
                let plan = Some(number);
                let request = RetryRequest { plan, artifact: None, failed_only: false, signature };
                let retried = admin.retry(&request).await?;
                let nothing = !retried.is_any();
                Ok(nothing.then(|| retried.to_string().trim().replace('\n', "; ")))
            }
        };
        if let Some(sentence) = ui.api.change(act).await? {
            return Err(Problem::Input { field: None, sentence });
        }
        Ok(taken(&format!("/plans/{number}"), &by))
    }

    fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Approve => "approve",
            Self::Retry => "retry",
            Self::Cancel => "cancel",
        }
    }
}

/// What can be done to the plan as it stands.
pub(super) fn offered(board: &PlanBoard, now: Now) -> Markup {
    let number = board.plan.number;
    let stuck = ["failed", "held"].iter().any(|state| board.head.counts.contains_key(*state));
    html! {
        @if board.is_open() {
            p.acts {
                @if board.head.start.0 > now.0 { a.act href={ "/plans/" (number) "/run" } { "Start at once" } }
                @if board.head.state == PlanState::Proposed { a.act href={ "/plans/" (number) "/approve" } { "Approve" } }
                @if stuck { a.act href={ "/plans/" (number) "/retry" } { "Try again what stopped" } }
                a.act href={ "/plans/" (number) "/cancel" } { "Cancel" }
            }
        }
    }
}

/// The form.
pub(in crate::ui) async fn ask(
    State(ui): State<Arc<Ui>>,
    Path((number, word)): Path<(i64, String)>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let act = Act::of(&word)?;
    ui.api.admin.plan_board(number).await?;
    let url = format!("/plans/{number}/{word}");
    asked((&ui, &headers), &act.sheet(number), &url).await
}

/// The form, filled in.
pub(in crate::ui) async fn send(
    State(ui): State<Arc<Ui>>,
    Path((number, word)): Path<(i64, String)>,
    headers: HeaderMap,
    Form(sent): Form<std::collections::HashMap<String, String>>,
) -> Result<Response, Trouble> {
    let (act, sent) = (Act::of(&word)?, Sent(sent));
    let (visitor, writer) = ui.admit(&headers, sent.form_token(), Scope::Plans).await?;
    let outcome = act.done((&ui, &writer), number, &sent).await;
    answered((&ui, &visitor), &sent, &act.sheet(number), outcome)
}
