//! Universes that change: patched ones answer as those built anew, and no affected question is missed.

#[cfg(test)]
#[path = "live/affected.rs"]
mod affected;
#[cfg(test)]
#[path = "live/full_size.rs"]
mod full_size;
#[cfg(test)]
#[path = "live/patched.rs"]
mod patched;
#[cfg(test)]
#[path = "live/random.rs"]
mod random;
#[cfg(test)]
#[path = "live/whole.rs"]
mod whole;
