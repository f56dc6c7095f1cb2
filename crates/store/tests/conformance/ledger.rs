//! Inbox, events, decisions, outbox.

use model::decision::{Decision, DecisionKind};
use model::event::EventState;
use model::id::EventId;
use model::message::{InboxState, Message, Received};
use serde_json::json;
use store::decisions::DecisionFilter;
use store::events::EventFilter;
use store::inbox::Receipt;
use store::outbox::Outgoing;
use store::{Error, Page, Store, decisions, events, inbox, outbox};

use crate::fixture::{artifact, at, both, committed, id};

fn message(id: &str, body: &str) -> Message {
    Message { id: id.to_owned(), topic: "git.ref".to_owned(), body: body.to_owned() }
}

fn received(id: &str) -> Received {
    Received { message: message(id, "{}"), at: at(5), state: InboxState::Received }
}

async fn waiting(store: &Store) -> Vec<String> {
    let entries = inbox::pending(&mut store.read().await.unwrap(), 100).await.unwrap();
    entries.into_iter().map(|entry| entry.received.message.id).collect()
}

#[tokio::test]
async fn a_message_is_stored_verbatim_and_once() {
    both(|store| async move {
        let long = "x".repeat(10_000);
        let bodies = [("1", "{\"a\": 1}"), ("nul\0", "\0\u{fffd}ü"), (&*long, "not json {")];
        for (id, body) in bodies {
            for expected in [Receipt::Inserted, Receipt::Duplicate] {
                let mut tx = store.begin().await.unwrap();
                let receipt = inbox::receive(&mut tx, &message(id, body), at(1)).await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(receipt, expected);
            }
            let mut conn = store.read().await.unwrap();
            let entry = inbox::get(&mut conn, id).await.unwrap().unwrap();
            assert_eq!(entry.received.message, message(id, body));
            assert_eq!(entry.received.at, at(1));
        }
        // The duplicate's body does not replace the first one's.
        let mut tx = store.begin().await.unwrap();
        let again = inbox::receive(&mut tx, &message("1", "other"), at(9)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(again, Receipt::Duplicate);
        let entry = inbox::get(&mut store.read().await.unwrap(), "1").await.unwrap().unwrap();
        assert_eq!(entry.received.message.body, "{\"a\": 1}");
    })
    .await;
}

#[tokio::test]
async fn a_batch_tells_new_from_known() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        inbox::receive_many(&mut tx, &[received("b")]).await.unwrap();
        let batch: Vec<Received> = ["a", "b", "c", "a"].map(received).to_vec();
        let receipts = inbox::receive_many(&mut tx, &batch).await.unwrap();
        use Receipt::{Duplicate, Inserted};
        assert_eq!(receipts, [Inserted, Duplicate, Inserted, Duplicate]);
        // More than fit into one statement.
        let many: Vec<Received> = (0..1_234).map(|n| received(&format!("m{n}"))).collect();
        let receipts = inbox::receive_many(&mut tx, &many).await.unwrap();
        assert!(receipts.iter().all(|receipt| *receipt == Inserted));
        assert_eq!(inbox::receive_many(&mut tx, &[]).await.unwrap(), []);
        tx.commit().await.unwrap();
        let mut conn = store.read().await.unwrap();
        let counts = inbox::count(&mut conn).await.unwrap();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("received".to_owned(), 1_237)]);
        let pending = inbox::pending(&mut conn, 1_300).await.unwrap();
        let last: Vec<&str> =
            pending.iter().rev().take(2).map(|e| e.received.message.id.as_str()).collect();
        assert_eq!(last, ["m1233", "m1232"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_is_looked_at_once_and_can_be_replayed() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        for (second, id) in ["a", "b", "c"].into_iter().enumerate() {
            inbox::receive(&mut tx, &message(id, "{}"), at(second as i64)).await.unwrap();
        }
        tx.commit().await.unwrap();
        assert_eq!(waiting(&store).await, ["a", "b", "c"]);

        let rejected = InboxState::Rejected {
            place: "body.branch".to_owned(),
            reason: "not a branch".to_owned(),
        };
        let accepted = InboxState::Accepted { event: id(1) };
        let ignored = InboxState::Ignored { reason: "not ours".to_owned() };
        let mut tx = store.begin().await.unwrap();
        let marks = [("a", accepted.clone()), ("b", rejected), ("c", ignored.clone())];
        inbox::mark_many(&mut tx, &marks).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(waiting(&store).await, [""; 0]);

        let mut tx = store.begin().await.unwrap();
        for id in ["a", "unknown"] {
            let error = inbox::mark_many(&mut tx, &[(id, ignored.clone())]).await.unwrap_err();
            assert!(matches!(error, Error::Conflict(_)), "{error}");
        }
        let replayed = [
            inbox::replay(&mut tx, "a").await.unwrap(),
            inbox::replay(&mut tx, "b").await.unwrap(),
            inbox::replay(&mut tx, "unknown").await.unwrap(),
        ];
        assert_eq!(replayed, [false, true, false]);
        tx.commit().await.unwrap();
        assert_eq!(waiting(&store).await, ["b"]);

        let mut conn = store.read().await.unwrap();
        let listed = inbox::list(&mut conn, Some("ignored"), Page::default()).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].received.state, ignored);
        let first = inbox::list(&mut conn, None, Page::first(2)).await.unwrap();
        let ids: Vec<&str> = first.iter().map(|e| e.received.message.id.as_str()).collect();
        assert_eq!(ids, ["c", "b"]);
        let rest = inbox::list(&mut conn, None, Page::before(first[1].number, 2)).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert_eq!(rest[0].received.state, accepted);
        assert_eq!(inbox::last_received_at(&mut conn).await.unwrap(), Some(at(2)));
    })
    .await;
}

