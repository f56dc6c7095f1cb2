//! Gates written as text, see [`check`].

use std::time::Duration;

use model::build::{Failure, FailureKind};
use model::digest::Digest;
use model::gate::Rule;

use super::*;

const NOW: Timestamp = Timestamp(1_000_000_000);

/// The parts of a gate, as they are written in a test.
struct Scene {
    subject: Part,
    listeners: Vec<Part>,
    floor: Vec<Policy>,
    own: Option<Vec<Policy>>,
    published: Option<Vec<Policy>>,
    waivers: Vec<Waiver>,
    needs_sign_off: bool,
}

struct Part {
    artifact: ArtifactKey,
    build: BuildId,
    nvr: Nvr,
    required: Vec<String>,
    results: Vec<TestResult>,
    run: Option<TestRun>,
}

fn id(number: u128) -> model::id::ResultId {
    serde_json::from_value(format!("{number:032x}").into()).unwrap()
}

fn build_of(artifact: &ArtifactKey) -> BuildId {
    let digest = Digest::of(artifact.to_string()).to_string();
    digest[..32].parse().unwrap()
}

fn artifact(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

fn part(name: &str) -> Part {
    let artifact = artifact(name);
    Part {
        build: build_of(&artifact),
        nvr: format!("{name}-1-1.f44").parse().unwrap(),
        artifact,
        required: Vec::new(),
        results: Vec::new(),
        run: None,
    }
}

/// `fedora-*: a b`, or `a b` for every branch.
fn policy(text: &str) -> Policy {
    let (versions, cases) = text.split_once(':').unwrap_or(("*", text));
    let rule = |case: &str| Rule::PassingTestCase { test_case: case.to_owned() };
    Policy {
        id: "p".to_owned(),
        product_versions: vec![versions.trim().to_owned()],
        decision_contexts: vec!["c".to_owned()],
        rules: cases.split_whitespace().map(rule).collect(),
    }
}

fn run(part: &Part, state: &str) -> TestRun {
    let failure =
        Failure { kind: FailureKind::Errored, message: "no space".to_owned(), line: None };
    TestRun {
        id: serde_json::from_value(id(99).to_string().into()).unwrap(),
        artifact: part.artifact.clone(),
        build: part.build,
        installed: Digest::of("installed"),
        snapshot: Digest::of("snapshot"),
        with: Vec::new(),
        attempt: 2,
        state: match state {
            "queued" => TestRunState::Queued,
            "running" => TestRunState::Running { owner: "o".to_owned(), since: Timestamp(50) },
            "finished" => TestRunState::Finished { at: NOW },
            "errored" => TestRunState::Errored { failure, at: NOW },
            state => panic!("strange state {state}"),
        },
        created: Timestamp(0),
        version: 1,
    }
}

/// `CASE=OUTCOME`, the later ones reported later; `CASE=OUTCOME@T` at that time by the run itself; `CASE=OUTCOME!` of
/// another build.
fn result(part: &Part, number: usize, text: &str) -> TestResult {
    let (case, outcome) = text.split_once('=').unwrap();
    let (outcome, of_run) =
        outcome.split_once('@').map_or((outcome, None), |(outcome, at)| (outcome, Some(at)));
    let other = part.artifact.name.as_str().len() as u128;
    TestResult {
        id: id(number as u128),
        run: of_run.map(|_| serde_json::from_value(id(99).to_string().into()).unwrap()),
        artifact: part.artifact.clone(),
        build: if outcome.ends_with('!') {
            serde_json::from_value(id(other).to_string().into()).unwrap()
        } else {
            part.build
        },
        case: case.to_owned(),
        outcome: outcome.trim_end_matches('!').parse().unwrap(),
        note: "why".to_owned(),
        at: Timestamp(of_run.map_or(100 + number as i64, |at| at.parse().unwrap())),
    }
}

/// `waive|sign-off ARTIFACT CASE [NVR]`, with `until-1` or `from+1` where it is not in force.
fn waiver(kind: WaiverKind, text: &str) -> Waiver {
    let words: Vec<&str> = text.split_whitespace().collect();
    let second = Duration::from_secs(1);
    Waiver {
        id: serde_json::from_value(id(7).to_string().into()).unwrap(),
        artifact: artifact(words[0]),
        case: words[1].to_owned(),
        nvr: words[2..].iter().find(|word| word.contains("f44")).map(|&nvr| nvr.to_owned()),
        kind,
        author: "ann".to_owned(),
        reason: "known".to_owned(),
        at: if words.contains(&"from+1") { NOW + second } else { NOW - second },
        end: words.contains(&"until-1").then_some(NOW),
    }
}

fn scene(text: &str) -> Scene {
    let mut scene = Scene {
        subject: part("zlib"),
        listeners: Vec::new(),
        floor: Vec::new(),
        own: None,
        published: None,
        waivers: Vec::new(),
        needs_sign_off: false,
    };
    for line in text.split(';').map(str::trim).filter(|line| !line.is_empty()) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let part = scene.listeners.last_mut().unwrap_or(&mut scene.subject);
        match word {
            "floor" => scene.floor.push(policy(rest)),
            "own" => scene.own.get_or_insert_default().push(policy(rest)),
            "published" => scene.published.get_or_insert_default().push(policy(rest)),
            "run" => part.run = Some(run(part, rest)),
            "results" => {
                let results = rest.split_whitespace().enumerate();
                part.results = results.map(|(number, text)| result(part, number, text)).collect();
            }
            "requires" => part.required = rest.split_whitespace().map(str::to_owned).collect(),
            "listener" => scene.listeners.push(super::tests::part(rest)),
            "waive" => scene.waivers.push(waiver(WaiverKind::Waiver, rest)),
            "sign-off" => scene.waivers.push(waiver(WaiverKind::SignOff, rest)),
            "unsigned" => scene.needs_sign_off = true,
            word => panic!("strange word {word}"),
        }
    }
    scene
}

