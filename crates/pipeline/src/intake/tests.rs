//! Messages as they come, and what is read from them.

use model::event::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// A reading as its event's sentence, `ignored: …`, or the error.
fn check(topic: &str, body: &str, expected: &str) {
    let read = match read(topic, body) {
        Ok(Reading::Event(event)) => event.to_string(),
        Ok(Reading::Ignored { reason }) => format!("ignored: {reason}"),
        Err(unreadable) => unreadable.to_string(),
    };
    assert_eq!(read, expected, "{topic} {body}");
}

/// The body with one field replaced, or taken out where the replacement is null and the field said to be `-field`.
fn check_with(topic: &str, (field, value): (&str, Value), expected: &str) {
    let mut body = usual(topic);
    match field.strip_prefix('-') {
        Some(field) => drop(body.as_object_mut().unwrap().remove(field)),
        None => body[field] = value,
    }
    check(topic, &body.to_string(), expected);
}

fn usual(topic: &str) -> Value {
    let (new, old) = ("a".repeat(40), "b".repeat(40));
    match topic {
        git_ref::TOPIC => json!({
            "repository": "rpms/zlib", "branch": "f44", "new": new, "old": old, "forced": true,
            "subject": "Fix inflate", "severity": "critical", "sender": "unknown fields are passed over",
        }),
        request::TOPIC => json!({
            "artifact": "rpms/zlib#f44", "request": "retest", "by": "ann", "reason": "flaky",
            "severity": "low",
        }),
        test_result::TOPIC => json!({
            "artifact": "rpms/zlib#f44", "nvr": "zlib-1.3-1.f44", "case": "ci", "outcome": "failed",
        }),
        built::TOPIC => json!({
            "artifact": "rpms/zlib#f44", "nvr": "zlib-1.3-2.f44", "by": "ann", "system": "koji",
            "at": 1_700_000_000,
        }),
        FEDORA => json!({
            "build_id": 7, "instance": "primary", "name": "zlib", "owner": "ann",
            "release": "2.f44", "tag": "f44", "tag_id": 3, "user": "bob", "version": "1.3",
        }),
        topic => panic!("strange topic {topic}"),
    }
}

#[test]
fn a_moved_branch_is_a_commit() {
    let body = usual(git_ref::TOPIC).to_string();
    check(git_ref::TOPIC, &body, "commit aaaaaaaaaa to rpms/zlib#f44 by force: Fix inflate");
    let Ok(Reading::Event(event)) = read(git_ref::TOPIC, &body) else { panic!("no event") };
    assert_eq!(event.severity(), Severity::Critical);
    let Event::Committed { previous, .. } = event else { panic!("no commit") };
    assert_eq!(previous.unwrap().as_str(), "b".repeat(40));
}

#[test]
fn what_a_push_may_leave_out() {
    let commit = "commit aaaaaaaaaa to rpms/zlib#f44";
    check_with(git_ref::TOPIC, ("-old", json!(null)), &format!("{commit} by force: Fix inflate"));
    check_with(git_ref::TOPIC, ("old", json!(null)), &format!("{commit} by force: Fix inflate"));
    check_with(git_ref::TOPIC, ("-forced", json!(null)), &format!("{commit}: Fix inflate"));
    check_with(
        git_ref::TOPIC,
        ("-severity", json!(null)),
        &format!("{commit} by force: Fix inflate"),
    );
    check_with(git_ref::TOPIC, ("subject", json!(null)), &format!("{commit} by force: "));
}

#[test]
fn a_branch_may_go() {
    let gone = "branch of rpms/zlib#f44 deleted, it pointed at bbbbbbbbbb";
    check_with(git_ref::TOPIC, ("new", json!(null)), gone);
}

#[test]
fn what_does_not_concern_us_is_ignored() {
    check("org.example.news", "no JSON", "ignored: nobody listens to topic \"org.example.news\"");
    let other = "ignored: nothing is built from \"docs\"";
    check_with(git_ref::TOPIC, ("repository", json!("docs/handbook")), other);
    let still = "ignored: rpms/zlib#f44 did not move";
    check_with(git_ref::TOPIC, ("old", json!("a".repeat(40))), still);
}

