//! Forms: each on a page of its own, which says what will happen, keeps what was entered and shows problems where they are.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::Ui;
use super::page::{Page, Section};
use super::trouble::Trouble;
use super::visitor::{self, Visitor, Writer};
use crate::admin::tokens::Scope;
use crate::admin::{AdminError, ErrorKind};

/// What was sent, by the names of the fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Sent(pub(super) HashMap<String, String>);

impl Sent {
    /// A field's text without the space around it; empty if it is missing.
    pub(super) fn text(&self, name: &str) -> &str {
        self.0.get(name).map(|text| text.trim()).unwrap_or_default()
    }

    /// The same, unless it is empty.
    pub(super) fn some(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }

    /// A field with a grammar.
    pub(super) fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, Problem>
    where
        T::Err: std::fmt::Display,
    {
        self.text(name).parse().map_err(|error: T::Err| Problem::at(name, error.to_string()))
    }

    /// Who does it and why; both have to say something.
    pub(super) fn signature(&self) -> Result<(String, String), Problem> {
        let wanted = |name: &'static str, problem: &str| {
            self.some(name).map(str::to_owned).ok_or_else(|| Problem::at(name, problem))
        };
        let author = wanted("author", "Say who you are: it is kept with the decision.")?;
        let reason = wanted("reason", "Say why: it is kept with the decision.")?;
        Ok((author, reason))
    }

    /// The token that forms of ours carry.
    pub(super) fn form_token(&self) -> Option<&str> {
        self.0.get("form_token").map(String::as_str)
    }
}

/// Why a form was not taken.
#[derive(Debug)]
pub(super) enum Problem {
    /// The person can put it right.
    Input {
        /// At which field; at the form as a whole if none is named.
        field: Option<&'static str>,
        sentence: String,
    },
    /// They cannot.
    Trouble(Trouble),
}

impl Problem {
    pub(super) fn at(field: &'static str, sentence: impl Into<String>) -> Self {
        Self::Input { field: Some(field), sentence: sentence.into() }
    }
}

impl From<AdminError> for Problem {
    fn from(error: AdminError) -> Self {
        match error.kind() {
            ErrorKind::Input => Self::Input { field: None, sentence: error.to_string() },
            _ => Self::Trouble(error.into()),
        }
    }
}

/// How a field is filled in.
pub(super) enum Kind {
    /// One line.
    Line,
    /// Several lines.
    Lines,
    /// A secret.
    Secret,
    /// A date.
    Date,
    /// One of several: value and label.
    Choice(Vec<(String, String)>),
}

