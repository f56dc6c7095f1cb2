//! Documents that are read and refused, and what is hidden because of them.

use std::fmt::Write;

use super::*;

const NODE: &str = "---
document: modulemd-defaults
version: 1
data:
  module: nodejs
  stream: 1.10
  profiles:
    1.10: [common]
...
---
document: modulemd
version: 2
data:
  name: nodejs
  stream: 1.10
  version: 820
  context: 0123
  arch: x86_64
  summary: anything
  dependencies:
  - buildrequires: {platform: [el9]}
    requires: {platform: [el9], icu: []}
  profiles:
    common: {description: usual, rpms: [nodejs, npm]}
    empty:
      rpms:
  artifacts:
    rpms:
    - nodejs-1:1.10-1.x86_64
    - npm-0:6-1.noarch
---
document: modulemd-obsoletes
version: 1
data:
  modified: 2026-01-01T00:00Z
  module: nodejs
  stream: 0.9
  message: too old
  obsoleted_by: {module: nodejs, stream: 1.10}
---
document: modulemd-translations
version: 1
data: {module: nodejs}
";

#[test]
fn documents_are_read() {
    let documents = Documents::parse(NODE.as_bytes()).unwrap();
    let stream = &documents.streams[0];
    assert_eq!(stream.to_string(), "nodejs:1.10:820:0123:x86_64");
    assert_eq!(stream.dependencies[0].requires["icu"], Vec::<String>::new());
    assert_eq!(stream.profiles["common"].packages, ["nodejs", "npm"]);
    assert_eq!(stream.artifacts[1], "npm-0:6-1.noarch");
    assert_eq!(documents.default_streams()["nodejs"], "1.10");
    assert_eq!(documents.defaults[0].profiles["1.10"], ["common"]);
    let obsoletes = &documents.obsoletes[0];
    assert_eq!(obsoletes.obsoleted_by, Some(("nodejs".to_owned(), "1.10".to_owned())));
    assert_eq!(documents.skipped, ["modulemd-translations 1"]);
    assert_eq!(Documents::parse(b"").unwrap(), Documents::default());
}

#[test]
fn what_is_wrong_has_its_line() {
    let refused = |from: &str, to: &str| {
        assert!(NODE.contains(from));
        Documents::parse(NODE.replacen(from, to, 1).as_bytes()).unwrap_err().to_string()
    };
    let version = refused("version: 820", "version: new");
    assert!(version.starts_with("line 16: data.version: invalid type: string"), "{version}");
    let name = refused("  name: nodejs\n", "");
    assert!(name.contains("missing field `name`"), "{name}");
    let artifacts = refused("    rpms:\n    - nodejs-1", "    rpms: 1\n    - nodejs-1");
    assert_eq!(artifacts, "line 29: did not find expected key");
}

#[test]
fn hostile_documents_end_soon() {
    let deep = format!("document: {}", "[".repeat(1_000_000));
    let error = Documents::parse(deep.as_bytes()).unwrap_err().to_string();
    assert_eq!(error, "line 1: this document is nested too deeply");
    let deep = format!("document: x\ndata:\n {}", "- ".repeat(100_000));
    // What nobody asks for is passed over, however deep.
    assert_eq!(Documents::parse(deep.as_bytes()).unwrap().skipped, ["x 0"]);
    let deep = format!("document: {}", "- ".repeat(100_000));
    Documents::parse(deep.as_bytes()).unwrap_err();
    let bomb = "a: &a [x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\n\
                c: &c [*b,*b,*b,*b,*b,*b,*b,*b]\ndocument: [*c,*c,*c,*c,*c,*c,*c,*c]\n";
    Documents::parse(bomb.as_bytes()).unwrap_err();
    Documents::parse(b"document: *nothing").unwrap_err();
    let long = format!("a: &a {}\nb: [{}*a]", "x".repeat(1 << 20), "*a,".repeat(100_000));
    let nested = format!(
        "a: &a [x]\nb: &b [{0}]\nc: &c [{1}]\nd: [{2}]",
        "*a,".repeat(1000),
        "*b,".repeat(1000),
        "*c,".repeat(1000)
    );
    for bomb in [long, nested] {
        let error = Documents::parse(bomb.as_bytes()).unwrap_err().to_string();
        assert_eq!(error, "line 1: this document refers to itself too often");
    }
    let many = Documents::parse("---\n".repeat(30_000).as_bytes()).unwrap_err().to_string();
    assert_eq!(many, "line 20000: more than 20000 documents");
}

