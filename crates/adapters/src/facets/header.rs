//! Asks rpm for the headers of packages, all of them in one call, and parses what it prints.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::repository::RPM_MAGIC;
use crate::repository::command::{self, CommandError};

/// What is wrong with the header of a package.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// A file cannot be read.
    #[error("could not read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file is no RPM at all.
    #[error("{} is not an RPM package", path.display())]
    NoPackage {
        /// The file.
        path: PathBuf,
    },
    /// rpm cannot read one of the files.
    #[error("rpm cannot read a package: {0}")]
    Rpm(#[from] CommandError),
    /// What rpm printed cannot be understood.
    #[error("rpm printed something unexpected about {}: {what}", path.display())]
    Unexpected {
        /// The package.
        path: PathBuf,
        /// What could not be understood.
        what: String,
    },
}

/// The header of one binary package.
#[derive(Debug, Default)]
pub(crate) struct Header {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) epoch: String,
    pub(crate) version: String,
    pub(crate) release: String,
    pub(crate) arch: String,
    /// The file name of the source package; empty for a source package itself.
    pub(crate) source: String,
    pub(crate) files: BTreeMap<String, FileEntry>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) scripts: Vec<Script>,
}

/// A file as the header lists it.
#[derive(Debug, Default)]
pub(crate) struct FileEntry {
    pub(crate) mode: u32,
    pub(crate) flags: u32,
    pub(crate) owner: String,
    pub(crate) group: String,
    pub(crate) link: String,
    pub(crate) capabilities: String,
}

/// A capability provided, or a relation to one.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// `provides`, `requires`, `conflicts` …
    pub(crate) kind: String,
    pub(crate) name: String,
    /// `=`, `>=` …; empty without a version.
    pub(crate) comparison: String,
    pub(crate) version: String,
    /// What rpm says about a requirement, e.g. `post,interp`.
    pub(crate) sense: String,
}

/// A scriptlet or trigger.
#[derive(Debug, Default)]
pub(crate) struct Script {
    /// `post`, `triggerin` …
    pub(crate) kind: String,
    pub(crate) interpreter: String,
    pub(crate) body: String,
    /// What sets off a trigger, its priority, the flags of a scriptlet.
    pub(crate) condition: String,
}

const TIME_LIMIT: Duration = Duration::from_secs(120);

const SCRIPTLETS: [&str; 7] = ["pretrans", "pre", "post", "preun", "postun", "posttrans", "verify"];

const RELATIONS: [(&str, &str); 8] = [
    ("provides", "PROVIDE"),
    ("requires", "REQUIRE"),
    ("recommends", "RECOMMEND"),
    ("suggests", "SUGGEST"),
    ("supplements", "SUPPLEMENT"),
    ("enhances", "ENHANCE"),
    ("conflicts", "CONFLICT"),
    ("obsoletes", "OBSOLETE"),
];

/// The headers of packages, in the same order.
pub(crate) async fn read(packages: &[PathBuf]) -> Result<Vec<Header>, HeaderError> {
    if packages.is_empty() {
        return Ok(Vec::new());
    }
    for path in packages {
        check_magic(path).await?;
    }
    let mut rpm = command::clean("rpm");
    // No key ring is asked: it would be the user's own database.
    rpm.args(["-qp", "--nosignature", "--qf", &query_format(), "--"]).args(packages);
    let printed = command::output(rpm, TIME_LIMIT).await?;
    parse(&String::from_utf8_lossy(&printed), packages)
}

/// rpm takes a file that is no package for a list of packages and would read those.
async fn check_magic(path: &Path) -> Result<(), HeaderError> {
    let mut magic = [0; 4];
    let read = match tokio::fs::File::open(path).await {
        Ok(mut file) => file.read_exact(&mut magic).await,
        Err(error) => Err(error),
    };
    match read {
        Ok(_) if magic == RPM_MAGIC => Ok(()),
        Ok(_) => Err(HeaderError::NoPackage { path: path.to_owned() }),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(HeaderError::NoPackage { path: path.to_owned() })
        }
        Err(source) => Err(HeaderError::Read { path: path.to_owned(), source }),
    }
}

