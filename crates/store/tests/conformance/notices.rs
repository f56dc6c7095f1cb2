//! Notices, subscriptions, and word on its way.

use model::clock::Timestamp;
use model::decision::{Decision, DecisionKind};
use model::id::NoticeId;
use model::notice::{
    Channel, Delivery, DeliveryState, Ended, Member, Notice, NoticeKind, Pace, Subscription,
};
use store::{Error, Page, decisions, deliveries, notices, subscriptions};

use crate::fixture::{artifact, at, both, id};

fn decision(second: i64) -> Decision {
    Decision {
        kind: DecisionKind::Failed,
        at: at(second),
        event: Some(id(1)),
        plan: None,
        artifact: Some(artifact("zlib")),
        sentence: format!("line {second}"),
        detail: serde_json::Value::Null,
    }
}

fn notice(number: u128, kind: NoticeKind) -> Notice {
    let member = Member {
        artifact: artifact("zlib"),
        sentence: "no such header".to_owned(),
        at: at(1),
        ended: None,
    };
    Notice {
        id: id(number),
        kind,
        cause: Some(id(1)),
        plan: Some(id(2)),
        about: None,
        opened: at(1),
        changed: at(2),
        told: None,
        text: Some("a text".to_owned()),
        members: vec![member],
    }
}

fn delivery(number: u128, due: Timestamp) -> Delivery {
    Delivery {
        id: id(number),
        person: "ann".to_owned(),
        channel: Channel::Mail { address: "ann@example.org".to_owned() },
        pace: Pace::Daily,
        follows: Some(id(99)),
        due,
        attempts: 0,
        state: DeliveryState::Waiting,
    }
}

