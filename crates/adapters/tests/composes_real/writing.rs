//! Writing composes: the same twice, reused where nothing changed, whole or not at all.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use adapters::compose::{ComposeError, write};
use model::compose::ComposeOutput;

use crate::fixtures::{World, listing};

const FIRST: &str = "Almanac-44-20261126.n.0";
const SECOND: &str = "Almanac-44-20261127.n.0";

/// Which deliverables were reused, by their paths.
fn reused(output: &ComposeOutput) -> Vec<&str> {
    let reused = output.deliverables.iter().filter(|deliverable| deliverable.reused_from.is_some());
    reused.map(|deliverable| deliverable.path.as_str()).collect()
}

fn inode(path: &Path) -> u64 {
    fs::metadata(path).unwrap().ino()
}

#[tokio::test]
async fn the_same_inputs_are_the_same_bytes() {
    let world = World::new();
    let (planned, ingredients) = world.plan(FIRST, None).await;
    let (one, two) = (world.path("one"), world.path("two"));
    let output = write(&one, &planned, &ingredients).await.unwrap();
    assert_eq!(write(&two, &planned, &ingredients).await.unwrap(), output);
    assert_eq!(listing(&one.join(FIRST)), listing(&two.join(FIRST)));
    assert!(output.deliverables.iter().all(|deliverable| deliverable.size > 0), "{output:#?}");
    let before = inode(&one.join(FIRST));
    assert_eq!(write(&one, &planned, &ingredients).await.unwrap(), output, "again");
    assert_eq!(inode(&one.join(FIRST)), before, "and used as it is");
    let content = |name: &str| fs::read_to_string(one.join(FIRST).join(name)).unwrap();
    assert_eq!((content("COMPOSE_ID").trim(), content("STATUS").trim()), (FIRST, "FINISHED"));
}

#[tokio::test]
async fn what_did_not_change_is_taken_over() {
    let mut world = World::new();
    let root = world.path("composes");
    let (planned, ingredients) = world.plan(FIRST, None).await;
    let first = write(&root, &planned, &ingredients).await.unwrap();
    assert_eq!(reused(&first), [""; 0]);
    world.build("lamp-source", "3", &[("lamp", "Requires: /bin/sh")]);
    let (planned, ingredients) = world.plan(SECOND, Some((&first, &root.join(FIRST)))).await;
    let second = write(&root, &planned, &ingredients).await.unwrap();
    let untouched = [
        "Server/x86_64/comps.xml",
        "Server/x86_64/os",
        "Server/source/tree",
        "Server/x86_64/images/almanac-server.oci.tar.gz",
    ];
    assert_eq!(reused(&second), untouched);
    for path in untouched {
        let is_tree = path.ends_with("os") || path.ends_with("tree");
        let file = if is_tree { format!("{path}/repodata/repomd.xml") } else { path.to_owned() };
        let of = |id: &str| inode(&root.join(id).join("compose").join(&file));
        assert_eq!(of(FIRST), of(SECOND), "{path}");
    }
    assert!(
        root.join(SECOND).join("compose/Desk/x86_64/os/Packages/lamp-3-1.f44.noarch.rpm").exists()
    );
    // The compose before is gone, as retention may have it: everything is made, and is the same.
    let elsewhere = world.path("elsewhere");
    let (planned, mut ingredients) = world.plan(SECOND, Some((&first, &root.join(FIRST)))).await;
    ingredients.previous = Some(world.path("gone"));
    let made = write(&elsewhere, &planned, &ingredients).await.unwrap();
    assert_eq!(reused(&made), [""; 0]);
    let files = |root: &Path| listing(&root.join(SECOND).join("compose"));
    assert_eq!(files(&elsewhere), files(&root));
}

#[tokio::test]
async fn what_a_killed_writer_left_is_in_nobodys_way() {
    let world = World::new();
    let root = world.path("composes");
    let (planned, ingredients) = world.plan(FIRST, None).await;
    // Killed before the rename; and, by a power cut, with a name but without its end.
    fs::create_dir_all(root.join(format!(".new-{FIRST}/compose/Server"))).unwrap();
    fs::create_dir_all(root.join(FIRST).join("compose/Old")).unwrap();
    write(&root, &planned, &ingredients).await.unwrap();
    assert!(root.join(FIRST).join("compose/metadata/rpms.json").exists());
    assert!(!root.join(FIRST).join("compose/Old").exists());
    assert!(!root.join(format!(".new-{FIRST}")).exists());
}

#[tokio::test]
async fn what_is_missing_or_different_is_named_and_nothing_is_written() {
    let mut world = World::new();
    let root = world.path("composes");
    let (planned, ingredients) = world.plan(FIRST, None).await;
    let check = async |ingredients, expected: &str| {
        let error = write(&root, &planned, &ingredients).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!root.join(FIRST).exists());
        assert!(!root.join(format!(".new-{FIRST}")).exists());
    };
    let mut less = ingredients.clone();
    less.packages.remove("stars-1.0-1.f44.noarch.rpm");
    let missing = "could not write the repository of Server for x86_64: the package stars-1.0-1.f44.noarch.rpm is not there";
    check(less, missing).await;
    let mut less = ingredients.clone();
    less.images.clear();
    check(less, "the image almanac-server is not there").await;
    let mut less = ingredients.clone();
    less.sources.clear();
    check(less, "could not write the sources of").await;
    let mut less = ingredients.clone();
    less.comps.clear();
    check(less, "could not write the groups of Server for x86_64: comps.xml is not there").await;
    let mut other = ingredients.clone();
    let lamp = other.packages["lamp-2-1.f44.noarch.rpm"].clone();
    other.packages.insert("stars-1.0-1.f44.noarch.rpm".to_owned(), lamp);
    check(other, "it is not the file that the compose was planned with").await;
    let mut other = ingredients.clone();
    let text = world.path("text.rpm");
    fs::write(&text, "no package").unwrap();
    other.packages.insert("stars-1.0-1.f44.noarch.rpm".to_owned(), text);
    check(other, "text.rpm: it is not an RPM package").await;
    fs::remove_file(world.path("almanac-server/index.json")).unwrap();
    check(ingredients, "it is not an OCI image layout: there is no index.json in it").await;
    // Another compose of the same id.
    let (planned, ingredients) = world.plan(FIRST, None).await;
    write(&root, &planned, &ingredients).await.unwrap();
    world.build("lamp-source", "3", &[("lamp", "")]);
    let (planned, ingredients) = world.plan(FIRST, None).await;
    let error = write(&root, &planned, &ingredients).await.unwrap_err();
    assert!(matches!(error, ComposeError::Taken { .. }), "{error}");
}
