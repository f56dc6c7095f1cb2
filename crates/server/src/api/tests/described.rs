//! The document says what the API does: every route is in it, and every answer it names is given.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::scene::Scene;
use crate::admin::tokens::Scope;

/// Answers of every operation, each shown once in `bad_days`.
const OF_ALL: [&str; 4] = ["429", "500", "503", "504"];

async fn document(scene: &Scene) -> Value {
    scene.get("/api/v1/openapi.json").await.json()
}

/// Method, path and description of every operation.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    operations
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| match value.as_str() {
            Some(reference) if name == "$ref" => {
                found.insert(reference.to_owned());
            }
            _ => references(value, found),
        }),
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn the_document_is_whole() {
    let scene = Scene::open().await;
    let document = document(&scene).await;
    assert_eq!(document["openapi"].as_str().unwrap().split('.').next(), Some("3"));
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    let is_nowhere = |reference: &String| {
        document.pointer(reference.strip_prefix('#').unwrap_or_default()).is_none()
    };
    let nowhere: Vec<String> = used.into_iter().filter(is_nowhere).collect();
    assert_eq!(nowhere, [""; 0]);
    let mut ids = BTreeSet::new();
    let tags: Vec<&Value> =
        document["tags"].as_array().unwrap().iter().map(|tag| &tag["name"]).collect();
    for (method, path, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap().to_owned();
        assert!(ids.insert(id.clone()), "{id} is there twice");
        assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id}");
        assert!(tags.contains(&&operation["tags"][0]), "{id}");
        assert_eq!(operation["security"].is_array(), method == "POST", "{path}");
    }
    assert!(ids.len() > 35, "{ids:?}");
}

/// Nothing is served but through `routes!`, which documents what it serves.
#[test]
fn every_route_is_in_the_document() {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_test = path.components().any(|part| part.as_os_str() == "tests");
            match path.extension().and_then(|extension| extension.to_str()) {
                None => open.push(path),
                Some("rs") if !is_test => {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let routes =
                        text.matches(".route(").count() + text.matches(".nest_service(").count();
                    // Logging in is no part of `/api/v1`.
                    let is_login = path.file_name().is_some_and(|name| name == "auth.rs");
                    found.extend((routes > 0 && !is_login).then_some((path, routes)));
                }
                Some(_) => {}
            }
        }
    }
    // `api.rs` beside the folder serves the document itself, health, metrics and the problems' explanations.
    assert_eq!(found, []);
}

/// `app` requires what `lib` provides.
const REPOSITORY: &[(&str, &str, &str)] = &[("lib", "libx.so.1", ""), ("app", "", "libx.so.1")];

/// Asks every operation for everything it says it may answer.
#[tokio::test]
async fn every_documented_answer_is_given() {
    let scene = Scene::open().await;
    let document = document(&scene).await;
    asks_for_what_there_is(&scene).await;
    asks_for_what_there_is_not(&scene).await;
    intervenes(&scene).await;
    for (method, path, operation) in operations(&document) {
        match method.as_str() {
            "GET" => asks_wrongly(&scene, &path, &operation).await,
            _ => writes_wrongly(&scene, &path).await,
        }
    }
    let answered = scene.answered.lock().unwrap().clone();
    let mut missing = Vec::new();
    let mut undocumented = Vec::new();
    let all = operations(&document);
    for (method, path, operation) in &all {
        let responses = operation["responses"].as_object().unwrap();
        for status in responses.keys().filter(|status| !OF_ALL.contains(&status.as_str())) {
            let is_this = |(own, asked, got): &&(String, String, u16)| {
                own == method && is_of(asked, path) && got.to_string() == *status
            };
            if !answered.iter().any(|one| is_this(&one)) {
                missing.push(format!("{method} {path} {status}"));
            }
        }
    }
    for (method, asked, status) in &answered {
        let own = all.iter().find(|(own, path, _)| own == method && is_of(asked, path));
        let known =
            own.map(|(_, _, operation)| operation["responses"][status.to_string()].is_object());
        if known == Some(false) {
            undocumented.push(format!("{method} {asked} {status}"));
        }
    }
    assert_eq!((missing, undocumented), (Vec::new(), Vec::new()));
}

/// Whether an address is one of a template.
fn is_of(asked: &str, template: &str) -> bool {
    let (asked, template): (Vec<&str>, Vec<&str>) =
        (asked.split('/').collect(), template.split('/').collect());
    let same = |(asked, template): (&&str, &&str)| template.starts_with('{') || asked == template;
    asked.len() == template.len() && asked.iter().zip(&template).all(same)
}

