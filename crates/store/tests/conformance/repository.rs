//! Artifacts, refs, sources, edges, large sets.

use model::artifact::ArtifactKey;
use model::edge::{Edge, EdgeKind, Evidence};
use model::source::{Settings, Source, SourceContent, SourceProblem};
use store::refs::Move;
use store::sets::Packed;
use store::{Error, Store, artifacts, edges, refs, sets, sources};

use crate::fixture::{artifact, at, both, branch, commit, digest, edge, id};

fn moved(name: &str, previous: Option<u32>, new: Option<u32>) -> Move {
    Move {
        artifact: artifact(name),
        commit: new.map(commit),
        previous: previous.map(commit),
        forced: false,
        at: at(1),
        event: None,
    }
}

#[tokio::test]
async fn an_artifact_has_one_id() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let zlib = artifacts::ensure(&mut tx, &artifact("zlib")).await.unwrap();
        assert_eq!(artifacts::ensure(&mut tx, &artifact("zlib")).await.unwrap(), zlib);
        let other: ArtifactKey = "rpms/zlib#f45".parse().unwrap();
        let keys = [artifact("zlib"), artifact("png"), other.clone(), artifact("png")];
        let ids = artifacts::ensure_all(&mut tx, &keys).await.unwrap();
        assert_eq!(ids.len(), 3);
        assert_eq!(ids[&artifact("zlib")], zlib);
        assert_eq!(artifacts::find(&mut tx, &other).await.unwrap(), Some(ids[&other]));
        assert_eq!(artifacts::find(&mut tx, &artifact("x")).await.unwrap(), None);
        let names = async |store: &Store, branch| {
            let all = artifacts::list(&mut store.read().await.unwrap(), branch).await.unwrap();
            all.iter().map(|artifact| artifact.key.to_string()).collect::<Vec<_>>()
        };
        tx.commit().await.unwrap();
        let branch = branch();
        assert_eq!(names(&store, Some(&branch)).await, ["rpms/png#f44", "rpms/zlib#f44"]);
        let all = ["rpms/png#f44", "rpms/zlib#f44", "rpms/zlib#f45"];
        assert_eq!(names(&store, None).await, all);
    })
    .await;
}

#[tokio::test]
async fn both_databases_sort_names_as_bytes() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let keys = ["b", "B", "a-c", "ab", "a+b"].map(artifact);
        artifacts::ensure_all(&mut tx, &keys).await.unwrap();
        tx.commit().await.unwrap();
        let mut conn = store.read().await.unwrap();
        let listed = artifacts::list(&mut conn, None).await.unwrap();
        let names: Vec<&str> = listed.iter().map(|a| a.key.name.as_str()).collect();
        assert_eq!(names, ["B", "a+b", "a-c", "ab", "b"]);
    })
    .await;
}

