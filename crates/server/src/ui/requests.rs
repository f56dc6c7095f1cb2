//! `/requests/new`: a person asks for a rebuild or a test.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;
use model::artifact::ArtifactKey;
use model::event::{Request, Severity};

use super::Ui;
use super::forms::{Field, Kind, Problem, Sent, Sheet, answered, asked, signature, taken};
use super::links::{self, artifact_url, with_query};
use super::trouble::Trouble;
use super::visitor::Writer;
use crate::admin::Admin;
use crate::admin::events::Asked;
use crate::admin::tokens::Scope;

/// The artifact a form is about.
pub(super) fn about(sent: &Sent) -> Result<ArtifactKey, Trouble> {
    sent.parsed("artifact").map_err(|_| Trouble::not_found("The form names no artifact."))
}

fn request(sent: &Sent) -> Result<Request, Trouble> {
    match sent.text("request") {
        "rebuild" => Ok(Request::Rebuild),
        "retest" => Ok(Request::Retest),
        other => Err(Trouble::not_found(format!("Nobody can ask for {other:?}."))),
    }
}

fn sheet(artifact: &ArtifactKey, request: Request) -> Sheet {
    let (word, title, follows) = match request {
        Request::Rebuild => (
            "rebuild",
            "Rebuild",
            "It is built again from the commit its branch points at. What depends on it follows only where something changes.",
        ),
        Request::Retest => ("retest", "Test", "What is published of it is tested again."),
    };
    let severities = Severity::ALL.map(|severity| (severity.to_string(), severity.to_string()));
    let mut fields = signature();
    fields.push(Field {
        name: "severity",
        label: "Severity",
        hint: "A security fix goes before everything else and waits for no more of the same.",
        kind: Kind::Choice(severities.to_vec()),
        required: true,
    });
    Sheet {
        title: format!("{title} {}", artifact.name),
        introduction: html! { p { (links::artifact(artifact)) ". " (follows) } },
        action: "/requests/new".to_owned(),
        submit: "Ask for it",
        back: artifact_url(artifact),
        hidden: vec![("artifact", artifact.to_string()), ("request", word.to_owned())],
        fields,
    }
}

/// The form.
pub(super) async fn ask(
    State(ui): State<Arc<Ui>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let sent = Sent(query);
    let (artifact, request) = (about(&sent)?, request(&sent)?);
    let text = artifact.to_string();
    let pairs = [("artifact", Some(text.as_str())), ("request", Some(sent.text("request")))];
    let url = with_query("/requests/new", &pairs);
    asked((&ui, &headers), &sheet(&artifact, request), &url).await
}

/// The form, filled in.
pub(super) async fn send(
    State(ui): State<Arc<Ui>>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Result<Response, Trouble> {
    let sent = Sent(sent);
    let (artifact, request) = (about(&sent)?, request(&sent)?);
    let (visitor, writer) = ui.admit(&headers, sent.form_token(), Scope::Messages).await?;
    let outcome = asked_for((&ui, &writer), (&artifact, request), &sent).await;
    answered((&ui, &visitor), &sent, &sheet(&artifact, request), outcome)
}

async fn asked_for(
    (ui, writer): (&Ui, &Writer),
    (artifact, request): (&ArtifactKey, Request),
    sent: &Sent,
) -> Result<Response, Problem> {
    let (by, reason) = sent.signature()?;
    let named = |severity: &Severity| severity.as_str() == sent.text("severity");
    let severity = Severity::ALL.into_iter().find(named);
    let severity = severity.ok_or_else(|| Problem::at("severity", "Choose one of these."))?;
    let author = writer.author(&by);
    let asked = Asked { artifact: artifact.clone(), request, by: author, reason, severity };
    ui.api.change(async move |admin: &Admin| admin.ask(&asked).await).await?;
    Ok(taken(&artifact_url(artifact), &by))
}
