//! `/gates/waive` and `/gates/sign-off`: a person accepts a result as it is, or that a test was removed.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;
use model::artifact::ArtifactKey;
use model::gate::WaiverKind;
use pipeline::gate::decide::SIGN_OFF;

use crate::admin::Admin;
use crate::admin::time::Moment;
use crate::admin::tokens::Scope;
use crate::admin::waivers::NewWaiver;
use crate::ui::forms::{
    Field, Kind, Problem, Sent, Sheet, answered, asked, signature, taken, until,
};
use crate::ui::links::with_query;
use crate::ui::trouble::Trouble;
use crate::ui::visitor::Writer;
use crate::ui::{Ui, links};

fn kind(word: &str) -> Result<WaiverKind, Trouble> {
    match word {
        "waive" => Ok(WaiverKind::Waiver),
        "sign-off" => Ok(WaiverKind::SignOff),
        _ => Err(Trouble::not_found(format!("Nothing called {word} can be done at a gate."))),
    }
}

/// What the form is about.
struct About {
    kind: WaiverKind,
    artifact: ArtifactKey,
    case: String,
    nvr: Option<String>,
}

impl About {
    fn of(word: &str, sent: &Sent) -> Result<Self, Trouble> {
        let artifact = sent.parsed("artifact");
        let artifact = artifact.map_err(|_| Trouble::not_found("The form names no artifact."))?;
        let case = sent.some("case").ok_or(Trouble::not_found("The form names no test case."))?;
        let nvr = sent.some("nvr").map(str::to_owned);
        Ok(Self { kind: kind(word)?, artifact, case: case.to_owned(), nvr })
    }

    fn sheet(&self) -> Sheet {
        let mut fields = signature();
        if let Some(nvr) = self.nvr.as_ref().filter(|_| !self.agrees()) {
            fields.push(Field {
                name: "scope",
                label: "For",
                hint: "A later build has to pass by itself, unless all builds are meant.",
                kind: Kind::Choice(vec![
                    ("build".to_owned(), format!("this build only, {nvr}")),
                    ("all".to_owned(), "every build of the artifact".to_owned()),
                ]),
                required: true,
            });
        }
        fields.push(until(
            "It ends at the beginning of that day, in UTC. What passed before stays passed.",
        ));
        let (title, submit) = match self.kind {
            WaiverKind::Waiver => (format!("Waive {}", self.case), "Waive"),
            WaiverKind::SignOff if self.agrees() => {
                let what = self.nvr.clone().unwrap_or_else(|| self.artifact.name.to_string());
                (format!("Sign off on {what}"), "Sign off")
            }
            WaiverKind::SignOff => (format!("Sign off on {}", self.case), "Sign off"),
        };
        let introduction = html! {
            p {
                (links::artifact(&self.artifact)) ", test case " span.case { (self.case) } ". "
                @match self.kind {
                    WaiverKind::Waiver => "The gate takes the result as if it had passed: what waits for it goes on, and may be published.",
                    WaiverKind::SignOff if self.agrees() => "You agree that it is published as it is. Another build needs another sign-off.",
                    WaiverKind::SignOff => "A commit takes this test out of the gate. From now on nothing has to pass it.",
                }
            }
        };
        let mut hidden = vec![("artifact", self.artifact.to_string()), ("case", self.case.clone())];
        hidden.extend(self.nvr.clone().map(|nvr| ("nvr", nvr)));
        let back = "/gates".to_owned();
        Sheet { title, introduction, action: self.path().to_owned(), submit, back, hidden, fields }
    }

    /// Whether it is the agreement to a publication, which is for one build only.
    fn agrees(&self) -> bool {
        self.case == SIGN_OFF
    }

    fn path(&self) -> &'static str {
        match self.kind {
            WaiverKind::Waiver => "/gates/waive",
            WaiverKind::SignOff => "/gates/sign-off",
        }
    }

    async fn record(&self, (ui, writer): (&Ui, &Writer), sent: &Sent) -> Result<Response, Problem> {
        let mut waiver = self.waiver(sent)?;
        if let Some(end) = waiver.until.filter(|end| end.0 <= ui.api.clock.now()) {
            return Err(Problem::at("until", format!("{end} is past.")));
        }
        let by = std::mem::take(&mut waiver.author);
        waiver.author = writer.author(&by);
        ui.api.change(async move |admin: &Admin| admin.waive(&waiver).await).await?;
        Ok(taken("/gates", &by))
    }

    fn waiver(&self, sent: &Sent) -> Result<NewWaiver, Problem> {
        let (author, reason) = sent.signature()?;
        let until: Option<Moment> = match sent.some("until") {
            Some(_) => Some(sent.parsed("until")?),
            None => None,
        };
        let nvr = self.nvr.clone().filter(|_| sent.text("scope") != "all");
        let (artifact, case) = (self.artifact.clone(), self.case.clone());
        Ok(NewWaiver { kind: self.kind, artifact, case, nvr, author, reason, until })
    }
}

/// The form.
pub(in crate::ui) async fn ask(
    State(ui): State<Arc<Ui>>,
    Path(word): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let sent = Sent(query);
    let about = About::of(&word, &sent)?;
    let artifact = about.artifact.to_string();
    let pairs = [
        ("artifact", Some(artifact.as_str())),
        ("case", Some(about.case.as_str())),
        ("nvr", about.nvr.as_deref()),
    ];
    asked((&ui, &headers), &about.sheet(), &with_query(about.path(), &pairs)).await
}

/// The form, filled in.
pub(in crate::ui) async fn send(
    State(ui): State<Arc<Ui>>,
    Path(word): Path<String>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Result<Response, Trouble> {
    let sent = Sent(sent);
    let about = About::of(&word, &sent)?;
    let (visitor, writer) = ui.admit(&headers, sent.form_token(), Scope::Gate).await?;
    let outcome = about.record((&ui, &writer), &sent).await;
    answered((&ui, &visitor), &sent, &about.sheet(), outcome)
}
