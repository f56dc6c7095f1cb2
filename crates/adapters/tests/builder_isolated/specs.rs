//! Reading specs, good, bad and malicious.

use std::fs;
use std::time::Duration;

use adapters::spec::{self, PARSE_TIME, ParseRequest, Spec, SpecError};

use crate::fixtures::{BASE, Bench};

const HEAD: &str = "Name: a\nVersion: 1\nRelease: 1%{?dist}\nSummary: s\nLicense: x\n";

async fn parse(slot: u32, text: &str, wall: Duration) -> Result<Spec, SpecError> {
    let bench = Bench::new(slot).await;
    let sources = bench.path("sources");
    fs::create_dir_all(&sources).unwrap();
    fs::write(sources.join("a.spec"), text).unwrap();
    let request = ParseRequest {
        work: bench.path("work"),
        sources,
        spec_name: "a.spec".to_owned(),
        dist: ".f44".to_owned(),
        bootstrap: vec!["bootstrap".to_owned()],
        dependencies: Vec::new(),
        wall,
        slot: bench.slot(),
    };
    spec::parse(request, bench.toolchain.clone()).await
}

async fn refused(slot: u32, rest: &str) -> String {
    let error = parse(slot, &format!("{HEAD}{rest}"), PARSE_TIME).await.unwrap_err();
    assert!(matches!(error, SpecError::Invalid { .. }), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn a_spec_tells_its_packages_and_both_flavours() {
    let flavours = BASE.replace(
        "%description\nA library.",
        "Epoch: 2\n%bcond_with bootstrap\n%if %{without bootstrap}\nBuildRequires: other >= 2\n%endif\n\
         Provides: thing = 3\n%description\nA library.",
    );
    let spec = parse(31, &flavours, PARSE_TIME).await.unwrap();
    assert_eq!((spec.name.as_str(), spec.epoch), ("base", 2));
    assert_eq!((spec.version.as_str(), spec.release.as_str()), ("1.0", "1.f44"));
    assert!(spec.ends_in_dist);
    assert_eq!(spec.build_requires, ["gcc", "make", "other >= 2"]);
    assert_eq!(spec.bootstrap_build_requires.unwrap(), ["gcc", "make"]);
    let names: Vec<_> = spec.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["base", "base-devel"]);
    assert!(spec.packages[0].provides.contains(&"thing = 3".to_owned()), "{:?}", spec.packages);
    assert_eq!(spec.packages[1].requires.len(), 1);

    let fixed = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: x\n%description\nx\n";
    assert!(!parse(31, fixed, PARSE_TIME).await.unwrap().ends_in_dist);
}

#[tokio::test]
async fn a_spec_that_rpm_refuses_is_an_error_with_its_line() {
    assert_eq!(refused(32, "Foo: bar\n%description\nx\n").await, "a.spec:6: Unknown tag: Foo: bar");
    assert_eq!(refused(32, "%if 1\n%description\nx\n").await, "a.spec:6: Unclosed %if");
    assert_eq!(refused(32, "%endif\n").await, "a.spec:6: %endif with no %if");
    assert_eq!(
        refused(32, "BuildRequires: a >=\n%description\n").await,
        "a.spec:6: Version required: BuildRequires: a >="
    );
}

#[tokio::test]
async fn a_spec_that_hangs_or_eats_is_ended_and_a_macro_nobody_has_is_left_alone() {
    let end = "%description\nx\n";
    let hang = format!("{HEAD}URL: %(sleep 999)\n{end}");
    let error = parse(33, &hang, Duration::from_secs(2)).await.unwrap_err();
    assert!(matches!(error, SpecError::TimedOut { .. }), "{error:?}");

    let bomb = format!("{HEAD}URL: %(b() {{ b | b & }}; b; sleep 99)\n{end}");
    let error = parse(33, &bomb, PARSE_TIME).await.unwrap_err();
    assert!(matches!(error, SpecError::TooMuch { what: "processes", .. }), "{error:?}");

    let unknown = format!("{HEAD}{end}%build\n%a_macro_of_another_package x\n");
    assert_eq!(parse(33, &unknown, PARSE_TIME).await.unwrap().name, "a");
}
