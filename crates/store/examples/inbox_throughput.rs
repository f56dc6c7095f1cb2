//! How many messages a second the inbox of an embedded database takes, each acknowledged after its commit.
//!
//! `cargo run --release -p store --example inbox_throughput -- [FOLDER]` writes to a new file in FOLDER (default: the
//! current one, since a temporary folder may be in memory), and removes it.
#![expect(clippy::print_stdout, reason = "an example program shows its figures")]

use std::path::PathBuf;

use model::clock::Timestamp;
use model::message::{InboxState, Message, Received};
use store::{Result, Store, inbox};
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<()> {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("."), PathBuf::from);
    let folder = folder.join("inbox-throughput");
    let store = Store::open(&format!("sqlite:{}/inbox.sqlite", folder.display())).await?;
    for (batch, rounds) in [(1, 500), (10, 200), (100, 100), (500, 50)] {
        let mut waits = Vec::with_capacity(rounds);
        let start = Instant::now();
        for round in 0..rounds {
            let begun = Instant::now();
            let messages: Vec<Received> =
                (0..batch).map(|n| message(&format!("{batch}/{round}/{n}"))).collect();
            let mut tx = store.begin().await?;
            inbox::receive_many(&mut tx, &messages).await?;
            tx.commit().await?;
            waits.push(begun.elapsed());
        }
        let rate = (batch * rounds) as f64 / start.elapsed().as_secs_f64();
        waits.sort_unstable();
        let (median, worst) = (waits[rounds / 2], waits[rounds * 99 / 100]);
        println!(
            "{batch:>4} a commit: {rate:>8.0} messages/s; median {median:.1?}, p99 {worst:.1?}"
        );
    }
    store.close().await;
    drop(std::fs::remove_dir_all(&folder));
    Ok(())
}

fn message(id: &str) -> Received {
    let body = format!("{{\"repository\": \"rpms/zlib\", \"branch\": \"f44\", \"id\": \"{id}\"}}");
    let message = Message { id: id.to_owned(), topic: "git.ref".to_owned(), body };
    Received { message, at: Timestamp(1), state: InboxState::Received }
}
