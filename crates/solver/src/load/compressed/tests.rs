//! Each packing there and back, cut off, damaged, and as a bomb.

use std::io::Write;

use super::*;

const HELLO: &[u8] = b"hello, world\n";

/// `printf 'hello, world\n' | xz`
const XZ: &str = "fd377a585a000004e6d6b4460200210116000000742fe5a301000c68656c6c6f2c20776f726c640a0000\
                  00007b465a81c912b8ea0001250d7119c4b61fb6f37d010000000004595a";

/// `printf 'hello, world\n' | zstd`
const ZSTD: &str = "28b52ffd045869000068656c6c6f2c20776f726c640a4c1ff9f1";

/// `head -c 3000000 /dev/zero | zstd`
const ZSTD_ZEROS: &str = "28b52ffd04585400001000000100fbff39c0020200100002001000020010000200100002001000020010000200\
     100002001000020010000200100002001000020010000200100002001000020010000200100002001000020010\
     0002001000020010000200100003360e0003c9afd6";

fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn packed() -> [Vec<u8>; 3] {
    [gzip(HELLO), bytes(ZSTD), bytes(XZ)]
}

#[test]
fn each_packing_is_known_by_its_first_bytes() {
    for packed in packed() {
        assert_ne!(Packing::of(&packed), Packing::Plain);
        assert_eq!(unpack(&packed, 100).unwrap(), HELLO);
        // The limit is what may be in it, not one less.
        assert_eq!(unpack(&packed, HELLO.len() as u64).unwrap(), HELLO);
    }
    assert_eq!(unpack(HELLO, 100).unwrap(), HELLO);
    assert_eq!(unpack(b"", 100).unwrap(), b"");
}

#[test]
fn files_one_behind_the_other_are_one_file() {
    for packed in packed() {
        let twice = [packed.clone(), packed].concat();
        assert_eq!(unpack(&twice, 100).unwrap(), [HELLO, HELLO].concat());
    }
    let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9][..], &bytes(ZSTD)].concat();
    let behind = [bytes(ZSTD), skippable].concat();
    assert_eq!(unpack(&behind, 100).unwrap(), [HELLO, HELLO].concat());
}

#[test]
fn a_file_that_is_cut_off_is_an_error() {
    for packed in packed() {
        for length in 6..packed.len() {
            let error = unpack(&packed[..length], 100).unwrap_err();
            assert!(matches!(error, UnpackError::Damaged { .. }), "{length}: {error}");
        }
    }
}

#[test]
fn a_file_that_was_changed_is_an_error() {
    for packed in packed() {
        let mut changed = packed.clone();
        let place = packed.windows(5).position(|window| window == b"world");
        // Deflate stores the text in another form; its checksum is in the last eight bytes.
        changed[place.unwrap_or(packed.len() - 8)] ^= 1;
        let error = unpack(&changed, 100).unwrap_err();
        assert!(matches!(error, UnpackError::Damaged { .. }), "{error}");
    }
}

#[test]
fn a_bomb_ends_at_the_limit() {
    let bombs = [gzip(&vec![0; 3_000_000]), bytes(ZSTD_ZEROS)];
    for bomb in bombs {
        assert_eq!(unpack(&bomb, 3_000_000).unwrap().len(), 3_000_000);
        let error = unpack(&bomb, 2_999_999).unwrap_err().to_string();
        assert_eq!(error, "it unpacks to more than the limit of 2999999 bytes");
        unpack(&bomb, 0).unwrap_err();
    }
    unpack(&bytes(XZ), 12).unwrap_err();
    unpack(HELLO, 12).unwrap_err();
}

#[test]
fn memory_has_a_limit_as_well() {
    // The dictionary of the xz file is said to have 4 GiB, and the block header's checksum is right.
    let mut xz = bytes(XZ);
    xz[16] = 40;
    let sum = crc32(&xz[12..20]);
    xz[20..24].copy_from_slice(&sum.to_le_bytes());
    let error = unpack(&xz, 100).unwrap_err().to_string();
    assert!(error.contains("memory"), "{error}");
    // The window of the zstd frame is said to have 1 TiB.
    let mut zstd = bytes(ZSTD);
    zstd[5] = 30 << 3;
    let error = unpack(&zstd, 100).unwrap_err().to_string();
    assert!(error.contains("indow"), "{error}");
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[test]
fn what_is_not_read_is_named() {
    let error = unpack(b"BZh91AY&SY", 100).unwrap_err().to_string();
    assert_eq!(error, "bzip2 is not supported; gzip, zstd and xz are");
    unpack(b"\0ZCK1", 100).unwrap_err();
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("primary.xml.gz");
    let error = read(&path, 100).unwrap_err().to_string();
    assert!(error.starts_with("could not read ") && error.contains("primary.xml.gz"), "{error}");
    std::fs::write(&path, gzip(&[0; 1000])).unwrap();
    assert_eq!(read(&path, 1000).unwrap().len(), 1000);
    let error = read(&path, 999).unwrap_err().to_string();
    assert!(error.contains("gz: it unpacks to more than the limit of 999 bytes"), "{error}");
    let error = read(&path, 10).unwrap_err().to_string();
    assert!(error.contains("gz: it is larger than the limit of 10 bytes"), "{error}");
    read(folder.path(), 100).unwrap_err();
}
