//! Who may write, in whose name, and what the audit log says of it.

use serde_json::{Value, json};

use super::scene::Scene;
use crate::admin::tokens::Scope;

#[tokio::test]
async fn a_token_is_good_for_its_scopes() {
    let scene = Scene::open().await;
    let waiver = json!({"artifact": "rpms/lib#f44", "case": "tests.a", "reason": "known"});
    let none = scene.post("/api/v1/waivers", "", &waiver).await;
    assert_eq!(none.headers["www-authenticate"], "Bearer");
    assert!(none.problem().2.contains("`millstream token create NAME --scope gate`"));
    let plans = scene.token("planner", &[Scope::Plans, Scope::Messages]).await;
    let (status, _, detail) = scene.post("/api/v1/waivers", &plans, &waiver).await.problem();
    assert_eq!(
        (status, detail.as_str()),
        (403, "the token is good for plans, messages, not for gate")
    );
    let gate = scene.token("gatekeeper", &[Scope::Gate]).await;
    assert_eq!(scene.post("/api/v1/waivers", &gate, &waiver).await.status, 201);
    scene.admin.revoke_token("gatekeeper").await.unwrap();
    let (status, _, detail) = scene.post("/api/v1/waivers", &gate, &waiver).await.problem();
    assert_eq!(status, 401);
    assert!(detail.contains("was revoked"), "{detail}");
}

#[tokio::test]
async fn results_alone_are_a_scope_of_messages() {
    let scene = Scene::open().await;
    let results = scene.token("ci", &[Scope::Results]).await;
    let message = |id: &str, topic: &str| json!({"id": id, "topic": topic, "body": {}});
    let result = message("1", "millstream.test-result");
    assert_eq!(scene.post("/api/v1/messages", &results, &result).await.status, 202);
    let request = message("2", "millstream.request");
    assert_eq!(scene.post("/api/v1/messages", &results, &request).await.problem().0, 403);
    // Whoever sits at this machine needs no token.
    assert_eq!(scene.post("/api/v1/messages", "", &request).await.status, 202);
    let configured = Scene::with(|config| config.token = Some("sesame".to_owned())).await;
    assert_eq!(configured.post("/api/v1/messages", "", &request).await.problem().0, 401);
    let sesame = "Authorization: Bearer sesame";
    assert_eq!(configured.post("/api/v1/messages", sesame, &request).await.status, 202);
    // It was made for messages alone.
    let why = json!({"reason": "so"});
    assert_eq!(configured.post("/api/v1/plans/1/cancel", sesame, &why).await.problem().0, 401);
}

#[tokio::test]
async fn an_intervention_is_in_the_ledger_under_its_author() {
    let scene = Scene::open().await;
    let token = scene.token("desk", &[Scope::Admin]).await;
    let hold = json!({"kind": "freeze", "artifact": "rpms/app#f44", "reason": "release week",
                      "until": "2026-07-08", "on_behalf_of": "ann"});
    let answer = scene.post("/api/v1/holds", &token, &hold).await;
    let number = answer.json()["number"].as_i64().unwrap();
    assert_eq!(answer.headers["location"], format!("/api/v1/holds/{number}"));
    assert_eq!(answer.json()["author"], "ann (by desk)");
    assert_eq!(scene.get(&answer.headers["location"]).await.json(), answer.json());
    let ledger = scene.get("/api/v1/decisions?kind=intervened&limit=1").await.json();
    let sentence = ledger["items"][0]["sentence"].as_str().unwrap();
    assert!(
        sentence.ends_with("until 2026-07-08T00:00:00Z, by ann (by desk): release week"),
        "{sentence}"
    );
    let path = format!("/api/v1/holds/{number}/release");
    let released = scene.post(&path, &token, &json!({"reason": "over"})).await.json();
    assert_eq!(released["released"], json!([number]));
    // What the freeze left out is asked for.
    assert!(released["rebuild"].is_string());
}

