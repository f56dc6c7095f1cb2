//! What is read out of `repomd.xml`, and what is refused.

use super::*;

const REPOMD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<repomd xmlns="http://linux.duke.edu/metadata/repo" xmlns:rpm="http://linux.duke.edu/metadata/rpm">
  <revision>1736761560</revision>
  <tags><distro cpeid="cpe:/o:x">X</distro></tags>
  <data type="primary">
    <checksum type="sha256">C03b</checksum>
    <open-checksum type="sha1">a1df</open-checksum>
    <location href="repodata/primary.xml.gz"/>
    <timestamp>1736761560.25</timestamp>
    <size>3597627</size>
    <open-size>51840420</open-size>
  </data>
</repomd>"#;

fn refused(from: &str, to: &str) -> String {
    assert!(REPOMD.contains(from));
    RepositoryMetadata::parse(REPOMD.replace(from, to).as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_record_has_everything() {
    let metadata = RepositoryMetadata::parse(REPOMD.as_bytes()).unwrap();
    assert_eq!(metadata.revision, "1736761560");
    let record = metadata.record("primary").unwrap();
    assert_eq!(record.checksum.as_ref().unwrap().to_string(), "sha256:c03b");
    assert_eq!(record.open_checksum.as_ref().unwrap().to_string(), "sha1:a1df");
    assert_eq!((record.size, record.open_size), (Some(3_597_627), Some(51_840_420)));
    assert_eq!((record.timestamp, record.line), (Some(1_736_761_560), 5));
    assert_eq!(record.path().unwrap(), Path::new("repodata/primary.xml.gz"));
    assert_eq!(metadata.record("modules"), None);
}

#[test]
fn what_is_wrong_has_its_line() {
    assert_eq!(refused("3597627", "x"), "line 10: <size> holds `x`, which is no number");
    assert_eq!(
        refused("<size>3", "<size>-3"),
        "line 10: <size> holds `-3597627`, which is no number"
    );
    assert_eq!(refused("C03b", "zz"), "line 6: <checksum> holds `zz`, which is no checksum");
    assert_eq!(refused(" type=\"sha256\"", ""), "line 6: <checksum> has no `type`");
    assert_eq!(refused("href", "hreff"), "line 8: <location> has no `href`");
    assert_eq!(refused("location", "position"), "line 5: <data> has no <location>");
    assert_eq!(refused("</repomd>", ""), "line 13: <repomd> is never ended: cut off?");
}

#[test]
fn no_location_leads_out_of_the_repository() {
    let metadata = RepositoryMetadata::parse(REPOMD.as_bytes()).unwrap();
    for location in ["../x", "/etc/passwd", "repodata/../../x", "", ".", "a\\..\\b", "a\0b"] {
        let record = Record { location: location.to_owned(), ..metadata.records[0].clone() };
        assert_eq!(record.path(), None, "{location}");
    }
}

#[test]
fn checksums_are_those_of_the_functions() {
    let check = |function: &str, digest: &str| {
        let checksum = Checksum { function: function.to_owned(), digest: digest.to_owned() };
        assert_eq!(checksum.matches(b"abc"), Ok(true), "{function}");
        assert_eq!(checksum.matches(b"abd"), Ok(false), "{function}");
    };
    check("md5", "900150983cd24fb0d6963f7d28e17f72");
    check("sha", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d");
    check("sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    check(
        "sha512",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
         2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    );
    let unknown = Checksum { function: "crc32".to_owned(), digest: "00".to_owned() };
    let error = unknown.matches(b"abc").unwrap_err().to_string();
    assert!(error.starts_with("unsupported checksum `crc32`"), "{error}");
}
