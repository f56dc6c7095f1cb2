//! Packages and dependencies as libsolv's own cases write them.

use super::*;

/// A dependency in libsolv's notation, and the same in rpm's or why there is none.
fn check(written: &str, expected: &str) {
    let found = match dependency(written) {
        Ok(relation) => relation.to_string(),
        Err(what) => format!("no: {what}"),
    };
    assert_eq!(found, expected, "{written}");
}

#[test]
fn dependencies_are_put_into_the_words_of_rpm() {
    check("A", "A");
    check("A >= 1:2-3", "A >= 1:2-3");
    check("A <=> 1", "A");
    check("/bin/sh", "/bin/sh");
    check("libc.so.6(GLIBC_2.4)(64bit)", "libc.so.6(GLIBC_2.4)(64bit)");
    check("A & B", "(A and B)");
    check("A = 1 & B > 2 & C", "(A = 1 and B > 2 and C)");
    check("A & (B | C)", "(A and (B or C))");
    check("A & B | C", "(A and (B or C))");
    check("(A & B) | C", "((A and B) or C)");
    check("A <IF> B", "(A if B)");
    check("xclip <IF> (Xorg <ELSE> wl-clipboard)", "(xclip if Xorg else wl-clipboard)");
    check("A <UNLESS> (B <ELSE> C)", "(A unless B else C)");
    check("A + B >= 2", "(A with B >= 2)");
    check("A - B", "(A without B)");
    check("(A(x) | B) + C", "((A(x) or B) with C)");
    check("a\\20b", "a b");
    check("a\\zz", "a\\zz");
}

#[test]
fn what_rpm_cannot_say_is_told() {
    check("namespace:language(de)", "no: the namespace `namespace:language(de)` is not supported");
    check("A:any", "no: the name `A:any` is not supported");
    check("A . x86_64", "no: `.` is not supported");
    check("A <> 1", "no: `<>` is not supported");
    check("A <ELSE> B", "no: <ELSE> without <IF> or <UNLESS>");
    check("a\\20b & c", "no: `a b` cannot stand in a rich dependency");
    check("(A | B", "no: a parenthesis is never closed");
    check("A | B)", "no: `A | B)` has a parenthesis too many");
    check("(A | B) = 1", "no: a version of something that has none");
    check("A B", "no: `B` begins with no operator");
    check("", "no: the name `` is not supported");
    check("a\\ffb", "no: `a\\\\ffb` is not UTF-8");
}

#[test]
fn hostile_dependencies_end_soon() {
    check(&"(".repeat(1_000_000), "no: the dependency is nested too deeply");
    check(&"A & ".repeat(1_000_000), "no: the dependency is nested too deeply");
}

const PACKAGES: &str = "=Ver: 3.0
=Pkg: a 1:1.2 3 x86_64
=Sum: a remark: of no import
+Req:
b >= 2
c | d
-Req:
+Prq:
/bin/sh
-Prq:
=Prv: a = 1:1.2-3
=Con: x
=Obs: y < 2
=Rec: r
=Sug: s
=Sup: t
=Enh: u
=Vnd: somebody
=Fls: /usr/bin/a
=Pkg: b 2 - -
=Req: namespace:x(y)
";

#[test]
fn packages_are_read() {
    let repository = parse_testtags(PACKAGES.as_bytes()).unwrap();
    let a = &repository.packages[0];
    assert_eq!(a.to_string(), "a-1:1.2-3.x86_64");
    let shown =
        |relations: &[Relation]| relations.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&a.requires), ["b >= 2", "(c or d)", "/bin/sh"]);
    assert_eq!(a.requires.iter().map(|it| it.is_pre).collect::<Vec<_>>(), [false, false, true]);
    assert_eq!(shown(&a.provides), ["a = 1:1.2-3"]);
    let rest =
        [&a.conflicts, &a.obsoletes, &a.recommends, &a.suggests, &a.supplements, &a.enhances];
    assert_eq!(rest.map(|it| shown(it).join("")), ["x", "y < 2", "r", "s", "t", "u"]);
    assert_eq!((&*a.vendor, &*a.files[0]), ("somebody", "/usr/bin/a"));
    assert_eq!(repository.packages[1].to_string(), "b-2");
    let unsupported: Vec<_> = repository.unsupported.iter().map(ToString::to_string).collect();
    assert_eq!(unsupported, ["line 21: the namespace `namespace:x(y)` is not supported"]);
}

#[test]
fn old_versions_provide_themselves_and_keep_files_among_provides() {
    let text =
        "=Ver: 2.0\n=Pkg: a 1 1 noarch\n+Prv:\n/not/last\nx\n/usr/bin/a\n-Prv:\n=Pkg: b 1 1 src\n";
    let repository = parse_testtags(text.as_bytes()).unwrap();
    let provides: Vec<_> =
        repository.packages[0].provides.iter().map(ToString::to_string).collect();
    assert_eq!(provides, ["/not/last", "x", "a = 1-1"]);
    assert_eq!(repository.packages[0].files, ["/usr/bin/a"]);
    assert_eq!(repository.packages[1].provides, []);
}

#[test]
fn what_is_wrong_has_its_line() {
    let refused = |text: &str| parse_testtags(text.as_bytes()).unwrap_err().to_string();
    let fields = "line 2: `=Pkg: a 1 1` is not a name, version, release, arch";
    assert_eq!(refused("=Ver: 3\n=Pkg: a 1 1\n"), fields);
    assert_eq!(
        refused("=Pkg: a 1 1 noarch\n+Req:\nb\n"),
        "line 2: the block `+Req:` is never ended"
    );
    let blocks = parse_testtags(b"=Pkg: a 1 1 noarch\n=Cns: b\nanything\n").unwrap();
    assert_eq!(blocks.unsupported[0].to_string(), "line 2: `Cns` is not supported");
}
