//! A person logs in through a provider, works, and logs out. The provider is a fake one that speaks HTTP on loopback.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use adapters::oidc::OidcError;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use model::digest::Digest;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::scene::{Answer, NOW, Scene};
use crate::admin::tokens::Scope;
use crate::config::Oidc;

/// A provider whose only user is always at the keyboard.
struct Provider {
    address: SocketAddr,
    /// What it says of the user beside the obligatory claims.
    claims: Mutex<Value>,
    /// The query of each code it gave.
    codes: Mutex<HashMap<String, HashMap<String, String>>>,
}

impl Provider {
    async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let claims =
            json!({"sub": "u1", "preferred_username": "ann", "groups": ["release", "staff"]});
        let (claims, codes) = (Mutex::new(claims), Mutex::default());
        let provider = Arc::new(Self { address, claims, codes });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(Arc::clone(&provider));
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn describe(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let issuer = provider.issuer();
    Json(json!({"issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token")}))
}

async fn authorize(
    State(provider): State<Arc<Provider>>,
    Query(query): Query<HashMap<String, String>>,
) -> Redirect {
    let back = format!("{}?code=code-1&state={}", query["redirect_uri"], query["state"]);
    provider.codes.lock().unwrap().insert("code-1".to_owned(), query);
    Redirect::to(&back)
}

async fn token(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    let refused = || (StatusCode::BAD_REQUEST, r#"{"error":"invalid_grant"}"#).into_response();
    let client = format!("Basic {}", STANDARD.encode("millstream:s%20cret"));
    let Some(query) = provider.codes.lock().unwrap().remove(&form["code"]) else {
        return refused();
    };
    let challenge = URL_SAFE_NO_PAD.encode(Digest::of(&form["code_verifier"]).0);
    if headers["authorization"] != client || query["code_challenge"] != challenge {
        return refused();
    }
    let mut claims = json!({"iss": provider.issuer(), "aud": "millstream", "exp": NOW.as_seconds() + 60,
        "nonce": query["nonce"]});
    let own = provider.claims.lock().unwrap().clone();
    claims.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
    Json(json!({"id_token": format!("e30.{payload}.sig"), "token_type": "Bearer"})).into_response()
}

/// A server whose people are this provider's.
async fn scene(provider: &Provider) -> Scene {
    let issuer = provider.issuer();
    Scene::with(|config| {
        config.oidc = Some(Oidc {
            issuer,
            client_id: "millstream".to_owned(),
            client_secret: "s cret".to_owned(),
            url: "http://mill.example".to_owned(),
            request: vec!["profile".to_owned()],
            name_claim: "preferred_username".to_owned(),
            groups_claim: "groups".to_owned(),
            scopes: [
                (Scope::Gate, vec!["release".to_owned()]),
                (Scope::Admin, vec!["root".to_owned()]),
            ]
            .into(),
            session_hours: 1,
        });
    })
    .await
}

/// A cookie that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer, name: &str) -> String {
    let all = answer.headers["set-cookie"].lines();
    let own = all.filter_map(|cookie| cookie.split(';').next()).find(|c| c.starts_with(name));
    format!("Cookie: other=1; {}", own.unwrap_or_else(|| panic!("no {name} in {answer:?}")))
}

/// The path and query of an address.
fn path(address: &str) -> String {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..]).to_owned()
}

/// Goes to the provider and comes back; gives the cookie of the login and the path it comes back to.
async fn go(scene: &Scene, provider: &Provider) -> (String, String) {
    let sent = scene.get("/auth/login?to=%2Fplans%2F7").await;
    assert_eq!(sent.status, 303, "{sent:?}");
    let login = cookie(&sent, "millstream_login=");
    let there = &sent.headers["location"];
    assert!(there.starts_with(&provider.issuer()), "{there}");
    let back = ask_provider(provider, &path(there)).await;
    assert!(back.starts_with("http://mill.example/auth/callback?"), "{back}");
    (login, path(&back))
}

