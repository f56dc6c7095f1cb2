//! Real repositories: scans, forced pushes, damage, exports, hooks.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use adapters::distgit::{
    self, HookState, RepositoryName, Scan, Scanner, commit_info, create_repository, export,
    export_worktree, install_hook, is_ancestor, read_file, resolve_commit, tree_id,
};
use model::artifact::CommitId;
use tempfile::TempDir;

use crate::packages::run;

fn git(folder: &Path, arguments: &[&str]) -> String {
    let identity =
        ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "safe.directory=*"];
    let mut command = Command::new("git");
    command.args(identity).arg("-C").arg(folder).args(arguments);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_COMMITTER_DATE", "1700000000 +0000");
    run(&mut command).trim().to_owned()
}

/// A dist-git with one repository and a clone to push from.
struct World {
    folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        world.create("rpms/zlib").await;
        let bare = world.bare("zlib");
        git(world.folder.path(), &["clone", "--quiet", bare.to_str().unwrap(), "clone"]);
        git(&world.clone_path(), &["checkout", "--quiet", "-b", "f44"]);
        world
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("dist-git")
    }

    fn clone_path(&self) -> PathBuf {
        self.folder.path().join("clone")
    }

    fn bare(&self, name: &str) -> PathBuf {
        self.root().join(format!("rpms/{name}.git"))
    }

    async fn create(&self, name: &str) -> PathBuf {
        let name: RepositoryName = name.parse().unwrap();
        create_repository(&self.root(), &name).await.unwrap()
    }

    /// Commits a file and pushes it to a branch.
    fn push(&self, branch: &str, text: &str) -> CommitId {
        let clone = self.clone_path();
        fs::write(clone.join("zlib.spec"), text).unwrap();
        git(&clone, &["add", "--all"]);
        git(&clone, &["commit", "--quiet", "--message", text]);
        git(
            &clone,
            &["push", "--quiet", "--force", "origin", &format!("HEAD:refs/heads/{branch}")],
        );
        git(&clone, &["rev-parse", "HEAD"]).parse().unwrap()
    }
}

/// `rpms/zlib#f44 COMMIT` for each tip, and the problems' places.
fn shown(scan: &Scan) -> (Vec<String>, Vec<String>) {
    let tips =
        scan.tips.iter().map(|tip| format!("{}#{} {}", tip.repository, tip.branch, tip.commit));
    (tips.collect(), scan.problems.iter().map(|problem| problem.place.clone()).collect())
}

#[tokio::test]
async fn every_move_of_a_branch_is_found() {
    let world = World::new().await;
    let mut scanner = Scanner::new(&world.root());
    let check = |scan: &Scan, tips: &[(&str, &CommitId)]| {
        let expected: Vec<String> =
            tips.iter().map(|(branch, commit)| format!("rpms/zlib#{branch} {commit}")).collect();
        assert_eq!(shown(scan), (expected, vec![]));
        assert!(scan.read.contains(&"rpms/zlib".parse().unwrap()));
    };
    check(&scanner.scan().await.unwrap(), &[]);
    let first = world.push("f44", "one");
    check(&scanner.scan().await.unwrap(), &[("f44", &first)]);
    let second = world.push("epel/9", "two");
    check(&scanner.scan().await.unwrap(), &[("epel/9", &second), ("f44", &first)]);
    git(&world.bare("zlib"), &["pack-refs", "--all"]);
    check(&scanner.scan().await.unwrap(), &[("epel/9", &second), ("f44", &first)]);
    git(&world.clone_path(), &["push", "--quiet", "origin", &format!("{second}:refs/heads/f44")]);
    check(&scanner.scan().await.unwrap(), &[("epel/9", &second), ("f44", &second)]);
    git(&world.clone_path(), &["push", "--quiet", "origin", ":refs/heads/epel/9"]);
    check(&scanner.scan().await.unwrap(), &[("f44", &second)]);
    // Back and forth to a commit it had before: neither sizes nor names of files change.
    git(
        &world.clone_path(),
        &["push", "--quiet", "--force", "origin", &format!("{first}:refs/heads/f44")],
    );
    check(&scanner.scan().await.unwrap(), &[("f44", &first)]);
}

