//! `[retention]`: how long things are kept on the disk.

use std::time::Duration;

use pipeline::retention::Policy;
use serde::{Deserialize, Deserializer, de::Error};

/// How long things are kept. What is published, and what is under way, stays whatever this says.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Whether anything is removed at all.
    pub enabled: bool,
    /// How often it is looked at.
    #[serde(with = "super::seconds")]
    pub every_seconds: Duration,
    /// Logs of builds and of test runs, after their end.
    #[serde(rename = "logs_days", deserialize_with = "days")]
    pub logs: Duration,
    /// Repositories that builds and tests were resolved from, after their last use. They can be made again.
    #[serde(rename = "snapshots_days", deserialize_with = "days")]
    pub snapshots: Duration,
    /// Outputs of builds that nobody uses, after that began.
    #[serde(rename = "builds_days", deserialize_with = "days")]
    pub builds: Duration,
    /// How many generations of each branch's published repository.
    pub generations: usize,
    /// How many composes of each line.
    pub composes: usize,
}

const DAY: Duration = Duration::from_secs(86_400);

impl Default for Retention {
    fn default() -> Self {
        Self {
            enabled: true,
            every_seconds: Duration::from_secs(3600),
            logs: DAY * 90,
            snapshots: DAY * 7,
            builds: DAY * 30,
            generations: 5,
            composes: 5,
        }
    }
}

impl Retention {
    /// What the decision takes.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            logs: self.logs,
            snapshots: self.snapshots,
            builds: self.builds,
            generations: self.generations,
            composes: self.composes,
        }
    }
}

/// Days, fractions allowed.
fn days<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let days = f64::deserialize(from)?;
    Duration::try_from_secs_f64(days * DAY.as_secs_f64())
        .map_err(|_| D::Error::custom(format!("{days} is not a number of days")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_nothing_else() {
        let read: Retention = toml::from_str("logs_days = 0.5\ngenerations = 2").unwrap();
        assert_eq!((read.logs, read.generations), (DAY / 2, 2));
        assert!(toml::from_str::<Retention>("logs_days = -1").is_err());
        assert!(toml::from_str::<Retention>("log_days = 1").is_err());
    }
}