impl Part {
    fn tested(&self) -> Tested<'_> {
        Tested {
            artifact: &self.artifact,
            build: self.build,
            nvr: &self.nvr,
            required: self.required.clone(),
            results: &self.results,
            run: self.run.as_ref(),
        }
    }
}

fn decide_scene(text: &str) -> Verdict {
    let scene = scene(text);
    let listeners: Vec<Tested<'_>> = scene.listeners.iter().map(Part::tested).collect();
    decide(&GateInput {
        subject: &scene.subject.tested(),
        floor: &scene.floor,
        own: scene.own.as_deref(),
        published: scene.published.as_deref(),
        context: None,
        listeners: &listeners,
        needs_sign_off: scene.needs_sign_off,
        waivers: &scene.waivers,
        now: NOW,
    })
}

fn show(verdict: &Verdict) -> String {
    let list = |objections: &[Objection]| {
        let kind = |objection: &Objection| {
            let value = serde_json::to_value(objection).unwrap();
            format!(
                " {}/{}={}",
                objection.artifact.name,
                objection.case,
                value["objection"].as_str().unwrap()
            )
        };
        objections.iter().map(kind).collect::<String>()
    };
    match verdict {
        Verdict::Open { waived, ungated } => {
            format!("open{}{}", list(waived), if *ungated { ", ungated" } else { "" })
        }
        Verdict::Waiting { objections } => format!("waiting{}", list(objections)),
        Verdict::Refused { objections } => format!("refused{}", list(objections)),
    }
}

/// The words before the first `listener` are about the build at the gate, which is zlib's; those after it about that
/// listener.
fn check(text: &str, expected: &str) {
    assert_eq!(show(&decide_scene(text)), expected, "{text}");
}

#[test]
fn a_gate_opens_when_everything_required_passed() {
    check("own a b; results a=PASSED b=INFO c=FAILED; run finished", "open");
    check("floor a; results a=PASSED; run finished", "open, ungated");
    check("", "open, ungated");
}

#[test]
fn missing_queued_running_errored_and_failed_are_told_apart() {
    check("own a", "waiting zlib/a=missing");
    check("own a; run queued", "waiting zlib/a=queued");
    check("own a; run running", "waiting zlib/a=running");
    check("own a; results a=QUEUED; run finished", "waiting zlib/a=queued");
    check("own a; results a=RUNNING", "waiting zlib/a=running");
    check("own a; run errored", "refused zlib/a=errored");
    check("own a; results a=ERROR", "refused zlib/a=errored");
    check("own a; results a=FAILED", "refused zlib/a=failed");
    check("own a; results a=NEEDS_INSPECTION", "refused zlib/a=failed");
    check("own a; run finished", "refused zlib/a=missing");
}

#[test]
fn a_final_objection_refuses_at_once() {
    check("own a b; results a=FAILED; run running", "refused zlib/a=failed zlib/b=running");
}

#[test]
fn a_missing_result_is_waited_for_until_all_runs_are_over() {
    let listener = "listener vim; requires t; run";
    check(
        &format!("own a; run finished; {listener} running"),
        "waiting zlib/a=missing vim/t=running",
    );
    check(
        &format!("own a; run finished; {listener} finished"),
        "refused zlib/a=missing vim/t=missing",
    );
}

#[test]
fn the_latest_result_of_the_build_counts() {
    check("own a; results a=FAILED a=PASSED", "open");
    check("own a; results a=PASSED a=FAILED", "refused zlib/a=failed");
    check("own a; results a=PASSED a=FAILED!", "open");
    check("own a; results a=PASSED!; run finished", "refused zlib/a=missing");
}

#[test]
fn a_retry_is_waited_for() {
    check("own a; results a=FAILED@40; run queued", "waiting zlib/a=queued");
    check("own a; results a=FAILED@40; run running", "waiting zlib/a=running");
    check("own a; results a=FAILED@60; run running", "refused zlib/a=failed");
    check("own a b; results a=FAILED@40 a=PASSED@60 b=PASSED@40; run finished", "open");
}

#[test]
fn policies_are_for_branches() {
    check("own fedora-44: a", "waiting zlib/a=missing");
    check("own f4?: a; own fedora-*: a b", "waiting zlib/a=missing zlib/b=missing");
    check("own epel-9: a", "open, ungated");
}

