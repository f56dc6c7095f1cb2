//! Decisions as text, and the notices they come to.

use std::collections::BTreeMap;
use std::time::Duration;

use model::clock::Timestamp;
use model::decision::{Decision, DecisionKind};
use model::gate::{Objection, ObjectionKind, Verdict};
use model::id::{EventId, NoticeId};
use model::notice::{Channel, Ended, Notice, NoticeKind, Pace, Subscription};
use serde_json::json;
use uuid::Uuid;

use super::*;

/// Notices as they stand, fed with decisions.
#[derive(Default)]
struct Desk {
    notices: BTreeMap<NoticeId, Notice>,
    now: i64,
}

fn event(number: u128) -> EventId {
    EventId(Uuid::from_u128(number))
}

impl Desk {
    /// Takes decisions, one a line: `EVENT KIND ARTIFACT SENTENCE`; the time goes on a second with each.
    fn decide(&mut self, text: &str) -> &mut Self {
        let mut decisions = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            self.now += 1_000_000;
            let (kind, detail) = kind(words[1], words[2]);
            decisions.push(Decision {
                kind,
                at: Timestamp(self.now),
                event: Some(event(words[0].parse().unwrap())),
                plan: None,
                artifact: Some(format!("rpms/{}#f44", words[2]).parse().unwrap()),
                sentence: words.get(3).copied().unwrap_or("so").to_owned(),
                detail,
            });
        }
        let open = self.notices.values().filter(|notice| notice.is_open()).cloned().collect();
        let mut next = self.notices.len() as u128;
        let mut fresh = || {
            next += 1;
            NoticeId(Uuid::from_u128(next))
        };
        for notice in gather(open, &decisions, &mut fresh) {
            self.notices.insert(notice.id, notice);
        }
        self
    }

    /// Lets everything that waits go out.
    fn tell(&mut self) -> &mut Self {
        let now = Timestamp(self.now);
        self.notices.values_mut().for_each(|notice| notice.told = notice.told.or(Some(now)));
        self
    }

    /// Every notice, one a line: `KIND EVENT: ARTIFACT ARTIFACT-`, with `-` for what is fixed and `>` for what moved.
    #[track_caller]
    fn check(&mut self, expected: &str) -> &mut Self {
        let line = |notice: &Notice| {
            let member = |member: &model::notice::Member| {
                let mark = match member.ended {
                    _ if notice.kind == NoticeKind::Fixed => "",
                    None => "",
                    Some(Ended::Fixed) => "-",
                    Some(Ended::Moved) => ">",
                };
                format!("{}{mark}", member.artifact.name)
            };
            let members: Vec<String> = notice.members.iter().map(member).collect();
            let cause = notice.cause.unwrap().0.as_u128();
            format!("{} {cause}: {}", notice.kind, members.join(" "))
        };
        let lines: Vec<String> = self.notices.values().map(line).collect();
        let expected: Vec<&str> =
            expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, expected);
        self
    }
}

fn kind(word: &str, artifact: &str) -> (DecisionKind, serde_json::Value) {
    let objection = |kind| Objection {
        artifact: format!("rpms/{artifact}#f44").parse().unwrap(),
        case: "tests.use".to_owned(),
        kind,
    };
    let refused = |kinds: Vec<ObjectionKind>| {
        json!(Verdict::Refused { objections: kinds.into_iter().map(objection).collect() })
    };
    let failed = ObjectionKind::Failed { note: "it crashed".to_owned() };
    match word {
        "failed" => (DecisionKind::Failed, json!(null)),
        "held" => (DecisionKind::Held, refused(vec![failed, ObjectionKind::Removed])),
        "unsigned" => (DecisionKind::Held, refused(vec![ObjectionKind::Unsigned])),
        "passed" => (DecisionKind::Passed, json!(null)),
        "published" => (DecisionKind::Published, json!(null)),
        "rejected" => (DecisionKind::Rejected, json!(null)),
        "planned" => (DecisionKind::Planned, json!(null)),
        "rebuild" => (DecisionKind::Rebuild, json!(null)),
        "proposed" => (DecisionKind::Proposed, json!(null)),
        "notify" => (DecisionKind::Notify, json!(null)),
        word => panic!("what is {word}?"),
    }
}

