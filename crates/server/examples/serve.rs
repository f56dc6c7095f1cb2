//! tmp
use std::path::PathBuf;
#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_writer(std::io::stderr)
        .init();
    let data: PathBuf = std::env::args().nth(1).unwrap().into();
    let config =
        server::config::Config { listen: "127.0.0.1:8484".into(), data, ..Default::default() };
    let server = server::run::start(config, &[]).await.unwrap();
    tokio::signal::ctrl_c().await.unwrap();
    server.stop().await;
}
