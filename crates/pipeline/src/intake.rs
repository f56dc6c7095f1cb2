//! Messages become events: each topic has a translator, and nothing of its wire format goes further than that.
//!
//! | topic | translator | what it says |
//! |---|---|---|
//! | `git.ref` | [`git_ref`] | a branch of dist-git moved, came or went |
//! | `millstream.request` | [`request`] | somebody asks for a rebuild or a retest |
//! | `millstream.test-result` | [`test_result`] | another test system reports |
//! | `millstream.time` | [`time_elapsed`] | the time of a rule has come |
//! | `millstream.built` | [`built`] | another build system made something |
//! | `…buildsys.tag` | [`koji_tag`] | a Koji hub tagged a build |

mod body;

pub mod built;
pub mod git_ref;
pub mod koji_tag;
pub mod request;
pub mod test_result;
pub mod time_elapsed;

use model::event::Event;

use body::Body;

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Something happened.
    Event(Event),
    /// It is well-formed and of no concern to us.
    Ignored {
        /// Why.
        reason: String,
    },
}

/// A message that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not read {place}: {reason}")]
pub struct Unreadable {
    /// Where in the message, e.g. `body.branch`.
    pub place: String,
    /// What is wrong there.
    pub reason: String,
}

/// Reads a message's topic and body.
///
/// The body of a topic that is not known is not looked at, and fields that are not known are passed over: senders add to
/// their messages over the years.
///
/// # Errors
/// [`Unreadable`] with the first place at which the body of a known topic is not what it should be.
pub fn read(topic: &str, body: &str) -> Result<Reading, Unreadable> {
    let translate = match topic {
        git_ref::TOPIC => git_ref::translate,
        request::TOPIC => request::translate,
        test_result::TOPIC => test_result::translate,
        time_elapsed::TOPIC => time_elapsed::translate,
        built::TOPIC => built::translate,
        topic if koji_tag::is_meant(topic) => koji_tag::translate,
        _ => return Ok(Reading::Ignored { reason: format!("nobody listens to topic {topic:?}") }),
    };
    translate(&Body::parse(body)?)
}

#[cfg(test)]
mod tests;