#[tokio::test]
async fn what_is_broken_does_not_hide_the_rest() {
    let world = World::new().await;
    let tip = world.push("f44", "one");
    for name in ["broken", "gone", "empty"] {
        world.create(&format!("rpms/{name}")).await;
    }
    let mut scanner = Scanner::new(&world.root());
    assert_eq!(shown(&scanner.scan().await.unwrap()).1, Vec::<String>::new());

    fs::write(world.bare("broken").join("refs/heads/f44"), "no commit\n").unwrap();
    fs::remove_dir_all(world.bare("gone")).unwrap();
    fs::create_dir(world.root().join("rpms/we ird.git")).unwrap();
    fs::create_dir(world.root().join("rpms/plain")).unwrap();
    fs::create_dir(world.bare("hollow")).unwrap();
    git(&world.clone_path(), &["push", "--quiet", "origin", "HEAD:refs/heads/st@range"]);
    let scan = scanner.scan().await.unwrap();
    let (tips, problems) = shown(&scan);
    assert_eq!(tips, [format!("rpms/zlib#f44 {tip}")]);
    let expected = [
        "rpms/broken",
        "rpms/gone",
        "rpms/hollow",
        "rpms/plain",
        "rpms/we ird.git",
        "rpms/zlib#st@range",
    ];
    assert_eq!(problems, expected);
    for problem in &scan.problems {
        assert!(problem.error.to_string().starts_with(&problem.place), "{}", problem.error);
    }
    let read: Vec<String> = scan.read.iter().map(ToString::to_string).collect();
    assert_eq!(read, ["rpms/empty", "rpms/zlib"]);
    // What is mended is read again.
    fs::remove_file(world.bare("broken").join("refs/heads/f44")).unwrap();
    world.create("rpms/gone").await;
    let scan = scanner.scan().await.unwrap();
    assert_eq!(scan.read.len(), 4);
    fs::remove_dir_all(world.root()).unwrap();
    assert!(scanner.scan().await.is_err());
}

#[tokio::test]
async fn commits_tell_who_and_why() {
    let world = World::new().await;
    let bare = world.bare("zlib");
    let first = world.push("f44", "one");
    let second = world.push(
        "f44",
        "Fix a hole\n\nLong story.\n\nSeverity: security\nSigned-off-by: Ada <ada@example.org>",
    );
    let info = commit_info(&bare, &second).await.unwrap();
    assert_eq!((info.subject.as_str(), info.author.as_str()), ("Fix a hole", "Ada"));
    assert_eq!(info.commit_time, 1_700_000_000);
    assert_eq!(info.parents, std::slice::from_ref(&first));
    assert_eq!(info.trailer("severity"), Some("security"));
    assert_eq!(info.trailer("none"), None);
    assert_eq!(tree_id(&bare, &second).await.unwrap(), info.tree);
    assert_eq!(resolve_commit(&bare, "f44~1").await.unwrap(), first);
    assert_eq!(resolve_commit(&bare, first.short()).await.unwrap(), first);
    for nothing in ["f45", "--all", "f44:zlib.spec", ""] {
        assert!(resolve_commit(&bare, nothing).await.is_err(), "{nothing:?} was found");
    }
    let spec = read_file(&bare, &first, "zlib.spec").await.unwrap();
    assert_eq!(spec.as_deref(), Some(&b"one"[..]));
    assert_eq!(read_file(&bare, &first, "gating.yaml").await.unwrap(), None);
}

