//! The order of versions against rpm itself, on ten thousand pairs in one process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::cmp::Ordering;
use std::fmt::Write;
use std::process::Command;

use solver::tables::Tables;

/// What is tested: the order of two versions, each `[epoch:]version[-release]`.
fn under_test(left: &str, right: &str) -> Ordering {
    let mut tables = Tables::new();
    let (left, right) =
        (tables.intern_evr_text(left.as_bytes()), tables.intern_evr_text(right.as_bytes()));
    tables.evrs.compare(&tables.strings, left, right)
}

const PAIRS: usize = 10_000;

/// Chance that is the same each time (SplitMix64).
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ mixed >> 31) % end as u64) as usize
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// Pieces of a few characters, so that many pairs differ in one place only.
    fn part(&mut self) -> String {
        const PIECES: [&str; 24] = [
            "0",
            "1",
            "2",
            "9",
            "10",
            "00",
            "01",
            "007",
            "20260101",
            "99999999999999999999",
            "a",
            "b",
            "rc",
            "fc39",
            "el9",
            "git",
            "A",
            ".",
            "..",
            "_",
            "+",
            "~",
            "^",
            "~~",
        ];
        let pieces = 1 + self.below(5);
        (0..pieces).map(|_| self.one_of(&PIECES)).collect()
    }

    fn version(&mut self) -> String {
        let epoch = self.one_of(&["", "", "0:", "1:", "2:", "10:", "01:"]);
        let release = match self.below(4) {
            0 => String::new(),
            _ => format!("-{}", self.part()),
        };
        format!("{epoch}{}{release}", self.part())
    }

    /// The same with a piece cut out, put in, or in another place.
    fn changed(&mut self, version: &str) -> String {
        let (epoch, rest) = version.split_once(':').map_or(("", version), |it| it);
        let (version, release) = rest.split_once('-').map_or((rest, None), |(v, r)| (v, Some(r)));
        let other = self.part();
        let at = self.below(version.len() + 1);
        let version = match self.below(3) {
            0 => format!("{}{other}{}", &version[..at], &version[at..]),
            1 if at > 0 => version[..at].to_owned(),
            _ => version.to_owned(),
        };
        let release = match (self.below(3), release) {
            (0, _) => format!("-{other}"),
            (_, Some(release)) => format!("-{release}"),
            _ => String::new(),
        };
        let colon = if epoch.is_empty() { "" } else { ":" };
        format!("{epoch}{colon}{version}{release}")
    }
}

fn pairs() -> Vec<(String, String)> {
    let mut chance = Chance(42);
    let pairs = (0..PAIRS).map(|_| {
        let left = chance.version();
        let right = if chance.below(3) == 0 { chance.version() } else { chance.changed(&left) };
        (left, right)
    });
    pairs.collect()
}

/// What rpm says of each pair.
fn rpm(pairs: &[(String, String)]) -> Vec<Ordering> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pairs");
    let mut text = String::new();
    for (left, right) in pairs {
        writeln!(text, "{left} {right}").unwrap();
    }
    std::fs::write(&path, text).unwrap();
    let program = format!(
        "%{{lua: for line in io.lines(\"{}\") do \
         local left, right = line:match(\"(%S+) (%S+)\") \
         print(rpm.vercmp(left, right) .. \"\\n\") end}}",
        path.display()
    );
    let output = Command::new("rpm").args(["--eval", &program]).output();
    let output = output.expect("rpm, which scripts/packages installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let numbers = String::from_utf8(output.stdout).unwrap();
    numbers.split_whitespace().map(|number| number.parse::<i32>().unwrap().cmp(&0)).collect()
}

#[test]
fn versions_stand_as_rpm_has_them() {
    let pairs = pairs();
    let expected = rpm(&pairs);
    assert_eq!(expected.len(), PAIRS);
    let different: Vec<String> = pairs
        .iter()
        .zip(expected)
        .map(|((left, right), expected)| (left, right, under_test(left, right), expected))
        .filter(|(_, _, found, expected)| found != expected)
        .map(|(left, right, found, expected)| {
            format!("{left} {right}: {found:?}, rpm: {expected:?}")
        })
        .collect();
    assert!(
        different.is_empty(),
        "{} pairs: {:#?}",
        different.len(),
        &different[..different.len().min(20)]
    );
}

/// A test of pairs that never differ, or only far apart, would show little.
#[test]
fn the_pairs_are_worth_comparing() {
    let pairs = pairs();
    let count = |order: Ordering| {
        pairs.iter().filter(|(left, right)| under_test(left, right) == order).count()
    };
    assert!(count(Ordering::Less) > 2000 && count(Ordering::Greater) > 2000);
    let equal = pairs.iter().filter(|(left, right)| left != right);
    let equal = equal.filter(|(left, right)| under_test(left, right) == Ordering::Equal).count();
    assert!(equal > 100, "{equal} pairs are equal in other letters");
}
