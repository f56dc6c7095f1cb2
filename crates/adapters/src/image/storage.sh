# Makes buildah work in a cell, for the script that reads this. It is root there with all capabilities of
# its user space, which mean nothing outside: the host is unmounted, and what lies in `in` are copies.
set -eu
umask 022
hostname build

# One user is all there is in this user space, so crun stands in for buildah's own isolation, which
# insists on setting groups. It wants to see these, whatever they are.
mkdir -p /sys/fs/cgroup
: >/dev/tty

mkdir -p /etc/containers /build/home
cat >/etc/containers/policy.json <<'END'
{"default": [{"type": "insecureAcceptAnything"}]}
END
# There is no registry to ask and no network to ask through.
echo 'unqualified-search-registries = []' >/etc/containers/registries.conf
: >/etc/containers/containers.conf
# What runs is forgotten with each root: mounts of one are not seen in the next.
rm -rf /build/run
mkdir -m 700 /build/run
use_driver() {
	cat >/etc/containers/storage.conf <<-END
		[storage]
		driver = "$1"
		graphroot = "/build/store"
		runroot = "/build/run/store"
	END
}
export HOME=/build/home XDG_RUNTIME_DIR=/build/run TMPDIR=/var/tmp
export CONTAINERS_CONF=/etc/containers/containers.conf
export CONTAINERS_STORAGE_CONF=/etc/containers/storage.conf
if [ ! -f /build/driver ]; then
	echo overlay >/build/driver
	use_driver overlay
	# Older kernels have no overlay over a root that lives in memory. Copies do there.
	buildah info >/dev/null 2>&1 || echo vfs >/build/driver
fi
use_driver "$(cat /build/driver)"

# How a program of an image runs: its own root and processes, no capability that installing does not need.
RUN="--isolation rootless --runtime crun --runtime-flag cgroup-manager=disabled"
for capability in AUDIT_WRITE MKNOD NET_BIND_SERVICE NET_RAW SETPCAP SYS_CHROOT; do
	RUN="$RUN --cap-drop CAP_$capability"
done

# Sets M to the root of a container of an image, and `container` to the container.
open_image() {
	container=$(buildah from --pull=false --uts host --network host "$1")
	M=$(buildah mount "$container")
}

# Runs a program over an image's root without the capabilities that it must not have.
OVER="setpriv --bounding-set=$CAPABILITIES,+sys_chroot"
over() {
	$OVER "$@"
}

rpm_over() {
	over rpm --root "$M" --define '_dbpath /usr/lib/sysimage/rpm' "$@"
}
