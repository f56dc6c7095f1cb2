//! From the ledger to a real mail server and a real receiver of webhooks.

mod receiver;
mod smtp;

use std::sync::Arc;
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::{Clock as _, ManualClock, Timestamp};
use model::decision::{Decision, DecisionKind};
use model::event::{Event, Severity};
use model::id::EventId;
use model::notice::{Channel, Delivery, DeliveryState, NoticeKind, Pace, Subscription};
use serde_json::Value;
use store::{Page, Store, decisions, deliveries, events, leases, notices, subscriptions};

use self::receiver::{Receiver, SECRET};
use self::smtp::{Sink, Taken};
use super::*;
use crate::clock::mint;
use crate::config::Config;

struct Scene {
    config: Config,
    store: Store,
    clock: Arc<ManualClock>,
    lease: Lease,
    sink: Sink,
    _folder: tempfile::TempDir,
}

fn key(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

impl Scene {
    /// Nine o'clock on some day; the ledger is read from here on.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::start().await;
        let mut config = Config { data: folder.path().to_owned(), ..Config::default() };
        config.notify.mail.port = sink.port;
        config.notify.mail.from = "Millstream <ms@example.org>".to_owned();
        config.notify.url = Some("https://ms.example.org/".to_owned());
        let store = Store::open(&config.db_url()).await.unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp(0) + hours(24 * 20_000 + 9)));
        let mut tx = store.begin().await.unwrap();
        let lease = leases::acquire(&mut tx, "stage:notify", "me", clock.now(), hours(9999)).await;
        tx.commit().await.unwrap();
        let lease = lease.unwrap().unwrap();
        let scene = Self { config, store, clock, lease, sink, _folder: folder };
        scene.go_on().await;
        scene
    }

    fn records(&self) -> Records<'_> {
        let Self { config, store, clock, lease, .. } = self;
        Records { config, store, clock: clock.as_ref(), lease }
    }

    /// Looks until nothing more is to be done.
    async fn go_on(&self) {
        while go_on(&self.records()).await.unwrap() == Outcome::Busy {}
    }

    async fn wait(&self, duration: Duration) {
        self.clock.advance(duration);
        self.go_on().await;
    }

    async fn subscribe(&self, person: &str, channel: Channel, artifact: &str, pace: Pace) {
        let subscription = Subscription {
            person: person.to_owned(),
            channel,
            artifacts: vec![artifact.to_owned()],
            on: NoticeKind::ALL.into(),
            pace,
        };
        let mut tx = self.store.begin().await.unwrap();
        subscriptions::insert(&mut tx, &subscription, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn committed(&self, name: &str) -> EventId {
        let event = Event::Committed {
            artifact: key(name),
            commit: "c".repeat(40).parse().unwrap(),
            previous: None,
            forced: false,
            severity: Severity::None,
            subject: "Break it".to_owned(),
        };
        let id = mint();
        let mut tx = self.store.begin().await.unwrap();
        events::insert(&mut tx, id, &event, self.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn decide(&self, kind: DecisionKind, event: EventId, names: &[&str]) {
        let decision = |name: &&str| Decision {
            kind,
            at: self.clock.now(),
            event: Some(event),
            plan: None,
            artifact: Some(key(name)),
            sentence: "no such header".to_owned(),
            detail: Value::Null,
        };
        let all: Vec<Decision> = names.iter().map(decision).collect();
        let mut tx = self.store.begin().await.unwrap();
        decisions::append_many(&mut tx, &all).await.unwrap();
        tx.commit().await.unwrap();
        self.go_on().await;
    }

    fn mails(&self) -> Vec<Taken> {
        self.sink.taken()
    }

    /// Those of one person, in the order in which they came.
    fn mails_to(&self, person: &str) -> Vec<Taken> {
        let address = format!("{person}@example.org");
        self.mails().into_iter().filter(|mail| mail.to == address).collect()
    }

    async fn deliveries(&self) -> Vec<Delivery> {
        deliveries::list(&mut self.store.read().await.unwrap(), None, Page::default())
            .await
            .unwrap()
    }
}

fn mail(person: &str) -> Channel {
    Channel::Mail { address: format!("{person}@example.org") }
}

const LATER: Duration = Duration::from_secs(31);

#[tokio::test]
async fn forty_failures_of_one_cause_are_one_mail() {
    let scene = Scene::start().await;
    scene.subscribe("ann", mail("ann"), "rpms/zlib#*", Pace::Immediate).await;
    scene.subscribe("bob", mail("bob"), "rpms/user7#*", Pace::Immediate).await;
    scene.subscribe("eve", mail("eve"), "rpms/other#*", Pace::Immediate).await;
    let event = scene.committed("zlib").await;
    let names: Vec<String> = (0..40).map(|n| format!("user{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for some in names.chunks(7) {
        scene.decide(DecisionKind::Failed, event, some).await;
        scene.wait(Duration::from_secs(10)).await;
    }
    assert_eq!(scene.mails().len(), 0);
    scene.wait(LATER).await;
    assert_eq!(scene.mails().len(), 2);
    assert_eq!(scene.mails_to("bob").len(), 1);
    let to_ann = scene.mails_to("ann");
    let text = &to_ann[0].text;
    for part in [
        "and 39 more failed",
        "Why: commit cccccccccc to rpms/zlib#f44: Break it (event 1)",
        "https://ms.example.org/events/1",
        "Millstream, for ann",
    ] {
        assert!(text.replace("=\n", "").contains(part), "{part} is not in\n{text}");
    }
    // More of the same, later: nobody is told again. Then all is well, and they are told.
    scene.decide(DecisionKind::Failed, event, &["late"]).await;
    scene.wait(LATER).await;
    assert_eq!(scene.mails().len(), 2);
    let fix = scene.committed("zlib").await;
    scene.decide(DecisionKind::Passed, fix, &names).await;
    assert_eq!(scene.mails().len(), 2);
    scene.decide(DecisionKind::Published, fix, &["late"]).await;
    assert_eq!(scene.mails().len(), 4);
    let [trouble, fixed] = &scene.mails_to("ann")[..] else { panic!("ann got two") };
    assert!(fixed.header("Subject").unwrap().starts_with("fixed: "), "{}", fixed.text);
    assert_eq!(fixed.header("In-Reply-To"), trouble.header("Message-ID"));
}

#[tokio::test]
async fn what_is_over_before_it_is_told_is_not_told() {
    let scene = Scene::start().await;
    scene.subscribe("ann", mail("ann"), "*", Pace::Immediate).await;
    let event = scene.committed("zlib").await;
    scene.decide(DecisionKind::Failed, event, &["zlib"]).await;
    scene.decide(DecisionKind::Passed, event, &["zlib"]).await;
    scene.wait(LATER).await;
    assert_eq!(scene.mails().len(), 0);
}

#[tokio::test]
async fn a_digest_goes_out_at_its_hour_with_all_of_the_day() {
    let scene = Scene::start().await;
    scene.subscribe("ann", mail("ann"), "*", Pace::Daily).await;
    for name in ["a", "b", "c"] {
        let event = scene.committed(name).await;
        scene.decide(DecisionKind::Failed, event, &[name]).await;
        scene.wait(hours(1)).await;
    }
    // One is well again before anybody read of it: the digest says so, and nothing else does.
    let event = scene.committed("a").await;
    scene.decide(DecisionKind::Passed, event, &["a"]).await;
    scene.wait(hours(18)).await;
    assert_eq!(scene.mails().len(), 0);
    scene.wait(hours(2)).await;
    let mails = scene.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].header("Subject"), Some("3 notices: 3 failed"));
    assert!(mails[0].text.contains("Well again meanwhile: 1"), "{}", mails[0].text);
    scene.wait(hours(24)).await;
    assert_eq!(scene.mails().len(), 1);
}

#[tokio::test]
async fn what_does_not_arrive_is_tried_again_with_the_same_id() {
    let scene = Scene::start().await;
    scene.subscribe("ann", mail("ann"), "*", Pace::Immediate).await;
    scene.sink.be_busy(1);
    let event = scene.committed("zlib").await;
    scene.decide(DecisionKind::Rejected, event, &["zlib"]).await;
    let [waiting] = &scene.deliveries().await[..] else { panic!("there is one") };
    let DeliveryState::Retrying { problem } = &waiting.state else { panic!("{waiting:?}") };
    assert!(problem.contains("451") || problem.contains("busy"), "{problem}");
    scene.wait(Duration::from_secs(59)).await;
    assert_eq!(scene.mails().len(), 0);
    scene.wait(Duration::from_secs(1)).await;
    let mails = scene.mails();
    let id = format!("<{}@example.org>", waiting.id);
    assert_eq!(mails[0].header("Message-ID"), Some(id.as_str()));
    // Killed after it was sent and before that was recorded: it goes out once more, as the same mail.
    let sent = scene.deliveries().await.remove(0);
    assert!(matches!(sent.state, DeliveryState::Sent { .. }), "{sent:?}");
    store_again(&scene, &sent).await;
    scene.go_on().await;
    let mails = scene.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0].text, mails[1].text);
}

