//! What protects the pages: no form of another site is taken, no page may be framed or asks elsewhere, and a token is
//! wanted where one is configured.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::server::Server;
use crate::sources::{Package, Spec};

/// An answer.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

fn ask(address: &str, what: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut head =
        format!("{what} HTTP/1.1\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    if !headers.iter().any(|(name, _)| *name == "Host") {
        head.push_str(&format!("Host: {address}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        head.push_str("Content-Type: application/x-www-form-urlencoded\r\n");
    }
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines();
        lines
            .filter_map(|line| line.split_once(": "))
            .find(|(own, _)| *own == name)
            .map_or("", |(_, value)| value)
    }

    fn form_token(&self) -> String {
        let (_, rest) = self.body.split_once("name=\"form_token\" value=\"").expect("a form");
        rest.split('"').next().unwrap().to_owned()
    }
}

const HOLD: &str = "/holds/new?artifact=rpms/lib%23f44";

fn hold(form_token: &str) -> String {
    format!("form_token={form_token}&artifact=rpms%2Flib%23f44&kind=hold&author=ann&reason=so")
}

fn server(config: &str) -> Server {
    let server = Server::start(config);
    Package::new(&server, "lib").push_spec(&Spec::of("lib").write());
    server.until_event("lib", "planned");
    server
}

#[test]
fn only_our_own_forms_are_taken() {
    let server = server("");
    let address = server.address();
    let page = ask(address, &format!("GET {HOLD}"), &[], "");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"),
        "{policy}"
    );
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert!(!page.body.contains(" style=") && !page.body.contains(" onclick="));
    let form = hold(&page.form_token());
    let send = |headers: &[(&str, &str)], body: &str| {
        ask(address, "POST /holds/new", headers, body).status
    };
    assert_eq!(send(&[], &hold("0")), 403);
    assert_eq!(send(&[], "artifact=rpms%2Flib%23f44&kind=hold&author=ann&reason=so"), 403);
    assert_eq!(send(&[("Origin", "http://evil.example")], &form), 403);
    assert_eq!(send(&[("Sec-Fetch-Site", "cross-site")], &form), 403);
    // A name that was made to point at this machine.
    assert_eq!(send(&[("Host", "evil.example"), ("Origin", "http://evil.example")], &form), 403);
    assert_eq!(server.done(&["hold", "list"]).trim(), "nothing is frozen or held");
    let origin = format!("http://{address}");
    let taken = ask(address, "POST /holds/new", &[("Origin", &origin)], &form);
    assert_eq!((taken.status, taken.header("location")), (303, "/artifacts/rpms/lib/f44"));
    assert!(taken.header("set-cookie").contains("HttpOnly; SameSite=Strict"), "{}", taken.head);
    let again = ask(address, "POST /holds/new", &[("Origin", &origin)], &form);
    assert_eq!(again.status, 422);
    assert!(again.body.contains("is under a hold by ann already"), "{}", again.body);
}

#[test]
fn a_token_is_wanted_where_one_is_configured() {
    let server = server("token = \"a long secret\"\n");
    let address = server.address();
    assert_eq!(ask(address, "GET /artifacts/rpms/lib/f44", &[], "").status, 200);
    let sent_on = ask(address, &format!("GET {HOLD}"), &[], "");
    assert_eq!(sent_on.status, 303);
    assert!(sent_on.header("location").starts_with("/session?then=/holds/new"), "{}", sent_on.head);
    let entry = ask(address, "GET /session?then=//evil.example", &[], "");
    assert!(entry.body.contains("name=\"then\" value=\"/\""), "{}", entry.body);
    let enter = |token: &str| {
        let token = token.replace(' ', "+");
        let form = entry.form_token();
        let body = format!("form_token={form}&then=%2Fgates&scope=holds&token={token}");
        ask(address, "POST /session", &[], &body)
    };
    assert!(enter("wrong").body.contains("The token is not known"));
    // It is for messages, here as with the API.
    let refused = enter("a long secret");
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("good for messages, not for holds"), "{}", refused.body);
    let secret = server.done(&["token", "create", "ann", "--scope", "holds"]);
    let entered = enter(secret.trim());
    assert_eq!((entered.status, entered.header("location")), (303, "/gates"));
    let cookie = entered.header("set-cookie").split(';').next().unwrap().to_owned();
    // The form belongs to whoever entered the token.
    let nobodys = ask(address, "POST /holds/new", &[], &hold(&entry.form_token()));
    assert_eq!(nobodys.status, 403);
    let page = ask(address, &format!("GET {HOLD}"), &[("Cookie", &cookie)], "");
    let form = hold(&page.form_token());
    assert_eq!(ask(address, "POST /holds/new", &[], &form).status, 403);
    assert_eq!(ask(address, "POST /holds/new", &[("Cookie", &cookie)], &form).status, 303);
    let held = server.json(&["hold", "list"]);
    assert_eq!(held[0]["author"], "ann (by token ann)");
    // The token is good for that only.
    let gate = "GET /gates/waive?artifact=rpms/lib%23f44&case=tests.x";
    let elsewhere = ask(address, gate, &[("Cookie", &cookie)], "");
    assert!(elsewhere.header("location").contains("scope=gate"), "{}", elsewhere.head);
    let log = server.done(&["audit", "list"]);
    assert_eq!(log.matches("/holds/new").count(), 1, "{log}");
}

#[test]
fn what_is_known_is_not_sent_again() {
    let server = server("");
    let address = server.address();
    // The tag holds the time in steps, one of which may end at any moment.
    let unchanged = (0..5).any(|_| {
        let page = ask(address, "GET /plans", &[], "");
        let tag = page.header("etag").to_owned();
        ask(address, "GET /plans", &[("If-None-Match", &tag)], "").status == 304
    });
    assert!(unchanged);
    let style = ask(address, "GET /plans", &[], "").body;
    let (_, style) = style.split_once("rel=\"stylesheet\" href=\"").unwrap();
    let style = style.split('"').next().unwrap();
    let sheet = ask(address, &format!("GET {style}"), &[], "");
    assert!(sheet.header("cache-control").contains("immutable"), "{}", sheet.head);
    let tag = sheet.header("etag").to_owned();
    assert_eq!(ask(address, "GET /assets/style.css", &[("If-None-Match", &tag)], "").status, 304);
    assert_eq!(ask(address, "GET /assets/../../etc/passwd", &[], "").status, 404);
    let nothing = ask(address, "GET /nowhere", &[("Accept", "text/html")], "");
    assert!(
        nothing.status == 404 && nothing.body.contains("There is nothing here"),
        "{}",
        nothing.body
    );
    assert!(ask(address, "GET /nowhere", &[], "").header("content-type").contains("problem+json"));
}