#[tokio::test]
async fn a_forced_push_is_told_from_a_plain_one() {
    let world = World::new().await;
    let bare = world.bare("zlib");
    let first = world.push("f44", "one");
    let second = world.push("f44", "two");
    assert!(is_ancestor(&bare, &first, &second).await.unwrap());
    assert!(!is_ancestor(&bare, &second, &first).await.unwrap());
    git(&world.clone_path(), &["reset", "--quiet", "--hard", first.as_str()]);
    let other = world.push("f44", "three");
    assert!(!is_ancestor(&bare, &second, &other).await.unwrap());
    // The commit that was left behind may be collected at any time.
    git(&bare, &["-c", "gc.reflogExpire=now", "gc", "--quiet", "--prune=now"]);
    assert!(!is_ancestor(&bare, &second, &other).await.unwrap());
    assert!(is_ancestor(&bare, &other, &second).await.is_err());
}

#[tokio::test]
async fn exports_hold_what_was_committed() {
    let world = World::new().await;
    let clone = world.clone_path();
    fs::create_dir(clone.join("tests")).unwrap();
    fs::write(clone.join("tests/hello"), "#!/bin/sh\n").unwrap();
    fs::set_permissions(clone.join("tests/hello"), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("zlib.spec", clone.join("link")).unwrap();
    fs::write(clone.join(".gitattributes"), "tests export-ignore\n").unwrap();
    fs::write(clone.join(".gitignore"), "*.log\n").unwrap();
    let commit = world.push("f44", "one");
    let into = world.folder.path().join("export");
    export(&world.bare("zlib"), &commit, &into).await.unwrap();
    assert_eq!(fs::read_to_string(into.join("zlib.spec")).unwrap(), "one");
    assert_eq!(fs::read_link(into.join("link")).unwrap(), Path::new("zlib.spec"));
    let test = fs::metadata(into.join("tests/hello")).unwrap();
    assert_eq!(test.permissions().mode() & 0o111, 0o111);
    let modified = test.modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(modified.as_secs(), 1_700_000_000);
    assert!(
        export(&world.bare("zlib"), &commit, &into)
            .await
            .unwrap_err()
            .to_string()
            .contains("not empty")
    );
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&into), [".gitattributes", ".gitignore", "link", "tests", "zlib.spec"]);
    assert!(!names(world.folder.path()).contains(&".export.index".into()));

    fs::write(clone.join("new.patch"), "new").unwrap();
    fs::write(clone.join("noise.log"), "noise").unwrap();
    fs::write(clone.join("zlib.spec"), "changed").unwrap();
    fs::remove_file(clone.join("link")).unwrap();
    let tree = world.folder.path().join("tree");
    export_worktree(&clone, &tree).await.unwrap();
    assert_eq!(names(&tree), [".gitattributes", ".gitignore", "new.patch", "tests", "zlib.spec"]);
    assert_eq!(fs::read_to_string(tree.join("zlib.spec")).unwrap(), "changed");
    let nowhere = world.folder.path().join("nowhere");
    assert!(export_worktree(world.folder.path(), &nowhere).await.is_err());
}

#[tokio::test]
async fn a_hook_wakes_and_never_fails_a_push() {
    let world = World::new().await;
    let bare = world.bare("zlib");
    let wake = distgit::wake_file(&world.root());
    let command = distgit::wake_command(&world.root());
    assert_eq!(install_hook(&bare, &command).unwrap(), HookState::Installed);
    assert_eq!(install_hook(&bare, &command).unwrap(), HookState::Unchanged);
    assert!(!wake.exists());
    world.push("f44", "one");
    assert!(wake.exists());
    assert_eq!(install_hook(&bare, "exit 7").unwrap(), HookState::Installed);
    world.push("f44", "two");
    fs::write(bare.join("hooks/post-receive"), "#!/bin/sh\necho mine\n").unwrap();
    assert_eq!(install_hook(&bare, &command).unwrap(), HookState::Foreign);
    assert!(fs::read_to_string(bare.join("hooks/post-receive")).unwrap().contains("mine"));
}
