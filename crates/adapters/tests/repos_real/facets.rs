//! Which facets of which packages change with a change of the source.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use adapters::facets;
use model::facet::{BuildFacets, Facet};

use crate::packages::build;

const SPEC: &str = r#"
Name: base
Version: 1.0
Release: 1%{?dist}
Summary: test
License: MIT
Obsoletes: old-base < %{version}-%{release}
%description
test
%package devel
Summary: test
Requires: %{name}%{?_isa} = %{version}-%{release}
Recommends: (base-tools = %{version}-%{release} if other)
%description devel
test
%package static
Summary: test
%description static
test
%package macros
Summary: test
BuildArch: noarch
%description macros
test
%package tools
Summary: test
%description tools
test
%build
cat > base.c <<'END'
int base_table[4] = {1, 2};
int base_open(int a) { return a + 1; } /* opens */
int base_close(int a) { return a - 1; }
END
cat > base.map <<'END'
BASE_1.0 { global: base_table; base_open; base_close; local: *; };
END
cat > base.h <<'END'
/* The base library. */
struct base { int a; };
static inline int base_twice(int a) { return 2 * a; }
int base_open(int a); // opens
END
gcc -O2 -fPIC -shared -Wl,--build-id -Wl,-soname,libbase.so.1 -Wl,--version-script=base.map -o libbase.so.1 base.c
gcc -O2 -c base.c
ar cr libbase.a base.o
%install
mkdir -p %{buildroot}%{_libdir}/pkgconfig %{buildroot}/usr/include %{buildroot}/usr/bin
mkdir -p %{buildroot}/usr/lib/rpm/macros.d %{buildroot}/usr/share/base %{buildroot}%{_libdir}/cmake
cp libbase.so.1 libbase.a %{buildroot}%{_libdir}/
ln -s libbase.so.1 %{buildroot}%{_libdir}/libbase.so
cp base.h %{buildroot}/usr/include/
printf 'Name: base\nDescription: base\nVersion: %{version}\nLibs: -lbase\n' > %{buildroot}%{_libdir}/pkgconfig/base.pc
printf 'set(PACKAGE_VERSION "%{version}")\n' > %{buildroot}%{_libdir}/cmake/base-config-version.cmake
printf '%%%%base_flags -O2\n%%%%base_release %{version}-%{release}\n' > %{buildroot}/usr/lib/rpm/macros.d/macros.base
printf '#!/bin/sh\necho generated\n' > %{buildroot}/usr/bin/base-gen
chmod 755 %{buildroot}/usr/bin/base-gen
ln %{buildroot}/usr/bin/base-gen %{buildroot}/usr/bin/base-gen-too
echo words > %{buildroot}/usr/share/base/words
%post
echo installed %{version}-%{release}
%triggerin -- other > 1
echo triggered
%files
%{_libdir}/libbase.so.1
%files devel
%{_libdir}/libbase.so
%{_libdir}/pkgconfig/base.pc
%{_libdir}/cmake/base-config-version.cmake
/usr/include/base.h
%files static
%{_libdir}/libbase.a
%files macros
/usr/lib/rpm/macros.d/macros.base
%files tools
/usr/bin/base-gen*
/usr/share/base
"#;

async fn facets_of(spec: &str, dist: &str) -> BuildFacets {
    let folder = tempfile::tempdir().unwrap();
    facets::read(&build(folder.path(), spec, dist)).await.unwrap()
}

fn lines(facets: &BuildFacets, package: &str, facet: Facet) -> BTreeSet<String> {
    facets.named(package).flat_map(|found| found.lines(facet).to_vec()).collect()
}

/// `base: abi content; base-static: content static`
fn difference(old: &BuildFacets, new: &BuildFacets) -> String {
    let names: BTreeSet<&String> = old.0.iter().chain(&new.0).map(|found| &found.package).collect();
    let mut changes = Vec::new();
    for name in names {
        let changed = Facet::ALL
            .into_iter()
            .filter(|&facet| lines(old, name, facet) != lines(new, name, facet));
        let changed: Vec<String> = changed.map(|facet| format!(" {facet}")).collect();
        if !changed.is_empty() {
            changes.push(format!("{name}:{}", changed.concat()));
        }
    }
    changes.join("; ")
}