/// A field of a form.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hint: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// A form.
pub(super) struct Sheet {
    /// What it is for: the page's title.
    pub(super) title: String,
    /// What will happen.
    pub(super) introduction: Markup,
    /// Where it is sent.
    pub(super) action: String,
    /// What the button says.
    pub(super) submit: &'static str,
    /// Where one goes who does not want it.
    pub(super) back: String,
    /// What it is about: sent as it is.
    pub(super) hidden: Vec<(&'static str, String)>,
    pub(super) fields: Vec<Field>,
}

/// The two fields that everything a person changes is signed with.
pub(super) fn signature() -> Vec<Field> {
    vec![
        Field {
            name: "author",
            label: "Your name",
            hint: "Kept with the decision, and remembered here for the next time.",
            kind: Kind::Line,
            required: true,
        },
        Field {
            name: "reason",
            label: "Reason",
            hint: "Whoever asks later why this was done reads it.",
            kind: Kind::Lines,
            required: true,
        },
    ]
}

/// A day on which something ends by itself.
pub(super) fn until(hint: &'static str) -> Field {
    Field { name: "until", label: "Until", hint, kind: Kind::Date, required: false }
}

impl Sheet {
    /// The page with the form: fresh, or with what was sent and what is wrong with it.
    pub(super) fn page(
        &self,
        (ui, visitor): (&Ui, &Visitor),
        sent: &Sent,
        problem: Option<(Option<&'static str>, &str)>,
    ) -> Page {
        let of_form = problem.filter(|(field, _)| field.is_none()).map(|(_, sentence)| sentence);
        let body = html! {
            h1 { (self.title) }
            div.lead { (self.introduction) }
            form.sheet action=(self.action) method="post" novalidate {
                @if let Some(sentence) = of_form {
                    p.problem role="alert" { (super::words::icon("failed")) (sentence) }
                }
                input type="hidden" name="form_token" value=(ui.seal.form_token(visitor));
                @for (name, value) in &self.hidden {
                    input type="hidden" name=(name) value=(value);
                }
                @for field in &self.fields {
                    @let wrong = problem.filter(|(at, _)| *at == Some(field.name));
                    (field.markup(entered(field, sent, visitor), wrong.map(|(_, sentence)| sentence)))
                }
                p.buttons {
                    button.primary type="submit" { (self.submit) }
                    a href=(self.back) { "Back" }
                }
            }
        };
        let mut page = Page::new(Section::Elsewhere, self.title.clone(), body);
        if problem.is_some() {
            page.status = StatusCode::UNPROCESSABLE_ENTITY;
        }
        page
    }
}

/// What a field holds: what was sent, or the name somebody signed with last.
fn entered<'a>(field: &Field, sent: &'a Sent, visitor: &'a Visitor) -> &'a str {
    match sent.0.get(field.name) {
        _ if matches!(field.kind, Kind::Secret) => "",
        Some(text) => text,
        None if field.name == "author" => visitor.author.as_deref().unwrap_or_default(),
        None => "",
    }
}

impl Field {
    fn markup(&self, value: &str, problem: Option<&str>) -> Markup {
        let (id, hint) = (self.name, format!("{}-hint", self.name));
        let wrong = format!("{}-problem", self.name);
        let described = match problem {
            Some(_) => format!("{wrong} {hint}"),
            None => hint.clone(),
        };
        let invalid = problem.map(|_| "true");
        html! {
            div.field {
                label for=(id) {
                    (self.label) @if !self.required { span.optional { " (may be left out)" } }
                }
                @match &self.kind {
                    Kind::Lines => textarea id=(id) name=(id) rows="3" required[self.required]
                        aria-describedby=(described) aria-invalid=[invalid] { (value) },
                    Kind::Choice(choices) => select id=(id) name=(id)
                        aria-describedby=(described) aria-invalid=[invalid] {
                        @for (own, label) in choices {
                            option value=(own) selected[own == value] { (label) }
                        }
                    },
                    kind => input id=(id) name=(id) type=(kind.input_type()) value=(value)
                        required[self.required] autocomplete=(kind.completion(id))
                        aria-describedby=(described) aria-invalid=[invalid];
                }
                @if let Some(sentence) = problem {
                    p.problem id=(wrong) { (super::words::icon("failed")) (sentence) }
                }
                p.hint id=(hint) { (self.hint) }
            }
        }
    }
}

impl Kind {
    fn input_type(&self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Secret => "password",
            _ => "text",
        }
    }

    fn completion(&self, name: &str) -> &'static str {
        match self {
            Self::Secret => "current-password",
            _ if name == "author" => "name",
            _ => "off",
        }
    }
}

/// What follows on a form that was taken: a page that shows it, and the name is remembered.
pub(super) fn taken(to: &str, author: &str) -> Response {
    let mut response = see_other(to);
    response.headers_mut().append(header::SET_COOKIE, visitor::remember(author));
    response
}

/// Sends a browser to one of our own pages.
pub(super) fn see_other(to: &str) -> Response {
    // Where it leads is put together here, from names with a grammar and encoded values.
    let location = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}

/// The answer to a form that was sent: the page that follows, or the form with what is wrong.
pub(super) fn answered(
    (ui, visitor): (&Ui, &Visitor),
    sent: &Sent,
    sheet: &Sheet,
    outcome: Result<Response, Problem>,
) -> Result<Response, Trouble> {
    match outcome {
        Ok(response) => Ok(response),
        Err(Problem::Trouble(trouble)) => Err(trouble),
        Err(Problem::Input { field, sentence }) => {
            let page = sheet.page((ui, visitor), sent, Some((field, &sentence)));
            Ok(page.into_response())
        }
    }
}

/// A form that is asked for: itself, or first the page to enter a token.
pub(super) async fn asked(
    (ui, headers): (&Ui, &HeaderMap),
    sheet: &Sheet,
    own_url: &str,
) -> Result<Response, Trouble> {
    let mut visitor = Visitor::of(headers);
    let scope = visitor::scope_of(&sheet.action).unwrap_or(Scope::Admin);
    if let Some(writer) = ui.writer(&visitor, scope).await? {
        if let (None, Writer::Person(name)) = (&visitor.author, writer) {
            visitor.author = Some(name);
        }
        return Ok(sheet.page((ui, &visitor), &Sent::default(), None).into_response());
    }
    let pairs = [("then", Some(own_url)), ("scope", Some(scope.as_str()))];
    Ok(see_other(&super::links::with_query("/session", &pairs)))
}
