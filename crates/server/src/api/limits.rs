//! How many requests a client may make: a bucket for each address, and one for each token.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use model::clock::Timestamp;
use model::digest::Digest;

use super::Api;
use super::access::bearer;
use super::problem::{Kind, Problem};
use crate::config;

/// What a refused token costs its address: guessing is slow.
const COST_OF_A_REFUSAL: u32 = 20;

/// The buckets of all clients.
pub(super) struct Limits {
    addresses: Buckets<IpAddr>,
    tokens: Buckets<Digest>,
}

impl Limits {
    pub(super) fn new(config: &config::Api) -> Self {
        let (rate, burst) = (config.requests_per_second, config.burst);
        Self { addresses: Buckets::new(rate, burst), tokens: Buckets::new(rate, burst) }
    }
}

/// Lets a request in, or says when to come again.
///
/// A request with a token counts for the token, so that clients behind one proxy do not get into each other's way; an
/// address that sent refused tokens is let in no more all the same.
pub(super) async fn admit(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let (limits, now) = (&api.limits, api.clock.now());
    let token = bearer(request.headers()).map(Digest::of);
    let admitted = match token {
        Some(token) => limits
            .addresses
            .take(peer.ip(), 0, now)
            .and_then(|()| limits.tokens.take(token, 1, now)),
        None => limits.addresses.take(peer.ip(), 1, now),
    };
    admitted.map_err(|wait| {
        let seconds = wait.as_secs() + 1;
        let detail = format!("too many requests: come again in {seconds} s");
        Problem::new(Kind::TooManyRequests, detail).with(header::RETRY_AFTER, &seconds.to_string())
    })?;
    let response = next.run(request).await;
    if token.is_some() && response.status() == StatusCode::UNAUTHORIZED {
        // It was not let in, so that there is nobody to tell when the bucket runs over.
        let _ = limits.addresses.take(peer.ip(), COST_OF_A_REFUSAL, now);
    }
    Ok(response)
}

/// Buckets that leak at one rate (the generic cell rate algorithm of ITU-T I.371). For each there is one time: when it
/// will have run empty.
struct Buckets<K> {
    interval: Duration,
    burst: u32,
    empty_at: Mutex<HashMap<K, Timestamp>>,
}

/// How many buckets are looked at before those that are empty are thrown away.
const MANY: usize = 10_000;

impl<K: Eq + Hash> Buckets<K> {
    /// Buckets for so many requests a second, with so many at once; a rate of 0 is no limit.
    fn new(rate: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1).checked_div(rate).unwrap_or(Duration::ZERO);
        Self { interval, burst: burst.max(1), empty_at: Mutex::default() }
    }

    /// Puts so many requests in, if the bucket is not full; else says how long until it is not.
    fn take(&self, key: K, count: u32, now: Timestamp) -> Result<(), Duration> {
        let mut all = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() > MANY {
            all.retain(|_, empty_at| *empty_at > now);
        }
        let room = self.interval * self.burst;
        let empty_at = all.get(&key).copied().unwrap_or(now).max(now);
        let level = empty_at.since(now);
        if level + self.interval > room && !self.interval.is_zero() {
            return Err((level + self.interval).saturating_sub(room));
        }
        if count > 0 {
            all.insert(key, empty_at + self.interval * count);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Timestamp {
        Timestamp(1) + Duration::from_millis(millis)
    }

    #[test]
    fn a_burst_is_let_in_and_then_one_at_a_time() {
        let buckets = Buckets::new(10, 3);
        let take =
            |key: u8, millis| buckets.take(key, 1, at(millis)).map_err(|wait| wait.as_millis());
        assert_eq!([take(1, 0), take(1, 0), take(1, 0)], [Ok(()); 3]);
        assert_eq!(take(1, 0), Err(100));
        assert_eq!(take(1, 40), Err(60));
        assert_eq!(take(2, 40), Ok(()));
        assert_eq!([take(1, 100), take(1, 100)], [Ok(()), Err(100)]);
        assert_eq!([take(1, 900), take(1, 900), take(1, 900)], [Ok(()); 3]);
    }

    #[test]
    fn looking_costs_nothing_and_a_refusal_much() {
        let buckets = Buckets::new(10, 3);
        for _ in 0..10 {
            assert!(buckets.take(1, 0, at(0)).is_ok());
        }
        buckets.take(1, 20, at(0)).unwrap();
        assert_eq!(buckets.take(1, 0, at(0)).map_err(|wait| wait.as_millis()), Err(1_800));
    }

    #[test]
    fn a_rate_of_nothing_is_no_limit() {
        let buckets = Buckets::new(0, 1);
        assert!((0..1000).all(|_| buckets.take(1, 1, at(0)).is_ok()));
    }
}
