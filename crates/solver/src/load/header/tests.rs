//! Headers made by hand: whole, cut off everywhere, and with every number too large.

use super::*;

/// A header in the making.
#[derive(Default)]
struct Made {
    index: Vec<u8>,
    data: Vec<u8>,
}

impl Made {
    fn entry(mut self, tag: u32, kind: u32, count: usize, data: &[u8]) -> Self {
        for number in [tag, kind, self.data.len() as u32, count as u32] {
            self.index.extend(number.to_be_bytes());
        }
        self.data.extend(data);
        self
    }

    fn strings(self, tag: u32, strings: &[&str]) -> Self {
        let data: Vec<u8> = strings.iter().flat_map(|it| it.bytes().chain([0])).collect();
        self.entry(tag, if strings.len() == 1 { 6 } else { 8 }, strings.len(), &data)
    }

    fn numbers(self, tag: u32, numbers: &[u32]) -> Self {
        let data: Vec<u8> = numbers.iter().flat_map(|it| it.to_be_bytes()).collect();
        self.entry(tag, 4, numbers.len(), &data)
    }

    fn section(&self) -> Vec<u8> {
        let counts = [(self.index.len() / 16) as u32, self.data.len() as u32];
        let counts: Vec<u8> = counts.iter().flat_map(|it| it.to_be_bytes()).collect();
        [&[0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0][..], &counts, &self.index, &self.data].concat()
    }

    /// The file, with a payload that is not looked at.
    fn file(&self) -> Vec<u8> {
        let mut file = vec![0xed, 0xab, 0xee, 0xdb, 3, 0];
        file.resize(96, 0);
        file.extend(Made::default().strings(1000, &["ab"]).section());
        file.extend([0; 5]);
        file.extend(self.section());
        file.extend(b"payload");
        file
    }
}

fn made() -> Made {
    Made::default()
        .strings(1000, &["zlib"])
        .strings(1001, &["1.3"])
        .strings(1002, &["2.el9"])
        .numbers(1003, &[4])
        .numbers(1006, &[1_700_000_000])
        .strings(1011, &["somebody"])
        .strings(1022, &["x86_64"])
        .strings(1044, &["zlib-1.3-2.el9.src.rpm"])
        .strings(1117, &["libz.so", "README"])
        .strings(1118, &["/usr/lib64/", "/usr/share/doc/"])
        .numbers(1116, &[0, 1])
        .strings(1047, &["zlib", "libz.so.1()(64bit)"])
        .numbers(1112, &[8, 0])
        .strings(1113, &["4:1.3-2.el9", ""])
        .strings(1049, &["libc", "/bin/sh", "(a if b)"])
        .numbers(1048, &[12, 1 << 9, 0])
        .strings(1050, &["2.34", "", ""])
        .strings(5046, &["more"])
        .numbers(5048, &[2])
        .strings(5047, &["2"])
        .strings(5096, &["m:1:2:c"])
}

fn shown(relations: &[Relation]) -> Vec<String> {
    relations.iter().map(ToString::to_string).collect()
}

fn refused(made: &Made) -> String {
    parse_header(&made.file()).unwrap_err().to_string()
}

#[test]
fn a_header_is_read() {
    let header = parse_header(&made().file()).unwrap();
    let package = &header.package;
    assert_eq!(package.to_string(), "zlib-4:1.3-2.el9.x86_64");
    assert_eq!((&*package.vendor, &*package.source), ("somebody", "zlib-1.3-2.el9.src.rpm"));
    assert_eq!(package.files, ["/usr/lib64/libz.so", "/usr/share/doc/README"]);
    assert_eq!(shown(&package.provides), ["zlib = 4:1.3-2.el9", "libz.so.1()(64bit)"]);
    assert_eq!(shown(&package.requires), ["libc >= 2.34", "/bin/sh", "(a if b)"]);
    assert_eq!(
        package.requires.iter().map(|it| it.is_pre).collect::<Vec<_>>(),
        [false, true, false]
    );
    assert_eq!(shown(&package.recommends), ["more < 2"]);
    assert_eq!((&*header.modularity_label, header.built), ("m:1:2:c", 1_700_000_000));
}

#[test]
fn a_source_package_is_src() {
    let source = made().numbers(1106, &[1]);
    assert_eq!(parse_header(&source.file()).unwrap().package.arch, "src");
    let without = source.numbers(1051, &[0]);
    assert_eq!(parse_header(&without.file()).unwrap().package.arch, "nosrc");
}

#[test]
fn old_packages_name_files_in_full() {
    let old = Made::default()
        .strings(1000, &["a"])
        .strings(1001, &["1"])
        .strings(1002, &["1"])
        .strings(1022, &["i386"])
        .strings(1027, &["/a/b", "/a/c"]);
    assert_eq!(parse_header(&old.file()).unwrap().package.files, ["/a/b", "/a/c"]);
}

