//! A receiver of webhooks on a real socket that verifies signatures as the specification asks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub(super) const SECRET: [u8; 32] = [7; 32];

/// What it received with a good signature: bodies by id, and how often each came.
#[derive(Default)]
pub(super) struct Received {
    pub(super) bodies: BTreeMap<String, (u32, Value)>,
    pub(super) unsigned: u32,
    /// How many requests it cannot serve at first.
    pub(super) broken: u32,
}

pub(super) struct Receiver {
    pub(super) url: String,
    pub(super) received: Arc<Mutex<Received>>,
    server: JoinHandle<()>,
}

impl Receiver {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let received: Arc<Mutex<Received>> = Arc::default();
        let router = Router::new().route("/hook", post(take)).with_state(Arc::clone(&received));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, received, server }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(
    State(received): State<Arc<Mutex<Received>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut received = received.lock().unwrap();
    let header = |name: &str| headers[name].to_str().unwrap().to_owned();
    let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
    let mut mac = Hmac::<Sha256>::new_from_slice(&SECRET).unwrap();
    mac.update(format!("{id}.{at}.").as_bytes());
    mac.update(&body);
    let signature = header("webhook-signature");
    let given = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
    if mac.verify_slice(&given).is_err() {
        received.unsigned += 1;
        return StatusCode::UNAUTHORIZED;
    }
    if received.broken > 0 {
        received.broken -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let body = serde_json::from_slice(&body).unwrap();
    received.bodies.entry(id).or_insert((0, body)).0 += 1;
    StatusCode::NO_CONTENT
}
