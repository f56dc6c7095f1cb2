//! Test cases inside an image.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use adapters::image::BuiltImage;
use adapters::image::testing::{self, ImageTestRequest};
use adapters::sandbox::Limits;
use adapters::testing::{CaseOutcome, CaseResult};
use model::image::ImageConfig;

use crate::fixtures::{limits, read};
use crate::images::{Gallery, over, programs};

fn request(gallery: &Gallery, image: &BuiltImage, cases: &[(&str, &str)]) -> ImageTestRequest {
    let tests = gallery.bench.path("tests");
    fs::create_dir_all(&tests).unwrap();
    for (name, script) in cases {
        fs::write(tests.join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(tests.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    fs::write(tests.join("data"), "expected\n").unwrap();
    ImageTestRequest {
        work: gallery.bench.path("test-work"),
        oci: image.oci.clone(),
        tests: Some(tests),
        limits: limits(),
        logs: gallery.bench.path("logs"),
        slot: gallery.bench.slot(),
    }
}

/// The outcomes by case, one line each.
async fn run(gallery: &Gallery, request: ImageTestRequest) -> (String, Vec<CaseResult>) {
    let job = testing::start(request, gallery.bench.toolchain.clone()).unwrap();
    let results = job.wait().await.unwrap().unwrap();
    let shown = results.iter().map(|result| {
        let outcome = match &result.outcome {
            CaseOutcome::Passed => "passed".to_owned(),
            CaseOutcome::Failed { line } => format!("failed: {line}"),
            CaseOutcome::Errored { reason } => format!("errored: {reason}"),
            CaseOutcome::TimedOut => "timed out".to_owned(),
        };
        format!("{} {outcome}", result.case)
    });
    (shown.collect::<Vec<_>>().join("\n"), results)
}

#[tokio::test]
async fn each_case_has_a_result_of_its_own() {
    let gallery = Gallery::new(141).await;
    let mut stage = programs("sh cat grep sleep tail");
    stage.packages = [gallery.base.clone(), gallery.user.clone()].concat();
    let mut ground = gallery.request("ground", vec![stage]);
    ground.config = ImageConfig {
        entrypoint: vec!["user".to_owned()],
        env: [("WORD".to_owned(), "given".to_owned())].into(),
        user: Some("1000".to_owned()),
        ..ImageConfig::default()
    };
    let image = gallery.built(ground).await;
    let cases = [
        ("a-works", "user && grep expected data && echo changed >data && echo x >/left"),
        ("b-fresh", "grep expected data && [ ! -e /left ] && [ $WORD = given ]"),
        ("c-fails", "echo 'FAIL: sum'; exit 3"),
        ("d-hangs", "sleep 600"),
        ("e-eats", "cat /dev/zero | tail -c 100G"),
        ("f-alone", "[ ! -e /in ] && grep -q lo: /proc/net/dev && ! grep -q eth /proc/net/dev"),
    ];
    let mut request = request(&gallery, &image, &cases);
    request.limits = Limits { wall: Duration::from_secs(6), memory_bytes: 600 << 20, ..limits() };
    let (shown, results) = run(&gallery, request).await;
    let memory = shown.lines().find(|line| line.starts_with("tests.e-eats")).unwrap();
    let log = |case: &str| read(&results.iter().find(|result| result.case == case).unwrap().log);
    assert!(memory.contains("failed: "), "{shown}");
    assert_eq!(
        shown.replace(memory, "tests.e-eats failed"),
        "millstream.image-valid passed\nmillstream.libraries passed\nmillstream.packages passed\n\
         millstream.starts passed\ntests.a-works passed\ntests.b-fresh passed\n\
         tests.c-fails failed: FAIL: sum\ntests.d-hangs timed out\ntests.e-eats failed\n\
         tests.f-alone passed",
        "{}",
        log("tests.a-works")
    );
    assert_eq!(log("tests.a-works"), "expected\n");
}

#[tokio::test]
async fn what_is_broken_is_found() {
    let gallery = Gallery::new(142).await;
    let mut stage = programs("sh rm");
    stage.packages = [gallery.base.clone(), gallery.user.clone()].concat();
    let ground = gallery.built(gallery.request("ground", vec![stage])).await;
    let text = "FROM ground\nRUN rm /usr/lib64/libbase.so.1\nENTRYPOINT [\"/usr/bin/gone\"]\n";
    let broken = gallery.built(gallery.described("broken", text, vec![over(&ground, &[])])).await;
    let (shown, _) = run(&gallery, request(&gallery, &broken, &[])).await;
    assert_eq!(
        shown,
        "millstream.image-valid passed\n\
         millstream.libraries failed: error: /usr/bin/user: libbase.so.1 => not found\n\
         millstream.packages passed\n\
         millstream.starts failed: error: /usr/bin/gone, with which a container starts, is not in \
         the image or not executable"
    );

    let blob = |image: &BuiltImage| -> PathBuf {
        image.oci.join("blobs/sha256").join(image.config_digest.to_string())
    };
    let path: &Path = &blob(&broken);
    fs::write(path, "{}").unwrap();
    let (shown, _) = run(&gallery, request(&gallery, &broken, &[("case", "true")])).await;
    assert!(shown.starts_with("millstream.image-valid failed: blobs/sha256/"), "{shown}");
    assert!(shown.ends_with("tests.case errored: the image is broken"), "{shown}");
}
