//! Epoch, version and release, and their order exactly as rpm has it.

use super::column::Column;
use super::index::Index;
use super::strings::{StringId, Strings};
use bytemuck::{Pod, Zeroable};
use rustc_hash::FxBuildHasher;
use std::cmp::Ordering;
use std::hash::BuildHasher;

/// Number of a version. The empty one, which stands for none, is number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Pod, Zeroable)]
#[repr(transparent)]
pub struct EvrId(pub(crate) u32);

impl EvrId {
    /// No version.
    pub const NONE: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A version in its three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Pod, Zeroable)]
#[repr(C)]
pub struct Evr {
    /// 0 where none is given.
    pub epoch: u32,
    /// The upstream version.
    pub version: StringId,
    /// The release; empty where none is given, which matches any.
    pub release: StringId,
}

/// All versions, each kept once.
#[derive(Debug, Clone)]
pub struct Evrs {
    pub(super) all: Column<Evr>,
    pub(super) numbers: Index,
}

pub(super) fn hash_evr(evr: Evr) -> u64 {
    FxBuildHasher.hash_one(evr)
}

impl Default for Evrs {
    fn default() -> Self {
        let mut evrs = Self { all: Column::new(), numbers: Index::default() };
        evrs.intern(Evr::default());
        evrs
    }
}

impl Evrs {
    /// The number of a version, new or known.
    pub fn intern(&mut self, evr: Evr) -> EvrId {
        let hash = hash_evr(evr);
        let all: &[Evr] = &self.all;
        if let Some(number) = self.numbers.find(hash, |number| all[number as usize] == evr) {
            return EvrId(number);
        }
        let number = self.all.len() as u32;
        self.all.to_mut().push(evr);
        let all = &self.all;
        self.numbers.insert(hash, number, |other| hash_evr(all[other as usize]));
        EvrId(number)
    }

    /// One version.
    #[must_use]
    pub fn get(&self, id: EvrId) -> Evr {
        self.all[id.index()]
    }

    pub(crate) fn shrink(&mut self) {
        self.all.shrink();
    }

    /// All of them by number.
    pub fn iter(&self) -> impl Iterator<Item = Evr> {
        self.all.iter().copied()
    }

    /// The order of two versions, releases included: what is newer. A missing release comes before all
    /// others, even one that begins with a tilde.
    #[must_use]
    pub fn compare(&self, strings: &Strings, left: EvrId, right: EvrId) -> Ordering {
        if left == right {
            return Ordering::Equal;
        }
        let (left, right) = (self.get(left), self.get(right));
        let is_given = |evr: Evr| evr.release != StringId::EMPTY;
        let releases = || match (is_given(left), is_given(right)) {
            (true, true) => compare_ids(strings, left.release, right.release),
            (left, right) => left.cmp(&right),
        };
        compare_without_release(strings, left, right).then_with(releases)
    }

    /// The same with a missing release on either side matching any, as in a dependency.
    #[must_use]
    pub fn compare_loosely(&self, strings: &Strings, left: EvrId, right: EvrId) -> Ordering {
        if left == right {
            return Ordering::Equal;
        }
        let (left, right) = (self.get(left), self.get(right));
        let open = left.release == StringId::EMPTY || right.release == StringId::EMPTY;
        let releases = || {
            if open { Ordering::Equal } else { compare_ids(strings, left.release, right.release) }
        };
        compare_without_release(strings, left, right).then_with(releases)
    }
}

fn compare_without_release(strings: &Strings, left: Evr, right: Evr) -> Ordering {
    let versions = || compare_ids(strings, left.version, right.version);
    left.epoch.cmp(&right.epoch).then_with(versions)
}

fn compare_ids(strings: &Strings, left: StringId, right: StringId) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    compare_versions(strings.get(left), strings.get(right))
}

/// Orders two versions or releases as rpm's `rpmvercmp` does: runs of digits against each other as
/// numbers, runs of letters as text, a number above letters, `~` before everything, `^` after the end
/// and before anything else. Other characters only separate.
#[must_use]
pub fn compare_versions(mut left: &[u8], mut right: &[u8]) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    loop {
        left = skip_separators(left);
        right = skip_separators(right);
        match marks(left, right) {
            Marks::Same => {
                left = &left[1..];
                right = &right[1..];
                continue;
            }
            Marks::Decided(order) => return order,
            Marks::None => {}
        }
        if left.is_empty() || right.is_empty() {
            return left.len().cmp(&right.len());
        }
        let order = compare_segments(&mut left, &mut right);
        if order != Ordering::Equal {
            return order;
        }
    }
}