#[tokio::test]
async fn a_change_shows_in_the_facets_it_concerns_and_no_others() {
    let old = facets_of(SPEC, ".f44").await;
    for (from, to, expected) in [
        ("/* opens */", "/* opens a base */", ""),
        ("return a + 1", "return a + 3", "base: content; base-static: static content"),
        (
            "int base_close",
            "static __attribute__((noinline, noclone)) int own(int a) { return a * a; } int base_hidden(int a) { return own(a); } int base_close",
            "base: content; base-static: static content",
        ),
        ("The base library.", "The base library, explained.", "base-devel: content"),
        ("struct base { int a; }", "struct base { int a; int b; }", "base-devel: headers content"),
        ("return 2 * a", "return a + a", "base-devel: headers content"),
        ("base_flags -O2", "base_flags -O1", "base-macros: macros content"),
        ("echo generated", "echo regenerated", "base-tools: tools content"),
        ("echo words", "echo more words", "base-tools: data content"),
        ("echo installed", "echo put in", "base: scripts"),
        ("other > 1", "other > 2", "base: scripts"),
        ("Obsoletes: old-base", "Obsoletes: older-base", "base: relations"),
        ("base_table[4]", "base_table[5]", "base: abi content; base-static: static content"),
        ("chmod 755", "chmod 700", "base-tools: files"),
        ("Version: 1.0\n", "Version: 1.1\n", ""),
    ] {
        assert!(SPEC.contains(from), "{from}");
        let new = facets_of(&SPEC.replace(from, to), ".f44").await;
        assert_eq!(difference(&old, &new), expected, "{from} -> {to}");
    }
}

#[tokio::test]
async fn a_rebuild_changes_nothing() {
    let old = facets_of(SPEC, ".f44").await;
    for dist in [".f44", ".f44.1", ".f44.12"] {
        let new = facets_of(SPEC, dist).await;
        assert_eq!(difference(&old, &new), "", "{dist}");
        assert_eq!(old.digest(), new.digest(), "{dist}");
    }
}

#[tokio::test]
async fn a_new_function_only_adds_and_a_new_soname_removes() {
    let old = facets_of(SPEC, ".f44").await;
    let more = SPEC
        .replace(
            "int base_close(int a)",
            "int base_more(int a) { return a; } int base_close(int a)",
        )
        .replace("base_open; base_close", "base_open; base_more; base_close");
    let new = facets_of(&more, ".f44").await;
    let (before, after) = (lines(&old, "base", Facet::Abi), lines(&new, "base", Facet::Abi));
    let added: Vec<&String> = after.difference(&before).collect();
    assert!(before.is_subset(&after));
    assert_eq!(added, ["libbase.so.1 base_more@@BASE_1.0 FUNC GLOBAL"]);
    let soname = facets_of(&SPEC.replace("libbase.so.1", "libbase.so.2"), ".f44").await;
    assert!(lines(&soname, "base", Facet::Abi).is_disjoint(&before));
    assert!(lines(&soname, "base", Facet::Provides).contains("libbase.so.2()(64bit)"));
}