#[tokio::test]
async fn events_are_numbered_and_change_state_once() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let (zlib, png) = (committed("zlib", 1), committed("png", 2));
        let first = events::insert(&mut tx, id(11), &zlib, at(1)).await.unwrap();
        let second = events::insert(&mut tx, id(12), &png, at(2)).await.unwrap();
        assert!(first < second);
        tx.commit().await.unwrap();

        let mut conn = store.read().await.unwrap();
        let event = events::get(&mut conn, id(11)).await.unwrap().unwrap();
        assert_eq!((event.number, event.at, event.state), (first, at(1), EventState::New));
        assert_eq!(event.event, zlib);
        assert_eq!(events::by_number(&mut conn, first).await.unwrap(), Some(event.clone()));
        assert_eq!(events::get(&mut conn, id(13)).await.unwrap(), None);
        assert_eq!(events::by_number(&mut conn, 1_000).await.unwrap(), None);
        let many = events::get_many(&mut conn, &[id(12), id(13), id(11)]).await.unwrap();
        assert_eq!(many.iter().map(|e| e.number).collect::<Vec<_>>(), [first, second]);
        assert_eq!(events::pending(&mut conn, 10).await.unwrap(), many);
        assert_eq!(events::pending(&mut conn, 1).await.unwrap(), many[..1]);
        drop(conn);

        let mut tx = store.begin().await.unwrap();
        let (new, planned) = (EventState::New, EventState::Planned);
        events::set_state(&mut tx, &[id(11)], new, planned).await.unwrap();
        let error = events::set_state(&mut tx, &[id(11)], new, planned).await.unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{error}");
        tx.commit().await.unwrap();

        let list = async |filter: EventFilter, page| {
            let mut conn = store.read().await.unwrap();
            let events = events::list(&mut conn, &filter, page).await.unwrap();
            events.iter().map(|event| event.number).collect::<Vec<_>>()
        };
        let any = EventFilter::default();
        assert_eq!(list(any.clone(), Page::default()).await, [second, first]);
        assert_eq!(list(any.clone(), Page::first(1)).await, [second]);
        assert_eq!(list(any.clone(), Page::before(second, 5)).await, [first]);
        let of = |name| EventFilter { artifact: Some(artifact(name)), ..any.clone() };
        assert_eq!(list(of("zlib"), Page::default()).await, [first]);
        assert_eq!(list(of("unknown"), Page::default()).await, [0; 0]);
        let kind = |kind: &str| EventFilter { kind: Some(kind.to_owned()), ..any.clone() };
        assert_eq!(list(kind("committed"), Page::default()).await, [second, first]);
        assert_eq!(list(kind("requested"), Page::default()).await, [0; 0]);
        let state = EventFilter { state: Some(planned), ..any.clone() };
        assert_eq!(list(state, Page::default()).await, [first]);
    })
    .await;
}

#[tokio::test]
async fn an_event_id_is_taken_once() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        events::insert(&mut tx, id(1), &committed("zlib", 1), at(1)).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let again = events::insert(&mut tx, id(1), &committed("zlib", 2), at(1)).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn many_events_keep_their_order_and_change_together() {
    both(|store| async move {
        // Ids against the order, and more than one statement takes.
        let many: Vec<_> = (1..=1_200u128)
            .map(|n| (id(2_000 - n), committed(&format!("p{}", n % 7), 1)))
            .collect();
        let ids: Vec<EventId> = many.iter().map(|(id, _)| *id).collect();
        let mut tx = store.begin().await.unwrap();
        let numbers = events::insert_many(&mut tx, &many, at(1)).await.unwrap();
        assert!(numbers.is_sorted());
        let pending = events::pending(&mut tx, 5_000).await.unwrap();
        assert_eq!(pending.iter().map(|event| event.number).collect::<Vec<_>>(), numbers);
        assert_eq!(pending.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
        tx.commit().await.unwrap();

        let (new, planned) = (EventState::New, EventState::Planned);
        let mut tx = store.begin().await.unwrap();
        events::set_state(&mut tx, &ids[1..], new, planned).await.unwrap();
        assert_eq!(events::pending(&mut tx, 5_000).await.unwrap(), pending[..1]);
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let error = events::set_state(&mut tx, &ids[..2], new, planned).await.unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "one of them was planned: {error}");
    })
    .await;
}