/// Records of a letter and fields. A field of free text is XML, so that it cannot be taken for a separator,
/// and one that may be empty has a dot in front of it.
fn query_format() -> String {
    let mut format = String::from(
        "N %{NAME:xml} %{EPOCHNUM} %{VERSION:xml} %{RELEASE:xml} %{ARCH:xml} %{SOURCERPM:xml}\\n\
         [F %{FILENAMES:xml} %{FILEMODES} %{FILEFLAGS} %{FILEUSERNAME:xml} %{FILEGROUPNAME:xml} \
         %{FILELINKTOS:xml} %{FILECAPS:xml}\\n]",
    );
    for (kind, tag) in RELATIONS {
        format += &format!(
            "[D {kind} %{{{tag}NAME:xml}} .%{{{tag}FLAGS:depflags}} %{{{tag}VERSION:xml}} .%{{{tag}FLAGS:deptype}}\\n]"
        );
    }
    for kind in SCRIPTLETS {
        let tag = scriptlet_tag(kind);
        let program = tag.trim_end_matches("SCRIPT");
        let program = if kind == "verify" { "VERIFYSCRIPT" } else { program };
        format += &format!(
            "S {kind} %{{{tag}:xml}} %{{{program}FLAGS}}\\n[I {kind} %{{{program}PROG:xml}}\\n]"
        );
    }
    format += "[T trigger%{TRIGGERTYPE} %{TRIGGERCONDS:xml} %{TRIGGERSCRIPTPROG:xml} %{TRIGGERSCRIPTS:xml} 0\\n]";
    for kind in ["filetrigger", "transfiletrigger"] {
        let tag = kind.to_uppercase();
        format += &format!(
            "[T {kind}%{{{tag}TYPE}} %{{{tag}CONDS:xml}} %{{{tag}SCRIPTPROG:xml}} %{{{tag}SCRIPTS:xml}} %{{{tag}PRIORITIES}}\\n]"
        );
    }
    format
}

fn scriptlet_tag(kind: &str) -> String {
    match kind {
        "pretrans" | "posttrans" => kind.to_uppercase(),
        "verify" => "VERIFYSCRIPT".to_owned(),
        _ => format!("{}IN", kind.to_uppercase()).replace("UNIN", "UN"),
    }
}

fn parse(printed: &str, packages: &[PathBuf]) -> Result<Vec<Header>, HeaderError> {
    let mut paths = packages.iter();
    let mut headers: Vec<Header> = Vec::new();
    let mut rest = printed;
    while !rest.is_empty() {
        rest = parse_record(rest, &mut paths, &mut headers).ok_or_else(|| {
            let path = headers.last().map(|header| &header.path).or(packages.first());
            let what = rest.chars().take(200).collect();
            HeaderError::Unexpected { path: path.cloned().unwrap_or_default(), what }
        })?;
    }
    match paths.next() {
        None => Ok(headers),
        Some(path) => {
            let what = "nothing at all".to_owned();
            Err(HeaderError::Unexpected { path: path.clone(), what })
        }
    }
}

/// Takes the first record of a text in and returns the text behind it.
fn parse_record<'a, 'p>(
    text: &'a str,
    paths: &mut impl Iterator<Item = &'p PathBuf>,
    headers: &mut Vec<Header>,
) -> Option<&'a str> {
    let (fields, rest) = record(text)?;
    let mut fields = fields.into_iter();
    let letter = fields.next()?;
    if letter == "N" {
        headers.push(Header { path: paths.next()?.clone(), ..Header::default() });
    }
    add(headers.last_mut()?, &letter, fields)?;
    Some(rest)
}

