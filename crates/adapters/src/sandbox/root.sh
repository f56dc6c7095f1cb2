# Makes an isolated root and runs steps in it.
#
# This is process 1 of fresh user, mount, network, process, IPC and host name spaces, an ordinary user
# outside and root inside. Its current folder is the cell's work folder, which it names by relative
# paths only: the folders above may be closed to this user. `in` holds what was staged, `out` is read
# afterwards. Sizes come as environment variables from sandbox.rs; what to do follows at the end.
set -eu
umask 022

# The parent's death kills everything from here on, but it could have died before that was so.
# It answers the first line with a word; end of file says there is nobody left to work for.
echo ready
read -r word && [ "$word" = go ] || exit 1
exec </dev/null

# How far we came tells a fault of the machine from a fault of the package.
phase() { echo "$1" >out/phase; }
phase mount
# The time since the machine's start does not jump, whatever happens to its clock.
cat /proc/uptime >out/began
trap 'cat /proc/uptime >out/ended' EXIT

# The root goes over /tmp: a folder every machine has, and whose contents are better out of sight.
R=/tmp
mount -t tmpfs -o "size=$CELL_DISK,nr_inodes=$CELL_INODES,mode=755" cell $R
mkdir -p $R/usr $R/.upper/usr $R/.overlay $R/etc/rpm $R/etc/alternatives $R/var/lib $R/var/tmp \
	$R/tmp $R/proc $R/dev/shm $R/run $R/root $R/build $R/in $R/old
chmod 1777 $R/tmp $R/var/tmp $R/dev/shm

# Folders of the host belong to nobody in here, and the overlay cannot copy such a folder up when
# something is put into it. So each folder a dependency writes to is made in the upper layer first.
folders() {
	printf '/usr/%s\n' bin sbin lib lib64 libexec include share local
	if [ -d in/dependencies ]; then
		rpm -qp --nosignature --nodigest --qf '[%{DIRNAMES}\n]' in/dependencies/*.rpm
	fi
}
folders | sort -u | while read -r folder; do
	case $folder in
	/bin* | /sbin* | /lib*) folder=/usr$folder ;;
	/usr/*) ;;
	*) continue ;;
	esac
	[ -L "${folder%/}" ] || mkdir -p "$R/.upper$folder"
done

mount -t overlay -o "userxattr,lowerdir=/usr,upperdir=$R/.upper/usr,workdir=$R/.overlay" cell $R/usr
mount -t tmpfs -o ro,size=4k,mode=755 cell $R/usr/local
for link in bin sbin lib lib32 lib64 libx32; do
	[ ! -L "/$link" ] || ln -s "usr/$link" "$R/$link"
done

for device in null zero full random urandom; do
	: >$R/dev/$device
	mount --bind /dev/$device $R/dev/$device
done
ln -s /proc/self/fd $R/dev/fd
ln -s fd/0 $R/dev/stdin
ln -s fd/1 $R/dev/stdout
ln -s fd/2 $R/dev/stderr

# Nothing of the host's /etc but the links that choose between programs, such as awk.
[ ! -d /etc/alternatives ] || mount --bind /etc/alternatives $R/etc/alternatives
echo 'root:x:0:0:root:/build:/bin/sh' >$R/etc/passwd
echo 'root:x:0:' >$R/etc/group
echo '127.0.0.1 localhost' >$R/etc/hosts
# What we build comes first, or a library of the host would hide ours of the same soname.
printf '%s\n' /usr/lib64 /usr/lib/*-linux-gnu >$R/etc/ld.so.conf
cp in/macros $R/etc/rpm/macros
cp -r in/rpmdb $R/var/lib/rpm

# The inside may not change what was staged: hard links in it lead to published packages. Here the
# folder can be named only relative to the current one, and mount(8) wants to know that.
mount --no-canonicalize --bind in $R/in
mount -o remount,bind,ro,nosuid,nodev,noexec $R/in

# Runs a script of `in` inside. Each run has its own process space, so that nothing outlives it, and
# a mount space in which the host is unmounted. It keeps the capabilities that installing needs and
# loses those that could undo a mount or look out of the root. The limits bind here only, not above.
# BEFORE may hold a command that runs all this, such as timeout.
inside() {
	${BEFORE:-} unshare --mount --pid --fork --kill-child --wd $R sh -c '
		set -eu
		mount -t proc proc proc
		pivot_root . old
		umount -l old
		cd /build
		exec prlimit --core=0 --nproc="$CELL_PROCESSES" --as="$CELL_MEMORY" \
			setpriv --no-new-privs --bounding-set="$CELL_CAPABILITIES" \
			env -i PATH=/usr/bin:/usr/sbin HOME=/build LANG=C.UTF-8 TZ=UTC \
			SOURCE_DATE_EPOCH="$CELL_EPOCH" sh "$@"' inside "$@"
}

# Copies files of the root into the folder named last. The root's files are seen from outside here,
# and a link in them would lead to the host: nothing that has one on its way is taken.
take() {
	for destination; do :; done
	while [ $# -gt 1 ]; do
		if [ -f "$1" ] && without_link "$1"; then cp "$1" "$destination/"; fi
		shift
	done
}
without_link() {
	path=$1
	while [ "$path" != $R ]; do
		[ ! -L "$path" ] || return 1
		path=${path%/*}
	done
}

phase install
if [ -d in/dependencies ]; then
	inside /in/install.sh
fi
inside /in/ldconfig.sh
phase run
