//! Decisions -> notices: what ends in one event is one notice, however many artifacts it is about.

use std::collections::BTreeSet;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::decision::{Decision, DecisionKind};
use model::gate::{ObjectionKind, Verdict};
use model::id::NoticeId;
use model::notice::{Ended, Member, Notice, NoticeKind};

/// Takes decisions up into the open notices, in their order; returns those that changed and those that are new, which
/// get their ids from `fresh`.
///
/// A trouble of an artifact joins the open notice of the same kind and cause, whether that went out or not: nobody is
/// told twice of one cause. Whatever comes of the artifact later takes it out again, and when the last one is out that
/// people were told of, a notice says so.
pub fn gather(
    open: Vec<Notice>,
    decisions: &[Decision],
    fresh: &mut dyn FnMut() -> NoticeId,
) -> Vec<Notice> {
    let mut board = Board { notices: open, changed: BTreeSet::new(), fresh };
    for decision in decisions {
        match (signal(decision), &decision.artifact) {
            (Signal::Trouble(kind), Some(artifact)) => board.trouble(kind, decision, artifact),
            (Signal::Well, Some(artifact)) => board.well(decision, artifact),
            (Signal::News(kind), Some(artifact)) => {
                if kind == NoticeKind::Published {
                    board.well(decision, artifact);
                }
                board.news(kind, decision, artifact);
            }
            (Signal::Readable, Some(artifact)) => board.readable(decision, artifact),
            (Signal::Nothing, _) | (_, None) => {}
        }
    }
    let Board { notices, changed, .. } = board;
    let keep = |(index, notice)| changed.contains(&index).then_some(notice);
    notices.into_iter().enumerate().filter_map(keep).collect()
}

/// What a decision means to people.
enum Signal {
    Trouble(NoticeKind),
    /// A gate opened.
    Well,
    /// Something people may want to know, and nothing is amiss.
    News(NoticeKind),
    /// A commit was read and planned.
    Readable,
    Nothing,
}

fn signal(decision: &Decision) -> Signal {
    match decision.kind {
        DecisionKind::Rejected => Signal::Trouble(NoticeKind::Rejected),
        DecisionKind::Failed => Signal::Trouble(NoticeKind::Failed),
        DecisionKind::Held if waits_for_a_person(decision) => {
            Signal::Trouble(NoticeKind::WaitingForSignOff)
        }
        DecisionKind::Held => Signal::Trouble(NoticeKind::Held),
        DecisionKind::Passed => Signal::Well,
        DecisionKind::Published => Signal::News(NoticeKind::Published),
        DecisionKind::Proposed => Signal::News(NoticeKind::Proposed),
        DecisionKind::Notify => Signal::News(NoticeKind::Rule),
        DecisionKind::Planned => Signal::Readable,
        _ => Signal::Nothing,
    }
}

/// Whether nothing stands against it but that somebody must say yes.
fn waits_for_a_person(decision: &Decision) -> bool {
    let verdict: Option<Verdict> = serde_json::from_value(decision.detail.clone()).ok();
    let Some(Verdict::Refused { objections }) = verdict else { return false };
    let needs_yes =
        |kind: &ObjectionKind| matches!(kind, ObjectionKind::Removed | ObjectionKind::Unsigned);
    !objections.is_empty() && objections.iter().all(|objection| needs_yes(&objection.kind))
}

struct Board<'a> {
    notices: Vec<Notice>,
    changed: BTreeSet<usize>,
    fresh: &'a mut dyn FnMut() -> NoticeId,
}

impl Board<'_> {
    fn trouble(&mut self, kind: NoticeKind, decision: &Decision, artifact: &ArtifactKey) {
        let same = |notice: &Notice| {
            notice.kind == kind && notice.cause == decision.event && notice.is_open()
        };
        let found = self.notices.iter().position(same);
        let index = found.unwrap_or_else(|| self.open(kind, decision));
        self.join(index, decision, artifact);
        // Whatever else was the matter with it is so no more.
        for other in (0..self.notices.len()).filter(|other| *other != index) {
            if self.notices[other].kind.is_trouble() {
                self.end(other, decision.at, artifact, Ended::Moved);
            }
        }
    }

    fn news(&mut self, kind: NoticeKind, decision: &Decision, artifact: &ArtifactKey) {
        let same = |notice: &Notice| {
            notice.kind == kind && notice.cause == decision.event && notice.told.is_none()
        };
        let found = self.notices.iter().position(same);
        let index = found.unwrap_or_else(|| self.open(kind, decision));
        self.join(index, decision, artifact);
    }

    /// An artifact is well again; only its next commit ends that one was rejected.
    fn well(&mut self, decision: &Decision, artifact: &ArtifactKey) {
        for index in 0..self.notices.len() {
            let kind = self.notices[index].kind;
            if kind.is_trouble() && kind != NoticeKind::Rejected {
                self.end(index, decision.at, artifact, Ended::Fixed);
            }
        }
    }

    fn readable(&mut self, decision: &Decision, artifact: &ArtifactKey) {
        for index in 0..self.notices.len() {
            if self.notices[index].kind == NoticeKind::Rejected {
                self.end(index, decision.at, artifact, Ended::Fixed);
            }
        }
    }

    fn open(&mut self, kind: NoticeKind, decision: &Decision) -> usize {
        self.notices.push(Notice {
            id: (self.fresh)(),
            kind,
            cause: decision.event,
            plan: decision.plan,
            about: None,
            opened: decision.at,
            changed: decision.at,
            told: None,
            text: None,
            members: Vec::new(),
        });
        self.notices.len() - 1
    }

    fn join(&mut self, index: usize, decision: &Decision, artifact: &ArtifactKey) {
        let notice = &mut self.notices[index];
        notice.members.retain(|member| member.artifact != *artifact);
        notice.members.push(Member {
            artifact: artifact.clone(),
            sentence: decision.sentence.clone(),
            at: decision.at,
            ended: None,
        });
        notice.changed = decision.at;
        // A plan that goes on with another one has the cause as well.
        notice.plan = decision.plan.or(notice.plan);
        self.changed.insert(index);
    }

    /// Ends the trouble of an artifact in one notice; the last one that ends well brings a notice of its own.
    fn end(&mut self, index: usize, at: Timestamp, artifact: &ArtifactKey, how: Ended) {
        let notice = &mut self.notices[index];
        let open = |member: &&mut Member| member.artifact == *artifact && member.ended.is_none();
        let Some(member) = notice.members.iter_mut().find(open) else { return };
        member.ended = Some(how);
        notice.changed = at;
        self.changed.insert(index);
        let fixed: Vec<Member> = (notice.members.iter())
            .filter(|member| member.ended == Some(Ended::Fixed))
            .cloned()
            .collect();
        if notice.told.is_none() || notice.is_open() || fixed.is_empty() {
            return;
        }
        let well = Notice {
            id: (self.fresh)(),
            kind: NoticeKind::Fixed,
            about: Some(notice.id),
            opened: at,
            told: None,
            members: fixed,
            ..notice.clone()
        };
        self.notices.push(well);
        self.changed.insert(self.notices.len() - 1);
    }
}
