//! `plan --if` says whether what a commit is built with can be installed.

use std::process::Command;

use adapters::closure::HOST_TOOLCHAIN;
use model::source::SourcePackage;

use super::providing::published;
use super::*;
use crate::admin::what_if::{BuildrootOutlook, Supposition, WhatIf};
use crate::sourcing;

/// What a commit to `app` with these BuildRequires would bring about.
async fn suppose(scene: &Scene, build_requires: &[&str]) -> WhatIf {
    let repository = sourcing::repository(&scene.context, &key("app"));
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        git.arg("-C").arg(&repository).args(["-c", "user.name=ann", "-c", "user.email=ann@x"]);
        let output = git.args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    std::fs::create_dir_all(&repository).unwrap();
    git(&["init", "--quiet", "--bare"]);
    let tree = git(&["hash-object", "-t", "tree", "-w", "/dev/null"]);
    let made = git(&["commit-tree", "-m", &build_requires.join(" "), &tree]);
    let mut source = Source { commit: made.parse().unwrap(), ..source("app", 2) };
    let content = source.content.as_mut().unwrap();
    content.build_requires = build_requires.iter().map(|text| text.parse().unwrap()).collect();
    let mut tx = scene.context.store.begin().await.unwrap();
    sources::put(&mut tx, &source).await.unwrap();
    tx.commit().await.unwrap();
    let supposition = Supposition::Commit { artifact: key("app"), revision: made };
    scene.admin().await.what_if(&supposition).await.unwrap()
}

/// A commit to an artifact that was never built, with packages, which is being planned.
async fn push(scene: &Scene, name: &str, packages: &[&str]) {
    let mut source = source(name, 1);
    let package = |name: &&str| SourcePackage {
        name: (*name).to_owned(),
        provides: Vec::new(),
        requires: Vec::new(),
    };
    source.content.as_mut().unwrap().packages = packages.iter().map(package).collect();
    scene.push_source(source).await;
    scene.look().await;
}

fn waits(outlook: Option<&BuildrootOutlook>) -> Vec<String> {
    match outlook {
        Some(BuildrootOutlook::Waits { waits_for, .. }) => {
            waits_for.iter().map(ToString::to_string).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_published_is_enough() {
    let scene = published().await;
    let what_if = suppose(&scene, &["zlib-devel", "/usr/share/z", "(exim or postfix)"]).await;
    let Some(BuildrootOutlook::Resolves { installed }) = &what_if.buildroot else {
        panic!("{:?}", what_if.buildroot)
    };
    assert_eq!(
        installed,
        &[
            "exim-1-1.noarch",
            "host-toolchain-1-1.noarch",
            "zlib-1-1.noarch",
            "zlib-devel-1-1.noarch"
        ]
    );
    let text = what_if.to_string();
    assert!(text.contains("\nBuildroot: It resolves from what is published: 4 packages.\n"));
}

#[tokio::test]
async fn what_nobody_has_is_broken_with_the_reason() {
    let scene = published().await;
    let what_if = suppose(&scene, &["zlib-devel >= 2", "zlib"]).await;
    let json = serde_json::to_value(&what_if).unwrap();
    assert_eq!(json["buildroot"]["state"], "broken");
    let problem = json["buildroot"]["problems"][0].as_str().unwrap();
    assert!(problem.contains("zlib-devel >= 2"), "{problem}");
    let text = what_if.to_string();
    assert!(text.contains(&format!("Buildroot: It does not resolve.\n  {problem}\n")), "{text}");
    let markdown = what_if.markdown();
    let section = format!("### Buildroot\n\nIt does not resolve.\n\n- {problem}\n");
    assert!(markdown.ends_with(&section), "{markdown}");
}

#[tokio::test]
async fn what_the_same_plan_builds_first_is_waited_for() {
    let scene = published().await;
    push(&scene, "sky", &["sky-devel"]).await;
    let what_if = suppose(&scene, &["zlib-devel", "sky-devel"]).await;
    assert_eq!(what_if.goes_on_with, [1]);
    assert_eq!(waits(what_if.buildroot.as_ref()), ["rpms/sky#f44"]);
    let markdown = what_if.markdown();
    let sentence = "It does not resolve before this is built: rpms/sky#f44.\n\n- ";
    assert!(markdown.contains(sentence), "{markdown}");

    // That it is under way is no help to who does not ask for it.
    let what_if = suppose(&scene, &["moon-devel"]).await;
    assert!(matches!(what_if.buildroot, Some(BuildrootOutlook::Broken { .. })));
}

#[tokio::test]
async fn what_only_a_build_can_tell_is_waited_for() {
    let scene = published().await;
    push(&scene, "sky", &["sky-devel"]).await;
    let what_if = suppose(&scene, &["sky-devel", "pkgconfig(sky)"]).await;
    assert_eq!(waits(what_if.buildroot.as_ref()), ["rpms/sky#f44"]);
}

#[tokio::test]
async fn before_the_first_publication_there_is_the_toolchain() {
    let scene = Scene::empty(&[]).await;
    push(&scene, "sky", &["sky-devel"]).await;
    let what_if = suppose(&scene, &[HOST_TOOLCHAIN]).await;
    assert!(matches!(what_if.buildroot, Some(BuildrootOutlook::Resolves { .. })), "{what_if}");
    let what_if = suppose(&scene, &[HOST_TOOLCHAIN, "sky-devel"]).await;
    assert_eq!(waits(what_if.buildroot.as_ref()), ["rpms/sky#f44"]);
    let what_if = suppose(&scene, &["moon-devel"]).await;
    assert!(matches!(what_if.buildroot, Some(BuildrootOutlook::Broken { .. })), "{what_if}");
}

#[tokio::test]
async fn where_what_is_published_does_not_lie_here_nothing_is_said() {
    let scene = Scene::open(&[]).await;
    assert_eq!(suppose(&scene, &["zlib"]).await.buildroot, None);
}