#[test]
fn the_floor_always_applies() {
    check("floor a; own b; results b=PASSED; run finished", "refused zlib/a=missing");
    check("floor a; own a; results a=PASSED", "open");
}

#[test]
fn a_commit_cannot_remove_a_test_without_a_sign_off() {
    let removal = "published a b; own b; results b=PASSED; run finished";
    check(removal, "refused zlib/a=removed");
    check(&format!("{removal}; waive zlib a"), "refused zlib/a=removed");
    check(&format!("{removal}; sign-off zlib a"), "open zlib/a=removed");
    check(&format!("{removal}; sign-off zlib a until-1"), "refused zlib/a=removed");
    check("published a; results a=PASSED", "refused zlib/a=removed");
    check("published a; floor a; results a=PASSED", "open, ungated");
}

#[test]
fn a_waiver_lifts_what_is_over() {
    check("own a; results a=FAILED; waive zlib a", "open zlib/a=failed");
    check("own a; results a=ERROR; waive zlib a", "open zlib/a=errored");
    check("own a; run finished; waive zlib a", "open zlib/a=missing");
    check("own a; run running; waive zlib a", "waiting zlib/a=running");
    check("own a; results a=FAILED; sign-off zlib a", "refused zlib/a=failed");
    check("own a b; results a=FAILED b=FAILED; waive zlib a", "refused zlib/b=failed");
}

#[test]
fn a_waiver_is_for_its_build_and_its_time() {
    let failed = "own a; results a=FAILED; waive";
    check(&format!("{failed} zlib a zlib-1-1.f44"), "open zlib/a=failed");
    check(&format!("{failed} zlib a zlib-1-2.f44"), "refused zlib/a=failed");
    check(&format!("{failed} vim a"), "refused zlib/a=failed");
    check(&format!("{failed} zlib a until-1"), "refused zlib/a=failed");
    check(&format!("{failed} zlib a from+1"), "refused zlib/a=failed");
}

#[test]
fn listeners_hold_the_build_they_use() {
    let gate =
        "own a; results a=PASSED; run finished; listener vim; requires t; run finished; results";
    check(&format!("{gate} t=PASSED"), "open");
    check(&format!("{gate} t=FAILED"), "refused vim/t=failed");
    for nvr in ["", "vim-1-1.f44", "zlib-1-1.f44"] {
        check(&format!("{gate} t=FAILED; waive vim t {nvr}"), "open vim/t=failed");
    }
    check(&format!("{gate} t=FAILED; waive zlib t"), "refused vim/t=failed");
    check(
        &format!("{gate} t=FAILED; listener gtk; requires u"),
        "refused vim/t=failed gtk/u=missing",
    );
    check(
        &format!("{gate} t=PASSED; listener gtk; requires u; run queued"),
        "waiting gtk/u=queued",
    );
}

#[test]
fn a_cycle_has_one_gate() {
    let open = decide_scene("own a; results a=FAILED; waive zlib a");
    let ungated = decide_scene("floor a; results a=PASSED");
    let (waiting, refused) = (decide_scene("own a"), decide_scene("own b; results b=FAILED"));
    let check = |verdicts: &[&Verdict], expected: &str| {
        assert_eq!(show(&together(verdicts.iter().copied().cloned())), expected);
    };
    check(&[&open, &ungated], "open zlib/a=failed, ungated");
    check(&[&open, &waiting], "waiting zlib/a=missing");
    check(&[&waiting, &refused, &open], "refused zlib/a=missing zlib/b=failed");
}

#[test]
fn a_person_signs_off_on_this_very_build_once_its_tests_are_over() {
    let wanted = "own a; unsigned";
    let sign_off = format!("sign-off zlib {SIGN_OFF}");
    check(&format!("{wanted}; run running; {sign_off} zlib-1-1.f44"), "waiting zlib/a=running");
    let passed = format!("{wanted}; run finished; results a=passed");
    check(&passed, "refused zlib/millstream.sign-off=unsigned");
    check(&format!("{passed}; {sign_off}"), "refused zlib/millstream.sign-off=unsigned");
    check(
        &format!("{passed}; waive zlib {SIGN_OFF} zlib-1-1.f44"),
        "refused zlib/millstream.sign-off=unsigned",
    );
    let signed = format!("{passed}; {sign_off} zlib-1-1.f44");
    check(&signed, "open zlib/millstream.sign-off=unsigned");
}

#[test]
fn only_the_asked_context_counts() {
    let own = [policy("a")];
    let scene = scene("");
    let subject = scene.subject.tested();
    let ask = |context: Option<&str>| {
        let input = GateInput {
            subject: &subject,
            floor: &[],
            own: Some(&own),
            published: None,
            context,
            listeners: &[],
            needs_sign_off: false,
            waivers: &[],
            now: NOW,
        };
        show(&decide(&input))
    };
    assert_eq!(ask(Some("c")), "waiting zlib/a=missing");
    assert_eq!(ask(Some("d")), "open, ungated");
}