/// Where the provider sends the browser.
async fn ask_provider(provider: &Provider, path: &str) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(provider.address).await.unwrap();
    let request = format!("GET {path} HTTP/1.0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
    location.unwrap_or_else(|| panic!("{answer}")).to_owned()
}

#[tokio::test]
async fn a_person_logs_in_works_and_logs_out() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let (login, back) = go(&scene, &provider).await;
    let returned = scene.ask("GET", &back, &[&login], "").await;
    assert_eq!(
        (returned.status, returned.headers["location"].as_str()),
        (303, "/plans/7"),
        "{returned:?}"
    );
    let session = cookie(&returned, "millstream_person=");
    assert!(returned.headers["set-cookie"].contains("; HttpOnly; SameSite=Lax; Max-Age=3600"));
    let who = scene.ask("GET", "/auth/session", &[&session], "").await.json();
    assert_eq!((&who["name"], &who["scopes"]), (&"ann".into(), &json!(["gate"])));

    let waiver =
        json!({"artifact": "rpms/lib#f44", "case": "tests.a", "reason": "known"}).to_string();
    let json = "Content-Type: application/json";
    let csrf = format!("X-CSRF-Token: {}", who["csrf"].as_str().unwrap());
    let without = scene.ask("POST", "/api/v1/waivers", &[&session, json], &waiver).await;
    assert!(without.problem().2.contains("X-CSRF-Token"), "{without:?}");
    let headers = [session.as_str(), json, "X-CSRF-Token: x"];
    let wrong = scene.ask("POST", "/api/v1/waivers", &headers, &waiver).await;
    assert_eq!(wrong.problem().0, 403);
    let with = scene.ask("POST", "/api/v1/waivers", &[&session, json, &csrf], &waiver).await;
    assert_eq!((with.status, &with.json()["author"]), (201, &"ann".into()));
    let plans = scene.ask("POST", "/api/v1/plans/1/cancel", &[&session, json, &csrf], "{}").await;
    assert_eq!(
        plans.problem(),
        (403, String::new(), "the token is good for gate, not for plans".to_owned())
    );

    // Who sits at this machine may be a proxy.
    assert_eq!(scene.ask("POST", "/api/v1/messages", &[json], "{}").await.problem().0, 401);
    let headers = [session.as_str(), json, csrf.as_str()];
    let message = json!({"id": "1", "topic": "t", "body": {}}).to_string();
    assert_eq!(scene.ask("POST", "/api/v1/messages", &headers, &message).await.problem().0, 403);
    assert_eq!(scene.ask("POST", "/auth/logout", &[&session], "").await.problem().0, 403);
    assert_eq!(scene.ask("POST", "/auth/logout", &[&session, &csrf], "").await.status, 204);
    assert_eq!(scene.ask("GET", "/auth/session", &[&session], "").await.problem().0, 401);
}

#[tokio::test]
async fn what_is_not_this_login_is_refused() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    let (login, back) = go(&scene, &provider).await;
    let come =
        async |path: &str, cookies: &[&str]| scene.ask("GET", path, cookies, "").await.problem();
    assert_eq!(come(&back, &[]).await.1, "header.Cookie");
    let (other, _) = go(&scene, &provider).await;
    assert_eq!(come(&back, &[&other]).await.1, "query.state");
    let state = back.split("state=").nth(1).unwrap();
    let denied = format!("/auth/callback?error=access_denied&state={state}");
    let (status, _, detail) = come(&denied, &[&login]).await;
    assert_eq!(status, 403);
    assert!(detail.contains("access_denied"), "{detail}");
    // The code was given for the second login, whose verifier is another one.
    let (status, _, detail) = come(&back, &[&login]).await;
    assert_eq!(status, 403);
    assert!(detail.contains("invalid_grant"), "{detail}");

    *provider.claims.lock().unwrap() = json!({"sub": "u1", "nonce": "another"});
    let (login, back) = go(&scene, &provider).await;
    assert!(come(&back, &[&login]).await.2.contains("of another login"));
    for to in ["https://evil.example", "//evil.example", "/%5Cevil.example", "plans"] {
        let (status, place, _) = scene.get(&format!("/auth/login?to={to}")).await.problem();
        assert_eq!((status, place.as_str()), (400, "query.to"), "{to}");
    }
}