#[test]
fn what_ends_in_one_event_is_one_notice() {
    let many: String = (0..40).map(|n| format!("1 failed user{n} no such header\n")).collect();
    let users: Vec<String> = (0..40).map(|n| format!("user{n}")).collect();
    let mut desk = Desk::default();
    desk.decide(&many).check(&format!("failed 1: {}", users.join(" ")));
    // Some more come after it went out: nobody is told again.
    desk.tell().decide("1 failed late no such header");
    assert_eq!(desk.notices.len(), 1);
    // Another cause is another notice.
    desk.decide("2 failed other");
    assert_eq!(desk.notices.len(), 2);
}

#[test]
fn kinds_are_kept_apart() {
    Desk::default()
        .decide("1 failed a\n1 held b\n1 unsigned c\n1 published d\n1 rebuild e\n2 rejected f\n3 proposed g\n3 notify g")
        .check("failed 1: a\nheld 1: b\nwaiting-for-sign-off 1: c\npublished 1: d\nrejected 2: f\nproposed 3: g\nrule 3: g");
}

#[test]
fn well_again_follows_only_what_was_told() {
    let mut desk = Desk::default();
    desk.decide("1 failed a\n1 failed b\n1 passed a\n1 published b").check(
        "failed 1: a- b-
         published 1: b",
    );
    let mut desk = Desk::default();
    desk.decide("1 failed a\n1 failed b").tell().decide("2 passed a").check("failed 1: a- b");
    desk.decide("3 published b").check(
        "failed 1: a- b-
         fixed 1: a b
         published 3: b",
    );
    let fixed = desk.notices.values().find(|notice| notice.kind == NoticeKind::Fixed).unwrap();
    assert!(fixed.about.is_some() && fixed.told.is_none());
    // It is said once.
    desk.tell().decide("3 passed a\n3 passed b");
    assert_eq!(desk.notices.len(), 3);
    // The same trouble later is a notice of its own.
    desk.decide("1 failed a");
    assert_eq!(desk.notices.len(), 4);
}

#[test]
fn a_trouble_that_changes_moves_and_is_not_called_well() {
    let mut desk = Desk::default();
    desk.decide("1 failed a").tell().decide("2 failed a").check("failed 1: a>\nfailed 2: a");
    desk.tell().decide("2 held a").check("failed 1: a>\nfailed 2: a>\nheld 2: a");
    desk.tell().decide("2 passed a").check(
        "failed 1: a>
         failed 2: a>
         held 2: a-
         fixed 2: a",
    );
}

#[test]
fn a_rejected_commit_is_mended_by_one_that_can_be_read() {
    let mut desk = Desk::default();
    desk.decide("1 rejected a").tell().decide("2 passed a").check("rejected 1: a");
    desk.decide("3 planned a").check("rejected 1: a-\nfixed 1: a");
}

#[test]
fn a_notice_goes_out_when_it_is_complete() {
    let patience = Patience { quiet: Duration::from_secs(30), at_most: Duration::from_secs(1800) };
    let mut desk = Desk::default();
    desk.decide("1 failed a\n1 unsigned b\n2 rejected c\n1 published d");
    let due = |kind: NoticeKind, seconds: i64, rests: bool| {
        let notice = desk.notices.values().find(|notice| notice.kind == kind).unwrap();
        let now = Timestamp(notice.changed.0 + seconds * 1_000_000);
        is_due(notice, now, patience, || rests)
    };
    assert!(due(NoticeKind::Rejected, 0, false));
    assert!(!due(NoticeKind::Failed, 29, true));
    assert!(due(NoticeKind::Failed, 30, true));
    assert!(!due(NoticeKind::Failed, 1799, false));
    assert!(due(NoticeKind::Failed, 1800, false));
    assert!(due(NoticeKind::WaitingForSignOff, 30, false));
    assert!(!due(NoticeKind::Published, 30, false));
}

#[test]
fn digests_go_out_at_their_hour_and_failures_wait_longer_each_time() {
    let hour = |hours: i64| Timestamp(hours * 3_600_000_000);
    assert_eq!(next_digest(hour(6), 7), hour(7));
    assert_eq!(next_digest(hour(7), 7), hour(31));
    assert_eq!(next_digest(hour(47), 7), hour(55));
    let minutes: Vec<u64> =
        (1..=10).map(|attempts| backoff(attempts).unwrap().as_secs() / 60).collect();
    assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360]);
    assert_eq!(backoff(20), None);
}

fn wish(person: &str, artifacts: &str, on: &str, pace: Pace) -> Subscription {
    let address = format!("{person}@example.org");
    Subscription {
        person: person.to_owned(),
        channel: Channel::Mail { address },
        artifacts: artifacts.split_whitespace().map(str::to_owned).collect(),
        on: on.split_whitespace().map(|kind| kind.parse().unwrap()).collect(),
        pace,
    }
}

