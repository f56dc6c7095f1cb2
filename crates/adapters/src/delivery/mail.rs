//! Mail by SMTP, to the server that is configured. A repetition has the same Message-ID, by which it is known.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use model::clock::Timestamp;
use serde::Deserialize;

use super::Undelivered;
use crate::http::told;

/// How long the server may take for one command.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where mail is handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The server's name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User and password, if it asks for them.
    pub login: Option<(String, String)>,
    /// Who the mail is from: an address, or `Name <address>`.
    pub from: String,
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Not at all: for a server on the same machine.
    #[default]
    None,
    /// By TLS after a plain beginning; without it nothing is sent.
    StartTls,
    /// By TLS from the beginning.
    Tls,
}

/// One mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What makes its Message-ID; the same for a repetition.
    pub id: String,
    /// The id of the mail it follows up.
    pub follows: Option<String>,
    /// To whom.
    pub to: String,
    /// When it was written.
    pub at: Timestamp,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// Whether a text is an address that mail can be sent to.
///
/// # Errors
/// What is wrong with it.
pub fn check_address(address: &str) -> Result<(), String> {
    address.parse::<Mailbox>().map(drop).map_err(|error| format!("{address:?}: {error}"))
}

/// Hands a mail over.
///
/// # Errors
/// [`Undelivered`], for good if the server refuses it for good.
pub async fn send(server: &Server, mail: &Mail) -> Result<(), Undelivered> {
    let message = message(server, mail).map_err(Undelivered::for_good)?;
    let mut transport = transport(server)?.port(server.port).timeout(Some(PATIENCE));
    if let Some((user, password)) = &server.login {
        transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
    }
    match transport.build().send(message).await {
        Ok(_) => Ok(()),
        Err(error) => Err(Undelivered {
            problem: format!("{}:{}: {}", server.host, server.port, told(&error)),
            for_good: error.is_permanent(),
        }),
    }
}

fn message(server: &Server, mail: &Mail) -> Result<Message, String> {
    let mailbox =
        |text: &str| text.parse::<Mailbox>().map_err(|error| format!("{text:?}: {error}"));
    let from = mailbox(&server.from)?;
    let domain = from.email.domain().to_owned();
    let identified = |id: &str| format!("<{id}@{domain}>");
    let seconds = u64::try_from(mail.at.as_seconds()).unwrap_or_default();
    let mut builder: MessageBuilder = Message::builder()
        .from(from)
        .to(mailbox(&mail.to)?)
        .subject(mail.subject.clone())
        .message_id(Some(identified(&mail.id)))
        .date(UNIX_EPOCH + Duration::from_secs(seconds))
        .header(ContentType::TEXT_PLAIN);
    if let Some(follows) = &mail.follows {
        builder = builder.in_reply_to(identified(follows)).references(identified(follows));
    }
    let mut message = builder.body(mail.body.clone()).map_err(|error| error.to_string())?;
    // RFC 3834: whoever answers by machine does not answer this.
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    message.headers_mut().insert_raw(HeaderValue::new(name, "auto-generated".to_owned()));
    Ok(message)
}

type Transport = AsyncSmtpTransport<Tokio1Executor>;

#[cfg(feature = "tls")]
fn transport(server: &Server) -> Result<AsyncSmtpTransportBuilder, Undelivered> {
    let builder = match server.security {
        Security::None => return Ok(Transport::builder_dangerous(&server.host)),
        Security::StartTls => Transport::starttls_relay(&server.host),
        Security::Tls => Transport::relay(&server.host),
    };
    builder.map_err(|error| Undelivered::for_now(told(&error)))
}

#[cfg(not(feature = "tls"))]
fn transport(server: &Server) -> Result<AsyncSmtpTransportBuilder, Undelivered> {
    match server.security {
        Security::None => Ok(Transport::builder_dangerous(&server.host)),
        Security::StartTls | Security::Tls => Err(Undelivered::for_now(crate::http::NO_TLS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repetition_is_the_same_mail() {
        let server = Server {
            host: "localhost".to_owned(),
            port: 25,
            security: Security::None,
            login: None,
            from: "Millstream <ms@example.org>".to_owned(),
        };
        let mail = Mail {
            id: "1".to_owned(),
            follows: Some("0".to_owned()),
            to: "ann@example.org".to_owned(),
            at: Timestamp(1_700_000_000_000_000),
            subject: "ä".to_owned(),
            body: "ö\n".to_owned(),
        };
        let text = || String::from_utf8(message(&server, &mail).unwrap().formatted()).unwrap();
        let written = text();
        assert_eq!(written, text());
        for line in [
            "Message-ID: <1@example.org>",
            "In-Reply-To: <0@example.org>",
            "Auto-Submitted: auto-generated",
            "Date: Tue, 14 Nov 2023 22:13:20 +0000",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(written.contains(&format!("{line}\r\n")), "{line} is not in\n{written}");
        }
    }

    #[test]
    fn what_is_no_address_is_named() {
        assert!(check_address("ann@example.org").is_ok());
        for bad in ["", "ann", "ann@", "a b@example.org", "ann@example.org\nBcc: eve@example.org"] {
            assert!(check_address(bad).is_err(), "{bad:?}");
        }
    }
}
