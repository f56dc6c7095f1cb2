//! Unpacks gzip, zstd and xz, told apart by their first bytes, and never beyond a limit.

use std::fmt;
use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// Most that one metadata file may hold when nothing else is asked for: 4 GiB.
///
/// The largest real one, the file lists of a whole distribution, has about 1 GiB.
pub const USUAL_LIMIT: u64 = 4 << 30;

/// Memory that an xz or zstd stream may ask for besides its output: 128 MiB, twice what `xz -9` needs.
const WINDOW_LIMIT: u64 = 128 << 20;

/// How a file is packed, told by its first bytes and never by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// RFC 1952, one member or several.
    Gzip,
    /// RFC 8878, one frame or several.
    Zstd,
    /// The .xz format 1.2, one stream or several.
    Xz,
    /// bzip2, which is recognised and not read.
    Bzip2,
    /// zchunk, which is recognised and not read: a repository that has it offers gzip or zstd besides.
    Zchunk,
}

/// Why a file cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// There is more in it than is allowed, which is what a decompression bomb looks like.
    #[error("it unpacks to more than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// It is damaged, cut off, or asks for too much memory.
    #[error("the {packing} data is damaged or cut off: {source}")]
    Damaged {
        /// How it is packed.
        packing: Packing,
        /// What the decoder says.
        source: io::Error,
    },
    /// It is packed in a way that is not read.
    #[error("{packing} is not supported; gzip, zstd and xz are")]
    Unsupported {
        /// How it is packed.
        packing: Packing,
    },
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("could not read {}: {why}", path.display())]
pub struct ReadError {
    /// The file.
    pub path: std::path::PathBuf,
    /// What is wrong with it.
    pub why: ReadFault,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum ReadFault {
    /// The system does not give it.
    #[error(transparent)]
    System(#[from] io::Error),
    /// It is larger than allowed, packed as it is.
    #[error("it is larger than the limit of {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: u64,
    },
    /// It cannot be unpacked.
    #[error(transparent)]
    Unpack(#[from] UnpackError),
}

impl Packing {
    /// How a file with these first bytes is packed.
    pub fn of(bytes: &[u8]) -> Self {
        const MAGIC: [(&[u8], Packing); 5] = [
            (&[0x1f, 0x8b], Packing::Gzip),
            (&[0x28, 0xb5, 0x2f, 0xfd], Packing::Zstd),
            (&[0xfd, b'7', b'z', b'X', b'Z', 0], Packing::Xz),
            (b"BZh", Packing::Bzip2),
            (b"\0ZCK1", Packing::Zchunk),
        ];
        let known = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic));
        known.map_or(Self::Plain, |(_, packing)| *packing)
    }
}

impl fmt::Display for Packing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Zchunk => "zchunk",
        })
    }
}

/// Unpacks a whole file; what is not packed comes back as it is.
///
/// # Errors
/// More than `limit` bytes, damage, an early end, a packing that is not read.
pub fn unpack(bytes: &[u8], limit: u64) -> Result<Vec<u8>, UnpackError> {
    let packing = Packing::of(bytes);
    let damaged = |source| UnpackError::Damaged { packing, source };
    let mut unpacked = Vec::new();
    match packing {
        Packing::Plain => bounded(bytes, limit, &mut unpacked).map_err(damaged)?,
        Packing::Gzip => {
            unpacked.reserve(gzip_size(bytes, limit));
            let decoder = flate2::bufread::MultiGzDecoder::new(bytes);
            bounded(decoder, limit, &mut unpacked).map_err(damaged)?;
        }
        Packing::Zstd => unpack_zstd(bytes, limit, &mut unpacked).map_err(damaged)?,
        Packing::Xz => {
            let memory = u32::try_from(WINDOW_LIMIT / 1024).unwrap_or(u32::MAX);
            let decoder = lzma_rust2::XzReader::new_mem_limit(bytes, true, memory);
            bounded(decoder, limit, &mut unpacked).map_err(damaged)?;
        }
        Packing::Bzip2 | Packing::Zchunk => return Err(UnpackError::Unsupported { packing }),
    }
    if unpacked.len() as u64 > limit { Err(UnpackError::TooLarge { limit }) } else { Ok(unpacked) }
}

/// Reads up to a byte more than the limit, by which too much can be told from enough.
fn bounded(source: impl Read, limit: u64, into: &mut Vec<u8>) -> io::Result<()> {
    let room = limit.saturating_add(1).saturating_sub(into.len() as u64);
    source.take(room).read_to_end(into).map(drop)
}

/// How much room to make: what the file says of itself, unless deflate cannot reach that at all.
fn gzip_size(bytes: &[u8], limit: u64) -> usize {
    const BEST_RATIO: usize = 1032;
    let Some(size) = bytes.last_chunk::<4>() else { return 0 };
    let said = u32::from_le_bytes(*size) as usize;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    said.min(bytes.len().saturating_mul(BEST_RATIO)).min(limit).saturating_add(1)
}

/// Frame after frame; the decoder reads one at a time and leaves comparing the checksum to its caller.
fn unpack_zstd(mut bytes: &[u8], limit: u64, into: &mut Vec<u8>) -> io::Result<()> {
    while !bytes.is_empty() && into.len() as u64 <= limit {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW_LIMIT);
        let mut decoder = match StreamingDecoder::new_with_decoder(&mut bytes, decoder) {
            Ok(decoder) => decoder,
            Err(error) => {
                bytes = behind_skippable(bytes, error)?;
                continue;
            }
        };
        bounded(&mut decoder, limit, into)?;
        let decoder = decoder.into_frame_decoder();
        let said = decoder.get_checksum_from_data();
        if decoder.is_finished() && said.is_some() && said != decoder.get_calculated_checksum() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the checksum is another"));
        }
    }
    Ok(())
}

/// What comes after a frame that holds something else than data.
fn behind_skippable(bytes: &[u8], error: FrameDecoderError) -> io::Result<&[u8]> {
    use ruzstd::decoding::errors::FrameDecoderError::ReadFrameHeaderError as Header;
    let Header(ReadFrameHeaderError::SkipFrame { length, .. }) = error else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, error));
    };
    bytes.get(length as usize..).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
}

/// Reads and unpacks a file.
///
/// # Errors
/// What [`unpack`] refuses and what the system does not give, with the file's name.
pub fn read(path: &std::path::Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let bytes = read_packed(path, limit)?;
    if Packing::of(&bytes) == Packing::Plain {
        return Ok(bytes);
    }
    unpack(&bytes, limit).map_err(|error| ReadError { path: path.into(), why: error.into() })
}

/// Reads a file as it is; packed, too, it must not be larger than the limit.
pub(crate) fn read_packed(path: &std::path::Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    let fault = |why| ReadError { path: path.into(), why };
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| {
            let size = file.metadata()?.len().min(limit);
            bytes.reserve(usize::try_from(size).unwrap_or(0).saturating_add(1));
            bounded(file, limit, &mut bytes)
        })
        .map_err(|error| fault(error.into()))?;
    if bytes.len() as u64 > limit { Err(fault(ReadFault::TooLarge { limit })) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests;
