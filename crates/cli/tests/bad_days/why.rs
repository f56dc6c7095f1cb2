//! `why` and `why-not` end in an event and name edge and facet.

use serde_json::Value;

use crate::server::Server;
use crate::sources::Package;

const BASE: &str = "Name: base
Version: 1
Release: 1%{?dist}
Summary: A library
License: MIT
BuildRequires: gcc

%description
It answers.

%package devel
Summary: To build with it
Requires: %{name}%{?_isa} = %{version}-%{release}
%description devel
To build with it.

%package static
Summary: To build it in
%description static
To build it in.

%build
gcc -fPIC -shared -Wl,-soname,libbase.so.1 -o libbase.so.1 %{_sourcedir}/base.c
gcc -c %{_sourcedir}/base.c && ar rcsD libbase.a base.o

%install
mkdir -p %{buildroot}%{_libdir} %{buildroot}%{_includedir}
install libbase.so.1 libbase.a %{buildroot}%{_libdir}
ln -s libbase.so.1 %{buildroot}%{_libdir}/libbase.so
echo 'int base(void);' > %{buildroot}%{_includedir}/base.h

%files
%{_libdir}/libbase.so.1
%files devel
%{_libdir}/libbase.so
%{_includedir}/base.h
%files static
%{_libdir}/libbase.a
";

fn user(name: &str, needs: &str, library: &str) -> String {
    format!(
        "Name: {name}
Version: 1
Release: 1%{{?dist}}
Summary: A user
License: MIT
BuildRequires: gcc
BuildRequires: base-devel
{needs}

%description
It asks.

%build
echo 'int base(void); int main(void) {{ return base(); }}' > main.c
gcc -o {name} main.c {library}

%install
install -D {name} %{{buildroot}}%{{_bindir}}/{name}

%files
%{{_bindir}}/{name}
"
    )
}

#[test]
fn reasons_end_in_an_event_and_name_edge_and_facet() {
    let server = Server::start("");
    let [base, dynamic, fixed] =
        ["base", "dynamic", "fixed"].map(|name| Package::new(&server, name));
    base.push(&[("base.spec", BASE), ("base.c", "int base(void) { return 0; }\n")]);
    dynamic.push_spec(&user("dynamic", "", "-lbase"));
    fixed.push_spec(&user("fixed", "BuildRequires: base-static", "-l:libbase.a"));
    for name in ["dynamic", "fixed"] {
        server.until_step(name, "published");
    }
    base.push(&[("base.c", "int base(void) { return 1 - 1 + (int)sizeof(char) - 1 + 7; }\n")]);
    server.until("another build", || (server.builds("base").len() == 2).then_some(()));
    server.until_step("base", "published");
    assert_eq!(server.until_step("fixed", "published")["action"], "rebuild");
    assert_eq!(server.until_step("dynamic", "retested")["action"], "retest");

    let push = server.event("base").unwrap()["number"].clone();
    let why = server.json(&["why", "rpms/fixed#f44"]);
    check(&why["chain"][0], ("build-requires", "base-static"), "static");
    assert_eq!(why["event"]["number"], push, "{why}");
    let why = server.json(&["why", "rpms/dynamic#f44"]);
    check(&why["chain"][0], ("requires", "base"), "content");
    assert_eq!(why["event"]["number"], push, "{why}");
    let why_not = server.json(&["why-not", "rpms/dynamic#f44"]);
    assert_eq!((&why_not["rebuilt"], &why_not["events"][0]["number"]), (&false.into(), &push));
    check(&why_not["chain"][0], ("requires", "base"), "content");
    // Whoever is rebuilt after all is told so, and the answer is no.
    let said = server.cli(&["why-not", "rpms/fixed#f44"]);
    assert_eq!(said.code, 1, "{said:?}");
}

fn check(link: &Value, (kind, package): (&str, &str), facet: &str) {
    let edge = &link["edge"];
    assert_eq!((&edge["kind"], &edge["package"]), (&kind.into(), &package.into()), "{link}");
    assert_eq!(edge["dependency"], "rpms/base#f44");
    assert!(link["facets"].as_array().unwrap().contains(&facet.into()), "{link}");
}
