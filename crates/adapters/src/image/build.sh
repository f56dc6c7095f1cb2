# The steps of an image's build, for the script that reads this after storage.sh.

# What is committed is the same each time, and small where it leaves the root.
COMMIT="--timestamp $SOURCE_DATE_EPOCH --identity-label=false"
PACKED="$COMMIT --disable-compression=false"

# How far we came tells a fault of the packages from a fault of the Containerfile.
reached() { echo "$1" >/build/reached; }

# The folders every root has, made only where programs of the host are put in: an image of a distribution
# that brings its own has them from a package.
folders() {
	for folder in usr/bin usr/sbin usr/lib usr/lib64 etc root var/tmp dev proc sys run; do
		mkdir -p "$M/$folder"
	done
	mkdir -p -m 1777 "$M/tmp"
	chmod 1777 "$M/tmp" "$M/var/tmp"
	for link in bin sbin lib lib64; do
		[ -e "$M/$link" ] || ln -s "usr/$link" "$M/$link"
	done
	[ -e "$M/etc/passwd" ] || echo 'root:x:0:0:root:/root:/bin/sh' >"$M/etc/passwd"
	[ -e "$M/etc/group" ] || echo 'root:x:0:' >"$M/etc/group"
	# What we build comes first, as where it was built.
	[ -e "$M/etc/ld.so.conf" ] ||
		printf '%s\n' /usr/lib64 /usr/lib/*-linux-gnu >"$M/etc/ld.so.conf"
}

# The libraries of programs, and their loader. A script or a static program has none.
libraries_of() {
	ldd "$@" 2>/dev/null | sed -n 's/ (0x.*//; s|^[[:blank:]][^/]*/|/|p'
}

# Puts in programs of the host with their libraries, what a link leads to instead of the link. The stand-in
# for the toolchain provides the libraries in /in/libraries too, and rpm will believe it.
programs() {
	folders
	paths=
	for program; do
		if ! path=$(command -v "$program"); then
			echo "error: the host has no program named $program to put into the image" >&2
			return 1
		fi
		paths="$paths $path"
	done
	c_library=$(libraries_of /usr/bin/sh | grep '/libc\.so')
	while read -r name; do
		library="${c_library%/*}/$name"
		[ ! -e "$library" ] || paths="$paths $library"
	done </in/libraries
	# shellcheck disable=SC2086
	{ printf '%s\n' $paths && libraries_of $paths; } | sort -u >/build/wanted
	xargs cp --dereference --parents --target-directory "$M" </build/wanted
}

# Installs the packages of a folder. Their scripts see devices and their own processes, as they would
# elsewhere, and nothing they start is left behind.
packages() {
	mkdir -p "$M/usr/lib/sysimage/rpm" "$M/dev" "$M/proc"
	# shellcheck disable=SC2016,SC2086
	unshare --mount --pid --fork --kill-child sh -eu -c '
		mount --rbind /dev "$1/dev"
		mount -t proc proc "$1/proc"
		shift
		exec "$@"
	' packages "$M" $OVER rpm --root "$M" --define '_dbpath /usr/lib/sysimage/rpm' \
		-U --nosignature --nodigest "$1"/*.rpm
	# Only an index into a journal that is empty, and different each time.
	if [ ! -s "$M/usr/lib/sysimage/rpm/rpmdb.sqlite-wal" ]; then
		rm -f "$M/usr/lib/sysimage/rpm/rpmdb.sqlite-wal" "$M/usr/lib/sysimage/rpm/rpmdb.sqlite-shm"
	fi
}

# Installs the stand-in for the host's toolchain, unless the parent has it.
toolchain() {
	wanted=$(rpm -qp --nosignature --nodigest /in/toolchain/*.rpm)
	rpm_over -q "$wanted" >/dev/null 2>&1 || packages /in/toolchain
}

# Makes what was put in findable at run time.
refresh_libraries() {
	[ -e "$M/etc/ld.so.conf" ] || return 0
	over ldconfig -r "$M"
	# It remembers when files were changed.
	rm -rf "$M/var/cache/ldconfig"
}

# Runs a Containerfile and writes the image to /build/oci.
containerfile() {
	cp -r /in/sources /build/context
	find /build/context -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
	# shellcheck disable=SC2086
	buildah bud $RUN $PACKED --layers=false --pull=false --no-hosts --uts host --network host \
		"$@" --file /in/Containerfile /build/context
}

# Writes down what the image in M has: packages, the files they own, and what is there.
facts() {
	mkdir /build/facts
	name='%{NAME}-%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}.%{ARCH}\n'
	rpm_over -qa --qf "$name" >/build/facts/packages
	owned='[%{FILEMODES:octal} %{FILEFLAGS} %{FILEDIGESTS} %{FILELINKTOS}\t%{FILENAMES}\n]'
	rpm_over -qa --qf "$owned" >/build/facts/owned
	cd "$M"
	find . -xdev -mindepth 1 -printf '%y %m %P\0%l\0' >/build/facts/files
	find . -xdev -type f -print0 | xargs -0 -r sha256sum -z >/build/facts/digests
	cd /build
}

# Says how a container of the image starts. What buildah prints about dollar signs is of no interest.
configure() {
	buildah config "$@" "$container" 2>/build/said || {
		cat /build/said >&2
		return 1
	}
}
