//! One undisturbed round on each database, then as many disturbed ones as wanted, each compared with the first.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::publication::Generation;
use store::health::{self, Health};
use store::testing::TestDatabase;
use store::{Store, builds, publications};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::distribution::{BRANCH, Distribution};
use crate::end_state::EndState;
use crate::process::Server;
use crate::script::{Act, script};

/// How often the server is killed in one step of the script, unless the step is over before.
const KILLS: std::ops::Range<u64> = 3..9;

/// A round in which it was killed less often shows nothing.
const FEWEST_KILLS: u64 = 8;

/// What does not rest by then is stuck.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Clone, Copy, Debug)]
enum Database {
    Sqlite,
    Postgres,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_comes_to_the_same_end() {
    let rounds: u64 = number("MILLSTREAM_KILL_ROUNDS").unwrap_or(3);
    // One that failed is repeated by its seed.
    let only = number("MILLSTREAM_KILL_SEED");
    let seeds: Vec<u64> = only.map_or_else(|| (1..=rounds).collect(), |seed| vec![seed]);
    let sqlite = round(Database::Sqlite, None).await;
    let postgres = round(Database::Postgres, None).await;
    expect_same(&postgres, &sqlite, "on PostgreSQL instead of SQLite");
    // Several at once, as rounds wait a good deal.
    let lanes = number("MILLSTREAM_KILL_LANES").unwrap_or(1).max(1) as usize;
    let undisturbed = Arc::new(sqlite);
    let mut running = JoinSet::new();
    for lane in 0..lanes {
        let seeds: Vec<u64> = seeds.iter().copied().skip(lane).step_by(lanes).collect();
        running.spawn(disturbed(seeds, Arc::clone(&undisturbed)));
    }
    while let Some(ended) = running.join_next().await {
        if let Err(failed) = ended {
            std::panic::resume_unwind(failed.into_panic());
        }
    }
}

/// Rounds one after the other, each compared with the undisturbed one.
async fn disturbed(seeds: Vec<u64>, undisturbed: Arc<EndState>) {
    for seed in seeds {
        let database = if seed % 2 == 1 { Database::Sqlite } else { Database::Postgres };
        let end = round(database, Some(seed)).await;
        let when = format!("with MILLSTREAM_KILL_SEED={seed} on {database:?}");
        expect_same(&end, &undisturbed, &when);
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a test runs is for its caller to say")]
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

fn expect_same(end: &EndState, undisturbed: &EndState, when: &str) {
    let differences = end.against(undisturbed);
    assert!(differences.is_empty(), "the end is another {when}:\n{}", differences.join("\n"));
}

/// Goes through the script, killing the server as the seed says or not at all.
async fn round(database: Database, seed: Option<u64>) -> EndState {
    let began = Instant::now();
    let folder = tempfile::Builder::new().prefix("millstream-kill-").tempdir().unwrap();
    let data = folder.path().join("data");
    let db = match database {
        Database::Sqlite => TestDatabase::sqlite(),
        Database::Postgres => TestDatabase::postgres().await,
    };
    let distribution = Arc::new(Distribution::lay_out(folder.path(), data.join("distgit")));
    let store = Store::open(&db.url).await.unwrap();
    let mut server = Server::start(folder.path(), &db.url);
    let mut dice = seed.map(Dice::new);
    let mut kills = 0;
    for act in script() {
        let address = server.address.clone();
        let deed = act.deed.perform(Arc::clone(&distribution), &address);
        kills += play(&mut server, &store, (&act, deed), dice.as_mut()).await;
    }
    server.end().await;
    expect_order(&store, &data).await;
    let end = EndState::read(&store, &data).await;
    store.close().await;
    let seconds = began.elapsed().as_secs_f64();
    match seed {
        Some(seed) => println!("{database:?}, seed {seed}: {kills} kills, {seconds:.1} s"),
        None => println!("{database:?}, undisturbed: {seconds:.1} s"),
    }
    assert!(seed.is_none() || kills >= FEWEST_KILLS, "killed only {kills} times");
    end
}

/// Plays one step of the script until everything rests; returns how often the server was killed meanwhile.
async fn play(
    server: &mut Server,
    store: &Store,
    (act, deed): (&Act, impl Future<Output = ()>),
    mut dice: Option<&mut Dice>,
) -> u64 {
    let work = async {
        deed.await;
        rest(store, act).await;
    };
    tokio::pin!(work);
    let began = Instant::now();
    let mut kills =
        dice.as_mut().map_or(0, |dice| KILLS.start + dice.below(KILLS.end - KILLS.start));
    let mut killed = 0;
    loop {
        let lifetime = match &mut dice {
            Some(dice) if kills > 0 => dice.lifetime(),
            _ => Duration::from_secs(1),
        };
        tokio::select! {
            () = &mut work => return killed,
            () = tokio::time::sleep(lifetime) => {}
        }
        if kills > 0 {
            server.kill_and_restart();
            (kills, killed) = (kills - 1, killed + 1);
        }
        server.expect_alive();
        if began.elapsed() > PATIENCE {
            let stuck = health::read(&mut store.read().await.unwrap()).await.unwrap();
            panic!("{} is stuck: {stuck:#?}\n{}", act.title, server.log_end());
        }
    }
}

/// Waits until all messages are in and nothing is left to do.
async fn rest(store: &Store, act: &Act) {
    loop {
        let mut conn = store.snapshot().await.unwrap();
        let health = health::read(&mut conn).await.unwrap();
        drop(conn);
        if is_at_rest(&health, act) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn is_at_rest(health: &Health, act: &Act) -> bool {
    let active = |counts: &BTreeMap<String, u64>, states: &[&str]| {
        states.iter().any(|state| counts.get(*state).is_some_and(|count| *count > 0))
    };
    let open: Vec<(&str, u64)> =
        health.open_steps.iter().map(|(state, count)| (state.as_str(), *count)).collect();
    health.messages.values().sum::<u64>() == act.messages
        && !active(&health.messages, &["received"])
        && !active(&health.events, &["new"])
        && !active(&health.builds, &["queued", "running"])
        && !active(&health.test_runs, &["queued", "running"])
        && health.unsent == 0
        && open == act.rests
}

/// What holds at the end of every round, disturbed or not.
async fn expect_order(store: &Store, data: &Path) {
    assert_eq!(store.check().await.unwrap(), Vec::<String>::new(), "rows that cannot be read");
    let mut conn = store.snapshot().await.unwrap();
    let page = store::Page::first(10_000);
    let all = builds::list(&mut conn, None, None, page).await.unwrap();
    let different: BTreeSet<_> = all
        .iter()
        .map(|build| (build.artifact.clone(), build.commit.to_string(), build.input.to_string()))
        .collect();
    assert_eq!(different.len(), all.len(), "one build for each artifact, commit and input");
    let branch = BRANCH.parse().unwrap();
    let generations = publications::list(&mut conn, &branch, page).await.unwrap();
    assert!(generations.iter().all(|generation| generation.switched.is_some()));
    expect_told(data, &generations);
}

/// Every generation was told of, at least once, on a line of its own.
fn expect_told(data: &Path, generations: &[Generation]) {
    let bus = fs::read_to_string(data.join("bus.jsonl")).unwrap();
    let mut told = BTreeMap::new();
    for line in bus.lines() {
        let message: serde_json::Value = serde_json::from_str(line).expect(line);
        let number = message["body"]["generation"].as_i64().expect(line);
        let id = message["id"].as_str().expect(line).to_owned();
        let first = told.entry(number).or_insert_with(|| id.clone());
        assert_eq!(*first, id, "a repeated message has the id of the first: {line}");
    }
    let numbers: BTreeSet<i64> = generations.iter().map(|generation| generation.number).collect();
    assert_eq!(told.keys().copied().collect::<BTreeSet<_>>(), numbers, "told of each generation");
}
