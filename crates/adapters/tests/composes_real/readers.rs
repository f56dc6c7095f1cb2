//! What productmd, libcomps, dnf and skopeo see in a compose that was written here.

use std::path::Path;
use std::process::Command;

use adapters::compose::write;
use serde_json::{Value, json};

use crate::fixtures::{World, python};
use crate::packages::run;

const ID: &str = "Almanac-44-20261126.n.0";

async fn written(world: &World) -> std::path::PathBuf {
    let (planned, ingredients) = world.plan(ID, None).await;
    let root = world.path("composes");
    write(&root, &planned, &ingredients).await.unwrap();
    root.join(ID)
}

#[tokio::test]
async fn productmd_and_libcomps_read_it() {
    let world = World::new();
    let folder = written(&world).await;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/composes_real/read_compose.py");
    let seen = run(Command::new(python()).arg(script).arg(&folder));
    let seen: Value = serde_json::from_str(&seen).unwrap();
    assert_eq!(seen["id"], ID);
    for same in ["same composeinfo", "same rpms", "same images"] {
        assert_eq!(seen[same], true, "{same}: {seen:#}");
    }
    assert_eq!(
        seen["Server"],
        json!({
            "name": "The Server",
            "arches": ["x86_64"],
            "paths": [
                "Server/source/tree", "Server/source/tree", "Server/source/tree/Packages",
                "Server/x86_64/images", "Server/x86_64/os", "Server/x86_64/os", "Server/x86_64/os/Packages",
            ],
            "rpms": {"sky-0:1.0-1.f44.src": {
                "almanac-1:1.0-1.f44.noarch": "binary",
                "almanac-debuginfo-0:1.0-1.f44.noarch": "debug",
                "charts-0:1.0-1.f44.noarch": "binary",
                "stars-0:1.0-1.f44.noarch": "binary",
                "sky-0:1.0-1.f44.src": "source",
            }},
            "images": [["Server/x86_64/images/almanac-server.oci.tar.gz", "almanac-server", "docker", "tar.gz"]],
        }),
        "{seen:#}"
    );
    assert_eq!(
        seen["Desk"]["rpms"]["lamp-source-0:2-1.f44.src"]["lamp-0:2-1.f44.noarch"],
        "binary"
    );
    // libcomps numbers the types: 0 default, 1 optional, 2 conditional, 3 mandatory.
    assert_eq!(
        seen["comps"],
        json!({
            "code": 0,
            "errors": [],
            "groups": {"core": [["almanac", 3, null], ["stars", 0, null], ["comets", 1, null], ["charts", 2, "stars"]]},
            "names": ["Jádro"],
            "descriptions": ["What & all"],
            "categories": ["sky"],
            "langpacks": {"charts": "charts-%s"},
        }),
        "{seen:#}"
    );
}

/// Runs dnf on a repository, with everything it writes in a folder of its own.
fn dnf(work: &Path, repository: &Path, arguments: &[&str]) -> String {
    std::fs::create_dir_all(work.join("root")).unwrap();
    let mut dnf = Command::new("dnf");
    dnf.arg("--quiet").arg("--disableplugin=*").arg("--releasever=44").arg("--forcearch=x86_64");
    for (option, folder) in [("cachedir", "cache"), ("logdir", "log"), ("persistdir", "persist")] {
        std::fs::create_dir_all(work.join(folder)).unwrap();
        dnf.arg(format!("--setopt={option}={}", work.join(folder).display()));
    }
    dnf.arg(format!("--installroot={}", work.join("root").display()))
        .arg(format!("--repofrompath=server,file://{}", repository.display()))
        .args(["--repo=server", "--setopt=server.gpgcheck=0"])
        .args(arguments)
        .env("LC_ALL", "C.UTF-8");
    run(&mut dnf)
}

#[tokio::test]
async fn dnf_lists_its_groups_and_finds_its_packages() {
    let world = World::new();
    let folder = written(&world).await;
    let (work, server) = (world.path("dnf"), folder.join("compose/Server/x86_64/os"));
    let groups = dnf(&work, &server, &["group", "info", "core"]);
    for line in
        ["Group: Core", "Mandatory Packages:", "almanac", "Default Packages:", "stars", "charts"]
    {
        assert!(groups.contains(line), "{line} in {groups}");
    }
    let found = dnf(&work, &server, &["repoquery", "--requires", "--resolve", "almanac"]);
    assert_eq!(found.trim(), "stars-0:1.0-1.f44.noarch");
    let path = dnf(&work, &server, &["repoquery", "--location", "almanac"]);
    let place = server.join("Packages/almanac-1.0-1.f44.noarch.rpm");
    assert_eq!(path.trim(), format!("file://{}", place.display()));
    let sources = dnf(&work, &folder.join("compose/Server/source/tree"), &["repoquery"]);
    assert_eq!(sources.trim(), "sky-0:1.0-1.f44.src");
}

#[tokio::test]
async fn skopeo_reads_its_images() {
    let world = World::new();
    let folder = written(&world).await;
    let archive = folder.join("compose/Server/x86_64/images/almanac-server.oci.tar.gz");
    let archive = format!("oci-archive:{}", archive.display());
    // It unpacks an archive with its owners, which only root may.
    let inspected = |image: &str| {
        let mut skopeo = Command::new("unshare");
        skopeo.args(["--user", "--map-root-user", "skopeo", "inspect", "--raw", image]);
        run(&mut skopeo)
    };
    let layout = format!("oci:{}", world.path("almanac-server").display());
    assert_eq!(inspected(&archive), inspected(&layout));
    let packed = folder.join("compose/Server/x86_64/images/almanac-server.oci.tar.gz");
    let listed =
        run(Command::new("tar").args(["--list", "--verbose", "--gzip", "--file"]).arg(packed));
    assert!(listed.lines().all(|line| line.starts_with("-rw-r--r-- 0/0 ")), "{listed}");
}
