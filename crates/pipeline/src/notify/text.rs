//! Notices in words: short, plain text; what, why, and what next.

use std::fmt::Write as _;

use model::artifact::ArtifactKey;
use model::notice::{Ended, Member, Notice, NoticeKind};

/// A notice with what people call its cause and its plan.
#[derive(Clone, Debug)]
pub struct Told {
    /// The notice.
    pub notice: Notice,
    /// The event in which its reasons end.
    pub cause: Option<Cause>,
    /// The public number of its plan.
    pub plan: Option<i64>,
}

/// The event in which the reasons of a notice end.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Its public number.
    pub number: i64,
    /// The artifact it is about.
    pub artifact: ArtifactKey,
    /// What happened.
    pub sentence: String,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// One line.
    pub subject: String,
    /// The rest.
    pub body: String,
}

/// How many groups of artifacts a text spells out.
const GROUPS: usize = 12;
/// How many artifacts of one group.
const ARTIFACTS: usize = 20;
/// How long a sentence may be, and a subject.
const SENTENCE: usize = 300;
const SUBJECT: usize = 120;

/// Puts notices into words. `base` is the address of the pages, without a slash at its end.
pub fn compose(told: &[Told], base: &str) -> Text {
    match told {
        [one] => Text { subject: cut(&title(one), SUBJECT), body: body(one, base) },
        many => digest(many, base),
    }
}

fn digest(many: &[Told], base: &str) -> Text {
    let mut kinds: Vec<(NoticeKind, usize)> = Vec::new();
    for told in many {
        match kinds.iter_mut().find(|(kind, _)| *kind == told.notice.kind) {
            Some((_, count)) => *count += 1,
            None => kinds.push((told.notice.kind, 1)),
        }
    }
    kinds.sort_by_key(|(kind, _)| *kind);
    let counts: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let subject = format!("{} notices: {}", many.len(), counts.join(", "));
    let mut sorted: Vec<&Told> = many.iter().collect();
    sorted.sort_by_key(|told| (told.notice.kind, told.notice.opened));
    let parts = sorted.iter().map(|told| format!("* {}\n\n{}", title(told), body(told, base)));
    Text { subject: cut(&subject, SUBJECT), body: parts.collect::<Vec<_>>().join("\n\n") }
}

/// What happened, in one line.
pub(crate) fn title(told: &Told) -> String {
    let notice = &told.notice;
    if let Some(text) = &notice.text {
        return plain(text.lines().next().unwrap_or_default());
    }
    let open: Vec<&Member> = standing(notice);
    let who = who(&open);
    let be = if open.len() > 1 { "are" } else { "is" };
    let alone = match open.as_slice() {
        [member] => format!(": {}", plain(&member.sentence)),
        _ => told
            .cause
            .as_ref()
            .map(|cause| format!(" after {}", cause.sentence))
            .unwrap_or_default(),
    };
    match notice.kind {
        NoticeKind::Rejected => format!("{who} {be} rejected{alone}"),
        NoticeKind::Failed => format!("{who} failed{alone}"),
        NoticeKind::Held => format!("{who} {be} held{alone}"),
        NoticeKind::WaitingForSignOff => {
            format!("{who} {} for a sign-off", if open.len() > 1 { "wait" } else { "waits" })
        }
        NoticeKind::Proposed => format!("a plan for {who} waits for a person's yes"),
        NoticeKind::Rule => open.first().map_or(who, |member| plain(&member.sentence)),
        NoticeKind::Published => format!("{who} {be} published"),
        NoticeKind::Fixed => format!("fixed: {who}"),
        NoticeKind::ShadowReport => "shadow report".to_owned(),
    }
}

/// The members a notice still has something to say about.
fn standing(notice: &Notice) -> Vec<&Member> {
    let stands = |member: &&Member| !notice.kind.is_trouble() || member.ended.is_none();
    let standing: Vec<&Member> = notice.members.iter().filter(stands).collect();
    // A digest may tell of a trouble that is over by now.
    if standing.is_empty() { notice.members.iter().collect() } else { standing }
}