async fn asks_for_what_there_is(scene: &Scene) {
    let seed = &scene.seed;
    let (new, old, plan) = (seed.new_build, seed.old_build, seed.plan);
    let rule = &scene.admin.rules().unwrap().0[0].id;
    let build = scene.admin.build(&new.to_string()).await.unwrap();
    std::fs::write(&build.log, "first line\nsecond line\n").unwrap();
    scene.publish("1", REPOSITORY);
    let paths = [
        "/events".to_owned(),
        format!("/events/{}", seed.event),
        format!("/events/{}/rules", seed.event),
        "/rules".to_owned(),
        format!("/rules/{rule}"),
        "/artifacts/rpms/lib/f44/rules".to_owned(),
        "/artifacts".to_owned(),
        "/artifacts/rpms/lib/f44".to_owned(),
        "/artifacts/rpms/lib/f44/history".to_owned(),
        "/artifacts/rpms/lib/f44/why".to_owned(),
        "/artifacts/rpms/lib/f44/why-not".to_owned(),
        "/plans".to_owned(),
        format!("/plans/{plan}"),
        format!("/plans/{plan}/steps/3"),
        "/steps".to_owned(),
        "/builds".to_owned(),
        format!("/builds/{new}"),
        format!("/builds/{new}/log"),
        format!("/builds/{new}/facets"),
        format!("/builds/{new}/changes?since={old}"),
        format!("/builds/{new}/buildroot"),
        format!("/builds/{old}/results"),
        format!("/builds/{new}/gate"),
        "/results".to_owned(),
        "/images".to_owned(),
        "/images/web/f44".to_owned(),
        "/composes".to_owned(),
        "/composes/server/f44".to_owned(),
        "/waivers".to_owned(),
        format!("/waivers/{}", seed.waiver),
        "/sign-offs".to_owned(),
        format!("/sign-offs/{}", seed.sign_off),
        "/holds".to_owned(),
        format!("/holds/{}", seed.hold),
        "/decisions".to_owned(),
        "/decisions/1".to_owned(),
        "/status".to_owned(),
        "/where/lib".to_owned(),
        "/resolve?branch=f44&install=app,lib".to_owned(),
        "/whatrequires?branch=f44&what=lib&recursive=true".to_owned(),
        "/depcheck?branch=f44&without=lib".to_owned(),
        "/stream?follow=false".to_owned(),
    ];
    for path in paths.map(|path| format!("/api/v1{path}")) {
        let answer = scene.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        if let Some(tag) = answer.headers.get("etag") {
            let known = scene.ask("GET", &path, &[&format!("If-None-Match: {tag}")], "").await;
            assert_eq!((known.status, known.body.as_str()), (304, ""), "{path}");
            assert_eq!(known.headers.get("etag"), Some(tag), "{path}");
        }
    }
    let log = format!("/api/v1/builds/{new}/log");
    let part = scene.ask("GET", &log, &["Range: bytes=6-9"], "").await;
    assert_eq!((part.status, part.body.as_str()), (206, "line"));
    assert_eq!(part.headers["content-range"], "bytes 6-9/23");
    let beyond = scene.ask("GET", &log, &["Range: bytes=23-"], "").await;
    assert_eq!((beyond.problem().0, beyond.headers["content-range"].as_str()), (416, "bytes */23"));
}

async fn asks_for_what_there_is_not(scene: &Scene) {
    for path in [
        "/events/999",
        "/events/999/rules",
        "/rules/nothing",
        "/artifacts/rpms/nothing/f44/rules",
        "/artifacts/rpms/nothing/f44",
        "/artifacts/rpms/nothing/f44/history",
        "/artifacts/rpms/nothing/f44/why",
        "/artifacts/rpms/lib/f44/why-not?plan=999",
        "/plans/999",
        "/plans/1/steps/999",
        "/builds/999",
        "/builds/nothing-1-1/log",
        "/builds/999/facets",
        "/builds/1/changes?since=999",
        "/builds/999/buildroot",
        "/builds/999/results",
        "/builds/999/gate",
        "/results?build=999",
        "/images/nothing/f44",
        "/composes/nothing/f44",
        "/waivers/999",
        "/sign-offs/999",
        "/holds/999",
        "/decisions/999",
        "/decisions?plan=999",
        "/where/nothing",
        "/resolve?branch=f45&install=app",
        "/whatrequires?branch=f45&what=lib",
        "/depcheck?branch=f45&without=lib",
        "/depcheck?branch=f44&plan=999",
    ] {
        let answer = scene.get(&format!("/api/v1{path}")).await;
        let (status, _, detail) = answer.problem();
        assert_eq!(status, 404, "{path}: {detail}");
        assert!(!detail.is_empty(), "{path}");
    }
    let other = "containers/web#f45".parse().unwrap();
    store::testing::image(&scene.store, &other).await.unwrap();
    let refused = [
        "/images?contains=lib",
        "/composes?contains=lib%3C2",
        "/resolve?branch=f44&install=lib%20%3E%3D",
        "/depcheck?branch=f44&without=nothing",
        "/depcheck?branch=f45&plan=1",
        "/depcheck?branch=f44",
    ];
    for path in refused {
        assert_eq!(scene.get(&format!("/api/v1{path}")).await.problem().0, 422, "{path}");
    }
}

