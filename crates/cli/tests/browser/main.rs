//! The pages in Debian's chromium: people find their way, by mouse, by keyboard, on a phone, light and dark.
//!
//! A real server builds small packages meanwhile. An accessibility checker looks at every page.

// `cfg(test)` holds for all of it; it tells clippy that this is test code.

#[cfg(test)]
#[path = "../bad_days/server.rs"]
#[expect(dead_code, reason = "other tests ask a server for more")]
mod server;
#[cfg(test)]
#[path = "../bad_days/sources.rs"]
#[expect(dead_code, reason = "other tests do more with packages")]
mod sources;

#[cfg(test)]
mod driver;

#[cfg(test)]
mod accessible;
#[cfg(test)]
mod guarded;
#[cfg(test)]
mod walks;
