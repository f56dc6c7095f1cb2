//! `/holds/new` and `/holds/release`: a person stops an artifact for a while, and lets it go again.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use maud::html;
use model::artifact::ArtifactKey;
use model::hold::HoldKind;

use super::forms::{Field, Kind, Problem, Sent, Sheet, answered, asked, signature, taken, until};
use super::links::{self, artifact_url, with_query};
use super::trouble::Trouble;
use super::visitor::Writer;
use super::{Ui, requests};
use crate::admin::holds::NewHold;
use crate::admin::tokens::Scope;
use crate::admin::{Admin, Signature};

fn sheet(artifact: &ArtifactKey) -> Sheet {
    let mut fields = vec![Field {
        name: "kind",
        label: "How",
        hint: "A hold stops it where it is in a plan; a freeze leaves it out of plans.",
        kind: Kind::Choice(vec![
            ("hold".to_owned(), "hold: planned, but not started".to_owned()),
            ("freeze".to_owned(), "freeze: left out of plans".to_owned()),
        ]),
        required: true,
    }];
    fields.extend(signature());
    fields.push(until(
        "It ends at the beginning of that day, in UTC; else when somebody releases it.",
    ));
    Sheet {
        title: format!("Hold or freeze {}", artifact.name),
        introduction: html! { p { "Nothing new is begun for " (links::artifact(artifact)) "." } },
        action: "/holds/new".to_owned(),
        submit: "Stop it",
        back: artifact_url(artifact),
        hidden: vec![("artifact", artifact.to_string())],
        fields,
    }
}

fn release_sheet(artifact: &ArtifactKey) -> Sheet {
    Sheet {
        title: format!("Release {}", artifact.name),
        introduction: html! {
            p { (links::artifact(artifact)) " goes on. What a freeze left out is asked for." }
        },
        action: "/holds/release".to_owned(),
        submit: "Release it",
        back: artifact_url(artifact),
        hidden: vec![("artifact", artifact.to_string())],
        fields: signature(),
    }
}

/// The form that stops.
pub(super) async fn ask(
    State(ui): State<Arc<Ui>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let artifact = requests::about(&Sent(query))?;
    let text = artifact.to_string();
    let url = with_query("/holds/new", &[("artifact", Some(text.as_str()))]);
    asked((&ui, &headers), &sheet(&artifact), &url).await
}

/// The same, filled in.
pub(super) async fn send(
    State(ui): State<Arc<Ui>>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Result<Response, Trouble> {
    let sent = Sent(sent);
    let artifact = requests::about(&sent)?;
    let (visitor, writer) = ui.admit(&headers, sent.form_token(), Scope::Holds).await?;
    let outcome = stop((&ui, &writer), &artifact, &sent).await;
    answered((&ui, &visitor), &sent, &sheet(&artifact), outcome)
}

async fn stop(
    (ui, writer): (&Ui, &Writer),
    artifact: &ArtifactKey,
    sent: &Sent,
) -> Result<Response, Problem> {
    let kind = match sent.text("kind") {
        "hold" => HoldKind::Hold,
        "freeze" => HoldKind::Freeze,
        _ => return Err(Problem::at("kind", "Choose one of the two.")),
    };
    let (author, reason) = sent.signature()?;
    let until = match sent.some("until") {
        Some(_) => Some(sent.parsed("until")?),
        None => None,
    };
    let by = writer.author(&author);
    let hold = NewHold { kind, artifact: artifact.clone(), author: by, reason, until };
    ui.api.change(async move |admin: &Admin| admin.hold(&hold).await).await?;
    Ok(taken(&artifact_url(artifact), &author))
}

/// The form that releases.
pub(super) async fn ask_release(
    State(ui): State<Arc<Ui>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let artifact = requests::about(&Sent(query))?;
    let text = artifact.to_string();
    let url = with_query("/holds/release", &[("artifact", Some(text.as_str()))]);
    asked((&ui, &headers), &release_sheet(&artifact), &url).await
}

/// The same, filled in.
pub(super) async fn send_release(
    State(ui): State<Arc<Ui>>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Result<Response, Trouble> {
    let sent = Sent(sent);
    let artifact = requests::about(&sent)?;
    let (visitor, writer) = ui.admit(&headers, sent.form_token(), Scope::Holds).await?;
    let outcome = release((&ui, &writer), &artifact, &sent).await;
    answered((&ui, &visitor), &sent, &release_sheet(&artifact), outcome)
}

async fn release(
    (ui, writer): (&Ui, &Writer),
    artifact: &ArtifactKey,
    sent: &Sent,
) -> Result<Response, Problem> {
    let (author, reason) = sent.signature()?;
    let signature = Signature { author: writer.author(&author), reason, seen: None };
    let key = artifact.clone();
    ui.api.change(async move |admin: &Admin| admin.release(&key, &signature).await).await?;
    Ok(taken(&artifact_url(artifact), &author))
}
