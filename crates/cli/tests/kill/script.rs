//! What happens in every round, step by step: pushes and messages, and how the world rests after each.

use std::sync::Arc;

use crate::distribution::{Distribution, REPOSITORIES};
use crate::process::Address;

/// One step of the script.
pub(crate) struct Act {
    /// What is done, for those who read along.
    pub(crate) title: &'static str,
    /// Does it.
    pub(crate) deed: Deed,
    /// How many messages have come in by its end, since the beginning.
    pub(crate) messages: u64,
    /// The steps of plans that stay open, by state.
    pub(crate) rests: &'static [(&'static str, u64)],
}

/// What is done.
#[derive(Clone, Copy)]
pub(crate) enum Deed {
    /// The repositories are there when the server starts.
    Nothing,
    /// Files of one of the example's pushes.
    Push(&'static str, &'static str),
    /// One text of one file becomes another.
    Edit((&'static str, &'static str), &'static str, &'static str),
    /// A message with this id, topic and body. It is sent until it is acknowledged.
    Send(&'static str, &'static str, &'static str),
}

const REQUEST: &str =
    r#"{"artifact": "rpms/sundial#f44", "request": "rebuild", "by": "ann", "reason": "to see"}"#;

/// The script. Each step begins when nothing is left to do about the one before.
pub(crate) fn script() -> Vec<Act> {
    let weekday = ("rpms/dayof", "tests/weekday");
    let misspelt = Deed::Edit(("rpms/harbours", "harbours.spec"), "Summary:", "Sumary:");
    let wider = Deed::Edit(("composes/harbour", "compose.toml"), "[\"quill\"]", "[\"colophon\"]");
    let act =
        |title, deed, messages| Act { title, deed, messages: REPOSITORIES + messages, rests: &[] };
    vec![
        act("import", Deed::Nothing, 0),
        act("a fix, its ABI kept", Deed::Push("1-abi-kept-fix", "rpms/daycount"), 1),
        act("a new soname", Deed::Push("2-new-soname", "rpms/daycount"), 2),
        act("a syntax error", misspelt, 3),
        act("a request", Deed::Send("request-1", "millstream.request", REQUEST), 4),
        act("the same again", Deed::Send("request-1", "millstream.request", REQUEST), 4),
        act("nonsense", Deed::Send("nonsense-1", "git.ref", r#"{"repository": 7}"#), 5),
        // The compose waits for the gate of what it ships.
        Act {
            rests: &[("held", 1), ("rebuild", 1)],
            ..act("a test fails", Deed::Edit(weekday, "= Thursday", "= Friday"), 6)
        },
        act("it is put right", Deed::Edit(weekday, "= Friday", "= Thursday"), 7),
        act("an image", Deed::Push("6a-poster", "containers/sundial-poster"), 8),
        act("a compose", wider, 9),
    ]
}

impl Deed {
    /// Does it, whatever becomes of the server meanwhile.
    pub(crate) async fn perform(self, distribution: Arc<Distribution>, server: &Address) {
        if let Self::Send(id, topic, body) = self {
            return server.send(id, topic, body).await;
        }
        let push = move || match self {
            Self::Push(push, package) => distribution.push_example(push, package),
            Self::Edit(file, from, to) => distribution.push_edit(file, from, to),
            Self::Nothing | Self::Send(..) => {}
        };
        tokio::task::spawn_blocking(push).await.unwrap();
    }
}
