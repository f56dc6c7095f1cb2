//! One file that holds tables and universe: opening it is ready to solve, without building anything anew.
//!
//! The arrays are solved over where they lie in the file, which is mapped into memory. Every section has a
//! checksum, and every number that points somewhere is looked at before the first question, so that a file
//! which is damaged, or made to do harm, is refused with the section's name. What a forged file says within
//! those bounds is as true as a forged repository.

mod format;
mod map;
mod origin;
mod reader;
mod writer;

pub(crate) use map::View;
pub use origin::Origin;
pub(crate) use reader::{Numbers, Reader, are_below, are_ends, out_of_range};
pub(crate) use writer::Writer;

use crate::universe::Universe;
use format::Sections;
use map::Region;

/// A universe, and what it was made from.
#[derive(Debug)]
pub struct Snapshot {
    /// Ready to be solved over.
    pub universe: Universe,
    /// What it was made from: another origin than the one that is wanted means that it is stale.
    pub origin: Origin,
}

/// Why a snapshot cannot be had. Whatever it is, the metadata can be read instead.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read or written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// It does not begin as a snapshot does.
    #[error("this is no snapshot")]
    NoSnapshot,
    /// Another version of the program wrote it, or one for another kind of machine.
    #[error("another version wrote this snapshot")]
    OtherVersion,
    /// A part is cut off, has not the checksum it should have, or is not what belongs there.
    #[error("{0} is damaged")]
    Damaged(String),
    /// A section has its checksum and makes no sense.
    #[error("its section `{0}` points to what is not there")]
    OutOfRange(String),
}

/// Why the snapshot in a file cannot be had.
#[cfg(feature = "read")]
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct SnapshotFileError {
    /// The file.
    pub path: std::path::PathBuf,
    /// What is wrong with it.
    pub why: SnapshotError,
}

/// The bytes of a snapshot. They depend on nothing but the universe and its origin.
#[must_use]
pub fn to_bytes(universe: &Universe, origin: &Origin) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = write(universe, origin, &mut bytes);
    debug_assert!(written.is_ok(), "a vector takes everything");
    bytes
}

fn write(
    universe: &Universe,
    origin: &Origin,
    out: &mut impl std::io::Write,
) -> std::io::Result<()> {
    let mut writer = Writer::default();
    writer.text(origin::SECTION, &origin.text());
    universe.store(&mut writer);
    format::write(&writer.sections, out)
}

/// A snapshot from bytes, of which a copy is kept.
///
/// # Errors
/// They are no snapshot of this version, or anything in it is not as it should be.
pub fn from_bytes(bytes: &[u8]) -> Result<Snapshot, SnapshotError> {
    if !format::is_snapshot(bytes) {
        return Err(SnapshotError::NoSnapshot);
    }
    restore(Region::copy(bytes))
}

fn restore(region: Region) -> Result<Snapshot, SnapshotError> {
    let mut reader = Reader::new(Sections::new(region)?);
    let origin = Origin::from_text(&reader.text(origin::SECTION)?);
    let universe = Universe::restore(&mut reader)?;
    reader.finish()?;
    Ok(Snapshot { universe, origin })
}

/// Files: they are written as a whole beside their place and renamed into it, and never changed.
#[cfg(feature = "read")]
mod file {
    use super::{
        Origin, Reader, Region, Sections, Snapshot, SnapshotError, SnapshotFileError, Universe,
        origin, restore, write,
    };
    use std::fs::File;
    use std::io::{BufWriter, Write};
    use std::path::{Path, PathBuf};

    /// Opens a snapshot. Nobody may change the file in place while the universe lives; to replace it by
    /// another, as [`save`] does, or to remove it, is fine.
    ///
    /// # Errors
    /// There is none, or it is not as it should be.
    pub fn open(path: &Path) -> Result<Snapshot, SnapshotFileError> {
        map(path).and_then(restore).map_err(|why| SnapshotFileError { path: path.to_owned(), why })
    }

    /// What the snapshot in a file was made from, without looking at the rest.
    ///
    /// # Errors
    /// There is none, or its beginning is not as it should be.
    pub fn origin_of(path: &Path) -> Result<Origin, SnapshotFileError> {
        let origin = || {
            let mut reader = Reader::new(Sections::new(map(path)?)?);
            Ok(Origin::from_text(&reader.text(origin::SECTION)?))
        };
        origin().map_err(|why| SnapshotFileError { path: path.to_owned(), why })
    }

    fn map(path: &Path) -> Result<Region, SnapshotError> {
        let file = File::open(path)?;
        // What cannot be mapped, as nothing cannot, is not as long as a header either.
        if file.metadata()?.len() == 0 {
            return Err(SnapshotError::NoSnapshot);
        }
        Ok(Region::map(&file)?)
    }

    /// Writes a snapshot, which takes the place of the one before it at once or not at all.
    ///
    /// # Errors
    /// The file cannot be written; then nothing is left behind.
    pub fn save(
        path: &Path,
        universe: &Universe,
        origin: &Origin,
    ) -> Result<(), SnapshotFileError> {
        let beside = beside(path);
        let saved = write_file(&beside, universe, origin)
            .and_then(|()| std::fs::rename(&beside, path))
            .inspect_err(|_| drop(std::fs::remove_file(&beside)));
        saved.map_err(|why| SnapshotFileError { path: path.to_owned(), why: why.into() })
    }

    /// A name in the same folder that no other process uses.
    fn beside(path: &Path) -> PathBuf {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}", std::process::id()));
        path.with_file_name(name)
    }

    fn write_file(path: &Path, universe: &Universe, origin: &Origin) -> std::io::Result<()> {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        write(universe, origin, &mut out)?;
        out.flush()?;
        out.get_ref().sync_all()
    }
}

#[cfg(feature = "read")]
pub use file::{open, origin_of, save};

#[cfg(test)]
mod tests;