#[tokio::test]
async fn nothing_is_done_to_what_has_changed_meanwhile() {
    let scene = Scene::open().await;
    let token = scene.token("ann", &[Scope::Plans, Scope::Holds]).await;
    let number = scene.seed.waiting_plan;
    let path = format!("/api/v1/plans/{number}");
    let tag = scene.get(&path).await.headers["etag"].clone();
    let if_match = format!("If-Match: {tag}");
    let headers = [token.as_str(), "Content-Type: application/json", &if_match];
    let why = json!({"reason": "so"}).to_string();
    let cancel = format!("{path}/cancel");
    let retry = format!("{path}/retry");
    assert_eq!(scene.ask("POST", &retry, &headers, &why).await.status, 200);
    assert_eq!(scene.ask("POST", &cancel, &headers, &why).await.status, 200);
    let (status, _, detail) = scene.ask("POST", &cancel, &headers, &why).await.problem();
    assert_eq!(status, 412);
    assert!(detail.contains("look again"), "{detail}");

    let hold = format!("/api/v1/holds/{}", scene.seed.hold);
    let if_match = format!("If-Match: {}", scene.get(&hold).await.headers["etag"]);
    let headers = [token.as_str(), "Content-Type: application/json", &if_match];
    let release = format!("{hold}/release");
    assert_eq!(scene.ask("POST", &release, &headers, &why).await.status, 200);
    assert_eq!(scene.ask("POST", &release, &headers, &why).await.problem().0, 412);
}

#[tokio::test]
async fn every_write_is_in_the_audit_log() {
    let scene = Scene::open().await;
    let token = scene.token("ann", &[Scope::Gate]).await;
    let body = json!({"artifact": "rpms/lib#f44", "case": "tests.a", "reason": "known"});
    let first = scene.post("/api/v1/waivers?x=1", &token, &body).await;
    scene.post("/api/v1/waivers", &token, &json!({})).await;
    scene.post("/api/v1/plans/1/cancel", &token, &json!({"reason": "so"})).await;
    scene.post("/api/v1/messages", "", &json!({"id": "1", "topic": "t", "body": {}})).await;
    scene.post("/api/v1/messages", "", &json!({"id": "1", "topic": "t", "body": {}})).await;
    let log = serde_json::to_value(scene.admin.audit_log(None, 10).await.unwrap()).unwrap();
    let told: Vec<String> = log
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
            format!("{} {} {} {}", text("actor"), text("method"), text("path"), entry["status"])
        })
        .collect();
    // What was refused for want of a scope was no write.
    assert_eq!(
        told,
        [
            "this machine POST /api/v1/messages 200",
            "this machine POST /api/v1/messages 202",
            "ann POST /api/v1/waivers 400",
            "ann POST /api/v1/waivers?x=1 201",
        ]
    );
    let last = &log[3];
    assert_eq!(
        (&last["remote"], &last["request"]),
        (&"127.0.0.1".into(), &Value::from(first.headers["x-request-id"].clone()))
    );
    assert_eq!(last["body"], model::digest::Digest::of(body.to_string()).to_string());
    let own = scene.admin.audit_log(Some("ann"), 10).await.unwrap();
    assert_eq!(own.0.len(), 2);
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_named() {
    let scene = Scene::open().await;
    let token = scene.token("ann", &[Scope::Admin]).await;
    let check = async |path: &str, body: Value, place: &str, words: &str| {
        let (status, got, detail) = scene.post(path, &token, &body).await.problem();
        assert_eq!((status, got.as_str()), (400, place), "{path} {body}: {detail}");
        assert!(detail.contains(words), "{path} {body}: {detail}");
    };
    let waivers = "/api/v1/waivers";
    check(waivers, json!({"case": "a"}), "body.artifact", "missing field").await;
    check(waivers, json!({"artifact": "x"}), "body.artifact", "KIND/NAME#BRANCH").await;
    let until = json!({"artifact": "rpms/a#b", "case": "a", "reason": "r", "until": "soon"});
    check(waivers, until, "body.until", "expected 2026").await;
    let strange = json!({"artifact": "rpms/a#b", "case": "a", "reason": "r", "untill": 1});
    check(waivers, strange, "body.untill", "unknown field").await;
    check("/api/v1/holds", json!({"kind": "stop"}), "body.kind", "unknown variant").await;
    let headers = [token.as_str(), "Content-Type: application/json"];
    let (status, place, _) = scene.ask("POST", waivers, &headers, "{").await.problem();
    assert_eq!((status, place.as_str()), (400, "body"));
    let past =
        json!({"artifact": "rpms/lib#f44", "case": "a", "reason": "r", "until": "2020-01-01"});
    let (status, _, detail) = scene.post(waivers, &token, &past).await.problem();
    assert_eq!(status, 422);
    assert!(detail.contains("is past"), "{detail}");
}
