//! What builds see, and what comes of them.

use adapters::rpmbuild::{self, Outcome};

use crate::fixtures::{BASE, Bench, USER, USER_C, digests, limits, read};

#[tokio::test]
async fn a_library_and_its_user_are_built_and_reproduced() {
    let bench = Bench::new(1).await;
    let base = bench.built(bench.request("base", BASE, &[])).await;
    assert_eq!(base.rpms.len(), 2);
    assert!(base.srpm.ends_with("base-1.0-1.f44.src.rpm"), "{:?}", base.srpm);
    assert_eq!(base.build_requires, ["gcc", "make"]);

    let mut request = bench.request("user", USER, &[("user.c", USER_C)]);
    request.dependencies = base.rpms.clone();
    let first = bench.built(request.clone()).await;
    assert_eq!(first.build_requires, ["base-devel", "gcc", "make"]);
    assert!(!first.duration.is_zero());
    assert!(read(&request.log).contains("Wrote: /build/RPMS/"), "{}", read(&request.log));
    assert_eq!(rpmbuild::collect(&request.output).unwrap(), Some(first.clone()));

    request.output = bench.path("user-again");
    let second = bench.built(request).await;
    assert_eq!(digests(&first.rpms[0]), digests(&second.rpms[0]));
    let bytes = |package| std::fs::read(package).unwrap();
    assert!(bytes(&first.rpms[0]) == bytes(&second.rpms[0]), "the packages differ");
    assert!(bytes(&first.srpm) == bytes(&second.srpm), "the source packages differ");
}

#[tokio::test]
async fn what_a_spec_requires_must_be_there() {
    let bench = Bench::new(2).await;
    let request = bench.request("user", USER, &[("user.c", USER_C)]);
    let output = request.output.clone();
    let Outcome::Failed { line, .. } = bench.build(request).await else {
        panic!("it should have been refused");
    };
    assert_eq!(line.unwrap().text, "base-devel is needed by user-2.0-1.f44.x86_64");
    assert!(!output.exists());
}

#[tokio::test]
async fn a_rebuild_with_another_release_has_the_same_files() {
    let bench = Bench::new(3).await;
    let mut request = bench.request("base", BASE, &[]);
    let first = bench.built(request.clone()).await;
    request.dist = ".f44.1".to_owned();
    request.output = bench.path("raised");
    let second = bench.built(request).await;
    assert!(second.srpm.ends_with("base-1.0-1.f44.1.src.rpm"), "{:?}", second.srpm);
    assert_eq!(digests(&first.rpms[0]), digests(&second.rpms[0]));
}

#[tokio::test]
async fn what_is_built_already_is_not_built_again() {
    let bench = Bench::new(4).await;
    let request = bench.request("base", BASE, &[]);
    let first = bench.built(request.clone()).await;
    std::fs::write(&request.log, "untouched").unwrap();
    assert_eq!(bench.built(request.clone()).await, first);
    assert_eq!(read(&request.log), "untouched");
    // A folder without a record is what a killed server leaves.
    std::fs::remove_file(request.output.join("build.json")).unwrap();
    assert_eq!(rpmbuild::collect(&request.output).unwrap(), None);
    assert_eq!(bench.built(request).await.rpms, first.rpms);
}

#[tokio::test]
async fn a_condition_can_be_switched_on() {
    let bench = Bench::new(5).await;
    let spec = crate::fixtures::probe("%if %{with bootstrap}\necho IT IS ON\n%endif");
    let mut request = bench.request("probe", &format!("%bcond_with bootstrap\n{spec}"), &[]);
    request.with = vec!["bootstrap".to_owned()];
    request.limits = limits();
    let log = request.log.clone();
    bench.built(request).await;
    assert!(read(&log).lines().any(|line| line == "IT IS ON"));
}
