//! Who provides what a spec asks for: the published repository says what the facts of all its builds say, and more.

use adapters::closure::HOST_TOOLCHAIN;
use model::facet::Facet;
use pipeline::affected::edges::of_source;

use super::super::provisional;
use super::*;
use crate::dependencies::question::Asked;
use crate::dependencies::resolve::Resolution;
use crate::dependencies::testing::{self, Written};

/// Two that provide `mail`, and `zlib` with a library, a program and data.
pub(super) const PUBLISHED: [Written<'_>; 5] = [
    package("zlib", "zlib", &["libz.so.1", "/usr/bin/z"], &["/usr/bin/z", "/usr/share/z"]),
    package("zlib-devel", "zlib", &["pkgconfig(zlib)"], &[]),
    package("exim", "exim", &["mail"], &[]),
    package("postfix", "postfix", &["mail"], &[]),
    package(HOST_TOOLCHAIN, HOST_TOOLCHAIN, &["libc.so.6"], &[]),
];

const fn package<'a>(
    name: &'a str,
    source: &'a str,
    provides: &'a [&'a str],
    files: &'a [&'a str],
) -> Written<'a> {
    Written { name, source, provides, requires: &[], files }
}

/// Publishes them as the second generation, in the store and as a repository; `app` stays as it was.
pub(super) async fn published() -> Scene {
    let scene = Scene::open(&[]).await;
    let mut tx = scene.context.store.begin().await.unwrap();
    let mut builds = Vec::new();
    for source in ["zlib", "exim", "postfix"] {
        let own = || PUBLISHED.iter().filter(|package| package.source == source);
        let packages = own().map(stored).collect();
        builds.push(build_of(&mut tx, source, packages, own().map(facets).collect()).await);
    }
    let app = publications::current_builds(&mut tx, &"f44".parse().unwrap()).await.unwrap();
    builds.extend(app.into_iter().filter(|build| build.artifact == key("app")));
    super::publish(&mut tx, 2, builds).await;
    tx.commit().await.unwrap();
    testing::write(&folder(&scene), &PUBLISHED);
    scene
}

fn folder(scene: &Scene) -> std::path::PathBuf {
    scene.context.config.published_root().join("f44/generation-2")
}

fn stored(package: &Written<'_>) -> Package {
    let names = package.provides.iter().filter(|name| !name.starts_with('/'));
    Package {
        nevra: format!("{}-1-1.noarch", package.name).parse().unwrap(),
        file: format!("{}.rpm", package.name),
        digest: Digest::of(package.name),
        size: 1,
        provides: names.map(|name| name.parse().unwrap()).collect(),
        requires: Vec::new(),
    }
}

fn facets(package: &Written<'_>) -> PackageFacets {
    let files = package.files.iter().map(|file| format!("{file} 100755")).collect();
    PackageFacets {
        package: package.name.to_owned(),
        arch: "noarch".to_owned(),
        facets: [(Facet::Files, files)].into(),
    }
}

/// What `app` needs when its spec asks for these, as `PACKAGE of ARTIFACT` for each edge.
async fn needs(scene: &Scene, asked: &[&str]) -> Vec<String> {
    let mut source = source("app", 2);
    let content = source.content.as_mut().unwrap();
    content.build_requires = asked.iter().map(|text| text.parse().unwrap()).collect();
    let content = content.clone();
    let branch = "f44".parse().unwrap();
    let providers = provisional::providers(&scene.context, &branch, &[source]).await.unwrap();
    let edges = of_source(&key("app"), &commit(2), &content, &providers);
    edges.iter().map(|edge| format!("{} of {}", edge.package, edge.dependency.name)).collect()
}

#[tokio::test]
async fn the_repository_says_what_the_builds_say() {
    let scene = published().await;
    let asked = [
        "zlib-devel >= 9",
        "libz.so.1",
        "/usr/bin/z",
        "(pkgconfig(zlib) if mail)",
        "libc.so.6",
        "nobody",
    ];
    let from_repository = needs(&scene, &asked).await;
    std::fs::remove_dir_all(folder(&scene)).unwrap();
    assert_eq!(needs(&scene, &asked).await, from_repository);
    assert_eq!(
        from_repository,
        [
            "exim of exim",
            "postfix of postfix",
            "zlib of zlib",
            "zlib of zlib",
            "zlib-devel of zlib",
            "zlib-devel of zlib",
        ]
    );
}

#[tokio::test]
async fn any_file_of_the_repository_may_be_asked_for() {
    let scene = published().await;
    assert_eq!(needs(&scene, &["/usr/share/z"]).await, ["zlib of zlib"]);
    assert_eq!(needs(&scene, &["/usr/share/other"]).await, [""; 0]);
}

#[tokio::test]
async fn who_is_not_chosen_today_may_be_tomorrow() {
    let scene = published().await;
    let repository = scene.context.ready.repository(&folder(&scene)).await.unwrap();
    let (always, wishes) = (vec![HOST_TOOLCHAIN.to_owned()], vec!["mail".to_owned()]);
    let asked = Asked { always, wishes, ..Asked::default() };
    let Resolution::Installed(chosen) = repository.resolve(&asked).unwrap() else { panic!() };
    assert_eq!(chosen, ["exim-1-1.noarch", "host-toolchain-1-1.noarch"]);
    assert_eq!(needs(&scene, &["mail"]).await, ["exim of exim", "postfix of postfix"]);
}

/// Who asks for `mail` is built in the plan of either provider: the one that is chosen may lose it on the way.
#[tokio::test]
async fn a_change_of_the_other_provider_meets_the_plan() {
    let scene = published().await;
    let mut app = source("app", 2);
    app.content.as_mut().unwrap().build_requires = vec!["mail".parse().unwrap()];
    scene.push_source(app).await;
    scene.look().await;
    assert_eq!(scene.plans().await, ["1 running app"]);
    scene.push("postfix", 2).await;
    scene.look().await;
    assert_eq!(scene.plans().await, ["1 superseded app", "2 running postfix app"]);
}

#[tokio::test]
async fn a_repository_that_cannot_be_read_is_not_asked() {
    let scene = published().await;
    std::fs::write(folder(&scene).join("repodata/repomd.xml"), "<repomd>").unwrap();
    assert_eq!(needs(&scene, &["mail"]).await, ["exim of exim", "postfix of postfix"]);
}