/// The fields of the first record, and the text after it.
fn record(text: &str) -> Option<(Vec<String>, &str)> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t']);
        if let Some(after) = rest.strip_prefix('\n') {
            return Some((fields, after));
        }
        if let Some(after) = rest.strip_prefix("<string/>") {
            fields.push(String::new());
            rest = after;
        } else if let Some(after) = rest.strip_prefix("<string>") {
            let (field, after) = after.split_once("</string>")?;
            fields.push(field.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
            rest = after;
        } else {
            let end = rest.find([' ', '\t', '\n'])?;
            fields.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
    }
}

/// Adds a record to the header; none if it has other fields than it should.
fn add(header: &mut Header, letter: &str, mut fields: impl Iterator<Item = String>) -> Option<()> {
    let present = |field: String| if field == "(none)" { String::new() } else { field };
    let mut next = || fields.next().map(present);
    match letter {
        "N" => {
            header.name = next()?;
            header.epoch = next()?;
            header.version = next()?;
            header.release = next()?;
            header.arch = next()?;
            header.source = next()?;
        }
        "F" => {
            let path = next()?;
            let entry = FileEntry {
                // rpm prints modes as signed 16-bit numbers in some versions.
                mode: (next()?.parse::<i64>().ok()? & 0xffff) as u32,
                flags: next()?.parse().ok()?,
                owner: next()?,
                group: next()?,
                link: next()?,
                capabilities: next()?,
            };
            header.files.insert(path, entry);
        }
        "D" => {
            let mut undotted =
                |at: usize| next().map(|field| field[at.min(field.len())..].to_owned());
            header.dependencies.push(Dependency {
                kind: undotted(0)?,
                name: undotted(0)?,
                comparison: undotted(1)?,
                version: undotted(0)?,
                sense: undotted(1)?,
            });
        }
        "S" => {
            let (kind, body, flags) = (next()?, next()?, next()?);
            let plain = matches!(flags.as_str(), "" | "0");
            let condition = if plain { String::new() } else { format!("flags {flags}") };
            header.scripts.push(Script { kind, body, condition, ..Script::default() });
        }
        "I" => {
            let kind = next()?;
            let script = header.scripts.iter_mut().rfind(|script| script.kind == kind)?;
            let interpreter = next()?;
            script.interpreter = format!("{} {interpreter}", script.interpreter).trim().to_owned();
        }
        "T" => {
            let (kind, condition, interpreter, body) = (next()?, next()?, next()?, next()?);
            let priority = next()?;
            let condition = format!("{condition} priority {priority}");
            header.scripts.push(Script { kind, interpreter, body, condition });
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_text_cannot_pose_as_a_record() {
        let printed = "N\t<string>a&amp;b</string> 0 <string>1</string> <string>2</string> \
                       <string>noarch</string> <string>a.src.rpm</string>\n\
                       S post <string>echo &lt;x&gt;\nN <string/></string> (none)\n\
                       I post <string>/bin/sh</string>\n\
                       D requires <string>c</string> . <string/> .manual\n";
        let headers = parse(printed, &[PathBuf::from("a.rpm")]).unwrap();
        assert_eq!(headers.len(), 1);
        assert_eq!(headers[0].name, "a&b");
        assert_eq!(headers[0].scripts[0].body, "echo <x>\nN <string/>");
        assert_eq!(headers[0].scripts[0].interpreter, "/bin/sh");
        assert_eq!(headers[0].dependencies[0].comparison, "");
    }

    #[test]
    fn what_rpm_never_prints_is_an_error() {
        for printed in
            ["", "N a\n", "F <string>", "N", "X a\n", "é\n", "N 1 2 3 4 5 6\nF a b c d e f g\n"]
        {
            let error = parse(printed, &[PathBuf::from("a.rpm")]).unwrap_err();
            assert!(error.to_string().contains("package") || error.to_string().contains("a.rpm"));
        }
    }
}
