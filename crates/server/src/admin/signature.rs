//! Who intervenes and why; both are kept with the decision.

use model::digest::Digest;
use serde::Serialize;

use super::AdminError;

/// Who intervenes and why; and, if they looked first, what they saw.
#[derive(Clone, Debug)]
pub struct Signature {
    /// Who.
    pub author: String,
    /// Why.
    pub reason: String,
    /// The digest of the answer that this is about, as `seen` gives it; nothing is done if the answer is another now.
    pub seen: Option<Digest>,
}

impl Signature {
    /// Refuses to act if whoever signs has seen something else than `now`.
    pub(crate) fn still_holds(&self, now: &impl Serialize) -> Result<(), AdminError> {
        match self.seen {
            Some(digest) if digest != seen(now)? => Err(AdminError::Outdated(
                "it has changed since you looked: look again, then decide again".to_owned(),
            )),
            _ => Ok(()),
        }
    }

    /// An author and a reason that say something.
    pub(crate) fn check(&self) -> Result<(), AdminError> {
        signed(&self.author, &self.reason)
    }
}

/// What somebody saw, as the digest of its JSON.
pub(crate) fn seen(answer: &impl Serialize) -> Result<Digest, AdminError> {
    let json = serde_json::to_vec(answer).map_err(AdminError::outside)?;
    Ok(Digest::of(json))
}

/// An author and a reason that say something.
pub(crate) fn signed(author: &str, reason: &str) -> Result<(), AdminError> {
    let missing = [("author", author), ("reason", reason)]
        .into_iter()
        .find(|(_, text)| text.trim().is_empty());
    match missing {
        Some((what, _)) => {
            Err(AdminError::Input(format!("the {what} is empty: it is kept with the decision")))
        }
        None => Ok(()),
    }
}
