//! Documents as they should be, and as they should not.

use super::{Limits, Source, filelists, load_primaries};
use crate::tables::{Relation, Tables};

const PRIMARY: &str = r#"<?xml version="1.0"?>
<metadata xmlns="http://linux.duke.edu/metadata/common" packages="2">
<package type="rpm">
  <name>a</name><arch>x86_64</arch><version epoch="0" ver="1" rel="2"/>
  <description>less &lt; more</description>
  <format>
    <rpm:sourcerpm>a-1-2.src.rpm</rpm:sourcerpm>
    <rpm:provides><rpm:entry name="a" flags="EQ" epoch="0" ver="1" rel="2"/></rpm:provides>
    <rpm:requires>
      <rpm:entry rel='3' ver='1&#46;2' name='x>y' flags='GE'/>
      <rpm:entry name="(b &amp;c or /bin/sh)"></rpm:entry>
      <rpm:entry name="rpmlib(X)" flags="LE" ver="1"/>
    </rpm:requires>
    <file>/usr/bin/a</file><file type="dir">/usr/share/a</file>
  </format>
</package>
<package type="rpm"><arch>src</arch><name>b</name><version rel="1" ver="0" epoch="3"/>
  <format><rpm:requires/></format></package>
</metadata>
"#;

fn show(tables: &Tables) -> String {
    let mut lines = Vec::new();
    for id in tables.ids() {
        lines.push(tables.nevra(id));
        for relation in Relation::ALL {
            for &dependency in tables.relations(id, relation) {
                lines.push(format!("  {relation:?} {}", tables.dependency_text(dependency)));
            }
        }
    }
    lines.join("\n")
}

fn load(text: &str, threads: usize) -> Result<Tables, String> {
    let source = Source { name: "primary.xml", bytes: text.as_bytes(), priority: 0 };
    load_primaries(&[source], Limits::default(), threads).map_err(|error| error.to_string())
}

#[test]
fn packages_are_read() {
    let expected = "\
a-1-2.x86_64
  Provides a = 1-2
  Provides /usr/bin/a
  Provides /usr/share/a
  Requires x>y >= 1.2-3
  Requires (b &c or /bin/sh)
b-3:0-1.src";
    for threads in 1..4 {
        assert_eq!(show(&load(PRIMARY, threads).unwrap()), expected, "{threads} threads");
    }
}

#[test]
fn wanted_files_are_added() {
    let mut tables = load(PRIMARY, 1).unwrap();
    let list = r#"<filelists><package pkgid="1" name="a" arch="x86_64">
        <version epoch="0" ver="1" rel="2"/><file>/bin/sh</file><file>/bin/other</file>
        </package></filelists>"#;
    let added = filelists::add_wanted_files(&mut tables, "f", list.as_bytes(), Limits::default());
    assert_eq!(added.unwrap(), 1);
    assert!(show(&tables).contains("Provides /bin/sh\n  Requires"), "{}", show(&tables));
    assert!(!show(&tables).contains("/bin/other"));
}

#[track_caller]
fn check_error(from: &str, to: &str, expected: &str) {
    let text = PRIMARY.replacen(from, to, 1);
    assert_ne!(text, PRIMARY);
    assert_eq!(load(&text, 1).unwrap_err(), expected);
}

#[test]
fn errors_name_the_place() {
    let place = "primary.xml, line";
    check_error("<name>a</name>", "", &format!("{place} 16: the package has no name"));
    check_error(
        "flags='GE'",
        "flags='XX'",
        &format!("{place} 10, package a: the comparison is not one of EQ, LT, LE, GT, GE"),
    );
    check_error("&#46;", "&dot;", &format!("{place} 10, package a: the entity is not known"));
    check_error(
        "</metadata>",
        "",
        &format!("{place} 20, package b: the document ends within an element"),
    );
    check_error(
        "<metadata",
        "<other",
        &format!("{place} 20, package b: {}", "the document has no element <metadata>"),
    );
}

#[test]
fn what_is_cut_short_is_an_error_and_never_a_panic() {
    let end = PRIMARY.find("</metadata>").unwrap();
    for cut in 0..end {
        assert!(load(&PRIMARY[..cut], 1 + cut % 3).is_err(), "cut at {cut}");
    }
}

#[test]
fn limits_are_kept() {
    let source = Source { name: "p", bytes: PRIMARY.as_bytes(), priority: 0 };
    let check = |limits, expected: &str| {
        let error = load_primaries(&[source], limits, 1).unwrap_err().to_string();
        assert!(error.ends_with(expected), "{error}");
    };
    let limits = Limits::default();
    check(Limits { document_bytes: 10, ..limits }, "the document is larger than the limit of 10");
    check(Limits { text_bytes: 10, ..limits }, "a text is larger than the limit of 10");
    check(
        Limits { relations: 2, ..limits },
        "the number of relations is larger than the limit of 2",
    );
}
