//! Closures over real repositories, with the answers of dnf's solver.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use adapters::closure::{Answer, Closures, Question};
use adapters::repository::write_snapshot;
use tempfile::TempDir;

use crate::packages::{build, run, spec};

/// Packages that need each other in the ways there are, the stand-in for the host among them, and a solver.
struct World {
    folder: TempDir,
    packages: Vec<PathBuf>,
    closures: Closures,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = spec(
            "source",
            "1.0",
            &[
                ("host-toolchain", "Provides: /bin/sh\nProvides: gcc = 12"),
                ("base", "Provides: libbase.so.1"),
                ("base-devel", "Requires: base = %{version}-%{release}"),
                ("middle", "Requires: libbase.so.1\nRequires: /bin/sh\nRecommends: extra"),
                ("leaf", "Requires: middle >= 0.9\nRequires: (extra if base-devel)"),
                ("extra", ""),
                ("broken", "Requires: libbase.so.2"),
                ("enemy", "Conflicts: base"),
            ],
        );
        let packages = build(folder.path(), &text, ".f44");
        let closures = Closures::start(&folder.path().join("work")).unwrap();
        Self { folder, packages, closures }
    }

    async fn snapshot(&self) -> PathBuf {
        let root = self.folder.path().join("snapshots");
        let id = write_snapshot(&root, &self.packages).await.unwrap();
        root.join(id.to_string())
    }

    /// The folder the packages were built into, which has no metadata.
    fn plain(&self) -> PathBuf {
        self.packages[0].parent().unwrap().to_owned()
    }

    fn package(&self, start: &str) -> PathBuf {
        self.packages.iter().find(|path| path.to_string_lossy().contains(start)).unwrap().clone()
    }
}

fn question(install: &[&str], weak: bool) -> Question {
    let install = install.iter().map(|&text| text.to_owned()).collect();
    Question { id: "q".to_owned(), install, weak }
}

/// The names that would be installed, or `! PROBLEMS`.
async fn ask(closures: &Closures, repositories: &[PathBuf], question: Question) -> String {
    let answers = closures.resolve(repositories, &[question]).await.unwrap();
    match &answers["q"] {
        Answer::Packages(found) => {
            assert!(found.iter().all(|package| package.path.is_file()), "{found:?}");
            found.iter().map(|package| package.nevra.name.as_str()).collect::<Vec<_>>().join(" ")
        }
        Answer::Problems(problems) => format!("! {}", problems.join("; ")),
    }
}

#[tokio::test]
async fn closures_are_what_dnf_would_install() {
    let world = World::new();
    let repository = [world.snapshot().await];
    let closures = &world.closures;
    for (install, expected) in [
        (&[][..], "host-toolchain"),
        (&["gcc"], "host-toolchain"),
        (&["gcc >= 12", "/bin/sh"], "host-toolchain"),
        (&["base-devel"], "base base-devel host-toolchain"),
        (&["libbase.so.1"], "base host-toolchain"),
        (&["base = 1.0"], "base host-toolchain"),
        (&["middle-1.0-1.f44.noarch"], "base host-toolchain middle"),
        (&["leaf"], "base host-toolchain leaf middle"),
        (&["leaf", "base-devel"], "base base-devel extra host-toolchain leaf middle"),
        (&["(extra or nothing)"], "extra host-toolchain"),
        (&["base > 1.0"], "! nothing provides base > 1.0"),
        (&["nothing", "base", "/no/file"], "! nothing provides nothing; nothing provides /no/file"),
        (
            &["(extra if base)"],
            "! the rich requirement (extra if base) cannot be asked for by itself",
        ),
    ] {
        assert_eq!(
            ask(closures, &repository, question(install, false)).await,
            expected,
            "{install:?}"
        );
    }
    assert_eq!(
        ask(closures, &repository, question(&["middle"], true)).await,
        "base extra host-toolchain middle"
    );
    let broken = ask(closures, &repository, question(&["broken"], false)).await;
    assert!(
        broken.contains("nothing provides libbase.so.2 needed by broken-1.0-1.f44.noarch"),
        "{broken}"
    );
    let enemies = ask(closures, &repository, question(&["middle", "enemy"], false)).await;
    assert!(enemies.starts_with("! ") && enemies.contains("conflicts with base"), "{enemies}");
}

