//! Whatever a file holds, reading it ends in a value or an error: every reader on thousands of broken files.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write;

use solver::load::compressed::unpack;
use solver::load::comps::Comps;
use solver::load::header::parse_header;
use solver::load::modules::Documents;
use solver::load::repomd::RepositoryMetadata;
use solver::load::testcase::TestCase;
use solver::load::testtags::parse_testtags;
use solver::load::updateinfo::parse_advisories;
use solver::load::{Limits, Source, load_primaries};
use solver::snapshot::{Origin, from_bytes, to_bytes};
use solver::universe::{Options, Universe};

/// How many broken files each reader is given.
const CASES: usize = 3000;

/// Pieces that mean something to one of the formats.
const PIECES: [&[u8]; 30] = [
    b"<",
    b">",
    b"</",
    b"/>",
    b"<!--",
    b"<![CDATA[",
    b"]]>",
    b"&",
    b"&#x0;",
    b"&#xd800;",
    b";",
    b"\"",
    b"---\n",
    b"...\n",
    b"- ",
    b": ",
    b"&a ",
    b"*a",
    b"{",
    b"[",
    b"!!binary ",
    b"\n=Pkg: ",
    b"\n+Req:\n",
    b"\n#>",
    b" <IF> ",
    b"(",
    b")",
    b"\0",
    b"\xff\xff\xff\xff",
    b"99999999999999999999",
];

/// Chance that is the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end.max(1) as u64) as usize
    }

    /// A few of the changes by which files break.
    fn break_up(&mut self, whole: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(40)).min(bytes.len());
            match self.below(6) {
                0 => bytes.truncate(at),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len() + 1);
                    drop(bytes.splice(to..to, piece));
                }
                3 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    drop(bytes.splice(at..at, piece.iter().copied()));
                }
                4 => {
                    let piece = PIECES[self.below(PIECES.len())];
                    drop(bytes.splice(at..end, piece.iter().copied()));
                }
                _ if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
        }
        bytes
    }
}

/// Reads a whole file, which must be right, and broken ones, of which it is enough that none panics.
fn check<T, E: std::fmt::Debug>(whole: &[u8], read: impl Fn(&[u8]) -> Result<T, E>) {
    read(whole).map(drop).unwrap();
    for length in 0..whole.len().min(CASES) {
        drop(read(&whole[..length]));
    }
    let mut chance = Chance(1);
    let mut refused = 0;
    for _ in 0..CASES {
        refused += usize::from(read(&chance.break_up(whole)).is_err());
    }
    // If hardly any was refused, they were not broken.
    assert!(refused > CASES / 20, "only {refused} were refused");
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The smallest package that is one: four texts, a file, and what it provides and requires.
fn package() -> Vec<u8> {
    let mut entries: Vec<(u32, u32, u32, Vec<u8>)> = Vec::new();
    for (tag, texts) in [
        (1000, &["zlib"][..]),
        (1001, &["1.3"]),
        (1002, &["1"]),
        (1022, &["x86_64"]),
        (1117, &["libz.so", "README"]),
        (1118, &["/usr/lib64/", "/usr/share/doc/"]),
        (1047, &["zlib", "libz.so.1"]),
        (1113, &["1.3-1", ""]),
        (1049, &["libc", "(a if b)"]),
        (1050, &["2.34", ""]),
    ] {
        let data = texts.iter().flat_map(|text| text.bytes().chain([0])).collect();
        entries.push((tag, 8, texts.len() as u32, data));
    }
    for (tag, numbers) in [(1003, &[4][..]), (1116, &[0, 1]), (1112, &[8, 0]), (1048, &[12, 0])] {
        let data = numbers.iter().flat_map(|number: &u32| number.to_be_bytes()).collect();
        entries.push((tag, 4, numbers.len() as u32, data));
    }
    let mut file = vec![0xed, 0xab, 0xee, 0xdb];
    file.resize(96, 0);
    file.extend(section(&entries[..0]));
    file.extend(section(&entries));
    file
}

fn section(entries: &[(u32, u32, u32, Vec<u8>)]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, kind, count, bytes) in entries {
        let numbers = [*tag, *kind, data.len() as u32, *count];
        index.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        data.extend(bytes);
    }
    let counts = [entries.len() as u32, data.len() as u32];
    let counts = counts.iter().flat_map(|number| number.to_be_bytes());
    [0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0].into_iter().chain(counts).chain(index).chain(data).collect()
}

