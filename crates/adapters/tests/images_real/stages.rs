//! Images described by a Containerfile.

use adapters::image::{Base, Outcome, StageInput};

use crate::fixtures::read;
use crate::images::{Gallery, PROGRAMS, nevras, over, paths, programs};

const SEVERAL: &str = "\
FROM ground AS tools
COPY words /words
RUN user && cat /words >/result && \\
    id >>/result

FROM tools AS more
RUN user && cat /result /words >/more

FROM scratch AS bare
COPY --from=more /more /result

FROM ground
COPY --from=bare /result /usr/share/result
ENV A=b
CMD [\"/usr/bin/user\"]
";

#[tokio::test]
async fn several_stages_copy_from_each_other_and_are_reproduced() {
    let gallery = Gallery::new(111).await;
    let mut stage = programs(PROGRAMS);
    stage.packages.clone_from(&gallery.base);
    let ground = gallery.built(gallery.request("ground", vec![stage])).await;
    let more = StageInput { base: Base::Stage(0), ..StageInput::default() };
    let stages =
        vec![over(&ground, &gallery.user), more, StageInput::default(), over(&ground, &[])];
    let mut request = gallery.described("several", SEVERAL, stages);
    std::fs::write(request.sources.join("words"), "some words\n").unwrap();
    request.config.labels.insert("version".to_owned(), "1, 2".to_owned());
    let image = gallery.built(request.clone()).await;
    assert_eq!(nevras(&image), ["base-1.0-1.f44.x86_64"], "the tool stayed in its stage");
    assert_eq!(image.layers[0], ground.layers[0]);
    let added = paths(&image, image.layers.len() - 1);
    assert_eq!(added, ["usr/", "usr/share/", "usr/share/result"]);
    let text = |line: &str| image.config.contains(&line.to_owned());
    assert!(text("config env A=b") && text("config cmd [\"/usr/bin/user\"]"), "{:?}", image.config);

    request.output = gallery.bench.path("again");
    request.work = gallery.bench.path("another-work");
    assert_eq!(gallery.built(request).await.digest, image.digest);
}

/// Builds a Containerfile over a few programs; what failed, and the line.
async fn fails(gallery: &Gallery, name: &str, text: &str) -> String {
    let request = gallery.described(name, text, vec![programs(PROGRAMS)]);
    let log = request.log.clone();
    match gallery.build(request).await {
        Outcome::Failed { exit, line, instruction } => {
            let line = line.map(|line| line.text).unwrap_or_default();
            format!("{exit} at {instruction:?}: {line}")
        }
        other => panic!("{other:?}\n{}", read(&log)),
    }
}

#[tokio::test]
async fn what_fails_is_told_with_its_line() {
    let gallery = Gallery::empty(112).await;
    let check = async |name, text, expected| {
        assert_eq!(fails(&gallery, name, text).await, expected);
    };
    check(
        "command",
        "FROM scratch\n\nRUN echo STEP 1/1: && \\\n  frobnicate\n",
        "127 at Some(3): /bin/sh: 1: frobnicate: not found",
    )
    .await;
    check(
        "silent",
        "FROM scratch\nRUN exit 7\n",
        "7 at Some(2): Error: building at STEP \"RUN exit 7\": while running runtime: exit status 7",
    )
    .await;
    check(
        "missing",
        "FROM scratch\nENV a=b\nCOPY nothing /x\n",
        "125 at Some(3): Error: building at STEP \"COPY nothing /x\": checking on sources under \
         \"/build/context\": copier: stat: \"/nothing\": no such file or directory",
    )
    .await;
}

#[tokio::test]
async fn a_request_that_contradicts_itself_is_refused() {
    let gallery = Gallery::empty(113).await;
    let check = async |text: &str, stages: Vec<StageInput>, expected: &str| {
        let request = gallery.described("x", text, stages);
        assert_eq!(gallery.refused(request).await, expected);
    };
    let bare = StageInput::default;
    check(
        "FROM $X\n",
        vec![bare()],
        "Containerfile, line 1: FROM $X: the image must be named, not be a variable",
    )
    .await;
    check(
        "FROM scratch\nFROM scratch\n",
        vec![bare()],
        "the image cannot be built as asked: the Containerfile has 2 stages, not 1",
    )
    .await;
    check(
        "FROM scratch\n\nFROM a\n",
        vec![bare(), bare()],
        "the image cannot be built as asked: line 3 of the Containerfile names another parent",
    )
    .await;
    let second = StageInput { base: Base::Stage(0), ..programs("sh") };
    check(
        "FROM scratch AS a\nFROM a\n",
        vec![bare(), second],
        "the image cannot be built as asked: the stage of line 2 stands on another stage: give its \
         packages to that one",
    )
    .await;
}
