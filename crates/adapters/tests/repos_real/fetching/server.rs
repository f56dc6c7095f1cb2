//! A web server for the files of a folder, which does wrong what it is told to do wrong.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use model::digest::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What is done to one file.
#[derive(Clone, Debug)]
pub(crate) enum Twist {
    /// This status and no file.
    Status(u16),
    /// A redirection to this place.
    To(String),
    /// Other bytes.
    Bytes(Vec<u8>),
    /// Other bytes, the first time that it is asked for.
    BytesOnce(Vec<u8>),
    /// A length, and half of what it promises.
    Half,
    /// Half of it in chunks, and no last chunk.
    HalfInChunks,
    /// All of it in chunks.
    Chunks,
    /// All of it up to the end of the connection.
    NoLength,
    /// Half of it up to the end of the connection.
    HalfNoLength,
    /// Zeros without an end.
    Endless,
    /// A byte of it now and then.
    Trickle,
    /// The head of an answer, and then nothing.
    Stuck,
    /// No answer at all.
    Silent,
}

#[derive(Debug, Default)]
struct State {
    twists: HashMap<String, Twist>,
    /// Headers that each answer has besides.
    headers: String,
    asked: Vec<String>,
}

/// The server; it ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: String,
    pub(crate) root: PathBuf,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(crate) async fn of(root: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/repo", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let (served, folder) = (state.clone(), root.clone());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                // Whoever hangs up has had enough.
                let (state, root) = (served.clone(), folder.clone());
                tokio::spawn(async move { drop(answer(stream, &root, &state).await) });
            }
        });
        Self { address, root, state, task }
    }

    /// Does something wrong with a file from now on.
    pub(crate) fn twist(&self, path: &str, twist: Twist) {
        self.state.lock().unwrap().twists.insert(path.to_owned(), twist);
    }

    /// Does everything right again.
    pub(crate) fn untwist(&self) {
        self.state.lock().unwrap().twists.clear();
    }

    /// Adds lines to the heads of answers.
    pub(crate) fn add_headers(&self, lines: &str) {
        self.state.lock().unwrap().headers = lines.to_owned();
    }

    /// What was asked for since the last time somebody wanted to know, with the status of the answer.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.state.lock().unwrap().asked)
    }
}

async fn answer(
    mut stream: TcpStream,
    root: &std::path::Path,
    state: &Mutex<State>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().trim_start_matches('/').to_owned();
    let path = path.strip_prefix("repo/").unwrap_or(&path).to_owned();
    let header = |name: &str| {
        let line = head.lines().find(|line| line.to_lowercase().starts_with(name))?;
        Some(line.split_once(": ").unwrap().1.to_owned())
    };
    let (twist, headers) = {
        let mut state = state.lock().unwrap();
        let twist = state.twists.get(&path).cloned();
        if matches!(twist, Some(Twist::BytesOnce(_))) {
            state.twists.remove(&path);
        }
        (twist, state.headers.clone())
    };
    let file = fs::read(root.join(&path));
    let (status, body) = match (&twist, file) {
        (Some(Twist::Status(status)), _) => (*status, b"no file".to_vec()),
        (Some(Twist::To(_)), _) => (302, Vec::new()),
        (Some(Twist::Bytes(bytes) | Twist::BytesOnce(bytes)), _) => (200, bytes.clone()),
        (_, Ok(bytes)) => (200, bytes),
        (_, Err(_)) => (404, Vec::new()),
    };
    let etag = format!("\"{}\"", Digest::of(&body).short());
    let known = header("if-none-match:").is_some_and(|known| known == etag);
    let (status, body) = if known && status == 200 { (304, Vec::new()) } else { (status, body) };
    state.lock().unwrap().asked.push(format!("{path} {status}"));
    let mut head = format!("HTTP/1.1 {status} X\r\n{headers}");
    if !headers.contains("ETag") {
        head += &format!("ETag: {etag}\r\n");
    }
    if let Some(Twist::To(place)) = &twist {
        head += &format!("Location: {place}\r\n");
    }
    send(&mut stream, head, &body, twist).await
}

async fn send(
    stream: &mut TcpStream,
    head: String,
    body: &[u8],
    twist: Option<Twist>,
) -> std::io::Result<()> {
    let half = &body[..body.len() / 2];
    let chunk =
        |bytes: &[u8]| [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat();
    let length = format!("{head}Content-Length: {}\r\n\r\n", body.len());
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let open = format!("{head}\r\n");
    let (head, body) = match twist {
        Some(Twist::Silent) => return std::future::pending().await,
        Some(Twist::Stuck) => {
            stream.write_all(length.as_bytes()).await?;
            return std::future::pending().await;
        }
        Some(Twist::Trickle) => {
            stream.write_all(length.as_bytes()).await?;
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            for byte in body {
                ticks.tick().await;
                stream.write_u8(*byte).await?;
            }
            return Ok(());
        }
        Some(Twist::Endless) => {
            stream.write_all(open.as_bytes()).await?;
            loop {
                stream.write_all(&[0; 4096]).await?;
            }
        }
        Some(Twist::Half) => (length, half.to_vec()),
        Some(Twist::HalfInChunks) => (chunked, chunk(half)),
        Some(Twist::Chunks) => {
            let rest = &body[half.len()..];
            (chunked, [chunk(half), chunk(rest), chunk(b"")].concat())
        }
        Some(Twist::NoLength) => (open, body.to_vec()),
        Some(Twist::HalfNoLength) => (open, half.to_vec()),
        _ => (length, body.to_vec()),
    };
    stream.write_all(&[head.as_bytes(), &body].concat()).await?;
    stream.shutdown().await
}
