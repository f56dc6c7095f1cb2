//! What would be installed so that everything asked for holds.

use std::fmt;

use serde::Serialize;
use utoipa::ToSchema;

use super::question::{Asked, Question};
use super::{Followed, Loaded};
use crate::admin::AdminError;

/// What came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// These packages would be installed, by NEVRA.
    Installed(Vec<String>),
    /// It cannot be, for these reasons.
    Problems(Vec<String>),
}

impl Resolution {
    /// Whether it can be installed.
    pub fn is_possible(&self) -> bool {
        matches!(self, Self::Installed(_))
    }
}

impl Loaded {
    /// What would be installed.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a wish is none, or something that must be there is not.
    pub fn resolve(&self, asked: &Asked) -> Result<Resolution, AdminError> {
        Ok(resolve(&Question::new(&self.universe, &self.wanted, asked)?))
    }
}

impl Followed {
    /// The same with what is there now.
    ///
    /// # Errors
    /// As [`Loaded::resolve`].
    pub fn resolve(&self, asked: &Asked) -> Result<Resolution, AdminError> {
        Ok(resolve(&Question::new(self.live.universe(), &self.wanted, asked)?))
    }
}

fn resolve(question: &Question<'_>) -> Resolution {
    let tables = question.universe().tables();
    match question.solve() {
        Ok(installed) => {
            Resolution::Installed(installed.iter().map(|id| tables.nevra(*id)).collect())
        }
        Err(problems) => Resolution::Problems(problems),
    }
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Installed(lines) | Self::Problems(lines)) = self;
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