#[tokio::test]
async fn a_name_and_groups_are_what_the_provider_says() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    *provider.claims.lock().unwrap() = json!({"sub": "u2", "groups": "root"});
    let (login, back) = go(&scene, &provider).await;
    let returned = scene.ask("GET", &back, &[&login], "").await;
    let session = cookie(&returned, "millstream_person=");
    let who = scene.ask("GET", "/auth/session", &[&session], "").await.json();
    assert_eq!((&who["name"], &who["scopes"]), (&"u2".into(), &json!(["admin"])));
    scene.clock.advance(std::time::Duration::from_secs(3600));
    assert_eq!(scene.ask("GET", "/auth/session", &[&session], "").await.problem().0, 401);
}

#[tokio::test]
async fn a_person_works_with_the_pages() {
    let provider = Provider::start().await;
    let scene = scene(&provider).await;
    *provider.claims.lock().unwrap() = json!({"sub": "ann", "groups": "root"});
    let page = "/holds/new?artifact=rpms/lib%23f44";
    // Whoever sits at this machine is nobody once people log in.
    let first = scene.get(page).await;
    assert!(first.headers["location"].starts_with("/session?then=/holds/new"), "{first:?}");
    let entry = scene.get(&first.headers["location"]).await;
    assert!(entry.body.contains(r#"href="/auth/login?to=/holds/new"#), "{}", entry.body);
    let (login, back) = go(&scene, &provider).await;
    let returned = scene.ask("GET", &back, &[&login], "").await;
    let session = cookie(&returned, "millstream_person=");
    let origin = format!("Origin: http://{}", scene.address);
    let asked = scene.ask("GET", page, &[&session], "").await;
    assert!(asked.body.contains(r#"value="ann""#), "{}", asked.body);

    let (_, rest) = asked.body.split_once(r#"name="form_token" value=""#).unwrap();
    let token = rest.split('"').next().unwrap();
    let sent = format!(
        "form_token={token}&artifact=rpms%2Flib%23f44&kind=hold&author=ann&reason=so&until="
    );
    let form = "Content-Type: application/x-www-form-urlencoded";
    assert_eq!(scene.ask("POST", "/holds/new", &[form], &sent).await.status, 403);
    let headers = [form, "Origin: http://evil.example", &session];
    assert_eq!(scene.ask("POST", "/holds/new", &headers, &sent).await.status, 403);
    let headers = [form, &origin, &session];
    assert_eq!(scene.ask("POST", "/holds/new", &headers, &sent).await.status, 303);
    let holds = scene.get("/api/v1/holds?artifact=rpms/lib%23f44").await.json();
    assert_eq!(holds["items"][0]["author"], "ann");

    let here = scene.ask("GET", "/session", &[&session], "").await;
    assert!(here.body.contains("ann is logged in, which is good for admin"), "{}", here.body);
    let sent = format!("form_token={token}");
    let gone = scene.ask("POST", "/session/end", &headers, &sent).await;
    assert_eq!(gone.status, 303);
    assert!(gone.headers["set-cookie"].contains("millstream_person=; "), "{gone:?}");
    assert_eq!(scene.ask("GET", "/auth/session", &[&session], "").await.problem().0, 401);
}

#[tokio::test]
async fn without_a_provider_nobody_logs_in() {
    let scene = Scene::open().await;
    assert_eq!(scene.get("/auth/login").await.problem().0, 404);
    let away = Provider {
        address: "127.0.0.1:1".parse().unwrap(),
        claims: Mutex::default(),
        codes: Mutex::default(),
    };
    let scene = self::scene(&away).await;
    assert_eq!(scene.get("/auth/login").await.problem().0, 503);
    assert!(matches!(
        adapters::oidc::discover("http://id.example").await,
        Err(OidcError::Provider(_))
    ));
}
