//! Too many requests, a database that is away, handlers that panic or take too long.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use model::clock::ManualClock;
use serde_json::json;
use tokio::sync::watch;

use super::scene::{NOW, Scene};
use crate::admin::tokens::Scope;
use crate::admin::{Admin, AdminError};
use crate::api::{Api, Parts, envelope};
use crate::running::Running;

#[tokio::test]
async fn too_many_requests_are_told_when_to_come_again() {
    let scene = Scene::with(|config| {
        (config.api.requests_per_second, config.api.burst) = (1, 3);
    })
    .await;
    for _ in 0..3 {
        assert_eq!(scene.get("/api/v1/plans").await.status, 200);
    }
    let refused = scene.get("/api/v1/plans").await;
    assert_eq!((refused.problem().0, refused.headers["retry-after"].as_str()), (429, "2"));
    // Who looks whether the server lives is always answered.
    assert_eq!(scene.get("/health").await.status, 200);
    scene.clock.advance(Duration::from_secs(1));
    assert_eq!(scene.get("/api/v1/plans").await.status, 200);
}

#[tokio::test]
async fn a_token_has_a_bucket_of_its_own_and_guessing_costs_the_address() {
    let scene = Scene::with(|config| {
        (config.api.requests_per_second, config.api.burst) = (10, 15);
    })
    .await;
    let token = scene.token("ann", &[Scope::Messages]).await;
    let message = json!({"id": "1", "topic": "t", "body": {}});
    for _ in 0..15 {
        scene.post("/api/v1/messages", &token, &message).await;
    }
    assert_eq!(scene.post("/api/v1/messages", &token, &message).await.status, 429);
    assert_eq!(scene.get("/api/v1/plans").await.status, 200);
    let guess = "Authorization: Bearer guess";
    assert_eq!(scene.post("/api/v1/messages", guess, &message).await.status, 401);
    assert_eq!(scene.post("/api/v1/messages", guess, &message).await.status, 429);
    assert_eq!(scene.get("/api/v1/plans").await.status, 429);
}

#[tokio::test]
async fn a_database_that_is_away_is_told() {
    let scene = Scene::open().await;
    scene.store.close().await;
    for path in ["/api/v1/plans", "/api/v1/stream", "/health"] {
        assert_eq!(scene.get(path).await.problem().0, 503, "{path}");
    }
    let message = json!({"id": "1", "topic": "t", "body": {}});
    assert_eq!(scene.post("/api/v1/messages", "", &message).await.problem().0, 503);
    let token = "Authorization: Bearer x";
    let why = json!({"reason": "so"});
    assert_eq!(scene.post("/api/v1/plans/1/run", token, &why).await.problem().0, 503);
}

#[tokio::test]
async fn a_handler_that_panics_or_takes_too_long_is_a_problem() {
    let scene = Scene::with(|config| config.api.timeout_seconds = Duration::from_millis(200)).await;
    let parts = Parts {
        config: scene.config.clone(),
        store: scene.store.clone(),
        clock: Arc::new(ManualClock::at(NOW)),
        wakes: Arc::default(),
        running: Running::new(&scene.config.data).unwrap(),
        graph: Arc::default(),
    };
    let (_stop, stopped) = watch::channel(false);
    let api = Api::start(parts, stopped);
    let router: Router = Router::new()
        .route("/panic", get(async || -> &str { panic!("on purpose") }))
        .route("/sleep", get(async || std::future::pending::<&str>().await))
        .layer(from_fn_with_state(Arc::clone(&api), envelope::wrap));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut scene = scene;
    scene.address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let panicked = scene.get("/panic").await;
    assert_eq!(
        (panicked.problem().0, panicked.json()["type"].as_str()),
        (500, Some("/docs/problems#internal"))
    );
    assert_eq!(scene.get("/sleep").await.problem().0, 504);
    // One that panics inside an intervention is one as well.
    let acted = tokio::spawn(async move {
        let act = async |_: &Admin| -> Result<(), AdminError> { panic!("on purpose") };
        api.intervene(act).await.is_ok()
    });
    assert!(acted.await.unwrap_err().is_panic());
    server.abort();
}