#[tokio::test]
async fn refs_move_from_where_they_are() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        assert_eq!(refs::moves(&mut tx, &artifact("zlib")).await.unwrap(), 0);
        let first = moved("zlib", None, Some(1));
        assert_eq!(refs::move_tip(&mut tx, &first).await.unwrap(), 1);
        let forced = Move { forced: true, event: Some(id(9)), ..moved("zlib", Some(1), Some(2)) };
        assert_eq!(refs::move_tip(&mut tx, &forced).await.unwrap(), 2);
        assert_eq!(refs::all_moves(&mut tx).await.unwrap(), 2);
        refs::move_tip(&mut tx, &moved("png", None, Some(3))).await.unwrap();
        assert_eq!(refs::all_moves(&mut tx).await.unwrap(), 3);
        tx.commit().await.unwrap();

        // Too late: it points at commit 2.
        for stale in [moved("zlib", Some(1), Some(4)), moved("zlib", None, Some(4))] {
            let mut tx = store.begin().await.unwrap();
            let error = refs::move_tip(&mut tx, &stale).await.unwrap_err();
            assert!(matches!(error, Error::Conflict(_)), "{error}");
        }

        let mut conn = store.read().await.unwrap();
        let tip = refs::tip(&mut conn, &artifact("zlib")).await.unwrap().unwrap();
        assert_eq!((tip.commit.clone(), tip.moves, tip.at), (Some(commit(2)), 2, at(1)));
        assert_eq!(refs::tip(&mut conn, &artifact("unknown")).await.unwrap(), None);
        let tips = refs::tips(&mut conn, Some(&branch())).await.unwrap();
        assert_eq!(tips.len(), 2);
        assert_eq!(tips[1], tip);
        assert_eq!(refs::tips(&mut conn, None).await.unwrap(), tips);
        let wanted = [artifact("zlib"), artifact("unknown")];
        assert_eq!(refs::tips_of(&mut conn, &wanted).await.unwrap(), tips[1..]);
        let other = "f45".parse().unwrap();
        assert_eq!(refs::tips(&mut conn, Some(&other)).await.unwrap(), []);
        let history = refs::history(&mut conn, &artifact("zlib"), 10).await.unwrap();
        let told: Vec<(i64, &Move)> = history.iter().map(|m| (m.number, &m.moved)).collect();
        assert_eq!(told, [(2, &forced), (1, &first)]);
        assert_eq!(refs::history(&mut conn, &artifact("zlib"), 1).await.unwrap().len(), 1);
        assert_eq!(refs::history(&mut conn, &artifact("unknown"), 1).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn an_artifact_without_a_branch_is_retired() {
    both(|store| async move {
        let retired = async |name: &str| {
            let mut conn = store.read().await.unwrap();
            artifacts::get(&mut conn, &artifact(name)).await.unwrap().map(|a| a.retired)
        };
        let mut tx = store.begin().await.unwrap();
        refs::move_tip(&mut tx, &moved("zlib", None, Some(1))).await.unwrap();
        artifacts::ensure(&mut tx, &artifact("never-seen")).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(retired("zlib").await, Some(false));
        let mut tx = store.begin().await.unwrap();
        refs::move_tip(&mut tx, &moved("zlib", Some(1), None)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(retired("zlib").await, Some(true));
        assert_eq!(retired("never-seen").await, Some(false));
        assert_eq!(retired("unknown").await, None);
        // The branch comes back.
        let mut tx = store.begin().await.unwrap();
        assert_eq!(refs::move_tip(&mut tx, &moved("zlib", None, Some(1))).await.unwrap(), 3);
        assert_eq!(refs::moves(&mut tx, &artifact("zlib")).await.unwrap(), 3);
        tx.commit().await.unwrap();
        assert_eq!(retired("zlib").await, Some(false));
    })
    .await;
}

#[tokio::test]
async fn a_source_is_kept_for_each_commit() {
    both(|store| async move {
        let problem = SourceProblem {
            file: "zlib.spec".to_owned(),
            line: Some(7),
            message: "Unknown tag".to_owned(),
        };
        let broken =
            Source { artifact: artifact("zlib"), commit: commit(1), content: Err(problem) };
        let content = SourceContent {
            file: "zlib.spec".to_owned(),
            name: "zlib".to_owned(),
            evr: "1:1.3-1.f44".parse().unwrap(),
            bumpable: true,
            build_requires: vec!["gcc".parse().unwrap()],
            bootstrap: None,
            packages: Vec::new(),
            recipe: model::source::Recipe::Package,
            tests: vec!["hello".to_owned()],
            settings: Settings::default(),
            gating: None,
            time: -1,
        };
        let fixed = Source { content: Ok(content), ..broken.clone() };
        let mut tx = store.begin().await.unwrap();
        for source in [&broken, &broken, &fixed] {
            sources::put(&mut tx, source).await.unwrap();
            let stored = sources::get(&mut tx, &artifact("zlib"), &commit(1)).await.unwrap();
            assert_eq!(stored.as_ref(), Some(source));
        }
        assert_eq!(sources::get(&mut tx, &artifact("zlib"), &commit(2)).await.unwrap(), None);
        assert_eq!(sources::get(&mut tx, &artifact("png"), &commit(1)).await.unwrap(), None);
        let wanted =
            [("zlib", 2), ("zlib", 1), ("png", 1)].map(|(name, n)| (artifact(name), commit(n)));
        let many = sources::get_many(&mut tx, &wanted).await.unwrap();
        assert_eq!(many.iter().map(|s| &s.commit).collect::<Vec<_>>(), [&commit(1)]);
        tx.commit().await.unwrap();
    })
    .await;
}

/// The stored edges in short: `app>zlib` for a reported, `app?zlib` for a provisional one.
async fn graph(store: &Store) -> String {
    let all = edges::all(&mut store.read().await.unwrap()).await.unwrap();
    let short = |stored: &edges::StoredEdge| {
        let sign = if stored.provisional { '?' } else { '>' };
        format!("{}{sign}{}", stored.edge.dependent.name, stored.edge.dependency.name)
    };
    all.iter().map(short).collect::<Vec<_>>().join(" ")
}

async fn replace(store: &Store, dependent: &str, list: &[Edge], provisional: bool) -> i64 {
    let mut tx = store.begin().await.unwrap();
    let version =
        edges::replace_for(&mut tx, &artifact(dependent), list, provisional).await.unwrap();
    tx.commit().await.unwrap();
    version
}

#[tokio::test]
async fn reported_edges_replace_provisional_ones() {
    both(|store| async move {
        let to = |names: &[&str]| names.iter().map(|name| edge("app", name)).collect::<Vec<_>>();
        replace(&store, "app", &to(&["zlib", "png"]), true).await;
        assert_eq!(graph(&store).await, "app?zlib app?png");
        replace(&store, "app", &to(&["zlib", "gtk"]), false).await;
        assert_eq!(graph(&store).await, "app>zlib app>gtk");
        replace(&store, "app", &to(&["png"]), true).await;
        assert_eq!(graph(&store).await, "app>zlib app>gtk app?png");
        replace(&store, "app", &to(&["gtk"]), true).await;
        assert_eq!(graph(&store).await, "app>zlib app>gtk app?gtk");
        replace(&store, "app", &[], false).await;
        assert_eq!(graph(&store).await, "");
        let mut tx = store.begin().await.unwrap();
        let foreign = edges::replace_for(&mut tx, &artifact("other"), &to(&["zlib"]), false).await;
        assert!(matches!(foreign, Err(Error::Refused(_))), "{foreign:?}");
    })
    .await;
}

#[tokio::test]
async fn the_graph_tells_what_changed() {
    both(|store| async move {
        let version = async || edges::graph_version(&mut store.read().await.unwrap()).await;
        let since = async |version| {
            let mut conn = store.read().await.unwrap();
            edges::changed_since(&mut conn, version).await.unwrap()
        };
        assert_eq!(version().await.unwrap(), 0);
        let first = replace(&store, "app", &[edge("app", "zlib")], false).await;
        let second = replace(&store, "png", &[edge("png", "zlib")], false).await;
        assert_eq!((first, second, version().await.unwrap()), (1, 2, 2));
        assert_eq!(since(0).await, [artifact("app"), artifact("png")]);
        assert_eq!(since(1).await, [artifact("png")]);
        replace(&store, "app", &[], true).await;
        assert_eq!(since(1).await, [artifact("png"), artifact("app")]);
        assert_eq!(since(3).await, []);
        let mut conn = store.read().await.unwrap();
        let wanted = [artifact("png"), artifact("unknown")];
        let found = edges::for_dependents(&mut conn, &wanted).await.unwrap();
        assert_eq!(found.iter().map(|e| &e.edge).collect::<Vec<_>>(), [&edge("png", "zlib")]);
        assert_eq!(edges::for_dependents(&mut conn, &[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn edges_between_some_have_both_ends_among_them() {
    both(|store| async move {
        replace(&store, "app", &[edge("app", "png"), edge("app", "zlib")], false).await;
        replace(&store, "png", &[edge("png", "zlib")], true).await;
        let mut conn = store.read().await.unwrap();
        let mut check = async |names: &[String], expected: &[Edge]| {
            let keys: Vec<ArtifactKey> = names.iter().map(|name| artifact(name)).collect();
            let found = edges::between(&mut conn, &keys).await.unwrap();
            let found: Vec<Edge> = found.into_iter().map(|stored| stored.edge).collect();
            assert_eq!(found, expected, "between {} names", names.len());
        };
        let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        check(&names(&["app", "png"]), &[edge("app", "png")]).await;
        check(&names(&["app", "zlib", "unknown"]), &[edge("app", "zlib")]).await;
        check(&names(&["app"]), &[]).await;
        check(&[], &[]).await;
        // More than PostgreSQL is asked for at once.
        let many: Vec<String> = (0..1_500).map(|number| format!("other{number}")).collect();
        let mut tx = store.begin().await.unwrap();
        let keys: Vec<ArtifactKey> = many.iter().map(|name| artifact(name)).collect();
        artifacts::ensure_all(&mut tx, &keys).await.unwrap();
        tx.commit().await.unwrap();
        let more = [many, names(&["app", "png"])].concat();
        check(&more, &[edge("app", "png")]).await;
    })
    .await;
}

#[tokio::test]
async fn many_edges_are_read_in_their_order() {
    both(|store| async move {
        // More than are fetched at once, with evidence of every kind.
        let evidence = |n: usize| match n % 3 {
            0 => Evidence::Spec { commit: commit(1), capability: format!("c{n}") },
            1 => Evidence::Buildroot { build: id(1) },
            _ => Evidence::Requires {
                build: id(2),
                package: "p".to_owned(),
                capability: format!("lib{n}.so"),
            },
        };
        let list = |dependent: &str, count: usize| -> Vec<Edge> {
            let edge = |n: usize| Edge {
                kind: EdgeKind::ALL[n % 3],
                package: format!("package{n}"),
                evidence: evidence(n),
                ..edge(dependent, "zlib")
            };
            (0..count).map(edge).collect()
        };
        let (first, second) = (list("app", 50_000), list("png", 777));
        replace(&store, "app", &first, false).await;
        replace(&store, "png", &second, true).await;
        let mut seen = Vec::new();
        let mut conn = store.snapshot().await.unwrap();
        edges::visit(&mut conn, |stored| seen.push(stored.edge)).await.unwrap();
        assert!(seen == [first, second].concat(), "{} edges came back", seen.len());
    })
    .await;
}

#[tokio::test]
async fn a_large_set_is_stored_once() {
    both(|store| async move {
        let text = "the same line\n".repeat(10_000);
        let mut tx = store.begin().await.unwrap();
        let stored = sets::put(&mut tx, text.as_bytes()).await.unwrap();
        assert_eq!(stored, digest(&text));
        assert_eq!(sets::put(&mut tx, text.as_bytes()).await.unwrap(), stored);
        let list = vec!["a".to_owned(), "b".to_owned()];
        let json = sets::put_json(&mut tx, &list).await.unwrap();
        let packed = Packed::of_json(&list).unwrap();
        assert_eq!(sets::put_packed(&mut tx, &packed).await.unwrap(), json);
        let empty = sets::put(&mut tx, b"").await.unwrap();
        tx.commit().await.unwrap();

        let mut conn = store.read().await.unwrap();
        assert_eq!(sets::get(&mut conn, stored).await.unwrap().unwrap(), text.as_bytes());
        assert_eq!(sets::get(&mut conn, empty).await.unwrap().unwrap(), b"");
        assert_eq!(sets::get_json(&mut conn, json).await.unwrap(), Some(list));
        assert_eq!(sets::get(&mut conn, digest("other")).await.unwrap(), None);
        let none: Option<Vec<String>> = sets::get_json(&mut conn, digest("other")).await.unwrap();
        assert_eq!(none, None);
        let wrong = sets::get_json::<u32>(&mut conn, json).await;
        assert!(matches!(wrong, Err(Error::Inconsistent { .. })), "{wrong:?}");
    })
    .await;
}