#[test]
fn what_is_wrong_in_a_push_is_named() {
    let check = |field: (&str, Value), expected: &str| {
        check_with(git_ref::TOPIC, field, &format!("could not read body.{expected}"));
    };
    check(("-branch", json!(null)), "branch: the field is missing");
    check(("branch", json!(7)), "branch: expected a text, got a number");
    check(
        ("branch", json!("../x")),
        "branch: \"../x\" is not a valid branch name: letters, digits and ._+-/, no empty part and none that starts with a dot",
    );
    check(
        ("repository", json!("zlib")),
        "repository: \"zlib\" is not NAMESPACE/NAME, e.g. rpms/zlib",
    );
    check(
        ("repository", json!("rpms/a/b")),
        "repository: \"a/b\" is not a valid artifact name: letters, digits and ._+-, starting with a letter, a digit or _",
    );
    check(
        ("new", json!("abc")),
        "new: \"abc\" is not a valid commit: 40 or 64 lower-case hexadecimal digits",
    );
    check(("old", json!([])), "old: expected a text, got a list");
    check(("forced", json!("yes")), "forced: expected true or false, got a text");
    check(
        ("severity", json!("grave")),
        "severity: \"grave\" is not one of none, low, moderate, important, critical",
    );
    let mut nowhere = usual(git_ref::TOPIC);
    (nowhere["new"], nowhere["old"]) = (json!(null), json!(null));
    let expected = "could not read body.new: neither new nor old says where the branch points";
    super::tests::check(git_ref::TOPIC, &nowhere.to_string(), expected);
}

#[test]
fn what_is_no_object_is_refused_with_its_place() {
    check(git_ref::TOPIC, "[]", "could not read body: expected an object, got a list");
    check(git_ref::TOPIC, "", "could not read body: EOF while parsing a value at line 1 column 0");
    check(
        git_ref::TOPIC,
        "{\"a\": tru}",
        "could not read body: expected ident at line 1 column 10",
    );
    let deep = "[".repeat(100_000);
    assert!(read(git_ref::TOPIC, &deep).is_err());
}

#[test]
fn people_ask_by_request() {
    check(
        request::TOPIC,
        &usual(request::TOPIC).to_string(),
        "ann asked to retest rpms/zlib#f44: flaky",
    );
    let check = |field: (&str, Value), expected: &str| check_with(request::TOPIC, field, expected);
    check(("request", json!("rebuild")), "ann asked to rebuild rpms/zlib#f44: flaky");
    check(
        ("request", json!("burn")),
        "could not read body.request: \"burn\" is neither rebuild nor retest",
    );
    check(("by", json!(" ")), "could not read body.by: the text is empty");
    check(("-reason", json!(null)), "could not read body.reason: the field is missing");
    check(
        ("artifact", json!("zlib")),
        "could not read body.artifact: \"zlib\" is not a valid artifact: KIND/NAME#BRANCH, e.g. rpms/zlib#f44",
    );
}

#[test]
fn other_test_systems_report() {
    let topic = test_result::TOPIC;
    check(topic, &usual(topic).to_string(), "ci FAILED for zlib-1.3-1.f44 of rpms/zlib#f44");
    check_with(
        topic,
        ("outcome", json!("great")),
        "could not read body.outcome: \"great\" is not a valid outcome: QUEUED, RUNNING, PASSED, INFO, FAILED, NEEDS_INSPECTION or ERROR",
    );
    check_with(
        topic,
        ("nvr", json!("zlib")),
        "could not read body.nvr: \"zlib\" is not a valid NVR: NAME-VERSION-RELEASE",
    );
}

const FEDORA: &str = "org.fedoraproject.prod.buildsys.tag";

#[test]
fn other_build_systems_report() {
    let built = built::TOPIC;
    let sentence = "zlib-1.3-2.f44 of rpms/zlib#f44 was built in koji";
    check(built, &usual(built).to_string(), &format!("{sentence} by ann"));
    check_with(built, ("by", json!(null)), sentence);
    let wrong = "could not read body.at: expected a whole number, got a text";
    check_with(built, ("at", json!("noon")), wrong);
    check_with(built, ("-system", json!(null)), "could not read body.system: the field is missing");
    check(FEDORA, &usual(FEDORA).to_string(), &format!("{sentence} primary by ann"));
    let wrong = "could not read body.tag: \"f 44\" is not a valid branch name: letters, digits and ._+-/, no empty part and none that starts with a dot";
    check_with(FEDORA, ("tag", json!("f 44")), wrong);
    let nobody = "ignored: nobody listens to topic \"xbuildsys.tag\"";
    check("xbuildsys.tag", "{}", nobody);
}

const TOPICS: [&str; 5] =
    [git_ref::TOPIC, request::TOPIC, test_result::TOPIC, built::TOPIC, FEDORA];

/// A value of any kind, a field's proper one among them.
fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "(rpms|x)/[a-z/#.]{0,8}".prop_map(Value::from),
        Just(json!([{}])),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes);
        for topic in TOPICS {
            // Random bytes are no object, so there is nothing they could mean.
            prop_assert!(read(topic, &text).is_err());
        }
    }

    #[test]
    fn a_field_of_any_value_is_read_or_named(topic in prop::sample::select(&TOPICS[..]), choice in any::<prop::sample::Index>(), value in any_value()) {
        let mut body = usual(topic);
        let fields: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        let field = choice.get(&fields);
        body[field.as_str()] = value;
        if let Err(unreadable) = read(topic, &body.to_string()) {
            prop_assert_eq!(unreadable.place, format!("body.{field}"));
        }
    }
}
