//! `/session`: where a token is entered, or somebody logs in; and both are forgotten again.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use maud::html;
use serde::Deserialize;

use super::Ui;
use super::forms::{Field, Kind, Sent, Sheet, see_other};
use super::links::with_query;
use super::page::{Page, Section};
use super::trouble::Trouble;
use super::visitor::{self, Visitor};
use crate::admin::tokens::Scope;

/// Where one wanted to go.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Then {
    then: Option<String>,
    scope: Option<Scope>,
}

/// A page of ours; anything else leads to the overview.
fn own_page(then: Option<&str>) -> String {
    let own = |text: &&str| {
        text.starts_with('/')
            && !text.starts_with("//")
            && !text.contains('\\')
            && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    then.filter(own).unwrap_or("/").to_owned()
}

fn sheet(ui: &Ui, then: &str, scope: Option<Scope>) -> Sheet {
    let login =
        ui.api.config.oidc.as_ref().map(|_| with_query("/auth/login", &[("to", Some(then))]));
    let wanted = scope.map_or("--scope …".to_owned(), |scope| format!("--scope {scope}"));
    Sheet {
        title: "Enter a token".to_owned(),
        introduction: html! {
            p {
                "Everybody may look. Whoever changes something shows a token first, which "
                code { "millstream token create NAME " (wanted) } " makes. It is kept until the browser is closed."
            }
            @if let Some(login) = login {
                p { "Or " a href=(login) { "log in" } "." }
            }
        },
        action: "/session".to_owned(),
        submit: "Enter",
        back: "/".to_owned(),
        hidden: vec![
            ("then", then.to_owned()),
            ("scope", scope.map_or("", Scope::as_str).to_owned()),
        ],
        fields: vec![Field {
            name: "token",
            label: "Token",
            hint: "What it is good for is what you may do.",
            kind: Kind::Secret,
            required: true,
        }],
    }
}

/// The form, or what the token that was entered is good for.
pub(super) async fn ask(
    State(ui): State<Arc<Ui>>,
    Query(Then { then, scope }): Query<Then>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let visitor = Visitor::of(&headers);
    let person = ui.person(&visitor).await?;
    let known = match (visitor.secret(), person) {
        (_, Some(person)) => Some((format!("{} is logged in", person.name), person.scopes)),
        (Some(secret), None) => ui
            .scopes(secret)
            .await?
            .map(|(name, scopes)| (format!("The token {name} was entered"), scopes)),
        (None, None) => None,
    };
    let is_open = ui.writer(&Visitor::default(), Scope::Admin).await?.is_some();
    let lacks = |scopes: &[Scope]| scope.is_some_and(|scope| !is_good(scopes, scope));
    let body = match &known {
        Some((who, scopes)) if !lacks(scopes) => html! {
            h1 { "You may change things" }
            p.lead { (who) ", which is good for " (listed(scopes)) "." }
            form.sheet action="/session/end" method="post" {
                input type="hidden" name="form_token" value=(ui.seal.form_token(&visitor));
                p.buttons { button.primary type="submit" { "End the session" } }
            }
        },
        None if is_open => html! {
            h1 { "You may change things" }
            p.lead { "On this machine anybody may: no token is configured." }
        },
        _ => {
            let sheet = sheet(&ui, &own_page(then.as_deref()), scope);
            return Ok(sheet.page((&ui, &visitor), &Sent::default(), None).into_response());
        }
    };
    Ok(Page::new(Section::Elsewhere, "Session", body).into_response())
}

fn is_good(scopes: &[Scope], wanted: Scope) -> bool {
    scopes.iter().any(|own| *own == wanted || *own == Scope::Admin)
}

fn listed(scopes: &[Scope]) -> String {
    let names: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    names.join(", ")
}

/// The form, filled in.
pub(super) async fn enter(
    State(ui): State<Arc<Ui>>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Result<Response, Trouble> {
    let (sent, visitor) = (Sent(sent), Visitor::of(&headers));
    ui.own_form(&headers, &visitor, sent.form_token())?;
    let (then, scope) = (own_page(sent.some("then")), sent.text("scope").parse().ok());
    let token = sent.text("token");
    let problem = match (ui.scopes(token).await?, scope) {
        (None, _) => "The token is not known, has ended or was revoked.".to_owned(),
        (Some((_, scopes)), Some(wanted)) if !is_good(&scopes, wanted) => {
            format!("The token is good for {}, not for {wanted}.", listed(&scopes))
        }
        (Some(_), _) => {
            let mut response = see_other(&then);
            response.headers_mut().append(header::SET_COOKIE, visitor::enter(token));
            return Ok(response);
        }
    };
    let sheet = sheet(&ui, &then, scope);
    Ok(sheet.page((&ui, &visitor), &sent, Some((Some("token"), &problem))).into_response())
}

/// Forgets the token, and ends the session of whoever logged in.
pub(super) async fn end(
    State(ui): State<Arc<Ui>>,
    headers: HeaderMap,
    Form(sent): Form<HashMap<String, String>>,
) -> Result<Response, Trouble> {
    let visitor = Visitor::of(&headers);
    ui.own_form(&headers, &visitor, Sent(sent).form_token())?;
    if let Some(session) = visitor.session() {
        ui.api.log_out(session).await?;
    }
    let mut response = see_other("/");
    for gone in visitor::leave() {
        response.headers_mut().append(header::SET_COOKIE, gone);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::own_page;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(own_page(Some("/gates/waive?case=a%20b")), "/gates/waive?case=a%20b");
        for elsewhere in ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\nb"]
        {
            assert_eq!(own_page(Some(elsewhere)), "/", "{elsewhere}");
        }
        assert_eq!(own_page(None), "/");
    }
}