/// Takes back that a delivery was sent, as if that had never been recorded.
async fn store_again(scene: &Scene, sent: &Delivery) {
    let sql = format!(
        "UPDATE deliveries SET state = 'waiting', detail = '{{\"state\":\"waiting\"}}' WHERE hex(id) = '{}'",
        sent.id.0.simple().to_string().to_uppercase()
    );
    store::testing::execute(&scene.store, &sql).await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_is_given_up_and_others_are_not_kept_waiting() {
    let scene = Scene::start().await;
    scene.subscribe("nobody", mail("nobody"), "*", Pace::Immediate).await;
    scene.subscribe("ann", mail("ann"), "*", Pace::Immediate).await;
    let event = scene.committed("zlib").await;
    scene.decide(DecisionKind::Rejected, event, &["zlib"]).await;
    let states: Vec<_> = scene.deliveries().await.iter().map(|d| d.state.name()).collect();
    assert!(states.contains(&"given-up") && states.contains(&"sent"), "{states:?}");
}

#[tokio::test]
async fn webhooks_are_signed_retried_and_kept_within_bounds() {
    let mut scene = Scene::start().await;
    let receiver = Receiver::start().await;
    let secret = adapters::delivery::webhook::secret(&SECRET);
    let hook = Channel::Webhook { url: receiver.url.clone(), secret };
    scene.subscribe("bot", hook, "*", Pace::Immediate).await;
    let event = scene.committed("zlib").await;
    scene.decide(DecisionKind::Rejected, event, &["zlib"]).await;
    // A private address is not gone to unless the operator says so.
    let refused = scene.deliveries().await.remove(0);
    assert!(matches!(refused.state, DeliveryState::GivenUp { .. }), "{refused:?}");

    scene.config.notify.webhooks.private_addresses = true;
    receiver.received.lock().unwrap().broken = 1;
    let event = scene.committed("zlib").await;
    scene.decide(DecisionKind::Rejected, event, &["zlib", "png"]).await;
    scene.wait(Duration::from_secs(60)).await;
    let delivery = scene.deliveries().await.remove(0);
    let received = receiver.received.lock().unwrap();
    assert_eq!((received.unsigned, received.bodies.len()), (0, 1));
    let (id, (times, body)) = received.bodies.first_key_value().unwrap();
    assert_eq!(*times, 1);
    assert_eq!(delivery.id.to_string(), *id);
    assert_eq!(body["type"], "notice.rejected");
    assert_eq!(body["data"]["notices"][0]["artifacts"][1]["artifact"], "rpms/png#f44");
    assert_eq!(body["data"]["notices"][0]["cause"]["artifact"], "rpms/zlib#f44");
}

#[tokio::test]
async fn what_happened_before_anybody_could_ask_is_not_told() {
    let scene = Scene::start().await;
    let event = scene.committed("zlib").await;
    store::testing::execute(&scene.store, "DELETE FROM counters WHERE name = 'notices'")
        .await
        .unwrap();
    let mut tx = scene.store.begin().await.unwrap();
    let old = Decision {
        kind: DecisionKind::Failed,
        at: scene.clock.now(),
        event: Some(event),
        plan: None,
        artifact: Some(key("zlib")),
        sentence: "old".to_owned(),
        detail: Value::Null,
    };
    decisions::append_many(&mut tx, &[old]).await.unwrap();
    tx.commit().await.unwrap();
    scene.go_on().await;
    let mut reader = scene.store.read().await.unwrap();
    assert_eq!(notices::untold(&mut reader).await.unwrap(), []);
}
