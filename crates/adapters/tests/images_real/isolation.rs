//! What a RUN cannot see, reach or change.

use crate::fixtures::read;
use crate::images::Gallery;

/// Runs a script and returns the lines it prints that begin with SEEN.
async fn look(slot: u32, script: &str) -> String {
    let gallery = Gallery::empty(slot).await;
    let secret = gallery.bench.path("secret");
    std::fs::write(&secret, "hush").unwrap();
    let request = gallery.probe(&script.replace("SECRET", &secret.to_string_lossy()));
    let log = request.log.clone();
    gallery.built(request).await;
    let log = read(&log);
    let seen = |line: &str| line.strip_prefix("SEEN ").map(str::to_owned);
    log.lines().filter_map(seen).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn the_host_and_its_network_are_out_of_sight() {
    let script = r#"
for path in SECRET /in /old /build /home /etc/shadow /etc/machine-id /var/lib/dpkg /usr/bin/buildah; do
	[ ! -e "$path" ] || echo "SEEN $path"
done
grep -v -e lo: -e '|' /proc/net/dev && echo SEEN a network
echo "SEEN processes" /proc/[0-9]*/status
for process in /proc/[0-9]*; do ls "$process/root/in" 2>/dev/null && echo SEEN the cell; done
grep -q -e CELL -e CARGO /proc/self/environ && echo SEEN the environment
cat /etc/hostname | grep . && echo SEEN a name
true
"#;
    let seen = look(121, script).await;
    assert!(
        seen.starts_with("SEEN processes /proc/1/status")
            || seen.starts_with("processes /proc/1/status"),
        "{seen}"
    );
    assert_eq!(seen.lines().count(), 1, "{seen}");
    assert!(seen.split_whitespace().count() < 5, "more than its own: {seen}");
}

#[tokio::test]
async fn mounts_cannot_be_undone_and_no_capability_is_won_back() {
    let script = r#"
umount /proc/sys 2>/dev/null && echo SEEN unmounted
mount -o remount,bind,rw /sys 2>/dev/null && echo SEEN remounted
mount -t tmpfs x /tmp 2>/dev/null && echo SEEN mounted
chroot / cat /proc/self/status >/dev/null 2>&1 && echo SEEN chroot
unshare --user --map-root-user --mount umount /proc/sys 2>/dev/null && echo SEEN nested
grep -q 'CapBnd:.00000000800000fb' /proc/self/status || echo SEEN capabilities
grep -q 'NoNewPrivs:.1' /proc/self/status || echo SEEN privileges
for device in /dev/*; do
	case ${device#/dev/} in
	core | fd | full | mqueue | null | ptmx | pts | random | shm | std* | tty | urandom | zero) ;;
	*) echo "SEEN $device" ;;
	esac
done
true
"#;
    assert_eq!(look(122, script).await, "");
}
