//! The server is killed again and again, at any moment, and in the end everything is as if nothing had happened.

// `cfg(test)` holds for all of it; it tells clippy that this is test code.

#[cfg(test)]
mod dice;
#[cfg(test)]
mod distribution;
#[cfg(test)]
mod end_state;
#[cfg(test)]
mod process;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod script;
