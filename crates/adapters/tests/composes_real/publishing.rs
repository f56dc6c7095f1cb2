//! Publishing composes, killed at any line, and removing them.

use std::fs;
use std::path::Path;
use std::process::Command;

use adapters::compose::{ComposeError, latest, publish, remove, write};
use model::artifact::ArtifactName;
use model::compose::ComposeId;

use crate::fixtures::{World, listing};
use crate::packages::run;

const FIRST: &str = "Almanac-44-20261126.n.0";
const SECOND: &str = "Almanac-44-20261127.n.0";

fn id(text: &str) -> ComposeId {
    text.parse().unwrap()
}

fn name() -> ArtifactName {
    "almanac".parse().unwrap()
}

async fn built(world: &World) {
    for id in [FIRST, SECOND] {
        let (planned, ingredients) = world.plan(id, None).await;
        write(&world.path("built"), &planned, &ingredients).await.unwrap();
    }
}

async fn published(world: &World, root: &Path, text: &str) -> Result<(), ComposeError> {
    publish(&world.path("built").join(text), root, &id(text), &name()).await
}

#[tokio::test]
async fn composes_follow_each_other() {
    let world = World::new();
    built(&world).await;
    let root = world.path("published");
    assert_eq!(latest(&root, &name()).unwrap(), None);
    published(&world, &root, FIRST).await.unwrap();
    published(&world, &root, SECOND).await.unwrap();
    published(&world, &root, SECOND).await.unwrap();
    assert_eq!(latest(&root, &name()).unwrap(), Some(id(SECOND)));
    assert_eq!(listing(&root.join("latest-almanac")), listing(&world.path("built").join(SECOND)));
    let error = published(&world, &root, FIRST).await.unwrap_err();
    assert!(matches!(error, ComposeError::Stale { .. }), "{error}");
    let error = published(&world, &root, "Almanac-44-20261128.n.0").await.unwrap_err();
    assert!(error.to_string().contains("there is no whole compose in it"), "{error}");
    // The latest one stays, whoever wants it gone.
    let unwanted = [id(FIRST), id(SECOND), id("Almanac-44-20261128.n.0")];
    assert_eq!(remove(&root, &unwanted).await.unwrap(), [id(FIRST)]);
    assert!(!root.join(FIRST).exists());
    assert!(root.join("latest-almanac/COMPOSE_ID").exists());
}

#[tokio::test]
async fn publishing_goes_on_wherever_it_was_killed() {
    let world = World::new();
    built(&world).await;
    // What is there after a kill: half a draft; the compose without the switch; a link not yet renamed.
    for kill in [
        "mkdir -p .new-SECOND/compose",
        "cp -a BUILT/SECOND .",
        "cp -a BUILT/SECOND . && ln -s SECOND .latest",
    ] {
        let root = world.path("published");
        let _ = fs::remove_dir_all(&root);
        published(&world, &root, FIRST).await.unwrap();
        let built = world.path("built").display().to_string();
        let script = kill.replace("BUILT", &built).replace("SECOND", SECOND);
        run(Command::new("sh").args(["-c", &script]).current_dir(&root));
        assert_eq!(latest(&root, &name()).unwrap(), Some(id(FIRST)), "{kill}");
        published(&world, &root, SECOND).await.unwrap();
        assert_eq!(latest(&root, &name()).unwrap(), Some(id(SECOND)), "{kill}");
        let expected = listing(&world.path("built").join(SECOND));
        assert_eq!(listing(&root.join("latest-almanac")), expected, "{kill}");
    }
}

#[tokio::test]
async fn a_foreign_link_is_not_touched() {
    let world = World::new();
    built(&world).await;
    let root = world.path("published");
    fs::create_dir_all(root.join("latest-almanac")).unwrap();
    let error = published(&world, &root, FIRST).await.unwrap_err();
    assert!(matches!(error, ComposeError::Foreign { .. }), "{error}");
    assert!(root.join("latest-almanac").is_dir());
}
