//! Runs the commands in `transcripts/*.txt` with the real program, each file in a folder of its own, and compares what
//! they print and how they end.
//!
//! `$ millstream …` is a command; below it stands what it prints on standard output and then on standard error, where
//! `…` stands for any text within a line, and `[exit N]` unless it ends with 0. `@ file NAME` to `@ end` is a file that
//! is written first. From `@ serve` on, a web server has the folder, and `{server}` in a command is its address. Lines
//! that begin with `#` are for the reader.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

const PROGRAM: &str = env!("CARGO_BIN_EXE_millstream");

#[test]
fn laying_out() {
    check("init.txt");
}

#[test]
fn events() {
    check("events.txt");
}

#[test]
fn interventions() {
    check("interventions.txt");
}

#[test]
fn gates() {
    check("gates.txt");
}

#[test]
fn rules() {
    check("rules.txt");
}

#[test]
fn tokens() {
    check("tokens.txt");
}

#[test]
fn retention() {
    check("retention.txt");
}

#[test]
fn subscriptions() {
    check("subscriptions.txt");
}

#[test]
fn dependencies() {
    check("dependencies.txt");
}

#[test]
fn fetching() {
    check("fetching.txt");
}

#[test]
fn questions() {
    check("questions.txt");
}

#[test]
fn wrong_use() {
    check("wrong-use.txt");
}

#[test]
fn a_reader_that_hangs_up_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = program(folder.path())
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[track_caller]
fn check(file: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/transcripts").join(file);
    let text = fs::read_to_string(&path).expect(file);
    let folder = tempfile::tempdir().expect("a folder of its own");
    let mut server = None;
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        if let Some(name) = line.strip_prefix("@ file ") {
            let content = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "@ end");
            let content: Vec<&str> = content.collect();
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("a folder");
            fs::write(path, content.join("\n") + "\n").expect("a file in it");
            continue;
        }
        if line == "@ serve" {
            server = Some(Server::of(folder.path()));
            continue;
        }
        let Some(command) = line.strip_prefix("$ millstream") else {
            assert!(
                line.is_empty() || line.starts_with('#'),
                "{file}:{}: what is this?",
                index + 1
            );
            continue;
        };
        let mut expected = Vec::new();
        while let Some((_, line)) = lines.next_if(|(_, line)| {
            !line.starts_with("$ ") && !line.starts_with("@ ") && !line.starts_with('#')
        }) {
            expected.push(line);
        }
        while expected.last().is_some_and(|line| line.is_empty()) {
            expected.pop();
        }
        let address = server.as_ref().map_or("", |server| &server.address);
        let printed = run(folder.path(), &words(&command.replace("{server}", address)));
        let printed: Vec<&str> = printed.lines().collect();
        let same = printed.len() == expected.len()
            && printed.iter().zip(&expected).all(|(line, pattern)| matches(pattern, line));
        let (printed, expected) = (printed.join("\n"), expected.join("\n"));
        assert!(
            same,
            "{file}:{}: {line}\n--- printed\n{printed}\n--- expected\n{expected}",
            index + 1
        );
    }
}

/// Python's web server; it ends when this is dropped.
struct Server {
    address: String,
    python: Child,
}

impl Server {
    fn of(folder: &Path) -> Self {
        let mut python = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python3 starts");
        let mut line = String::new();
        let stdout = python.stdout.take().expect("it is piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line that names the port");
        let port = line.split(' ').nth(5).expect(&line);
        Self { address: format!("http://127.0.0.1:{port}"), python }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.python.kill();
        let _ = self.python.wait();
    }
}

/// The program with nothing of whoever runs the tests.
fn program(folder: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", folder);
    command
}

fn run(folder: &Path, words: &[String]) -> String {
    let output =
        program(folder).args(words).stdin(Stdio::null()).output().expect("the program starts");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("it prints UTF-8");
    let mut printed = text(&output.stdout) + &text(&output.stderr);
    while printed.ends_with("\n\n") {
        printed.pop();
    }
    match output.status.code() {
        Some(0) => printed,
        Some(code) => printed + &format!("[exit {code}]\n"),
        None => panic!("it was ended by a signal: {}", output.status),
    }
}

/// The words of a command; quotes hold blanks together.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '\'' | '"');
        let (word, after) = if quoted {
            rest[1..].split_once(first).expect("a quote that is not closed")
        } else {
            rest.split_once(' ').unwrap_or((rest, ""))
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Whether the pieces between the ellipses stand in the line, in their order.
fn matches(pattern: &str, line: &str) -> bool {
    let mut pieces = pattern.split('…');
    let Some(mut rest) = line.strip_prefix(pieces.next().unwrap_or_default()) else { return false };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        match rest.split_once(piece) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn patterns_match_what_they_should() {
    assert!(matches("a … c", "a b c") && matches("…", "") && matches("a…", "abc"));
    assert!(!matches("a … c", "a b d") && !matches("a", "ab") && !matches("…x…", "abc"));
    assert_eq!(words(" a 'b c'  \"d\" e"), ["a", "b c", "d", "e"]);
}
