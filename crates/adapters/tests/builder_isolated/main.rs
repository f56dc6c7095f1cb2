//! The isolated builder with the real rpmbuild: as whoever runs the tests, and as an ordinary user too.

#[cfg(test)]
mod builds;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod ordinary;
#[cfg(test)]
mod specs;
#[cfg(test)]
mod testing;
