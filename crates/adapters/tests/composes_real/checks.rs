//! The test cases of a compose: passed by a good one, failed by each kind of bad one.

use std::fs;
use std::path::Path;
use std::process::Command;

use adapters::closure::Closures;
use adapters::compose::{CheckRequest, check, write};
use adapters::testing::CaseOutcome;

use crate::fixtures::World;
use crate::packages::run;

const ID: &str = "Almanac-44-20261126.n.0";

/// The cases that did not pass, with what they say.
async fn failures(world: &World, folder: &Path) -> String {
    let closures = Closures::start(&world.path("solver")).unwrap();
    let request = CheckRequest {
        folder: folder.to_owned(),
        toolchain: vec![world.toolchain()],
        logs: world.path("logs"),
    };
    let results = check(&request, &closures).await;
    assert_eq!(results.len(), 3);
    let told = results.iter().filter_map(|result| match &result.outcome {
        CaseOutcome::Passed => None,
        CaseOutcome::Failed { line } => {
            let log = fs::read_to_string(&result.log).unwrap();
            assert_eq!(log.lines().next(), Some(line.as_str()));
            Some(format!("{}: {line}", result.case))
        }
        other => Some(format!("{}: {other:?}", result.case)),
    });
    told.collect::<Vec<_>>().join("\n")
}

async fn compose(world: &World) -> std::path::PathBuf {
    let (planned, ingredients) = world.plan(ID, None).await;
    let root = world.path("composes");
    let _ = fs::remove_dir_all(&root);
    write(&root, &planned, &ingredients).await.unwrap();
    root.join(ID)
}

#[tokio::test]
async fn a_good_compose_passes() {
    let world = World::new();
    let folder = compose(&world).await;
    assert_eq!(failures(&world, &folder).await, "");
}

#[tokio::test]
async fn damage_is_found_and_named() {
    let world = World::new();
    for (damage, expected) in [
        (
            "rm compose/Desk/x86_64/os/Packages/*",
            "Desk/x86_64/os/Packages/lamp-2-1.f44.noarch.rpm: No such file",
        ),
        // In its place, since it shares its content with other folders.
        (
            "cd compose/Server/x86_64/images; cp * x; echo >>x; mv x *.gz",
            "almanac-server.oci.tar.gz has ",
        ),
        (
            "cd compose/Server/x86_64/os/repodata; cp comps.xml x; echo >>x; mv x comps.xml",
            "Server/x86_64/os/repodata/comps.xml has ",
        ),
        ("echo STARTED >STATUS", "STATUS is \"STARTED\" and not FINISHED"),
        (
            "echo Almanac-44-20261126.n.1 >COMPOSE_ID",
            "COMPOSE_ID is \"Almanac-44-20261126.n.1\" and the metadata is of Almanac-44-20261126.n.0",
        ),
        (
            "sed -i s/stars-1.0/stars-1.1/ compose/metadata/rpms.json",
            "Server/x86_64/os/Packages/stars-1.1-1.f44.noarch.rpm is in rpms.json and in no repository",
        ),
        (
            "rm -r compose/Server/source",
            "composeinfo.json names Server/source/tree, which is no folder",
        ),
        ("echo '{' >compose/metadata/images.json", "metadata/images.json: EOF while parsing"),
    ] {
        let folder = compose(&world).await;
        run(Command::new("sh").args(["-c", damage]).current_dir(&folder));
        let found = failures(&world, &folder).await;
        let line = found.lines().find(|line| line.starts_with("millstream.compose-metadata: "));
        let log = fs::read_to_string(world.path("logs/millstream.compose-metadata.log")).unwrap();
        assert!(line.is_some(), "{damage}: {found}");
        assert!(log.contains(expected), "{damage}: {log}");
    }
}

#[tokio::test]
async fn a_variant_must_be_closed_and_its_groups_must_be_there() {
    let mut world = World::new();
    world.build("lamp-source", "3", &[("lamp", "Requires: oil")]);
    let folder = compose(&world).await;
    let found = failures(&world, &folder).await;
    assert!(
        found.starts_with(
            "millstream.compose-closure: Desk/x86_64/os: lamp-3-1.f44.noarch cannot be installed: "
        ),
        "{found}"
    );
    assert!(found.contains("oil"), "{found}");
    // A group whose mandatory member did not come along.
    let mut world = World::new();
    world.definition.comps.groups[0].members[2].kind = model::compose::MemberKind::Mandatory;
    let (mut planned, mut ingredients) = world.plan(ID, None).await;
    let server = planned.variants.get_mut(&"Server".parse().unwrap()).unwrap();
    let contents = server.arches.values_mut().next().unwrap();
    contents.packages.retain(|package| package.nevra.name != "comets");
    ingredients.previous = None;
    let root = world.path("composes");
    write(&root, &planned, &ingredients).await.unwrap();
    assert_eq!(
        failures(&world, &root.join(ID)).await,
        "millstream.comps: Server/x86_64/os: the group core names comets, which is not in the repository"
    );
}
