//! Large sets: buildroots, outputs, facets. Addressed by content, compressed, stored once.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use model::digest::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::connection::{Conn, Tx};
use crate::error::{Error, Result};
use crate::value::args;

/// A set made ready to be stored. Packing takes its time: do it before the transaction begins.
#[derive(Clone, Debug)]
pub struct Packed {
    /// The digest of the bytes as they were.
    pub digest: Digest,
    size: usize,
    body: Vec<u8>,
}

impl Packed {
    /// Packs some bytes.
    ///
    /// # Errors
    /// [`Error::Refused`] if they cannot be compressed.
    pub fn of(bytes: &[u8]) -> Result<Self> {
        Ok(Self { digest: Digest::of(bytes), size: bytes.len(), body: pack(bytes)? })
    }

    /// Packs a value as JSON.
    ///
    /// # Errors
    /// [`Error::Refused`] if it has no JSON form.
    pub fn of_json<T: Serialize>(value: &T) -> Result<Self> {
        Self::of(crate::value::json(value)?.as_bytes())
    }
}

/// Stores some bytes, unless they are stored already.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn put(tx: &mut Tx, bytes: &[u8]) -> Result<Digest> {
    put_packed(tx, &Packed::of(bytes)?).await
}

/// Stores a value as JSON, unless it is stored already.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn put_json<T: Serialize>(tx: &mut Tx, value: &T) -> Result<Digest> {
    put_packed(tx, &Packed::of_json(value)?).await
}

/// Stores a set that was packed before, unless it is stored already.
///
/// # Errors
/// [`Error::Unavailable`].
pub async fn put_packed(tx: &mut Tx, set: &Packed) -> Result<Digest> {
    let sql = "INSERT INTO large_sets (digest, size, body) VALUES ($1, $2, $3) \
               ON CONFLICT (digest) DO NOTHING";
    tx.execute(sql, args![set.digest, set.size, set.body.as_slice()]).await?;
    Ok(set.digest)
}

/// The bytes of a set, if it is stored.
///
/// # Errors
/// [`Error::Inconsistent`] when what is stored does not have this digest.
pub async fn get(conn: &mut Conn, digest: Digest) -> Result<Option<Vec<u8>>> {
    let sql = "SELECT digest, size, body FROM large_sets WHERE digest = $1";
    let Some(mut row) = conn.row("large_sets", sql, args![digest]).await? else { return Ok(None) };
    let _digest: Digest = row.take()?;
    let size: usize = row.take()?;
    row.take_with(|body: Vec<u8>| {
        let bytes = unpack(&body, size)?;
        if Digest::of(&bytes) == digest {
            Ok(Some(bytes))
        } else {
            Err("its content has another digest".to_owned())
        }
    })
}

/// The value of a set, if it is stored.
///
/// # Errors
/// [`Error::Inconsistent`] when it is not the JSON of a `T`.
pub async fn get_json<T: DeserializeOwned>(conn: &mut Conn, digest: Digest) -> Result<Option<T>> {
    let Some(bytes) = get(conn, digest).await? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| Error::Inconsistent {
        table: "large_sets",
        column: "body".to_owned(),
        row: digest.to_string(),
        problem: error.to_string(),
    })
}

/// Compresses. The fast level: these texts repeat themselves so much that the better ones gain little.
pub(crate) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(bytes).and_then(|()| encoder.finish());
    packed.map_err(|error| Error::Refused(format!("could not compress: {error}")))
}

/// Decompresses what had `size` bytes, and never more than that.
pub(crate) fn unpack(body: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    GzDecoder::new(body).take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() == size {
        Ok(bytes)
    } else {
        Err(format!("it unpacks to {} bytes or more, not to {size}", bytes.len()))
    }
}

/// Decompresses what this program packed, whatever its size.
pub(crate) fn unpack_all(body: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    GzDecoder::new(body).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}
