//! Who visits, and whether they may change something.
//!
//! What changes something is a form of our own pages: it carries a token that only they have, and browsers say where
//! it was sent from. A secret, where one is wanted, is kept in a cookie that scripts and other sites cannot read.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use model::digest::Digest;
use store::tokens;
use uuid::Uuid;

use super::Ui;
use super::links::{decode, encode};
use super::trouble::Trouble;
use crate::admin::tokens::Scope;
use crate::api::{Actor, PERSON};
use crate::clock::mint;

/// The cookie that holds the secret.
const SESSION: &str = "millstream_session";
/// The cookie that holds the name somebody signed with last.
const AUTHOR: &str = "millstream_author";
/// How long a browser keeps the name, in seconds.
const REMEMBERED: u32 = 90 * 86_400;

/// Who visits.
#[derive(Clone, Debug, Default)]
pub(super) struct Visitor {
    /// The secret they entered.
    secret: Option<String>,
    /// The secret of their session, if they logged in.
    session: Option<String>,
    /// The name they signed with last.
    pub(super) author: Option<String>,
}

impl Visitor {
    /// From the cookies of a request.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        Self {
            secret: cookie(headers, SESSION),
            session: cookie(headers, PERSON),
            author: cookie(headers, AUTHOR),
        }
    }

    /// The secret that was entered, good or not.
    pub(super) fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// The secret of the session, good or not.
    pub(super) fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(known, value)| *known == name && !value.is_empty())
        .map(|(_, value)| decode(value))
}

/// Sets a cookie that only our own pages send, and no script reads.
fn set(name: &str, value: &str, lasts: Option<u32>) -> HeaderValue {
    let mut text = format!("{name}=");
    encode(&mut text, value);
    text.push_str("; Path=/; HttpOnly; SameSite=Strict");
    if let Some(seconds) = lasts {
        text.push_str(&format!("; Max-Age={seconds}"));
    }
    // An encoded value holds nothing that a header could not.
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

/// Remembers a secret until the browser is closed.
pub(super) fn enter(secret: &str) -> HeaderValue {
    set(SESSION, secret, None)
}

/// Forgets it, and whose session it is.
pub(super) fn leave() -> [HeaderValue; 2] {
    [SESSION, PERSON].map(|name| set(name, "", Some(0)))
}

/// Remembers who signed.
pub(super) fn remember(author: &str) -> HeaderValue {
    set(AUTHOR, author, Some(REMEMBERED))
}

/// What only the pages of this process know.
pub(super) struct Seal(Digest);

impl Seal {
    pub(super) fn new() -> Self {
        // Each has 74 bits from the system's source of randomness.
        let parts: [Uuid; 2] = [mint(), mint()];
        Self(Digest::of_fields(parts.map(uuid::Uuid::into_bytes)))
    }

    /// What a form must carry; it differs from secret to secret.
    pub(super) fn form_token(&self, visitor: &Visitor) -> String {
        let [secret, session] =
            [&visitor.secret, &visitor.session].map(|text| text.as_deref().unwrap_or_default());
        Digest::of_fields([&self.0.0[..], secret.as_bytes(), session.as_bytes()]).to_string()
    }
}

/// Somebody who may change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// Whoever sits at this machine, where no token is wanted.
    Here,
    /// Whoever has the token of this name.
    Token(String),
    /// Who is logged in.
    Person(String),
}

impl Writer {
    /// What the audit log calls them.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Here => "this machine",
            Self::Token(name) | Self::Person(name) => name,
        }
    }

    /// Who is named as the author of what somebody signed.
    pub(super) fn author(&self, signed: &str) -> String {
        match self {
            Self::Here => signed.to_owned(),
            Self::Token(name) => format!("{signed} (by token {name})"),
            Self::Person(name) if name == signed => name.clone(),
            Self::Person(name) => format!("{signed} (by {name})"),
        }
    }
}

