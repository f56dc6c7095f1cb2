//! Tokens by which clients of the API show who they are, and what each is good for. A secret is shown once; its digest is what is kept.

use std::fmt::{self, Write as _};
use std::fs::File;
use std::io::Read as _;
use std::str::FromStr;

use model::artifact::InvalidName;
use model::digest::Digest;
use serde::{Deserialize, Serialize};
use store::tokens::{self, Token};
use utoipa::ToSchema;

use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};

/// Where secrets come from.
const RANDOM: &str = "/dev/urandom";

/// What a token or a session is good for. Reading needs none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// To send messages of any topic.
    Messages,
    /// To send results of tests, and no other messages.
    Results,
    /// To waive and to sign off.
    Gate,
    /// To run, retry and cancel plans.
    Plans,
    /// To freeze, hold and release artifacts.
    Holds,
    /// To do all of it.
    Admin,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 6] =
        [Self::Messages, Self::Results, Self::Gate, Self::Plans, Self::Holds, Self::Admin];

    /// Its name in tokens, configuration and listings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Results => "results",
            Self::Gate => "gate",
            Self::Plans => "plans",
            Self::Holds => "holds",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text).ok_or_else(|| InvalidName {
            what: "scope",
            text: text.to_owned(),
            expected: "messages, results, gate, plans, holds or admin",
        })
    }
}

/// A token that was made just now, with its secret.
#[derive(Clone, Debug, Serialize)]
pub struct NewToken {
    /// Its name.
    pub name: String,
    /// The secret, which nobody can show again.
    pub secret: String,
    /// Until when it is good.
    pub expires: Option<Moment>,
}

impl fmt::Display for NewToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.secret)
    }
}

/// A token without its secret.
#[derive(Clone, Debug, Serialize)]
pub struct TokenView {
    /// Its name.
    pub name: String,
    /// What it is good for.
    pub scopes: Vec<String>,
    /// Since when.
    pub created: Moment,
    /// Until when.
    pub expires: Option<Moment>,
    /// When it was revoked.
    pub revoked: Option<Moment>,
    /// Whether it is good now.
    pub valid: bool,
}

/// Tokens, by name.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct TokenList(pub Vec<TokenView>);

impl fmt::Display for TokenList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no tokens");
        }
        let row = |token: &TokenView| {
            let state = match (token.valid, token.revoked) {
                (true, _) => "valid",
                (false, Some(_)) => "revoked",
                (false, None) => "expired",
            };
            let expires = token.expires.map_or("-".to_owned(), |end| end.to_string());
            [
                token.name.clone(),
                state.to_owned(),
                token.created.to_string(),
                expires,
                token.scopes.join(","),
            ]
        };
        Table::of(["NAME", "STATE", "CREATED", "EXPIRES", "SCOPES"], self.0.iter().map(row)).fmt(f)
    }
}

/// That a token is good for nothing any more.
#[derive(Clone, Debug, Serialize)]
pub struct RevokedToken {
    /// Its name.
    pub name: String,
}

impl fmt::Display for RevokedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "token {} is revoked", self.name)
    }
}

impl Admin {
    /// Makes a token.
    ///
    /// # Errors
    /// [`AdminError::Input`] when the name is taken or empty, or the end is past.
    pub async fn create_token(
        &self,
        name: &str,
        scopes: &[Scope],
        expires: Option<Moment>,
    ) -> Result<NewToken, AdminError> {
        let now = self.now();
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(AdminError::Input(
                "the token's name is empty or has control characters".to_owned(),
            ));
        }
        if let Some(end) = expires.filter(|end| end.0 <= now) {
            return Err(AdminError::Input(format!(
                "{end} is past: the token would never be valid"
            )));
        }
        let secret = secret()?;
        let token = Token {
            name: name.to_owned(),
            secret: Digest::of(&secret),
            scopes: scopes.iter().map(Scope::to_string).collect(),
            created: now,
            expires: expires.map(|end| end.0),
            revoked: None,
        };
        self.write(async |tx| {
            if tokens::list(tx).await?.iter().any(|other| other.name == token.name) {
                return Err(AdminError::Input(format!(
                    "there is a token {name} already: choose another name"
                )));
            }
            Ok(tokens::put(tx, &token).await?)
        })
        .await?;
        Ok(NewToken { name: token.name, secret, expires })
    }

    /// Every token, without its secret.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn tokens(&self) -> Result<TokenList, AdminError> {
        let now = self.now();
        let view = |token: Token| TokenView {
            valid: token.is_valid(now),
            name: token.name,
            scopes: token.scopes,
            created: Moment(token.created),
            expires: token.expires.map(Moment),
            revoked: token.revoked.map(Moment),
        };
        let found = tokens::list(&mut *self.store.read().await?).await?;
        Ok(TokenList(found.into_iter().map(view).collect()))
    }

    /// Revokes a token.
    ///
    /// # Errors
    /// [`AdminError::Input`] when there is none, or it is revoked already.
    pub async fn revoke_token(&self, name: &str) -> Result<RevokedToken, AdminError> {
        self.write(async |tx| {
            let token = tokens::list(tx).await?.into_iter().find(|token| token.name == name);
            match token {
                Some(token) if token.revoked.is_none() => {
                    Ok(tokens::revoke(tx, name, self.now()).await?)
                }
                Some(_) => Err(AdminError::Input(format!("token {name} is revoked already"))),
                None => Err(AdminError::Input(format!(
                    "there is no token {name}: `millstream token list` shows those there are"
                ))),
            }
        })
        .await?;
        Ok(RevokedToken { name: name.to_owned() })
    }
}

/// 32 random bytes.
pub(super) fn random() -> Result<[u8; 32], AdminError> {
    let mut bytes = [0; 32];
    let read = File::open(RANDOM).and_then(|mut random| random.read_exact(&mut bytes));
    read.map_err(|error| AdminError::Outside(format!("could not read {RANDOM}: {error}")))?;
    Ok(bytes)
}

/// 32 random bytes in hexadecimal.
pub(crate) fn secret() -> Result<String, AdminError> {
    let mut secret = String::with_capacity(64);
    for byte in random()? {
        // Writing to a string cannot fail.
        let _ = write!(secret, "{byte:02x}");
    }
    Ok(secret)
}