#[test]
fn a_file_may_end_behind_its_header_and_not_before() {
    let file = made().file();
    let end = file.len() - b"payload".len();
    parse_header(&file[..end]).unwrap();
    for length in 0..end {
        let error = parse_header(&file[..length]).unwrap_err();
        assert!(matches!(error, HeaderError::CutOff(_)), "{length}: {error}");
    }
}

#[test]
fn what_is_no_package_is_told() {
    assert_eq!(parse_header(&[0; 200]).unwrap_err().to_string(), "this is no RPM file");
    let mut file = made().file();
    file[96] = 0;
    let error = parse_header(&file).unwrap_err().to_string();
    assert_eq!(error, "in its signatures, the first bytes are not those of a header");
    let nameless = Made::default().strings(1001, &["1"]);
    assert_eq!(refused(&nameless), "in its header, tag 1000 (NAME) is missing");
}

#[test]
fn numbers_that_lie_are_found_out() {
    let named = || Made::default().strings(1000, &["a"]);
    let wrong = |tag: u32, kind: u32, count: usize, data: &[u8]| {
        let rest = made();
        let mut lying = Made::default().entry(tag, kind, count, data);
        // The first entry of a tag counts; the data of the rest lies behind.
        for entry in rest.index.chunks_exact(16) {
            let at = number(entry, 8) + data.len();
            lying.index.extend(&entry[..8]);
            lying.index.extend((at as u32).to_be_bytes());
            lying.index.extend(&entry[12..]);
        }
        lying.data.extend(&rest.data);
        refused(&lying)
    };
    assert_eq!(wrong(1000, 4, 1, &[0; 4]), "in its header, tag 1000 (NAME) is no string");
    assert_eq!(wrong(1000, 6, 1, b"\xff\0"), "in its header, tag 1000 (NAME) is not UTF-8");
    assert_eq!(wrong(1003, 6, 1, b"4\0"), "in its header, tag 1003 (EPOCH) is no number");
    assert_eq!(wrong(1000, 6, 0, b"a\0"), "in its header, tag 1000 (NAME) has 0 items");
    let many = wrong(1049, 8, usize::MAX & 0xffff_ffff, b"a\0");
    assert_eq!(many, "in its header, tag 1049 (REQUIRENAME) has 4294967295 items");
    assert_eq!(
        wrong(1049, 8, ITEMS, b"a\0"),
        "in its header, tag 1049 (REQUIRENAME) ends outside of the data"
    );
    assert_eq!(
        wrong(1116, 4, ITEMS, b"a\0"),
        "in its header, tag 1116 (DIRINDEXES) ends outside of the data"
    );
    assert!(wrong(1116, 4, 1, &[0; 4]).ends_with("is not as long as the list of files"));
    assert!(
        wrong(1116, 4, 2, &[0, 0, 0, 0, 0, 0, 0, 9]).ends_with("names a folder that is not there")
    );
    assert!(wrong(1048, 4, 1, &[0; 4]).ends_with("has not as many flags and versions as names"));
    assert!(refused(&named().entry(1001, 6, 1, b"1")).ends_with("ends outside of the data"));
    assert!(refused(&named().entry(1001, 6, 1, b"")).ends_with("lies outside of the data"));
}

#[test]
fn sizes_have_limits() {
    let mut file = made().file();
    let header = file.windows(4).rposition(|window| window == [0x8e, 0xad, 0xe8, 1]).unwrap();
    file[header + 8..header + 12].copy_from_slice(&0x1_0000_u32.to_be_bytes());
    let error = parse_header(&file).unwrap_err().to_string();
    assert_eq!(error, "in its header, 65536 entries are more than 65535");
    file[header + 8..header + 16].copy_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    let error = parse_header(&file).unwrap_err().to_string();
    assert_eq!(error, "in its header, 4294967295 bytes are more than 67108864");
    // One long folder for many files.
    let names: Vec<&str> = vec![""; 1000];
    let long = "x".repeat(1 << 20);
    let bomb = made().file();
    assert!(parse_header(&bomb).is_ok());
    let bomb = Made::default()
        .strings(1000, &["a"])
        .strings(1001, &["1"])
        .strings(1002, &["1"])
        .strings(1022, &["noarch"])
        .strings(1117, &names)
        .strings(1118, &[&long])
        .numbers(1116, &vec![0; 1000]);
    assert!(refused(&bomb).ends_with("has paths that are too long"));
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.rpm");
    std::fs::write(&path, &made().file()[..100]).unwrap();
    let error = open_header(&path).unwrap_err().to_string();
    assert!(
        error.starts_with("could not read ")
            && error.ends_with("a.rpm: the file ends in its signatures")
    );
    std::fs::write(&path, made().file()).unwrap();
    assert_eq!(open_header(&path).unwrap().package.name, "zlib");
}
