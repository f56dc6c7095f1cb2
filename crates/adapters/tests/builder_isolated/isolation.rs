//! What a build cannot see, reach or change.

use std::fs;

use adapters::rpmbuild::Outcome;

use crate::fixtures::{Bench, limits, probe};

/// Runs a script and returns the lines it prints that begin with SEEN.
async fn look(slot: u32, script: &str) -> String {
    let bench = Bench::new(slot).await;
    let (outcome, log) = bench.probe(script, limits()).await;
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}\n{log}");
    let seen = |line: &str| line.strip_prefix("SEEN ").map(str::to_owned);
    log.lines().filter_map(seen).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_hosts_data_is_out_of_sight() {
    let script = "ls -d /etc/shadow /home /etc/machine-id /old/* /var/lib/dpkg 2>/dev/null \
                  | sed 's/^/SEEN /'; find /root /tmp /usr/local | sed 's/^/SEEN /'";
    assert_eq!(look(11, script).await, "/root\n/tmp\n/usr/local");
}

#[tokio::test]
async fn a_secret_file_cannot_be_read_by_its_path() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "hush").unwrap();
    let path = secret.path().display();
    let script = format!("cat {path} 2>/dev/null | sed 's/^/SEEN /'; true");
    assert_eq!(look(12, &script).await, "");
}

#[tokio::test]
async fn there_is_no_network_and_no_credential_in_the_environment() {
    let script = r#"python3 - <<'E'
import os, socket
try:
    socket.create_connection(("1.1.1.1", 53), 2)
    print("SEEN a network")
except OSError as error:
    print("SEEN", type(error).__name__, error.errno == 101)
print("SEEN", *sorted(name for name in os.environ if not name.startswith("RPM")))
E"#;
    let seen = look(13, script).await;
    let (network, environment) = seen.split_once('\n').unwrap();
    assert_eq!(network, "OSError True", "unreachable");
    assert!(!environment.contains("CARGO"), "{environment}");
    assert!(!environment.contains("CELL"), "{environment}");
}

#[tokio::test]
async fn mounts_cannot_be_undone_and_staged_files_not_changed() {
    let script = "umount /usr/local 2>/dev/null && echo SEEN unmounted\n\
                  mount -o remount,bind,rw /in 2>/dev/null && echo SEEN remounted\n\
                  touch /in/x 2>/dev/null && echo SEEN written\n\
                  chroot / true 2>/dev/null && echo SEEN chroot\n\
                  unshare --user --map-root-user --mount umount /usr/local 2>/dev/null && echo SEEN nested\n\
                  true";
    assert_eq!(look(14, script).await, "");
}

#[tokio::test]
async fn links_out_of_the_root_are_not_followed_when_packages_are_taken_out() {
    let bench = Bench::new(15).await;
    // Seen from inside, the link leads to a folder of the build; seen from outside, to what was staged.
    let script = "for folder in /build /build/BUILD; do mkdir -p $folder/in/sources; done\n\
                  rm -rf /build/RPMS\nln -s /proc/self/cwd/in/sources /build/RPMS";
    let spec = probe(script);
    let request = bench.request("probe", &spec, &[("stolen-1-1.noarch.rpm", "secret")]);
    let built = bench.built(request).await;
    assert_eq!(built.rpms, Vec::<std::path::PathBuf>::new());
}
