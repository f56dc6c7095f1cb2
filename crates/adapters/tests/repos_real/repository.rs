//! Snapshots and generations on a real disk, a full one too.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use adapters::repository::{
    Contents, RepositoryError, current_generation, generations, publish, remove_generation,
    remove_snapshot, snapshot_id, snapshots, write_snapshot,
};
use model::artifact::BranchName;

use crate::packages::{build, run, spec};

fn packages(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    let packages: Vec<(&str, &str)> = names.iter().map(|&name| (name, "")).collect();
    build(folder, &spec("source", "1", &packages), ".f44")
}

fn branch() -> BranchName {
    "f44".parse().unwrap()
}

fn of(packages: &[PathBuf]) -> Contents {
    Contents { packages: packages.to_vec(), ..Contents::default() }
}

/// Names and contents of all files below a folder, in order.
fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(listing(&path));
        } else {
            files.push((
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            ));
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn the_same_packages_are_the_same_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    let mut files = packages(folder.path(), &["a", "b", "c"]);
    let id = write_snapshot(&one, &files).await.unwrap();
    let place = one.join(id.to_string());
    let metadata = fs::metadata(place.join("a-1-1.f44.noarch.rpm")).unwrap();
    assert_eq!(metadata.ino(), fs::metadata(&files[0]).unwrap().ino(), "a hard link");
    // Copies with other times, in another order, one of them twice.
    for file in &mut files {
        let copy = folder.path().join(file.file_name().unwrap());
        fs::copy(&file, &copy).unwrap();
        *file = copy;
    }
    files.reverse();
    files.push(files[0].clone());
    assert_eq!(snapshot_id(&files).await.unwrap(), id);
    assert_eq!(write_snapshot(&two, &files).await.unwrap(), id);
    assert_eq!(listing(&place), listing(&two.join(id.to_string())));
    let inode = fs::metadata(&place).unwrap().ino();
    assert_eq!(write_snapshot(&one, &files).await.unwrap(), id);
    assert_eq!(fs::metadata(&place).unwrap().ino(), inode, "reused");
    let fewer = write_snapshot(&one, &files[..1]).await.unwrap();
    assert_ne!(fewer, id);
    let none = write_snapshot(&one, &[]).await.unwrap();
    assert!(one.join(none.to_string()).join("repodata/repomd.xml").exists());
}

#[tokio::test]
async fn what_a_killed_writer_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let files = packages(folder.path(), &["a", "b"]);
    let id = snapshot_id(&files).await.unwrap();
    // Killed before the rename; and, by a power cut, with a name but without content.
    fs::create_dir_all(root.join(format!(".new-{id}/repodata"))).unwrap();
    fs::create_dir_all(root.join(id.to_string()).join("repodata")).unwrap();
    assert_eq!(write_snapshot(&root, &files).await.unwrap(), id);
    assert!(root.join(id.to_string()).join("repodata/repomd.xml").exists());
    assert!(!root.join(format!(".new-{id}")).exists());
}

#[tokio::test]
async fn many_writers_of_one_snapshot_agree() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let files = packages(folder.path(), &["a", "b"]);
    let writers = (0..8).map(|_| {
        let (root, files) = (root.clone(), files.clone());
        tokio::spawn(async move { write_snapshot(&root, &files).await.unwrap() })
    });
    let writers: Vec<_> = writers.collect();
    for writer in writers {
        assert_eq!(writer.await.unwrap(), snapshot_id(&files).await.unwrap());
    }
}

#[tokio::test]
async fn bad_packages_are_named_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let files = packages(folder.path(), &["a", "b"]);
    let missing = [files[0].clone(), folder.path().join("missing.rpm")];
    let error = write_snapshot(&root, &missing).await.unwrap_err();
    assert!(error.to_string().contains("missing.rpm"), "{error}");
    let text = folder.path().join("text.rpm");
    fs::write(&text, "no package").unwrap();
    let error = write_snapshot(&root, &[files[0].clone(), text]).await.unwrap_err();
    assert!(error.to_string().contains("text.rpm"), "{error}");
    let cut = folder.path().join("cut.rpm");
    fs::write(&cut, &fs::read(&files[0]).unwrap()[..2000]).unwrap();
    let error = write_snapshot(&root, &[files[0].clone(), cut]).await.unwrap_err();
    assert!(error.to_string().contains("cut.rpm"), "{error}");
    let other = folder.path().join(files[0].file_name().unwrap());
    fs::write(&other, [&fs::read(&files[0]).unwrap()[..], b"more"].concat()).unwrap();
    let error = write_snapshot(&root, &[files[0].clone(), other]).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Clash { .. }), "{error}");
    let error = write_snapshot(&root, &[folder.path().to_owned()]).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Name { .. }), "{error}");
    let left = if root.exists() { listing(&root) } else { Vec::new() };
    assert!(left.iter().all(|(name, _)| !name.ends_with(".rpm")), "{left:?}");
}

