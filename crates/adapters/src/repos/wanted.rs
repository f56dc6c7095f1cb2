//! Which files of a repository are fetched: those that questions about it are answered from.

use std::collections::HashSet;
use std::path::PathBuf;

use solver::load::malformed::Malformed;
use solver::load::repomd::{Checksum, Record, RepositoryMetadata};

/// The kinds of files, of each line the first that a repository has: comps may be there packed and unpacked.
const KINDS: [&[&str]; 5] = [
    &["primary"],
    &["filelists"],
    &["group_zst", "group_xz", "group_gz", "group"],
    &["modules"],
    &["updateinfo"],
];

/// What else lies in a generation.
pub(super) const REPOMD: &str = "repodata/repomd.xml";
pub(super) const ORIGIN: &str = "millstream-origin.json";

/// A file that a repository needs.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// Where it lies in the repository.
    pub(super) path: PathBuf,
    pub(super) checksum: Checksum,
    /// How large it is, where `repomd.xml` says so.
    pub(super) size: Option<u64>,
}

impl Wanted {
    /// What it is called by its checksum.
    pub(super) fn name(&self) -> String {
        format!("{}-{}", self.checksum.function, self.checksum.digest)
    }

    fn of(record: &Record) -> Result<Self, String> {
        let Record { kind, location, .. } = record;
        let path = record.path().ok_or_else(|| {
            format!("the location `{}` leads out of the repository", location.escape_debug())
        })?;
        let checksum = record.checksum.clone();
        let checksum = checksum.ok_or_else(|| format!("there is no checksum for {kind}"))?;
        let digits = checksum.hasher().map_err(|error| error.to_string())?.digits();
        if checksum.digest.len() != digits {
            return Err(format!("{checksum} does not have {digits} digits"));
        }
        Ok(Self { path, checksum, size: record.size })
    }
}

/// The files that are needed. Everything in what is read decides about local files, so that all of it is checked first.
pub(super) fn wanted(repomd: &[u8]) -> Result<Vec<Wanted>, Malformed> {
    let metadata = RepositoryMetadata::parse(repomd)?;
    let mut taken: HashSet<PathBuf> = [REPOMD, ORIGIN].map(PathBuf::from).into();
    let mut all = Vec::new();
    for record in KINDS.iter().filter_map(|kinds| first(&metadata, kinds)) {
        let malformed = |what| Malformed { line: record.line, what };
        let wanted = Wanted::of(record).map_err(malformed)?;
        if !taken.insert(wanted.path.clone()) {
            let what = format!("the location {} is another file's", wanted.path.display());
            return Err(malformed(what));
        }
        all.push(wanted);
    }
    match metadata.record("primary") {
        Some(_) => Ok(all),
        None => Err(Malformed { line: 1, what: "it names no `primary`".to_owned() }),
    }
}

fn first<'m>(metadata: &'m RepositoryMetadata, kinds: &[&str]) -> Option<&'m Record> {
    kinds.iter().find_map(|kind| metadata.record(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";

    /// `kind location function digest`, one a line, and what is wanted of them.
    fn told(records: &str) -> String {
        let data = records.lines().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let [kind, location, function, digest] = words[..] else { panic!("{line}") };
            format!("<data type=\"{kind}\"><location href=\"{location}\"/><checksum type=\"{function}\">{digest}</checksum></data>\n")
        });
        let text = format!("<repomd>\n{}</repomd>", data.collect::<String>());
        match wanted(text.as_bytes()) {
            Ok(all) => all.iter().map(Wanted::name).collect::<Vec<_>>().join(" "),
            Err(malformed) => malformed.to_string(),
        }
    }

    fn check(records: &str, expected: &str) {
        let (records, expected) = (records.replace("SUM", SHA1), expected.replace("SUM", SHA1));
        assert_eq!(told(&records), expected);
    }

    #[test]
    fn one_of_each_kind_is_wanted() {
        check(
            "other o sha1 SUM\ngroup g sha1 SUM\ngroup_gz h sha SUM\nprimary_db d sha1 SUM\nprimary p sha1 SUM",
            "sha1-SUM sha-SUM",
        );
    }

    #[test]
    fn what_cannot_be_kept_or_verified_has_its_line() {
        check("filelists f sha1 SUM", "line 1: it names no `primary`");
        check("primary p sha1 abc", "line 2: sha1:abc does not have 40 digits");
        check("primary p md5 SUM", "line 2: md5:SUM does not have 32 digits");
        let refused = told("primary p crc 00");
        assert!(refused.starts_with("line 2: unsupported checksum `crc`"), "{refused}");
        let out = "leads out of the repository";
        check("primary ../p sha1 SUM", &format!("line 2: the location `../p` {out}"));
        check("primary /p sha1 SUM", &format!("line 2: the location `/p` {out}"));
        for taken in ["repodata/./repomd.xml", "repodata//repomd.xml", "millstream-origin.json"] {
            let refused = told(&format!("primary {taken} sha1 {SHA1}"));
            assert_eq!(refused, format!("line 2: the location {taken} is another file's"));
        }
        check(
            "primary p sha1 SUM\nfilelists p sha1 SUM",
            "line 3: the location p is another file's",
        );
    }
}
