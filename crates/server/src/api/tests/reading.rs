//! Listings, filters, cursors, tags and the answers themselves.

use serde_json::{Value, json};

use super::scene::Scene;

async fn items(scene: &Scene, path: &str) -> Vec<Value> {
    let answer = scene.get(&format!("/api/v1{path}")).await;
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.json()["items"].as_array().unwrap().clone()
}

/// The same field of every entry, joined.
async fn told(scene: &Scene, path: &str, field: &str) -> String {
    let items = items(scene, path).await;
    let text = |item: &Value| match &item[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    items.iter().map(text).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn a_listing_is_walked_page_by_page() {
    let scene = Scene::open().await;
    for (path, field) in [
        ("/events", "number"),
        ("/builds", "number"),
        ("/plans", "number"),
        ("/steps?plan=1", "index"),
        ("/results", "number"),
        ("/decisions", "number"),
        ("/holds?all=true", "number"),
        ("/artifacts", "artifact"),
        ("/rules", "id"),
        ("/images", "artifact"),
        ("/composes", "build"),
    ] {
        let whole: Vec<Value> = items(&scene, path).await;
        let mut walked = Vec::new();
        let start = if path.contains('?') { "&limit=2" } else { "?limit=2" };
        let mut next = Some(format!("/api/v1{path}{start}"));
        while let Some(page) = next.take() {
            let answer = scene.get(&page).await;
            let json = answer.json();
            walked.extend(json["items"].as_array().unwrap().clone());
            next = json["next"].as_str().map(str::to_owned);
            let link = next.as_ref().map(|next| format!("<{next}>; rel=\"next\""));
            assert_eq!(answer.headers.get("link"), link.as_ref(), "{path}");
            assert!(walked.len() <= whole.len(), "{path} goes on for ever");
        }
        let field =
            |list: &[Value]| list.iter().map(|item| item[field].clone()).collect::<Vec<_>>();
        assert_eq!(field(&walked), field(&whole), "{path}");
        assert!(whole.len() > 1, "{path} has {}", whole.len());
    }
}

#[tokio::test]
async fn listings_are_filtered() {
    let scene = Scene::open().await;
    let check = async |path: &str, field: &str, expected: &str| {
        assert_eq!(told(&scene, path, field).await, expected, "{path}");
    };
    check(
        "/events?artifact=rpms/lib%23f44&state=planned",
        "sentence",
        "commit 0000000000 to rpms/lib#f44: Fix a crash",
    )
    .await;
    check("/events?kind=branch-deleted", "artifact", "rpms/gone#f44").await;
    check("/artifacts?search=LI", "artifact", "rpms/lib#f44 rpms/lib#f45").await;
    check("/artifacts?name=web", "artifact", "containers/web#f44").await;
    check("/artifacts?kind=composes", "artifact", "composes/server#f44").await;
    check("/artifacts?branch=f45", "artifact", "rpms/lib#f45").await;
    check("/builds?artifact=rpms/lib%23f44", "nvr", "lib-2-1.f44 lib-1-1.f44").await;
    check("/builds?state=running", "state", "running").await;
    check("/plans?open=true&branch=f44", "state", "running proposed dry-run running").await;
    check("/plans?branch=f45", "number", "").await;
    check("/steps?artifact=rpms/lib%23f44", "state", "held").await;
    check("/steps?state=testing", "plan", "1").await;
    check("/results?build=lib-1-1.f44&limit=1", "outcome", "ERROR").await;
    check("/rules?limit=1", "origin", "shipped").await;
    check("/decisions?kind=publish-refused", "sentence", "so it was publish-refused").await;
    check("/decisions?plan=1&artifact=rpms/lib%23f44&limit=2", "kind", "intervened notify").await;
    check("/waivers", "kind", "waiver").await;
    check("/sign-offs?artifact=rpms/lib%23f44", "kind", "sign-off").await;
    check("/holds", "kind", "freeze").await;
    check("/holds?all=true", "in_force", "false false true").await;
}

#[tokio::test]
async fn what_holds_a_package_and_what_does_not_are_told_apart() {
    let scene = Scene::open().await;
    let holdings = async |path: &str| {
        let items = items(&scene, path).await;
        let text = |item: &Value| {
            format!("{} {}", item["artifact"].as_str().unwrap(), item["holding"]["holding"])
        };
        items.iter().map(text).collect::<Vec<_>>().join(", ")
    };
    let [base, web] = ["containers/base-image#f44", "containers/web#f44"];
    assert_eq!(
        holdings("/images?contains=lib").await,
        format!("{base} \"absent\", {web} \"contained\"")
    );
    assert_eq!(
        holdings("/images?branch=f44&contains=lib%3C2").await,
        format!("{base} \"absent\", {web} \"other-version\"")
    );
    let known = async |package: &str| {
        let path = format!("/api/v1/images?branch=f44&contains={package}");
        scene.get(&path).await.json()["known"].clone()
    };
    assert_eq!((known("lib-devel").await, known("nothing").await), (true.into(), false.into()));
    assert_eq!(
        holdings("/composes?contains=lib").await,
        ["composes/server#f44 \"contained\""; 2].join(", ")
    );
    let path = "/composes?artifact=composes/server%23f44&contains=lib%3C2";
    assert_eq!(
        holdings(path).await,
        "composes/server#f44 \"other-version\", composes/server#f44 \"contained\""
    );
}

#[tokio::test]
async fn images_and_composes_tell_what_changed() {
    let scene = Scene::open().await;
    let image = scene.get("/api/v1/images/web/f44").await.json();
    assert_eq!((&image["since"][0], &image["size"]), (&"web-1-1.f44".into(), &90.into()));
    let changes = image["since"][1].as_array().unwrap();
    let told: Vec<String> =
        changes.iter().map(|change| format!("{} {}", change["name"], change["change"])).collect();
    assert_eq!(told, ["\"app\" \"added\"", "\"base\" \"removed\"", "\"lib\" \"upgraded\""]);
    let compose = scene.get("/api/v1/composes/server/f44").await.json();
    assert_eq!(compose["id"], "Almanac-44-20260701.n.1");
    assert_eq!(compose["since"]["from"], "Almanac-44-20260701.n.0");
    assert_eq!(compose["output"]["deliverables"][1]["reused_from"], "Almanac-44-20260701.n.0");
}

#[tokio::test]
async fn where_something_is_is_told_from_what_is_installed() {
    let scene = Scene::open().await;
    let where_is = async |path: &str| scene.get(&format!("/api/v1/where/{path}")).await.json();
    let lib = where_is("lib-devel-1-1.f44.x86_64").await;
    let found = &lib["artifacts"][0];
    assert_eq!(
        (&lib["installed"], &found["artifact"]),
        (&"1-1.f44".into(), &"rpms/lib#f44".into())
    );
    assert_eq!(found["freshness"], "stuck");
    assert_eq!(
        (&found["published"]["nvr"], &found["built"]),
        (&"lib-1-1.f44".into(), &"lib-2-1.f44".into())
    );
    assert_eq!(
        (&found["under_way"]["state"], &found["under_way"]["predicted_end"]),
        (&"held".into(), &Value::Null)
    );
    // A package of the library is not the library: only what carries that very package counts.
    assert_eq!(found["carriers"], Value::Array(Vec::new()));
    let lib = where_is("lib?branch=f44").await;
    let carriers = lib["artifacts"][0]["carriers"].as_array().unwrap().clone();
    let told: Vec<String> =
        carriers.iter().map(|one| format!("{} {}", one["artifact"], one["evr"])).collect();
    assert_eq!(told, ["\"composes/server#f44\" \"1-1.f44\"", "\"containers/web#f44\" \"1-1.f44\""]);
    let app = where_is("rpms%2Fapp%23f44").await;
    assert_eq!(app["artifacts"][0]["freshness"], "on-its-way");
    assert!(app["artifacts"][0]["under_way"]["predicted_end"].is_string(), "{app}");
    let base = where_is("base?installed=1-1.f44").await;
    assert_eq!(base["artifacts"][0]["freshness"], "current");
    let base = where_is("base?installed=0-1").await;
    assert_eq!(base["artifacts"][0]["freshness"], "published");
    let web = where_is("web").await;
    assert_eq!(web["artifacts"][0]["carriers"][0]["artifact"], "composes/server#f44");
    let new = where_is("new").await;
    assert_eq!(new["artifacts"][0]["freshness"], "on-its-way");
}

#[tokio::test]
async fn builds_tell_their_facets_and_what_changed() {
    let scene = Scene::open().await;
    let (old, new) = (scene.seed.old_build, scene.seed.new_build);
    let facets = scene.get(&format!("/api/v1/builds/{new}/facets")).await.json();
    assert_eq!(
        (&facets["facets"][0]["facet"], &facets["facets"][0]["size"]),
        (&"abi".into(), &2.into())
    );
    assert!(facets["facets"][0].get("lines").is_none());
    let path = format!("/api/v1/builds/{new}/facets?package=lib&facet=files");
    let facets = scene.get(&path).await.json();
    assert_eq!(facets["facets"][0]["lines"][0], "/usr/lib64/lib.so.1 0755");
    let changes =
        scene.get(&format!("/api/v1/builds/lib-2-1.f44/changes?since={old}")).await.json();
    assert_eq!(changes["changes"].as_array().unwrap().len(), 1);
    assert_eq!(changes["changes"][0]["removed"][0], "lib.so.1 close FUNC");
}

#[tokio::test]
async fn parameters_that_cannot_be_read_are_named() {
    let scene = Scene::open().await;
    let check = async |path: &str, place: &str, words: &str| {
        let (status, got, detail) = scene.get(&format!("/api/v1{path}")).await.problem();
        assert_eq!((status, got.as_str()), (400, place), "{path}: {detail}");
        assert!(detail.contains(words), "{path}: {detail}");
    };
    check("/events?limit=0", "query.limit", "expected 1 to 200").await;
    check("/events?limit=many", "query.limit", "invalid digit").await;
    check("/events?before=x", "query.before", "take it from `next`").await;
    check("/events?artifact=lib", "query.artifact", "KIND/NAME#BRANCH").await;
    check("/events?state=odd", "query.state", "unknown variant `odd`").await;
    check("/steps?before=7", "query.before", "is no cursor").await;
    check("/artifacts?after=x", "query.after", "is no cursor").await;
    check("/plans/x", "path.number", "x").await;
    check("/plans/1/steps/x", "path.index", "invalid digit").await;
    check("/artifacts/dogs/x/f44", "path.kind", "dogs").await;
    check("/artifacts/rpms/x/a..b", "path.branch", "branch name").await;
    check("/images?contains=%3C", "query.contains", "NAME").await;
    check("/where/lib?installed=%20", "query.installed", "VERSION").await;
    check("/stream?after=x", "query.after", "no place in the stream").await;
    let answer = scene.ask("GET", "/api/v1/stream", &["Last-Event-ID: x"], "").await;
    assert_eq!(answer.problem().1, "header.Last-Event-ID");
    let answer = scene.get("/api/v2/events").await;
    assert!(answer.problem().2.starts_with("there is no /api/v2/events"));
    let answer = scene.ask("DELETE", "/api/v1/events", &[], "").await;
    assert_eq!((answer.problem().0, answer.headers["allow"].as_str()), (405, "GET,HEAD"));
}

#[tokio::test]
async fn every_answer_has_an_id_and_problems_are_explained() {
    let scene = Scene::open().await;
    let own = scene.ask("GET", "/health", &["X-Request-Id: mine-1"], "").await;
    assert_eq!((own.body.as_str(), own.headers["x-request-id"].as_str()), ("ok\n", "mine-1"));
    let strange = scene.ask("GET", "/health", &["X-Request-Id: <b>"], "").await;
    assert_eq!(strange.headers["x-request-id"].len(), 36);
    let problem = scene.get("/api/v1/events/999").await.json();
    let kind = problem["type"].as_str().unwrap();
    let (page, anchor) = kind.split_once('#').unwrap();
    let explained = scene.get(page).await;
    assert!(explained.body.contains(&format!("<h2 id=\"{anchor}\">")), "{kind}");
    assert!(scene.get("/metrics").await.body.contains("millstream_open_plans 4"));
}

#[tokio::test]
async fn what_is_published_answers_and_a_newer_generation_is_loaded_behind_it() {
    let scene = Scene::open().await;
    scene.publish("1", &[("lib", "libx.so.1", ""), ("app", "", "libx.so.1")]);
    let resolve = "/api/v1/resolve?branch=f44&install=app";
    let answer = scene.get(resolve).await;
    let expected = json!({"generation": "1", "installed": ["app-1-1.noarch", "lib-1-1.noarch"]});
    assert_eq!(answer.json(), expected);
    let tag = answer.headers["etag"].clone();
    let found = scene.get("/api/v1/whatrequires?branch=f44&what=libx.so.1").await.json();
    assert_eq!(found["packages"], json!(["lib-1-1.noarch"]));
    assert_eq!(found["required_by"][0]["package"], "app-1-1.noarch");
    let found = scene.get("/api/v1/depcheck?branch=f44&without=lib").await.json();
    assert_eq!(
        (&found["harmless"], &found["removed"]),
        (&json!(false), &json!(["lib-1-1.noarch"]))
    );
    assert_eq!(found["broken"][0]["package"], "app-1-1.noarch");
    assert!(found["broken"][0]["reason"].as_str().unwrap().contains("libx.so.1"), "{found}");
    let page = scene.get("/packages/lib/f44").await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains(r#"<a class="evr" href="/packages/app/f44">app-1-1.noarch</a>"#));
    assert_eq!(scene.get("/packages/nothing/f44").await.status, 404);
    // The hypothesis was taken back.
    assert_eq!(scene.get(resolve).await.headers["etag"], tag);

    scene.publish("2", &[("lib", "libx.so.1", ""), ("app", "", "")]);
    let newer = json!({"generation": "2", "installed": ["app-1-1.noarch"]});
    loop {
        let answer = scene.get(resolve).await.json();
        if answer == newer {
            break;
        }
        assert_eq!(answer, expected);
        tokio::task::yield_now().await;
    }
}