#[tokio::test]
async fn generations_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let files = packages(folder.path(), &["a", "b"]);
    assert_eq!(current_generation(&root, &branch()).unwrap(), None);
    for number in 1..=5 {
        publish(&root, &branch(), number, &of(&files)).await.unwrap();
        publish(&root, &branch(), number, &of(&files)).await.unwrap();
        assert_eq!(current_generation(&root, &branch()).unwrap(), Some(number));
    }
    assert!(root.join("f44/current/repodata/repomd.xml").exists());
    let error = publish(&root, &branch(), 5, &of(&files[..1])).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Taken { .. }), "{error}");
    let error = publish(&root, &branch(), 4, &of(&files)).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Stale { current: 5, .. }), "{error}");
    let error =
        publish(&root, &branch(), 6, &of(&[folder.path().join("missing.rpm")])).await.unwrap_err();
    assert!(error.to_string().contains("missing.rpm"), "{error}");
    assert_eq!(current_generation(&root, &branch()).unwrap(), Some(5));
    for number in 1..=4 {
        remove_generation(&root, &branch(), number).await.unwrap();
        remove_generation(&root, &branch(), number).await.unwrap();
    }
    for number in [5, 6] {
        let error = remove_generation(&root, &branch(), number).await.unwrap_err();
        assert!(matches!(error, RepositoryError::InUse { .. }), "{error}");
    }
    assert_eq!(generations(&root, &branch()).unwrap(), [(5, true)]);
    assert!(root.join("f44/current/a-1-1.f44.noarch.rpm").exists());
}

#[tokio::test]
async fn a_snapshot_goes_unless_it_was_used_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let files = packages(folder.path(), &["a", "b"]);
    assert_eq!(snapshots(&root).unwrap(), []);
    let id = write_snapshot(&root, &files).await.unwrap();
    let [(found, used)] = snapshots(&root).unwrap()[..] else { panic!("there is one") };
    assert_eq!(found, id);
    let before = used - std::time::Duration::from_secs(1);
    assert!(!remove_snapshot(&root, id, before).await.unwrap());
    assert_eq!(write_snapshot(&root, &files).await.unwrap(), id);
    let [(_, used)] = snapshots(&root).unwrap()[..] else { panic!("it stayed") };
    assert!(remove_snapshot(&root, id, used).await.unwrap());
    assert!(remove_snapshot(&root, id, used).await.unwrap());
    assert_eq!(snapshots(&root).unwrap(), []);
    assert_eq!(write_snapshot(&root, &files).await.unwrap(), id);
}

#[tokio::test]
async fn publishing_goes_on_wherever_it_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let files = packages(folder.path(), &["a", "b"]);
    let done = folder.path().join("done");
    publish(&done, &branch(), 1, &of(&files)).await.unwrap();
    publish(&done, &branch(), 2, &of(&files[..1])).await.unwrap();
    let expected = listing(&done.join("f44/current"));
    // What is there after a kill: half a draft; the generation without the switch; a link not yet renamed.
    for kill in [
        "mkdir .new-generation-2",
        "cp -a DONE/generation-2 .",
        "cp -a DONE/generation-2 . && ln -s generation-2 .current",
    ] {
        let root = folder.path().join("root");
        let _ = fs::remove_dir_all(&root);
        publish(&root, &branch(), 1, &of(&files)).await.unwrap();
        let script = kill.replace("DONE", &done.join("f44").display().to_string());
        run(Command::new("sh").args(["-c", &script]).current_dir(root.join("f44")));
        assert_eq!(current_generation(&root, &branch()).unwrap(), Some(1), "{kill}");
        publish(&root, &branch(), 2, &of(&files[..1])).await.unwrap();
        assert_eq!(current_generation(&root, &branch()).unwrap(), Some(2), "{kill}");
        assert_eq!(listing(&root.join("f44/current")), expected, "{kill}");
    }
}

#[tokio::test]
async fn a_foreign_current_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let files = packages(folder.path(), &["a"]);
    fs::create_dir_all(root.join("f44/current")).unwrap();
    let error = publish(&root, &branch(), 1, &of(&files)).await.unwrap_err();
    assert!(matches!(error, RepositoryError::Foreign { .. }), "{error}");
    assert!(root.join("f44/current").is_dir());
}

/// Runs itself again with a file system of 512 KiB as its working folder, and there fills it.
#[tokio::test]
async fn a_full_disk_leaves_what_is_published() {
    let here = std::env::current_dir().unwrap();
    if !here.ends_with("tiny-disk") {
        let folder = tempfile::tempdir().unwrap();
        let disk = folder.path().join("tiny-disk");
        fs::create_dir(&disk).unwrap();
        let script = "mount -t tmpfs -o size=512k tiny . && cd \"$PWD\" && exec \"$0\" --exact repository::a_full_disk_leaves_what_is_published";
        let program = std::env::current_exe().unwrap();
        let mut again = Command::new("unshare");
        again
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", script])
            .arg(program)
            .current_dir(&disk);
        let printed = run(&mut again);
        assert!(printed.contains("1 passed"), "{printed}");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let files = packages(folder.path(), &["a", "b"]);
    publish(&here, &branch(), 1, &of(&files)).await.unwrap();
    let before = listing(&here.join("f44/current"));
    let big = "%install\nmkdir -p %{buildroot}/usr/share\nhead -c 600000 /dev/urandom > %{buildroot}/usr/share/big\n%files\n/usr/share/big\n";
    let large = build(folder.path(), &(spec("big", "1", &[]) + big), ".f44");
    let error = publish(&here, &branch(), 2, &of(&large)).await.unwrap_err();
    assert!(error.to_string().contains("No space left"), "{error}");
    // Room for the packages but not for their metadata.
    fs::write(here.join("filler"), vec![0; 512 << 10]).unwrap_err();
    let small = packages(folder.path(), &["c"]);
    let error = publish(&here, &branch(), 2, &of(&small)).await.unwrap_err();
    assert!(
        matches!(error, RepositoryError::Write { .. } | RepositoryError::Metadata { .. }),
        "{error}"
    );
    assert_eq!(current_generation(&here, &branch()).unwrap(), Some(1));
    assert_eq!(listing(&here.join("f44/current")), before);
    fs::remove_file(here.join("filler")).unwrap();
    publish(&here, &branch(), 2, &of(&small)).await.unwrap();
    assert_eq!(current_generation(&here, &branch()).unwrap(), Some(2));
}