#[test]
fn broken_repomd_does_no_harm() {
    check(include_bytes!("fixtures/repomd.xml"), |bytes| {
        RepositoryMetadata::parse(bytes).map(|metadata| {
            for record in &metadata.records {
                assert!(record.path().is_none_or(|path| path.is_relative()));
                drop(record.checksum.as_ref().map(|checksum| checksum.matches(bytes)));
            }
        })
    });
}

#[test]
fn broken_comps_do_no_harm() {
    check(include_bytes!("fixtures/comps.xml"), Comps::parse);
}

#[test]
fn broken_updateinfo_does_no_harm() {
    check(include_bytes!("fixtures/updateinfo.xml"), parse_advisories);
}

#[test]
fn broken_modules_do_no_harm() {
    check(include_bytes!("fixtures/modules.yaml"), Documents::parse);
}

#[test]
fn broken_testtags_do_no_harm() {
    check(include_bytes!("fixtures/packages.testtags"), |bytes| match parse_testtags(bytes) {
        // What only cannot be said in rpm's terms is not an error, but as good as one here.
        Ok(repository) if repository.unsupported.len() > 1 => {
            Err(repository.unsupported[0].clone())
        }
        other => other,
    });
}

#[test]
fn broken_test_cases_do_no_harm() {
    check(include_bytes!("fixtures/case.t"), |bytes| match TestCase::parse(bytes) {
        Ok(case) if !case.unsupported.is_empty() => Err(case.unsupported[0].clone()),
        other => other,
    });
}

#[test]
fn broken_packages_do_no_harm() {
    check(&package(), parse_header);
}

/// Whatever breaks, a checksum does not fit any more; forged files are the crate's own tests' matter.
#[test]
fn broken_snapshots_do_no_harm() {
    let bytes = br#"<metadata><package type="rpm"><name>a</name><arch>x86_64</arch>
        <version epoch="0" ver="1" rel="1"/><format><rpm:requires><rpm:entry name="(b or c)"/></rpm:requires>
        </format></package></metadata>"#;
    let source = Source { name: "repository", bytes, priority: 0 };
    let tables = load_primaries(&[source], Limits::default(), 1).unwrap();
    let universe = Universe::new(tables, &Options::default()).unwrap();
    check(&to_bytes(&universe, &Origin::new("x86_64")), from_bytes);
}

#[test]
fn broken_archives_do_no_harm() {
    let limit = 1 << 16;
    let text = include_bytes!("fixtures/comps.xml");
    check(&gzip(text), |bytes| unpack(bytes, limit));
    let zstd =
        ruzstd::encoding::compress_to_vec(&text[..], ruzstd::encoding::CompressionLevel::Fastest);
    check(&zstd, |bytes| unpack(bytes, limit));
    // `printf 'hello, world\n' | xz`
    let xz = b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4F\x02\0!\x01\x16\0\0\0t/\xe5\xa3\x01\0\x0chello, world\n\0\0\0\
               \0{FZ\x81\xc9\x12\xb8\xea\0\x01%\rq\x19\xc4\xb6\x1f\xb6\xf3}\x01\0\0\0\0\x04YZ";
    check(xz, |bytes| unpack(bytes, limit));
}

/// A million of the same, one in the other; fewer where the YAML parser, without optimisation, is slow.
#[test]
fn what_is_nested_without_end_is_refused() {
    let million = 1_000_000;
    for root in ["repomd", "comps", "updates"] {
        let deep = format!("<{root}>{}", "<group>".repeat(million));
        RepositoryMetadata::parse(deep.as_bytes()).unwrap_err();
        Comps::parse(deep.as_bytes()).unwrap_err();
        parse_advisories(deep.as_bytes()).unwrap_err();
    }
    for (opening, times) in [("[", million), ("{a: ", million), ("? ", 20_000), ("- ", 20_000)] {
        let deep = format!("document: modulemd\nversion: 2\ndata:\n  {}", opening.repeat(times));
        Documents::parse(deep.as_bytes()).unwrap_err();
    }
    for opening in ["(", "a & ", "a <IF> (", "\\"] {
        let deep = format!("=Pkg: a 1 1 x\n=Req: {}", opening.repeat(million));
        drop(parse_testtags(deep.as_bytes()));
        drop(TestCase::parse(format!("job install name {}", opening.repeat(million)).as_bytes()));
    }
}