/// What a token must be good for, so that a form below this path is taken; none where nothing is changed.
pub(super) fn scope_of(path: &str) -> Option<Scope> {
    match path.split('/').nth(1).unwrap_or_default() {
        "gates" => Some(Scope::Gate),
        "plans" => Some(Scope::Plans),
        "holds" => Some(Scope::Holds),
        "requests" => Some(Scope::Messages),
        _ => None,
    }
}

impl Ui {
    /// The visitor as somebody who may do what needs this scope: on this machine anybody may, unless a token is wanted.
    pub(super) async fn writer(
        &self,
        visitor: &Visitor,
        scope: Scope,
    ) -> Result<Option<Writer>, Trouble> {
        if self.is_open() {
            return Ok(Some(Writer::Here));
        }
        let may = |scopes: &[Scope]| scopes.iter().any(|own| [scope, Scope::Admin].contains(own));
        if let Some(Actor { name, scopes }) = self.person(visitor).await?
            && may(&scopes)
        {
            return Ok(Some(Writer::Person(name)));
        }
        let Some(secret) = &visitor.secret else { return Ok(None) };
        let (name, scopes) = match self.scopes(secret).await? {
            Some(known) => known,
            None => return Ok(None),
        };
        Ok(may(&scopes).then_some(Writer::Token(name)))
    }

    /// Who is logged in.
    pub(super) async fn person(&self, visitor: &Visitor) -> Result<Option<Actor>, Trouble> {
        match visitor.session() {
            Some(session) => Ok(self.api.logged_in(session).await?),
            None => Ok(None),
        }
    }

    /// Whether whoever sits at this machine may do anything: nothing says who else might.
    fn is_open(&self) -> bool {
        let config = &self.api.config;
        config.token.is_none() && config.oidc.is_none() && is_loopback(&config.listen)
    }

    /// What a secret is called and good for, as with the API: the configured token is for messages only.
    pub(super) async fn scopes(
        &self,
        secret: &str,
    ) -> Result<Option<(String, Vec<Scope>)>, Trouble> {
        let given = Digest::of(secret);
        // Digests are compared, so that the time it takes tells nothing about the token.
        if self.api.config.token.as_ref().is_some_and(|wanted| Digest::of(wanted) == given) {
            return Ok(Some(("the configured token".to_owned(), vec![Scope::Messages])));
        }
        let found = tokens::find(&mut *self.api.store.read().await?, given).await?;
        let now = self.api.clock.now();
        let valid = found.filter(|token| token.is_valid(now));
        // A scope that this version does not know gives nothing.
        Ok(valid.map(|token| {
            let scopes = token.scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
            (token.name, scopes)
        }))
    }

    /// Lets a form in, or says why not.
    pub(super) async fn admit(
        &self,
        headers: &HeaderMap,
        form_token: Option<&str>,
        scope: Scope,
    ) -> Result<(Visitor, Writer), Trouble> {
        let visitor = Visitor::of(headers);
        self.own_form(headers, &visitor, form_token)?;
        match self.writer(&visitor, scope).await? {
            Some(writer) => Ok((visitor, writer)),
            None => Err(forbidden(&format!(
                "This needs a token that is good for {scope}: `millstream token create NAME --scope {scope}` makes one, \
                 and /session is where it is entered."
            ))),
        }
    }

    /// Whether a form is one of ours, whoever sent it.
    pub(super) fn own_form(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
        form_token: Option<&str>,
    ) -> Result<(), Trouble> {
        if !is_same_origin(headers) {
            return Err(forbidden("The form was sent from another site."));
        }
        if self.is_open() && !names_this_machine(headers) {
            // Any name can be made to point at this machine; a page there would count as our own.
            return Err(forbidden("The server answers to this machine's own names only."));
        }
        let wanted = self.seal.form_token(visitor);
        match form_token.map(|given| Digest::of(given) == Digest::of(&wanted)) {
            Some(true) => Ok(()),
            _ => Err(forbidden(
                "The form is older than the server's last start: go back, reload the page and send it again.",
            )),
        }
    }
}