#[test]
fn people_are_told_what_they_asked_for_once_and_the_quick_way() {
    let mut desk = Desk::default();
    desk.decide("1 failed libpng");
    let notice = desk.notices.values().next().unwrap();
    let wishes = [
        wish("ann", "rpms/zlib#*", "failed held", Pace::Daily),
        wish("bob", "rpms/lib*#f44 rpms/x#f44", "failed", Pace::Daily),
        wish("bob", "rpms/libpng#*", "failed", Pace::Immediate),
        wish("cat", "", "failed", Pace::Immediate),
        wish("dan", "", "published", Pace::Immediate),
        wish("eve", "rpms/gtk#*", "failed", Pace::Immediate),
    ];
    let told = |cause: &str| -> Vec<(String, Pace)> {
        let cause = cause.parse().unwrap();
        let chosen = recipients(&wishes, notice, Some(&cause));
        chosen.iter().map(|wish| (wish.person.clone(), wish.pace)).collect()
    };
    let (bob, cat) = (("bob".to_owned(), Pace::Immediate), ("cat".to_owned(), Pace::Immediate));
    assert_eq!(told("rpms/other#f44"), [bob.clone(), cat.clone()]);
    // Whoever looks after the cause wants to know as well.
    assert_eq!(told("rpms/zlib#f44"), [("ann".to_owned(), Pace::Daily), bob, cat]);
}

fn told(notice: &Notice, plan: Option<i64>) -> Told {
    let cause = Cause {
        number: 12,
        artifact: "rpms/zlib#f44".parse().unwrap(),
        sentence: "commit 9f1c0a22b7 to rpms/zlib#f44: Fix inflate".to_owned(),
    };
    Told { notice: notice.clone(), cause: Some(cause), plan }
}

#[test]
fn a_text_says_what_why_and_what_next() {
    let mut desk = Desk::default();
    desk.decide("1 failed libpng no such header\u{1b}[31m\n1 failed gtk took too long\n1 failed tiff no such header\u{1b}[31m");
    let text = compose(&[told(desk.notices.values().next().unwrap(), Some(7))], "https://ms");
    assert_eq!(
        text.subject,
        "rpms/libpng#f44 and 2 more failed after commit 9f1c0a22b7 to rpms/zlib#f44: Fix inflate"
    );
    let expected = "rpms/libpng#f44
rpms/tiff#f44
    no such header [31m
rpms/gtk#f44
    took too long

Why: commit 9f1c0a22b7 to rpms/zlib#f44: Fix inflate (event 12)

Next: a new commit goes on by itself, `millstream retry` tries again, `millstream why rpms/libpng#f44` tells how it came
      https://ms/plans/7
";
    assert_eq!(text.body, expected);
}

#[test]
fn a_text_of_many_has_an_end() {
    let same: String = (0..300).map(|n| format!("1 failed user{n} no such header\n")).collect();
    let apart: String = (0..300).map(|n| format!("1 failed own{n} line {n}\n")).collect();
    let mut desk = Desk::default();
    desk.decide(&format!("{same}{apart}"));
    let text = compose(&[told(desk.notices.values().next().unwrap(), None)], "https://ms");
    assert!(text.body.lines().count() < 60, "{}", text.body);
    assert!(text.body.contains("and 280 more\n    no such header\n"), "{}", text.body);
    assert!(text.body.contains("and 289 more, each in its own way\n"), "{}", text.body);
    assert!(text.body.ends_with("https://ms/events/12\n"), "{}", text.body);
}

#[test]
fn a_digest_has_all_of_them() {
    let mut desk = Desk::default();
    desk.decide("1 published a\n2 held b it crashed\n3 published c\n3 failed d no\n3 passed d");
    let all: Vec<Told> = desk.notices.values().map(|notice| told(notice, None)).collect();
    let text = compose(&all, "https://ms");
    assert_eq!(text.subject, "4 notices: 1 failed, 1 held, 2 published");
    let titles: Vec<&str> = text.body.lines().filter(|line| line.starts_with("* ")).collect();
    let expected = [
        "* rpms/d#f44 failed: no",
        "* rpms/b#f44 is held: it crashed",
        "* rpms/a#f44 is published",
        "* rpms/c#f44 is published",
    ];
    let titles: Vec<String> = titles.iter().map(|title| title.replace(": so", "")).collect();
    assert_eq!(titles, expected);
    assert!(text.body.contains("Well again meanwhile: 1"), "{}", text.body);
}