enum Marks {
    None,
    Same,
    Decided(Ordering),
}

/// What a tilde or a caret at the front says.
fn marks(left: &[u8], right: &[u8]) -> Marks {
    let (first, second) = (left.first(), right.first());
    match (first == Some(&b'~'), second == Some(&b'~')) {
        (true, true) => return Marks::Same,
        (true, false) => return Marks::Decided(Ordering::Less),
        (false, true) => return Marks::Decided(Ordering::Greater),
        (false, false) => {}
    }
    match (first == Some(&b'^'), second == Some(&b'^')) {
        (true, true) => Marks::Same,
        (true, false) if second.is_none() => Marks::Decided(Ordering::Greater),
        (true, false) => Marks::Decided(Ordering::Less),
        (false, true) if first.is_none() => Marks::Decided(Ordering::Less),
        (false, true) => Marks::Decided(Ordering::Greater),
        (false, false) => Marks::None,
    }
}

fn skip_separators(text: &[u8]) -> &[u8] {
    let counts = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'~' | b'^');
    let start = text.iter().position(counts).unwrap_or(text.len());
    &text[start..]
}

/// Takes the next run off both and compares them; neither is empty.
fn compare_segments(left: &mut &[u8], right: &mut &[u8]) -> Ordering {
    let numeric = left[0].is_ascii_digit();
    let belongs = if numeric { u8::is_ascii_digit } else { u8::is_ascii_alphabetic };
    let mine = take_run(left, belongs);
    let other = take_run(right, belongs);
    if other.is_empty() {
        return if numeric { Ordering::Greater } else { Ordering::Less };
    }
    if !numeric {
        return mine.cmp(other);
    }
    let (mine, other) = (strip_zeros(mine), strip_zeros(other));
    mine.len().cmp(&other.len()).then_with(|| mine.cmp(other))
}

fn take_run<'a>(text: &mut &'a [u8], belongs: fn(&u8) -> bool) -> &'a [u8] {
    let end = text.iter().position(|byte| !belongs(byte)).unwrap_or(text.len());
    let (run, rest) = text.split_at(end);
    *text = rest;
    run
}

fn strip_zeros(digits: &[u8]) -> &[u8] {
    let start = digits.iter().position(|&digit| digit != b'0').unwrap_or(digits.len());
    &digits[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines `left < right`, `left = right` or `left > right`.
    fn check(lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let [left, sign, right]: [&str; 3] =
                line.split(' ').collect::<Vec<_>>().try_into().unwrap();
            let expected = match sign {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                _ => Ordering::Greater,
            };
            assert_eq!(compare_versions(left.as_bytes(), right.as_bytes()), expected, "{line}");
            let reverse = compare_versions(right.as_bytes(), left.as_bytes());
            assert_eq!(reverse, expected.reverse(), "{line} reversed");
        }
    }

    /// From the table of rpm's own tests, `tests/rpmvercmp.at`.
    #[test]
    fn orders_as_rpm_does() {
        check(
            "1.0 = 1.0
             1.0 < 2.0
             2.0.1 > 2.0
             2.0.1a > 2.0.1
             5.5p1 < 5.5p10
             10xyz < 10.1xyz
             xyz10 < xyz10.1
             xyz.4 < 8
             5.6.0p1 < 6.5.0
             6.0.rc1 > 6.0
             10b2 > 10a1
             7.4.52 > 1.0
             2_0 = 2.0
             1.0010 > 1.9
             1.05 = 1.5
             1.0 > 1
             4.999.9 < 5.0
             1.0~rc1 < 1.0
             1.0~rc1 < 1.0~rc2
             1.0~rc1~git123 < 1.0~rc1
             1.0^ > 1.0
             1.0^git1 < 1.01
             1.0^git1 < 1.0^git2
             1.0^20160101 < 1.0.1
             1.0^20160101^git1 > 1.0^20160101
             1.0~rc1^git1 > 1.0~rc1
             1.0^git1~pre < 1.0^git1
             00 = 0
             a < 1",
        );
    }
}