fn forbidden(sentence: &str) -> Trouble {
    Trouble::new(StatusCode::FORBIDDEN, sentence)
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Browsers say how the sender is related to us; old ones at least say who it is.
fn is_same_origin(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if let Some(site) = site {
        return site == "same-origin";
    }
    match (text(headers, header::ORIGIN), text(headers, header::HOST)) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, own)| own.eq_ignore_ascii_case(host))
        }
        // What is no browser carries nobody's cookies.
        (None, _) => true,
        (Some(_), None) => false,
    }
}

fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = text(headers, header::HOST) else { return true };
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let name = name.map_or(host, |(name, _)| name);
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_loopback(listen: &str) -> bool {
    match listen.parse::<SocketAddr>() {
        Ok(address) => address.ip().is_loopback(),
        Err(_) => listen.rsplit_once(':').is_some_and(|(name, _)| name == "localhost"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn cookies_are_read_one_by_one() {
        let visitor = Visitor::of(&headers(&[
            ("cookie", "a=b; millstream_author=Ann%20O%27Neil"),
            ("cookie", "millstream_session=s%3Bx"),
        ]));
        assert_eq!(visitor.author.as_deref(), Some("Ann O'Neil"));
        assert_eq!(visitor.secret.as_deref(), Some("s;x"));
        assert!(Visitor::of(&headers(&[("cookie", "millstream_session=")])).secret().is_none());
    }

    #[test]
    fn a_cookie_cannot_be_broken_out_of() {
        let header = enter("a; Domain=evil\r\nX: y");
        let expected = "millstream_session=a%3B%20Domain%3Devil%0D%0AX%3A%20y; Path=/; HttpOnly; SameSite=Strict";
        assert_eq!(header.to_str().unwrap(), expected);
    }

    #[test]
    fn forms_come_from_our_own_pages() {
        let check = |pairs: &[(&'static str, &'static str)]| is_same_origin(&headers(pairs));
        assert!(check(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(!check(&[("sec-fetch-site", "same-site")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
        assert!(check(&[("origin", "http://localhost:8484"), ("host", "localhost:8484")]));
        assert!(!check(&[("origin", "http://evil.example"), ("host", "localhost:8484")]));
        assert!(!check(&[("origin", "null"), ("host", "localhost:8484")]));
        assert!(check(&[("host", "localhost:8484")]));
    }

    #[test]
    fn only_this_machines_names_count() {
        let check = |host: &'static str| names_this_machine(&headers(&[("host", host)]));
        for host in ["localhost:8484", "127.0.0.1", "127.0.0.1:1", "[::1]:8484", "mill.localhost"] {
            assert!(check(host), "{host}");
        }
        for host in ["evil.example", "evil.example:8484", "127.0.0.1.evil.example", "10.0.0.1:80"] {
            assert!(!check(host), "{host}");
        }
        assert!(
            is_loopback("127.0.0.1:0") && is_loopback("[::1]:80") && is_loopback("localhost:1")
        );
        assert!(!is_loopback("0.0.0.0:80") && !is_loopback("mill.example:80"));
    }

    #[test]
    fn form_tokens_differ_from_process_to_process_and_from_secret_to_secret() {
        let (one, other) = (Seal::new(), Seal::new());
        let (nobody, ann) =
            (Visitor::default(), Visitor { secret: Some("s".into()), ..Visitor::default() });
        let logged_in = Visitor { session: Some("s".into()), ..Visitor::default() };
        assert_ne!(one.form_token(&nobody), other.form_token(&nobody));
        assert_ne!(one.form_token(&nobody), one.form_token(&ann));
        assert_ne!(one.form_token(&logged_in), one.form_token(&ann));
        assert_eq!(one.form_token(&ann), one.form_token(&ann));
    }
}
