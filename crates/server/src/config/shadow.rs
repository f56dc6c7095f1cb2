//! `[shadow]`: listening and planning without acting.

use std::time::Duration;

use serde::Deserialize;

/// Listening and planning without acting.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shadow {
    /// Whether this server only listens and plans; `--shadow` on the command line.
    pub enabled: bool,
    /// How far apart a plan and a build may be to mean the same change. A day's report comes so long after its end.
    #[serde(with = "super::seconds")]
    pub grace_seconds: Duration,
}

impl Default for Shadow {
    fn default() -> Self {
        Self { enabled: false, grace_seconds: Duration::from_secs(6 * 3600) }
    }
}