fn who(members: &[&Member]) -> String {
    match members {
        [] => "nothing".to_owned(),
        [one] => one.artifact.to_string(),
        [first, rest @ ..] => format!("{} and {} more", first.artifact, rest.len()),
    }
}

fn body(told: &Told, base: &str) -> String {
    let Told { notice, cause, plan } = told;
    let mut body = String::new();
    // Writing to a string cannot fail.
    if let Some(text) = &notice.text {
        let _ = writeln!(body, "{}", text.trim_end());
    }
    members(&mut body, notice);
    let over = notice.members.iter().filter(|member| member.ended == Some(Ended::Fixed)).count();
    if notice.kind.is_trouble() && over > 0 {
        let _ = writeln!(body, "Well again meanwhile: {over}");
    }
    if let Some(cause) = cause {
        let _ = writeln!(body, "\nWhy: {} (event {})", plain(&cause.sentence), cause.number);
    }
    let next = next(notice);
    if let Some(next) = &next {
        let _ = writeln!(body, "\nNext: {next}");
    }
    let page = match (plan, cause) {
        (Some(plan), _) => Some(format!("{base}/plans/{plan}")),
        (None, Some(cause)) => Some(format!("{base}/events/{}", cause.number)),
        (None, None) => None,
    };
    if let Some(page) = page {
        let _ = writeln!(body, "{}{page}", if next.is_some() { "      " } else { "\nSee " });
    }
    body.trim_start().to_owned()
}

/// The artifacts, those with the same trouble together.
fn members(body: &mut String, notice: &Notice) {
    let mut groups: Vec<(String, Vec<&ArtifactKey>)> = Vec::new();
    for member in standing(notice) {
        let sentence = plain(&member.sentence);
        match groups.iter_mut().find(|(known, _)| *known == sentence) {
            Some((_, artifacts)) => artifacts.push(&member.artifact),
            None => groups.push((sentence, vec![&member.artifact])),
        }
    }
    let left = groups.len().saturating_sub(GROUPS);
    for (sentence, artifacts) in groups.iter().take(GROUPS) {
        for artifact in artifacts.iter().take(ARTIFACTS) {
            let _ = writeln!(body, "{artifact}");
        }
        if artifacts.len() > ARTIFACTS {
            let _ = writeln!(body, "and {} more", artifacts.len() - ARTIFACTS);
        }
        let _ = writeln!(body, "    {sentence}");
    }
    if left > 0 {
        let _ = writeln!(body, "and {left} more, each in its own way");
    }
}

/// What a person may do about it.
fn next(notice: &Notice) -> Option<String> {
    let open = standing(notice);
    let artifact = &open.first()?.artifact;
    Some(match notice.kind {
        NoticeKind::Rejected => format!("push a fix to {artifact}; nothing else was touched"),
        NoticeKind::Failed => format!(
            "a new commit goes on by itself, `millstream retry` tries again, `millstream why {artifact}` tells how it came"
        ),
        NoticeKind::Held => format!(
            "a fix, `millstream retry`, or `millstream gate waive {artifact}` with a reason; nobody gets it meanwhile"
        ),
        NoticeKind::WaitingForSignOff => {
            format!("`millstream gate sign-off {artifact}` if you agree")
        }
        NoticeKind::Proposed => "`millstream plan approve` if you agree".to_owned(),
        NoticeKind::Rule | NoticeKind::Published | NoticeKind::Fixed | NoticeKind::ShadowReport => {
            return None;
        }
    })
}

/// One line without anything a terminal or a mail program would act on.
fn plain(text: &str) -> String {
    let clean = |character: char| if character.is_control() { ' ' } else { character };
    cut(text.chars().map(clean).collect::<String>().trim(), SENTENCE)
}

fn cut(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    let kept: String = text.chars().take(longest - 1).collect();
    format!("{}…", kept.trim_end())
}
