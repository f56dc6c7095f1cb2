//! `[notify]`: how word reaches people, and who wants it.

use std::collections::BTreeSet;
use std::time::Duration;

use adapters::delivery::mail::{self, Security, Server};
use adapters::delivery::webhook;
use model::notice::{Channel, NoticeKind, Pace, Subscription};
use pipeline::notify::Patience;
use serde::Deserialize;

/// How word reaches people.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notify {
    /// The address of the pages, as people reach it; `http://` and what the server listens on if it is left out.
    pub url: Option<String>,
    /// When digests go out: an hour of the day, in UTC.
    pub digest_hour: u8,
    /// How long a notice waits after its last change for more of the same.
    #[serde(with = "super::seconds")]
    pub gather_seconds: Duration,
    /// How long it waits at most while its plan moves.
    #[serde(with = "super::seconds")]
    pub gather_at_most_seconds: Duration,
    /// Where mail is handed over.
    pub mail: Mail,
    /// Where webhooks may go.
    pub webhooks: Webhooks,
    /// Who wants to be told, beside those `millstream subscribe` knows.
    pub subscriptions: Vec<Subscribed>,
}

/// Where mail is handed over.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// `none`, `starttls` or `tls`.
    pub security: Security,
    /// The user, if it asks for one.
    pub user: Option<String>,
    /// Their password.
    pub password: Option<String>,
    /// Who the mail is from.
    pub from: String,
}

/// Where webhooks may go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Whether to addresses that are not public, this machine's among them.
    pub private_addresses: bool,
}

/// A subscription in the configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Written")]
pub struct Subscribed(pub(crate) Subscription);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    person: String,
    address: Option<String>,
    webhook: Option<String>,
    secret: Option<String>,
    #[serde(default)]
    artifacts: Vec<String>,
    #[serde(default = "usual_kinds")]
    on: BTreeSet<NoticeKind>,
    #[serde(default)]
    digest: Pace,
}

impl TryFrom<Written> for Subscribed {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let Written { person, address, webhook, secret, artifacts, on, digest } = written;
        let channel = channel(&person, address, webhook.zip(secret))?;
        Ok(Self(Subscription { person, channel, artifacts, on, pace: digest }))
    }
}

/// What people are told of who do not say.
pub(crate) fn usual_kinds() -> BTreeSet<NoticeKind> {
    let usual = |kind: &NoticeKind| kind.is_trouble() || *kind == NoticeKind::Proposed;
    NoticeKind::ALL.into_iter().filter(usual).collect()
}

/// A way to reach a person: an address, or a URL with a secret.
pub(crate) fn channel(
    person: &str,
    address: Option<String>,
    webhook: Option<(String, String)>,
) -> Result<Channel, String> {
    if person.trim().is_empty() || person.chars().any(char::is_control) {
        return Err("the person's name is empty or has control characters".to_owned());
    }
    match (address, webhook) {
        (Some(address), None) => {
            mail::check_address(&address)?;
            Ok(Channel::Mail { address })
        }
        (None, Some((url, secret))) => {
            webhook::check(&url, &secret)?;
            Ok(Channel::Webhook { url, secret })
        }
        (None, None) => Err(format!("{person} has neither an address nor a webhook with a secret")),
        (Some(_), Some(_)) => {
            Err(format!("{person} has an address and a webhook: give one of them"))
        }
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self {
            url: None,
            digest_hour: 7,
            gather_seconds: Duration::from_secs(30),
            gather_at_most_seconds: Duration::from_secs(1800),
            mail: Mail::default(),
            webhooks: Webhooks::default(),
            subscriptions: Vec::new(),
        }
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self {
            host: "127.0.0.1".to_owned(),
            port: 25,
            security: Security::None,
            user: None,
            password: None,
            from: "Millstream <millstream@localhost>".to_owned(),
        }
    }
}

impl Mail {
    /// What the adapter takes.
    pub(crate) fn server(&self) -> Server {
        let Self { host, port, security, user, password, from } = self.clone();
        Server { host, port, security, login: user.zip(password), from }
    }
}

impl Notify {
    /// What the decision takes.
    pub(crate) fn patience(&self) -> Patience {
        Patience { quiet: self.gather_seconds, at_most: self.gather_at_most_seconds }
    }
}

impl super::Config {
    /// The address of the pages, without a slash at its end.
    pub(crate) fn base_url(&self) -> String {
        let url = self.notify.url.clone().unwrap_or_else(|| format!("http://{}", self.listen));
        url.trim_end_matches('/').to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_are_read_and_checked() {
        let text = "[[subscriptions]]\nperson = \"ann\"\naddress = \"ann@example.org\"\ndigest = \"daily\"";
        let read: Notify = toml::from_str(text).unwrap();
        let Subscribed(ann) = &read.subscriptions[0];
        assert_eq!((ann.pace, ann.on.len()), (Pace::Daily, 5));
        for wrong in [
            "person = \"ann\"",
            "person = \" \"\naddress = \"ann@example.org\"",
            "person = \"ann\"\naddress = \"ann\"",
            "person = \"ann\"\nwebhook = \"https://example.org\"",
            "person = \"ann\"\nwebhook = \"https://example.org\"\nsecret = \"short\"",
            "person = \"ann\"\naddress = \"ann@example.org\"\non = [\"rain\"]",
        ] {
            assert!(
                toml::from_str::<Notify>(&format!("[[subscriptions]]\n{wrong}")).is_err(),
                "{wrong}"
            );
        }
    }
}