async fn intervenes(scene: &Scene) {
    let token = scene.token("ann", &[Scope::Admin]).await;
    let (waiting, hold) = (scene.seed.waiting_plan, scene.seed.hold);
    let (why, empty) = (json!({"reason": "so"}), json!({"reason": " "}));
    let lib = json!({"artifact": "rpms/lib#f44", "case": "tests.hello", "reason": "so"});
    let unknown = json!({"artifact": "rpms/nothing#f44", "case": "tests.hello", "reason": "so"});
    let stop = json!({"kind": "hold", "artifact": "rpms/app#f44", "reason": "so"});
    let unsigned = json!({"kind": "hold", "artifact": "rpms/app#f44", "reason": ""});
    let retry = json!({"reason": "so", "failed_only": true});
    let message = json!({"id": "one", "topic": "millstream.request", "body": {}});
    let plan = |what: &str| format!("/plans/{waiting}/{what}");
    let held = |what: &str| format!("/holds/{hold}/{what}");
    let proposed = scene.seed.proposed_plan;
    let cases: [(String, &Value, u16); 30] = [
        (format!("/plans/{proposed}/approve"), &empty, 422),
        (format!("/plans/{proposed}/approve"), &why, 200),
        (format!("/plans/{proposed}/approve"), &why, 409),
        ("/plans/999/approve".to_owned(), &why, 404),
        (plan("run"), &empty, 422),
        (plan("run"), &why, 200),
        (plan("run"), &why, 409),
        ("/plans/999/run".to_owned(), &why, 404),
        (plan("retry"), &empty, 422),
        (plan("retry"), &retry, 200),
        ("/plans/999/retry".to_owned(), &why, 404),
        (plan("cancel"), &empty, 422),
        (plan("cancel"), &why, 200),
        (plan("cancel"), &why, 409),
        ("/plans/999/cancel".to_owned(), &why, 404),
        ("/waivers".to_owned(), &lib, 201),
        ("/waivers".to_owned(), &unknown, 422),
        ("/sign-offs".to_owned(), &lib, 201),
        ("/sign-offs".to_owned(), &unknown, 422),
        ("/holds".to_owned(), &stop, 201),
        ("/holds".to_owned(), &stop, 409),
        ("/holds".to_owned(), &unsigned, 422),
        (held("release"), &empty, 422),
        (held("release"), &why, 200),
        (held("release"), &why, 409),
        ("/holds/999/release".to_owned(), &why, 404),
        ("/messages".to_owned(), &message, 202),
        ("/messages".to_owned(), &message, 200),
        (format!("/plans/{}/retry", scene.seed.plan), &retry, 200),
        (format!("/plans/{}/cancel", scene.seed.plan), &why, 200),
    ];
    for (path, body, status) in cases {
        let answer = scene.post(&format!("/api/v1{path}"), &token, body).await;
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        assert_eq!(answer.headers.contains_key("location"), status == 201, "{path}");
    }
    for path in [plan("run"), plan("approve"), plan("retry"), plan("cancel"), held("release")] {
        let headers = [token.as_str(), "Content-Type: application/json", "If-Match: \"other\""];
        let answer = scene.ask("POST", &format!("/api/v1{path}"), &headers, &why.to_string()).await;
        assert_eq!(answer.problem().0, 412, "{path}");
    }
}

/// A number that is none, a name that is no UTF-8, a parameter nobody knows.
async fn asks_wrongly(scene: &Scene, path: &str, operation: &Value) {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let has = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
    if has("query") {
        let filled = filled(path, "1");
        let answer = scene.get(&format!("{filled}?nonsense=1")).await;
        let (status, place, detail) = answer.problem();
        assert_eq!((status, place.as_str()), (400, "query.nonsense"), "{path}: {detail}");
    } else if has("path") {
        let answer = scene.get(&filled(path, "%FF")).await;
        let (status, place, _) = answer.problem();
        assert!(status == 400 && place.starts_with("path."), "{path}: {answer:?}");
    }
}

async fn writes_wrongly(scene: &Scene, path: &str) {
    let filled = filled(path, "1");
    let json = "Content-Type: application/json";
    let foreign = scene.ask("POST", &filled, &[json, "Origin: http://evil.example"], "{}").await;
    assert_eq!(foreign.problem().0, 403, "{path}");
    let token = scene.token(path, &[Scope::Admin]).await;
    let kind = scene.ask("POST", &filled, &[&token, "Content-Type: text/plain"], "{}").await;
    assert_eq!(kind.problem().0, 415, "{path}");
    let long = " ".repeat(5 << 20);
    assert_eq!(scene.ask("POST", &filled, &[&token, json], &long).await.problem().0, 413, "{path}");
    let (status, place, _) = scene.ask("POST", &filled, &[&token, json], "{}").await.problem();
    assert!(status == 400 && place.starts_with("body"), "{path}: {status} {place}");
    let wrong = scene.ask("POST", &filled, &[json, "Authorization: Bearer guessed"], "{}").await;
    assert_eq!(wrong.problem().0, 401, "{path}");
}

/// A template's address; every parameter is the same, but for kinds.
fn filled(path: &str, value: &str) -> String {
    let part = |part: &str| match part {
        "{kind}" => "rpms".to_owned(),
        part if part.starts_with('{') => value.to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