#[tokio::test]
async fn lines_read_well() {
    let facets = facets_of(SPEC, ".f44").await;
    let has = |package: &str, facet: Facet, start: &str| {
        let found = lines(&facets, package, facet);
        assert!(found.iter().any(|line| line.starts_with(start)), "{start:?} is not in {found:#?}");
    };
    has("base", Facet::Abi, "libbase.so.1 SONAME");
    has("base", Facet::Abi, "libbase.so.1 base_table@@BASE_1.0 OBJECT GLOBAL 16");
    has("base", Facet::Provides, "base = @EVR@");
    has("base", Facet::Provides, "libbase.so.1(BASE_1.0)(64bit)");
    has("base", Facet::Scripts, "post /bin/sh sha256:");
    has("base", Facet::Scripts, "triggerin other > 1 priority 0 /bin/sh sha256:");
    has("base", Facet::Relations, "obsoletes old-base < @EVR@");
    has("base-devel", Facet::Relations, "requires base(x86-64) = @EVR@");
    has("base-devel", Facet::Relations, "recommends (base-tools = @EVR@ if other)");
    has("base-devel", Facet::Headers, "/usr/include/base.h sha256:");
    has("base-devel", Facet::Files, "/usr/lib64/libbase.so 120777 root:root -> libbase.so.1");
    has("base-tools", Facet::Tools, "/usr/bin/base-gen sha256:");
    has("base-tools", Facet::Tools, "/usr/bin/base-gen-too sha256:");
    assert_eq!(lines(&facets, "base-tools", Facet::Content).len(), 3);
}

async fn error_of(package: &Path) -> Option<String> {
    facets::read(&[package.to_owned()]).await.err().map(|error| error.to_string())
}

#[tokio::test]
async fn a_damaged_package_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let packages = build(folder.path(), SPEC, ".f44");
    let library = packages.iter().find(|path| path.to_string_lossy().contains("base-1.0")).unwrap();
    let whole = fs::read(library).unwrap();
    let broken = folder.path().join("broken.rpm");
    for part in 0..24 {
        fs::write(&broken, &whole[..whole.len() * part / 24]).unwrap();
        let error = error_of(&broken).await.unwrap();
        assert!(error.contains("broken.rpm"), "{part} of 24: {error}");
    }
    // The first 4.5 KiB are mostly room that rpm leaves for signatures, where a flipped bit hits nothing.
    let mut state = 5_u64;
    let mut unnoticed = Vec::new();
    for _ in 0..60 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let mut bytes = whole.clone();
        let at = 4608 + (state >> 33) as usize % (bytes.len() - 4608);
        bytes[at] ^= 1 << (state >> 60 & 7);
        fs::write(&broken, bytes).unwrap();
        match error_of(&broken).await {
            Some(error) => assert!(error.contains("broken.rpm"), "{error}"),
            None => unnoticed.push(at),
        }
    }
    // Some bytes say nothing, as the time in a gzip header; where they lie differs from build to build.
    assert!(unnoticed.len() <= 3, "flips went unnoticed at {unnoticed:?}");
    assert!(error_of(&folder.path().join("none.rpm")).await.unwrap().contains("none.rpm"));
}

#[tokio::test]
async fn a_library_that_lies_is_an_error_and_other_files_may() {
    let lying = r"
Name: liar
Version: 1
Release: 1
Summary: test
License: MIT
AutoReqProv: no
%global __os_install_post %{nil}
%description
test
%install
mkdir -p %{buildroot}/usr/lib64 %{buildroot}/usr/share/liar
printf '\177ELF\002\001\001 lies' > %{buildroot}/usr/FOLDER
%files
/usr/FOLDER
";
    let folder = tempfile::tempdir().unwrap();
    let packages = build(folder.path(), &lying.replace("FOLDER", "lib64/libliar.so.1"), ".f44");
    let error = error_of(&packages[0]).await.unwrap();
    assert!(error.contains("liar-1-1") && error.contains("/usr/lib64/libliar.so.1"), "{error}");
    let packages = build(folder.path(), &lying.replace("FOLDER", "share/liar/sample"), ".f44");
    assert_eq!(error_of(&packages[0]).await, None);
}

#[tokio::test]
async fn source_packages_and_nothing_at_all() {
    assert!(facets::read(&[]).await.unwrap().0.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let text: PathBuf = folder.path().join("text.rpm");
    fs::write(&text, "no package").unwrap();
    assert!(error_of(&text).await.unwrap().contains("text.rpm"));
}
