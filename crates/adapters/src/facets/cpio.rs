//! Reads the payload of an RPM as `rpm2cpio` prints it: a cpio archive in the "newc" format.

use std::io::{self, Read};

/// What is wrong with an archive.
#[derive(Debug, thiserror::Error)]
pub enum CpioError {
    /// It ends before its last entry.
    #[error("the payload ends early")]
    Truncated,
    /// An entry's header makes no sense.
    #[error("the payload is damaged after {after:?}: {what}")]
    Damaged {
        /// The last entry that was read.
        after: String,
        /// What is wrong.
        what: &'static str,
    },
    /// It could not be read.
    #[error("could not read the payload: {0}")]
    Io(#[from] io::Error),
}

/// One file of the archive.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The absolute path.
    pub(crate) path: String,
    /// File type and permissions.
    pub(crate) mode: u32,
    /// Device and inode: the same for the names of one file.
    pub(crate) inode: (u32, u32, u32),
    /// How many names the file has.
    pub(crate) links: u32,
    /// The content; of several names only the last one carries it.
    pub(crate) data: Vec<u8>,
}

const TRAILER: &str = "TRAILER!!!";
const LONGEST_NAME: u32 = 1 << 16;

/// The reader of an archive; gives entries until the trailer.
pub(crate) struct Entries<R> {
    reader: R,
    last: String,
}

impl<R: Read> Entries<R> {
    /// Reads from the start of an archive.
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, last: String::new() }
    }

    /// The next entry; none behind the last.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, CpioError> {
        let header = self.bytes(110)?;
        if !header.starts_with(b"070701") && !header.starts_with(b"070702") {
            return Err(self.damaged("no header where one must be"));
        }
        let fields =
            fields(&header).ok_or_else(|| self.damaged("a header with other than digits"))?;
        let [inode, mode, _, _, links, _, size, major, minor, _, _, name_length, _] = fields;
        if name_length == 0 || name_length > LONGEST_NAME {
            return Err(self.damaged("a name of impossible length"));
        }
        let mut name = self.bytes(name_length.into())?;
        name.pop();
        self.skip_padding(110 + u64::from(name_length))?;
        let name = String::from_utf8_lossy(&name).into_owned();
        if name == TRAILER {
            return Ok(None);
        }
        let data = self.bytes(size.into())?;
        self.skip_padding(size.into())?;
        let relative = name.strip_prefix('.').unwrap_or(&name);
        let path = format!("/{}", relative.trim_start_matches('/'));
        self.last.clone_from(&path);
        Ok(Some(Entry { path, mode, inode: (major, minor, inode), links, data }))
    }

    /// So many bytes. Memory grows with what arrives, not with what a header claims.
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, CpioError> {
        let mut bytes = Vec::new();
        self.reader.by_ref().take(length).read_to_end(&mut bytes)?;
        if bytes.len() as u64 == length { Ok(bytes) } else { Err(CpioError::Truncated) }
    }

    fn skip_padding(&mut self, length: u64) -> Result<(), CpioError> {
        self.bytes(length.next_multiple_of(4) - length).map(drop)
    }

    fn damaged(&self, what: &'static str) -> CpioError {
        CpioError::Damaged { after: self.last.clone(), what }
    }
}

/// The thirteen numbers of a header, eight hexadecimal digits each.
fn fields(header: &[u8]) -> Option<[u32; 13]> {
    let mut fields = [0; 13];
    for (field, digits) in fields.iter_mut().zip(header[6..].chunks_exact(8)) {
        *field = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, data) in files.iter().chain(&[(TRAILER, &[][..])]) {
            let numbers = [1, 0o100_644, 0, 0, 1, 0, data.len(), 0, 0, 0, 0, name.len() + 1, 0];
            bytes.extend_from_slice(b"070701");
            numbers.iter().for_each(|number| bytes.extend(format!("{number:08x}").bytes()));
            bytes.extend(name.bytes().chain([0]));
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(data);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, CpioError> {
        let mut entries = Entries::new(bytes);
        let mut found = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            found.push((entry.path, entry.data));
        }
        Ok(found)
    }

    #[test]
    fn files_are_read_in_order() {
        let bytes = archive(&[("./usr/a", b"one"), ("./usr/bc", b""), ("usr/d", b"four")]);
        let expected = [("/usr/a", "one"), ("/usr/bc", ""), ("/usr/d", "four")];
        let expected = expected.map(|(path, data)| (path.to_owned(), data.as_bytes().to_vec()));
        assert_eq!(read(&bytes).unwrap(), expected);
    }

    #[test]
    fn a_cut_archive_is_an_error_at_every_length() {
        let bytes = archive(&[("./usr/a", b"one"), ("./usr/bc", b"twotwo")]);
        for length in 0..bytes.len() - 1 {
            assert!(
                read(&bytes[..length]).is_err(),
                "{length} of {} bytes were enough",
                bytes.len()
            );
        }
    }

    #[test]
    fn a_claimed_size_takes_no_memory() {
        let mut bytes = archive(&[("./usr/a", b"one")]);
        bytes[54..62].copy_from_slice(b"ffffffff");
        assert!(matches!(read(&bytes), Err(CpioError::Truncated)));
    }
}
