//! Images with the real buildah, crun, rpm and skopeo: as whoever runs the tests, and as an ordinary user too.

#[cfg(test)]
mod builds;
#[cfg(test)]
#[path = "../builder_isolated/fixtures.rs"]
#[expect(dead_code, reason = "images need a part of what packages need")]
mod fixtures;
#[cfg(test)]
mod images;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod ordinary;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod testing;