#[tokio::test]
async fn the_ledger_is_read_once_from_where_reading_began() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        decisions::append_many(&mut tx, &[decision(1)]).await.unwrap();
        assert!(notices::is_behind(&mut tx).await.unwrap());
        assert_eq!(notices::unread(&mut tx, at(100), 10).await.unwrap(), []);
        assert!(!notices::is_behind(&mut tx).await.unwrap());
        decisions::append_many(&mut tx, &[decision(2), decision(3), decision(200)]).await.unwrap();
        let unread = notices::unread(&mut tx, at(100), 10).await.unwrap();
        let seconds: Vec<_> = unread.iter().map(|line| line.decision.at).collect();
        assert_eq!(seconds, [at(2), at(3)]);
        assert_eq!(notices::unread(&mut tx, at(100), 1).await.unwrap(), unread[..1]);
        notices::mark_read(&mut tx, unread[1].number).await.unwrap();
        assert!(notices::is_behind(&mut tx).await.unwrap());
        assert_eq!(notices::unread(&mut tx, at(100), 10).await.unwrap(), []);
        assert_eq!(notices::unread(&mut tx, at(300), 10).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn notices_are_open_until_they_went_out_and_nothing_may_change() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let (trouble, news) = (notice(1, NoticeKind::Failed), notice(2, NoticeKind::Published));
        notices::put(&mut tx, &trouble).await.unwrap();
        notices::put(&mut tx, &news).await.unwrap();
        assert_eq!(notices::get(&mut tx, id(1)).await.unwrap(), Some(trouble.clone()));
        assert_eq!(notices::get(&mut tx, id(3)).await.unwrap(), None);
        let both = [trouble.clone(), news.clone()];
        assert_eq!(notices::untold(&mut tx).await.unwrap(), both);
        assert_eq!(notices::open(&mut tx, at(2)).await.unwrap(), both);
        assert_eq!(notices::open(&mut tx, at(3)).await.unwrap(), []);
        assert_eq!(notices::list(&mut tx, None, Page::default()).await.unwrap(), []);

        let told = |notice: &Notice| Notice { told: Some(at(5)), ..notice.clone() };
        notices::put(&mut tx, &told(&trouble)).await.unwrap();
        notices::put(&mut tx, &told(&news)).await.unwrap();
        assert_eq!(notices::untold(&mut tx).await.unwrap(), []);
        assert_eq!(notices::open(&mut tx, at(0)).await.unwrap(), [told(&trouble)]);
        let mut over = told(&trouble);
        over.members[0].ended = Some(Ended::Fixed);
        notices::put(&mut tx, &over).await.unwrap();
        assert_eq!(notices::open(&mut tx, at(0)).await.unwrap(), []);
        let listed = notices::list(&mut tx, None, Page::default()).await.unwrap();
        let found: Vec<_> = listed.iter().map(|numbered| numbered.notice.clone()).collect();
        assert_eq!(found, [told(&news), over.clone()]);
        let failed = notices::list(&mut tx, Some(NoticeKind::Failed), Page::default()).await;
        assert_eq!(failed.unwrap()[0].notice, over);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn people_come_and_go() {
    both(|store| async move {
        let wish = Subscription {
            person: "ann".to_owned(),
            channel: Channel::Webhook {
                url: "https://example.org/hook".to_owned(),
                secret: "whsec_AAAA".to_owned(),
            },
            artifacts: vec!["rpms/zlib#*".to_owned()],
            on: [NoticeKind::Failed, NoticeKind::WaitingForSignOff].into(),
            pace: Pace::Immediate,
        };
        let mut tx = store.begin().await.unwrap();
        let number = subscriptions::insert(&mut tx, &wish, at(1)).await.unwrap();
        let second = subscriptions::insert(&mut tx, &wish, at(2)).await.unwrap();
        subscriptions::remove(&mut tx, second).await.unwrap();
        let again = subscriptions::remove(&mut tx, second).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        let list = subscriptions::list(&mut tx).await.unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(
            (list[0].number, &list[0].subscription, list[0].created),
            (number, &wish, at(1))
        );
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn word_goes_out_once_and_is_tried_until_then() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let ids: [NoticeId; 2] = [id(1), id(2)];
        for (number, kind) in [(1, NoticeKind::Failed), (2, NoticeKind::Published)] {
            notices::put(&mut tx, &notice(number, kind)).await.unwrap();
        }
        let digest = delivery(11, at(10));
        deliveries::insert(&mut tx, &digest, ids[1], at(1)).await.unwrap();
        let channel = &digest.channel;
        let found = deliveries::waiting(&mut tx, "ann", channel, at(10)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&digest));
        for (person, due) in [("ann", 11), ("bob", 10)] {
            let found = deliveries::waiting(&mut tx, person, channel, at(due)).await.unwrap();
            assert_eq!(found, None);
        }
        deliveries::join(&mut tx, digest.id, ids[0]).await.unwrap();
        deliveries::join(&mut tx, digest.id, ids[0]).await.unwrap();
        let told = deliveries::notices_of(&mut tx, digest.id).await.unwrap();
        assert_eq!(told.iter().map(|notice| notice.id).collect::<Vec<_>>(), ids);
        let of_notice = deliveries::of_notice(&mut tx, ids[0]).await.unwrap();
        assert_eq!(of_notice, std::slice::from_ref(&digest));

        deliveries::insert(&mut tx, &delivery(12, at(8)), ids[0], at(1)).await.unwrap();
        assert_eq!(deliveries::due(&mut tx, at(7), 10).await.unwrap(), []);
        let due = deliveries::due(&mut tx, at(10), 10).await.unwrap();
        assert_eq!(due.iter().map(|delivery| delivery.due).collect::<Vec<_>>(), [at(8), at(10)]);
        assert_eq!(deliveries::due(&mut tx, at(10), 1).await.unwrap(), due[..1]);

        let state = DeliveryState::Retrying { problem: "nobody answers".to_owned() };
        let retrying = Delivery { due: at(20), attempts: 1, state, ..digest.clone() };
        deliveries::update(&mut tx, &retrying).await.unwrap();
        assert_eq!(deliveries::waiting(&mut tx, "ann", channel, at(20)).await.unwrap(), None);
        let sent = Delivery { state: DeliveryState::Sent { at: at(21) }, attempts: 2, ..retrying };
        deliveries::update(&mut tx, &sent).await.unwrap();
        let again = deliveries::update(&mut tx, &sent).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        let listed = deliveries::list(&mut tx, Some("sent"), Page::default()).await.unwrap();
        assert_eq!(listed, [sent]);
        assert_eq!(deliveries::list(&mut tx, None, Page::default()).await.unwrap().len(), 2);
        let counts = deliveries::count(&mut tx).await.unwrap();
        assert_eq!(counts, [("sent".to_owned(), 1), ("waiting".to_owned(), 1)].into());
        tx.commit().await.unwrap();
    })
    .await;
}
