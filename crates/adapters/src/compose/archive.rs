//! Packs an image in the OCI layout into one file, an OCI archive: the same layout gives the same bytes.
//!
//! It is a tar file in POSIX's `ustar` format. Of everything a tar file can say of a file, its name and its content are
//! all that an image has; the rest is constant.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{ComposeError, file_error};
use crate::repository::folder;

const BLOCK: usize = 512;

/// Packs the image layout in a folder.
pub(super) fn write(layout: &Path, place: &Path) -> Result<(), ComposeError> {
    let refuse = |message: &str| ComposeError::Layout {
        path: layout.to_owned(),
        message: message.to_owned(),
    };
    for needed in ["oci-layout", "index.json", "blobs"] {
        if !layout.join(needed).exists() {
            return Err(refuse(&format!("there is no {needed} in it")));
        }
    }
    let mut names = Vec::new();
    list(layout, Path::new(""), &mut names).map_err(file_error(layout))?;
    names.sort();
    // The blobs are compressed themselves, so nothing is won by trying hard.
    let file = File::create(place).map_err(file_error(place))?;
    let mut out = GzEncoder::new(io::BufWriter::new(file), Compression::fast());
    for name in names {
        let path = layout.join(&name);
        let text = name.to_str().filter(|text| text.len() < 100);
        let text =
            text.ok_or_else(|| refuse(&format!("the name {} is strange", name.display())))?;
        member(&mut out, text, &path).map_err(file_error(&path))?;
    }
    let end = |mut out: GzEncoder<io::BufWriter<File>>| {
        out.write_all(&[0; 2 * BLOCK])?;
        out.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        folder::set_time(place)?;
        folder::sync(place)
    };
    end(out).map_err(file_error(place))
}

/// The names of all files below a folder.
fn list(layout: &Path, below: &Path, names: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(layout.join(below))? {
        let entry = entry?;
        let name = below.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(layout, &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

fn member(out: &mut impl Write, name: &str, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    out.write_all(&header(name, size)?)?;
    let copied = io::copy(&mut file, out)?;
    if copied != size {
        return Err(io::Error::other("it changed while it was packed"));
    }
    let rest = usize::try_from(size % BLOCK as u64).map_err(io::Error::other)?;
    out.write_all(&[0; BLOCK][..(BLOCK - rest) % BLOCK])
}

/// The header of a plain file of root's that everybody may read.
fn header(name: &str, size: u64) -> io::Result<[u8; BLOCK]> {
    let size = format!("{size:011o}\0");
    if size.len() > 12 {
        return Err(io::Error::other("it is larger than a member of a tar file can be"));
    }
    let mut header = [0; BLOCK];
    let mut put =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    put(100, "0000644\0");
    put(108, "0000000\0");
    put(116, "0000000\0");
    put(124, &size);
    put(136, &format!("{:011o}\0", folder::FILE_TIME));
    // The checksum counts as blanks while it is made.
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\x0000");
    let checksum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{checksum:06o}\0 ").as_bytes());
    Ok(header)
}
