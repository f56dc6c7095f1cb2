//! `GET /feed.atom`: the newest notices as an Atom feed (RFC 4287).
//!
//! `?artifact=rpms/zlib%23*` for some artifacts only, a glob; `?person=ann` for what this person is subscribed to.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use model::clock::Timestamp;
use model::notice::Subscription;
use pipeline::notify::{Told, compose, concerns};
use serde::Deserialize;
use store::{Page, notices};

use super::Api;
use super::problem::{Kind, Problem};
use crate::admin::time::Moment;
use crate::reconcile::notify::{all_wishes, told};

/// How many entries a feed has at most, and how many notices are looked through for them.
const ENTRIES: usize = 50;
const LOOKED_AT: u32 = 1000;

/// Which notices are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    artifact: Option<String>,
    person: Option<String>,
}

/// Writes the feed.
pub(super) async fn show(
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let mut reader = api.store.snapshot().await?;
    let wishes = match &wanted.person {
        Some(person) => {
            let all = all_wishes(&mut reader, &api.config).await?;
            let own: Vec<Subscription> =
                all.into_iter().filter(|wish| wish.person == *person).collect();
            if own.is_empty() {
                let detail = format!("{person:?} has no subscription: `millstream subscribe add`");
                return Err(Problem::new(Kind::NotFound, detail));
            }
            Some(own)
        }
        None => None,
    };
    let globs: Vec<String> = wanted.artifact.iter().cloned().collect();
    let mut entries = Vec::new();
    for found in notices::list(&mut reader, None, Page::first(LOOKED_AT)).await? {
        let told = told::about(&mut reader, found.notice).await?;
        if is_wanted(&told, &globs, wishes.as_deref()) {
            entries.push(told);
        }
        if entries.len() == ENTRIES {
            break;
        }
    }
    let text = feed(&entries, &api.config.base_url(), &query(&wanted));
    Ok(([(header::CONTENT_TYPE, "application/atom+xml; charset=utf-8")], text))
}

fn is_wanted(told: &Told, globs: &[String], wishes: Option<&[Subscription]>) -> bool {
    let cause = told.cause.as_ref().map(|cause| &cause.artifact);
    let wished = |wish: &Subscription| {
        wish.on.contains(&told.notice.kind) && concerns(&wish.artifacts, &told.notice, cause)
    };
    concerns(globs, &told.notice, cause) && wishes.is_none_or(|wishes| wishes.iter().any(wished))
}

/// The query that asks for this feed again.
fn query(wanted: &Wanted) -> String {
    let pairs = [("artifact", &wanted.artifact), ("person", &wanted.person)];
    let pairs: Vec<String> = pairs
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", encoded((*value).as_deref()?))))
        .collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// A value in a query: everything but letters, digits and `-._~` in hexadecimal.
fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

fn feed(entries: &[Told], base: &str, query: &str) -> String {
    let updated = entries.iter().map(|told| told.notice.changed).max().unwrap_or(Timestamp(0));
    let own = xml(&format!("{base}/feed.atom{query}"));
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <feed xmlns=\"http://www.w3.org/2005/Atom\">\n\
         <title>Millstream</title>\n<id>{own}</id>\n<link rel=\"self\" href=\"{own}\"/>\n\
         <author><name>Millstream</name></author>\n<updated>{}</updated>\n",
        Moment(updated)
    );
    for told in entries {
        let notice = &told.notice;
        let words = compose(std::slice::from_ref(told), base);
        let _ = write!(
            text,
            "<entry>\n<id>urn:uuid:{}</id>\n<title>{}</title>\n<published>{}</published>\n\
             <updated>{}</updated>\n<category term=\"{}\"/>\n",
            notice.id,
            xml(&words.subject),
            Moment(notice.opened),
            Moment(notice.changed),
            notice.kind,
        );
        if let Some(plan) = told.plan {
            let _ = writeln!(text, "<link href=\"{}\"/>", xml(&format!("{base}/plans/{plan}")));
        }
        let _ = write!(text, "<content type=\"text\">{}</content>\n</entry>\n", xml(&words.body));
    }
    text.push_str("</feed>\n");
    text
}

/// A text as XML takes it, what it cannot hold left out.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => {}
            character => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::{Command, Stdio};

    use model::notice::{Member, Notice, NoticeKind};
    use pipeline::notify::Cause;
    use uuid::Uuid;

    use super::*;

    fn entry() -> Told {
        let member = Member {
            artifact: "rpms/zlib#f44".parse().unwrap(),
            sentence: "a <b> & \"c\" \u{1b}[0m \u{ffff}".to_owned(),
            at: Timestamp(1),
            ended: None,
        };
        let notice = Notice {
            id: Uuid::from_u128(7).into(),
            kind: NoticeKind::Failed,
            cause: None,
            plan: None,
            about: None,
            opened: Timestamp(1_700_000_000_000_000),
            changed: Timestamp(1_700_000_060_000_000),
            told: Some(Timestamp(1)),
            text: None,
            members: vec![member],
        };
        let cause = Cause {
            number: 1,
            artifact: "rpms/zlib#f44".parse().unwrap(),
            sentence: "commit <x>".to_owned(),
        };
        Told { notice, cause: Some(cause), plan: Some(3) }
    }

    /// Another program's parser reads it: what it says of the feed, one a line.
    fn parsed(feed: &str) -> String {
        let script = "import sys, xml.etree.ElementTree as t
r = t.fromstring(sys.stdin.buffer.read())
n = '{http://www.w3.org/2005/Atom}'
print(r.tag == n + 'feed', r.find(n + 'updated').text, r.find(n + 'link').get('href'))
for e in r.findall(n + 'entry'):
    print(e.find(n + 'id').text, e.find(n + 'title').text, e.find(n + 'link').get('href'), e.find(n + 'category').get('term'))";
        let mut python = Command::new("python3")
            .args(["-I", "-c", script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(feed.as_bytes()).unwrap();
        let output = python.wait_with_output().unwrap();
        assert!(output.status.success(), "{feed}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn a_feed_is_what_an_xml_parser_takes() {
        let wanted = Wanted { artifact: Some("rpms/zlib#*".to_owned()), person: None };
        let feed = feed(&[entry()], "https://ms", &query(&wanted));
        let expected = "True 2023-11-14T22:14:20Z https://ms/feed.atom?artifact=rpms%2Fzlib%23%2A
urn:uuid:00000000-0000-0000-0000-000000000007 rpms/zlib#f44 failed: a <b> & \"c\"  [0m  https://ms/plans/3 failed
";
        assert_eq!(parsed(&feed), expected);
    }

    #[test]
    fn an_empty_feed_is_one_as_well() {
        let wanted = Wanted { artifact: None, person: Some("änn".to_owned()) };
        let feed = feed(&[], "https://ms", &query(&wanted));
        let expected = "True 1970-01-01T00:00:00Z https://ms/feed.atom?person=%C3%A4nn\n";
        assert_eq!(parsed(&feed), expected);
    }

    #[test]
    fn a_feed_has_what_was_asked_for() {
        let told = entry();
        let globs = |glob: &str| vec![glob.to_owned()];
        assert!(is_wanted(&told, &globs("rpms/zlib#*"), None));
        assert!(!is_wanted(&told, &globs("rpms/other#*"), None));
        assert!(!is_wanted(&told, &[], Some(&[])));
    }
}