#[tokio::test]
async fn every_package_is_asked_whether_it_can_be_installed() {
    let world = World::new();
    let repository = world.snapshot().await;
    let closures = &world.closures;
    let answers = closures.installable(std::slice::from_ref(&repository)).await.unwrap();
    let bad: Vec<&str> = answers
        .iter()
        .filter(|answer| !answer.problems.is_empty())
        .map(|answer| answer.nevra.name.as_str())
        .collect();
    assert_eq!((answers.len(), bad), (8, vec!["broken"]));
}

#[tokio::test]
async fn folders_and_files_do_without_metadata() {
    let world = World::new();
    let closures = &world.closures;
    let found = ask(closures, &[world.plain()], question(&["leaf"], false)).await;
    assert_eq!(found, "base host-toolchain leaf middle");
    let files = [world.package("/host-toolchain-1"), world.package("/middle-1")];
    let found = ask(closures, &files, question(&["middle"], false)).await;
    assert!(found.contains("nothing provides libbase.so.1"), "{found}");
    let found = ask(closures, &[world.package("/base-1")], question(&["base"], false)).await;
    assert_eq!(found, "! nothing provides host-toolchain");
    // A folder that changes is read again.
    fs::remove_file(world.package("/leaf-1")).unwrap();
    let found = ask(closures, &[world.plain()], question(&["leaf"], false)).await;
    assert_eq!(found, "! nothing provides leaf");
}

#[tokio::test]
async fn a_broken_repository_is_an_error_that_names_it() {
    let world = World::new();
    let repository = world.snapshot().await;
    let error = |repository: PathBuf| {
        let closures = &world.closures;
        async move { closures.resolve(&[repository], &[]).await.unwrap_err().to_string() }
    };
    assert!(error(world.folder.path().join("none")).await.contains("/none"));
    let primary = repository.join("repodata/primary.xml.gz");
    let whole = fs::read(&primary).unwrap();
    fs::write(&primary, &whole[..whole.len() / 2]).unwrap();
    assert!(error(repository.clone()).await.contains("primary.xml.gz"));
    fs::remove_file(&primary).unwrap();
    assert!(error(repository.clone()).await.contains("primary.xml.gz"));
    fs::write(repository.join("repodata/repomd.xml"), "<repomd>").unwrap();
    assert!(error(repository.clone()).await.contains("repomd.xml"));
    let fake = world.folder.path().join("fake.rpm");
    fs::write(&fake, "no package").unwrap();
    assert!(error(fake).await.contains("fake.rpm"));
    // And it still answers.
    let found = ask(&world.closures, &[world.plain()], question(&["extra"], false)).await;
    assert_eq!(found, "extra host-toolchain");
}

#[tokio::test]
async fn questions_may_come_from_many_sides() {
    let world = Arc::new(World::new());
    let repository = world.snapshot().await;
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (world, repository) = (Arc::clone(&world), repository.clone());
        let (wanted, expected) = if number % 2 == 0 {
            ("extra", "extra host-toolchain")
        } else {
            ("base", "base host-toolchain")
        };
        tasks.spawn(async move {
            let found = ask(&world.closures, &[repository], question(&[wanted], false)).await;
            assert_eq!(found, expected);
        });
    }
    tasks.join_all().await;
}

/// The processes whose command line names a folder.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.to_string_lossy().into_owned();
    let ids = fs::read_dir("/proc").unwrap().map(|entry| entry.unwrap().file_name());
    let ids = ids.filter_map(|id| id.into_string().ok()).filter(|id| id.parse::<u32>().is_ok());
    let names_it = |id: &String| {
        let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        line.split(|&byte| byte == 0).any(|word| word == folder.as_bytes())
    };
    ids.filter(names_it).collect()
}

#[tokio::test]
async fn a_killed_solver_is_replaced_and_ends_with_its_owner() {
    let world = World::new();
    let work = world.folder.path().join("work");
    let expected = "extra host-toolchain";
    assert!(processes_of(&work).is_empty(), "started before it is needed");
    for _ in 0..3 {
        let found = ask(&world.closures, &[world.plain()], question(&["extra"], false)).await;
        assert_eq!(found, expected);
        let processes = processes_of(&work);
        assert_eq!(processes.len(), 1);
        run(Command::new("kill").args(["-KILL", &processes[0]]));
    }
    let World { closures, folder, .. } = world;
    drop(closures);
    while !processes_of(&work).is_empty() {
        tokio::task::yield_now().await;
    }
    drop(folder);
}