/// Streams as `name:stream[=default] [needs module:stream] package-epoch:version-release.arch …`, a line each.
fn documents(text: &str) -> Documents {
    let mut yaml = String::new();
    for line in text.lines().map(str::trim) {
        let (name, artifacts) = line.split_once(' ').unwrap();
        let (name, is_default) =
            name.strip_suffix("=default").map_or((name, false), |it| (it, true));
        let (module, stream) = name.split_once(':').unwrap();
        let needs = artifacts.strip_prefix("needs ").and_then(|rest| rest.split_once(' '));
        let (needed, artifacts) = needs.unwrap_or(("", artifacts));
        let needed = needed.replace(':', ": [") + if needed.is_empty() { "" } else { "]" };
        let artifacts = artifacts.replace(' ', "\", \"");
        writeln!(
            yaml,
            "---\ndocument: modulemd\nversion: 2\ndata: {{name: {module}, stream: '{stream}', \
             dependencies: [{{requires: {{{needed}}}}}], artifacts: {{rpms: [\"{artifacts}\"]}}}}"
        )
        .unwrap();
        if is_default {
            writeln!(
                yaml,
                "---\ndocument: modulemd-defaults\nversion: 1\n\
                 data: {{module: {module}, stream: '{stream}'}}"
            )
            .unwrap();
        }
    }
    Documents::parse(yaml.as_bytes()).unwrap()
}

const STREAMS: &str = "perl:5=default perl-0:5-1.x86_64 perl-libs-0:5-1.x86_64
                       perl:6 perl-0:6-1.x86_64
                       dbi:1=default needs perl:5 dbi-0:1-1.noarch";

/// Packages that are there besides: without a module, with the name or a provide of a modular one.
const PACKAGES: &str =
    "perl-0:5-1.x86_64 perl-0:6-1.x86_64 perl-0:4-1.x86_64 dbi-0:1-1.noarch zlib-0:1-1.x86_64";

/// What is hidden with streams enabled (`perl:6`) and modules disabled (`-perl`).
fn check(streams: &str, chosen: &str, packages: &str, expected: &str) {
    check_with(streams, "", chosen, packages, expected);
}

fn check_with(streams: &str, copies: &str, chosen: &str, packages: &str, expected: &str) {
    let (documents, copies) = (documents(streams), documents(copies));
    let (disabled, enabled): (Vec<&str>, Vec<&str>) =
        chosen.split_whitespace().partition(|word| word.starts_with('-'));
    let enabled: Vec<(String, String)> = enabled
        .iter()
        .map(|word| word.split_once(':').unwrap())
        .map(|(module, stream)| (module.to_owned(), stream.to_owned()))
        .collect();
    let disabled: Vec<String> = disabled.iter().map(|word| word[1..].to_owned()).collect();
    let choice = Choice {
        enabled: &enabled,
        disabled: &disabled,
        platform: Some("el9"),
        fail_safe: Some(&copies),
    };
    let given: Vec<ModularPackage<'_>> = packages.split_whitespace().map(package).collect();
    let found = excluded(&documents, &choice, &given);
    let found: Vec<String> = found
        .iter()
        .map(|hidden| {
            let name = packages.split_whitespace().nth(hidden.package).unwrap();
            match &hidden.reason {
                Reason::InactiveStream { stream } => format!("{name} inactive {stream}"),
                Reason::Shadowed { stream, name: by } => format!("{name} shadowed {stream} {by}"),
                Reason::Orphaned { label } => format!("{name} orphaned {label}"),
            }
        })
        .collect();
    assert_eq!(found.join("\n"), expected, "{chosen}");
}