#[tokio::test]
async fn decisions_are_found_by_what_they_are_about() {
    both(|store| async move {
        let line = |sentence: &str| Decision {
            kind: DecisionKind::Planned,
            at: at(1),
            event: None,
            plan: None,
            artifact: None,
            sentence: sentence.to_owned(),
            detail: json!({"nul": "\0", "list": [1, null]}),
        };
        let lines = [
            line("nothing"),
            Decision { plan: Some(id(1)), artifact: Some(artifact("zlib")), ..line("both") },
            Decision { event: Some(id(2)), ..line("event") },
        ];
        let mut tx = store.begin().await.unwrap();
        decisions::append_many(&mut tx, &lines).await.unwrap();
        decisions::append_many(&mut tx, &[]).await.unwrap();
        tx.commit().await.unwrap();

        let list = async |filter: DecisionFilter, page| {
            let mut conn = store.read().await.unwrap();
            decisions::list(&mut conn, &filter, page).await.unwrap()
        };
        let any = DecisionFilter::default;
        let all = list(any(), Page::default()).await;
        let stored: Vec<&Decision> = all.iter().rev().map(|line| &line.decision).collect();
        assert_eq!(stored, lines.iter().collect::<Vec<_>>());
        assert_eq!(list(any(), Page::before(all[0].number, 1)).await, all[1..2]);
        let plan = DecisionFilter { plan: Some(id(1)), ..any() };
        assert_eq!(list(plan, Page::default()).await, all[1..2]);
        let event = DecisionFilter { event: Some(id(2)), ..any() };
        assert_eq!(list(event, Page::default()).await, all[..1]);
        let about = |name| DecisionFilter { artifact: Some(artifact(name)), ..any() };
        assert_eq!(list(about("zlib"), Page::default()).await, all[1..2]);
        assert_eq!(list(about("unknown"), Page::default()).await, []);
    })
    .await;
}

#[tokio::test]
async fn messages_leave_once_and_in_order() {
    both(|store| async move {
        let outgoing = |number: u128| Outgoing {
            id: id(number),
            topic: "millstream.published".to_owned(),
            body: json!({"number": number.to_string()}),
            at: at(1),
        };
        let mut tx = store.begin().await.unwrap();
        for number in [3, 1, 2] {
            outbox::push(&mut tx, &outgoing(number)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let pending = outbox::pending(&mut tx, 10).await.unwrap();
        assert_eq!(pending, [outgoing(3), outgoing(1), outgoing(2)]);
        outbox::mark_sent(&mut tx, id(3), at(2)).await.unwrap();
        let again = outbox::mark_sent(&mut tx, id(3), at(2)).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        assert_eq!(outbox::pending(&mut tx, 1).await.unwrap(), [outgoing(1)]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_is_not_committed_never_was() {
    both(|store| async move {
        for dropped in [true, false] {
            let mut tx = store.begin().await.unwrap();
            inbox::receive(&mut tx, &message("1", "{}"), at(1)).await.unwrap();
            events::insert(&mut tx, id(1), &committed("zlib", 1), at(1)).await.unwrap();
            let out = Outgoing { id: id(1), topic: "t".to_owned(), body: json!(1), at: at(1) };
            outbox::push(&mut tx, &out).await.unwrap();
            match dropped {
                true => drop(tx),
                false => tx.rollback().await.unwrap(),
            }
            let mut tx = store.begin().await.unwrap();
            assert_eq!(inbox::get(&mut tx, "1").await.unwrap(), None);
            assert_eq!(events::pending(&mut tx, 10).await.unwrap(), []);
            assert_eq!(outbox::pending(&mut tx, 10).await.unwrap(), []);
            assert_eq!(store::artifacts::find(&mut tx, &artifact("zlib")).await.unwrap(), None);
        }
    })
    .await;
}

#[tokio::test]
async fn a_snapshot_shows_one_state() {
    both(|store| async move {
        let mut snapshot = store.snapshot().await.unwrap();
        assert_eq!(events::pending(&mut snapshot, 10).await.unwrap(), []);
        let mut tx = store.begin().await.unwrap();
        events::insert(&mut tx, id(1), &committed("zlib", 1), at(1)).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(events::pending(&mut snapshot, 10).await.unwrap(), []);
        let mut conn = store.read().await.unwrap();
        assert_eq!(events::pending(&mut conn, 10).await.unwrap().len(), 1);
    })
    .await;
}
