//! Messages that are none, messages that say nothing sensible, and senders who may not.

use std::process::Command;

use serde_json::Value;

use crate::server::Server;

/// The token of the configuration.
const TOKEN: &str = "sesame";

fn request(id: &str, body: &str) -> String {
    format!(r#"{{"id": "{id}", "topic": "millstream.request", "body": {body}}}"#)
}

const GOOD: &str =
    r#"{"artifact": "rpms/ghost#f44", "request": "rebuild", "by": "ann", "reason": "why not"}"#;

#[test]
fn bad_messages_and_bad_tokens_are_refused_with_their_place() {
    let server = Server::start(&format!("token = \"{TOKEN}\""));
    refuses_what_is_no_message(&server);
    keeps_what_it_cannot_read(&server);
    knows_what_it_has_seen(&server);
    refuses_whom_it_does_not_know(&server);
}

fn refuses_what_is_no_message(server: &Server) {
    let check = |body: &str, status: u16, words: &str| {
        let (got, problem) = server.post(Some(TOKEN), body);
        let detail = problem["detail"].as_str().unwrap_or_default();
        let short = &body[..body.len().min(80)];
        assert_eq!((got, problem["status"].as_u64()), (status, Some(status.into())), "{short}");
        assert!(detail.contains(words), "{short}: {detail}");
    };
    check("", 400, "EOF while parsing a value at line 1 column 0");
    check("{\"id\": \"a\",\n \"topic\" \"b\"}", 400, "expected `:` at line 2 column 10");
    check(r#"{"id": "a", "body": {}}"#, 400, "missing field `topic`");
    check(
        r#"{"id": 7, "topic": "t", "body": {}}"#,
        400,
        "invalid type: integer `7`, expected a string",
    );
    check(r#"{"id": "", "topic": "t", "body": {}}"#, 400, "id must have 1 to 255 bytes");
    check(r#"{"id": "a", "topic": "", "body": {}}"#, 400, "topic must have 1 to 255 bytes");
    check(r#"{"id": "a\u0000", "topic": "t", "body": {}}"#, 400, "id must have");
    check(&request(&"a".repeat(256), "{}"), 400, "id must have");
    let (status, body) = server.get("/api/v2/messages");
    assert_eq!(status, 404);
    assert!(body.contains("there is no /api/v2/messages: there are /health,"), "{body}");
    let message = |size: usize| request("long", &format!("\"{}\"", "a".repeat(size)));
    check(&message(4 << 20), 413, "4194304 bytes at most");
    assert_eq!(server.post(Some(TOKEN), &message((4 << 20) - 100)).0, 202);
}

fn keeps_what_it_cannot_read(server: &Server) {
    let bad = r#"{"artifact": "rpms/zlib", "request": "rebuild", "by": "ann", "reason": "r"}"#;
    assert_eq!(server.post(Some(TOKEN), &request("bad", bad)).0, 202);
    assert_eq!(server.post(Some(TOKEN), &request("number", "7")).0, 202);
    let rejected = || {
        let rejected = server.json(&["event", "rejected"]);
        let find = |id: &str| rejected.as_array()?.iter().find(|one| one["id"] == id).cloned();
        Some((find("bad")?, find("number")?))
    };
    let (bad, number) = server.until("two rejected messages", rejected);
    assert_eq!(bad["place"], "body.artifact");
    assert!(bad["reason"].as_str().unwrap().contains("KIND/NAME#BRANCH"), "{bad}");
    assert_eq!(
        (&number["place"], &number["reason"]),
        (&Value::from("body"), &Value::from("expected an object, got a number"))
    );
    // Nothing was mended, so another look comes to the same.
    server.done(&["event", "replay", "--message", "bad"]);
    server.until("the same rejection", rejected);
    let said = server.cli(&["event", "replay", "--message", "unknown"]);
    assert_eq!(said.code, 2, "{said:?}");
}

fn knows_what_it_has_seen(server: &Server) {
    let states: Vec<(u16, Value)> =
        [(); 3].map(|()| server.post(Some(TOKEN), &request("good", GOOD))).to_vec();
    let told: Vec<(u16, &str)> = states
        .iter()
        .map(|(status, answer)| (*status, answer["state"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [(202, "stored"), (200, "known"), (200, "known")]);
    let event = server.until_event("ghost", "rejected");
    let sentence = &event["decisions"][0]["sentence"];
    assert_eq!(sentence, "rpms/ghost#f44 has no such branch");
    let events = server.json(&["event", "list"]);
    assert_eq!(events.as_array().unwrap().len(), 1, "{events}");
}

fn refuses_whom_it_does_not_know(server: &Server) {
    let check = |token: Option<&str>, status: u16, words: &str| {
        let (got, problem) = server.post(token, &request("again", GOOD));
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert_eq!(got, status, "{token:?}: {problem}");
        assert!(detail.contains(words), "{token:?}: {detail}");
    };
    check(None, 401, "this server wants a token, as `Authorization: Bearer …`");
    check(Some("guessed"), 401, "not known: make one with `millstream token create`");
    let secret = server.done(&["token", "create", "bus"]);
    let secret = secret.trim();
    check(Some(secret), 202, "");
    server.done(&["token", "revoke", "bus"]);
    check(Some(secret), 401, "was revoked: make a new one");
    let reader = server.done(&["token", "create", "reader", "--scope", "results"]);
    check(Some(reader.trim()), 403, "good for results, not for messages");
    let end = Command::new("date").args(["-u", "-d", "+2 seconds", "+%FT%TZ"]).output().unwrap();
    let end = String::from_utf8(end.stdout).unwrap();
    let short = server.done(&["token", "create", "short", "--expires", end.trim()]);
    check(Some(short.trim()), 200, "");
    server.until("a token to expire", || {
        (server.post(Some(short.trim()), &request("again", GOOD)).0 == 401).then_some(())
    });
    check(Some(short.trim()), 401, "has expired: make a new one with `millstream token create`");
}