/// `name-epoch:version-release.arch`; one called `other` provides `perl-libs`, and one with `!` has a label.
fn package(text: &str) -> ModularPackage<'_> {
    let (rest, label) =
        text.split_once('!').map_or((text, None), |(rest, label)| (rest, Some(label)));
    let (rest, arch) = rest.rsplit_once('.').unwrap();
    let (rest, release) = rest.rsplit_once('-').unwrap();
    let (name, version) = rest.rsplit_once('-').unwrap();
    let (epoch, version) = version.split_once(':').unwrap();
    let provides: &[&str] = if name == "other" { &["perl-libs"] } else { &[] };
    let is_hotfix = name == "perl" && release == "hotfix";
    ModularPackage { name, epoch, version, release, arch, provides, label, is_hotfix }
}

#[test]
fn default_streams_hide_the_rest() {
    check(
        STREAMS,
        "",
        PACKAGES,
        "perl-0:6-1.x86_64 inactive perl:6\nperl-0:4-1.x86_64 shadowed perl:5 perl",
    );
}

#[test]
fn an_enabled_stream_takes_the_place_of_the_default() {
    check(
        STREAMS,
        "perl:6",
        PACKAGES,
        "perl-0:5-1.x86_64 inactive perl:5\nperl-0:4-1.x86_64 shadowed perl:6 perl\n\
         dbi-0:1-1.noarch inactive dbi:1",
    );
}

#[test]
fn an_enabled_stream_stays_although_nothing_fits() {
    check(
        STREAMS,
        "perl:6 dbi:1",
        "perl-0:5-1.x86_64 dbi-0:1-1.noarch",
        "perl-0:5-1.x86_64 inactive perl:5",
    );
}

#[test]
fn a_disabled_module_hides_its_packages_only() {
    check(
        STREAMS,
        "-perl",
        PACKAGES,
        "perl-0:5-1.x86_64 inactive perl:5\nperl-0:6-1.x86_64 inactive perl:6\n\
         dbi-0:1-1.noarch inactive dbi:1",
    );
}

#[test]
fn a_provide_competes_as_a_name_does() {
    check(
        STREAMS,
        "",
        "other-0:1-1.x86_64 perl-0:4-hotfix.x86_64 perl-0:4-1.src",
        "other-0:1-1.x86_64 shadowed perl:5 perl-libs\nperl-0:4-1.src shadowed perl:5 perl",
    );
}

#[test]
fn a_stream_whose_document_is_gone_hides_as_before() {
    let other = "ruby:3 ruby-0:3-1.x86_64";
    let packages = "perl-0:4-1.x86_64 perl-0:7-1.x86_64 perl-0:8-1.module_el9+1.x86_64";
    check_with(
        other,
        "perl:7 perl-0:7-1.x86_64",
        "perl:7",
        packages,
        "perl-0:4-1.x86_64 shadowed perl:7 perl\n\
         perl-0:8-1.module_el9+1.x86_64 shadowed perl:7 perl",
    );
    // Without a copy what is modular by its release stays hidden, and other packages cannot be told.
    check_with(
        other,
        other,
        "perl:7",
        packages,
        "perl-0:8-1.module_el9+1.x86_64 orphaned 1.module_el9+1",
    );
}

#[test]
fn a_label_without_a_document_is_an_orphan() {
    check(STREAMS, "", "x-0:1-1.noarch!x:1:2:3", "x-0:1-1.noarch!x:1:2:3 orphaned x:1:2:3");
}

#[test]
fn defaults_that_contradict_each_other_are_none() {
    let both = "perl:5=default perl-0:5-1.x86_64\nperl:6=default perl-0:6-1.x86_64";
    let hidden = "perl-0:5-1.x86_64 inactive perl:5\nperl-0:6-1.x86_64 inactive perl:6";
    check(both, "", "perl-0:5-1.x86_64 perl-0:6-1.x86_64 perl-0:4-1.x86_64", hidden);
}
