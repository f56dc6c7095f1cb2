//! The documents as they are written, and their translation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::load::malformed::{Malformed, excerpt, text};

use super::{Defaults, Dependencies, Documents, Obsoletes, Profile, Stream};

/// More documents than any repository has, by ten.
const DOCUMENTS: usize = 20_000;

/// More bytes than any document has; the largest are modules of thousands of packages.
const DOCUMENT_SIZE: usize = 4 << 20;

/// Bytes that a document may come to when what it refers to is written out each time.
const WRITTEN_OUT: usize = 1 << 30;

/// Brackets that may be open at once. The YAML scanner takes time with the square of them.
const DEPTH: usize = 1000;

/// What every document begins with.
#[derive(Deserialize)]
struct Kind {
    document: String,
    #[serde(default)]
    version: u64,
}

#[derive(Deserialize)]
struct Document<T> {
    data: T,
}

#[derive(Deserialize)]
struct StreamData {
    name: String,
    stream: String,
    #[serde(default)]
    version: u64,
    context: Option<String>,
    arch: Option<String>,
    dependencies: Option<Vec<DependenciesData>>,
    profiles: Option<BTreeMap<String, ProfileData>>,
    artifacts: Option<Packages>,
    demodularized: Option<Packages>,
}

type Streams = BTreeMap<String, Option<Vec<String>>>;

#[derive(Deserialize)]
struct DependenciesData {
    buildrequires: Option<Streams>,
    requires: Option<Streams>,
}

#[derive(Deserialize)]
struct ProfileData {
    description: Option<String>,
    rpms: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Packages {
    rpms: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct DefaultsData {
    module: String,
    stream: Option<String>,
    #[serde(default)]
    modified: u64,
    profiles: Option<Streams>,
}

#[derive(Deserialize)]
struct ObsoletesData {
    module: String,
    stream: String,
    context: Option<String>,
    modified: Option<String>,
    #[serde(default)]
    reset: bool,
    message: Option<String>,
    eol_date: Option<String>,
    obsoleted_by: Option<SuccessorData>,
}

#[derive(Deserialize)]
struct SuccessorData {
    module: String,
    stream: String,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Documents, Malformed> {
    let mut documents = Documents::default();
    let pieces = pieces(text(bytes)?);
    if let Some(piece) = pieces.get(DOCUMENTS) {
        return Err(Malformed::at(piece.line, format!("more than {DOCUMENTS} documents")));
    }
    for piece in pieces {
        piece.check()?;
        let Some(kind) = piece.read::<Option<Kind>>()? else { continue };
        match (kind.document.as_str(), kind.version) {
            ("modulemd", 2) => {
                documents.streams.push(piece.read::<Document<StreamData>>()?.data.into());
            }
            ("modulemd-defaults", 1) => {
                documents.defaults.push(piece.read::<Document<DefaultsData>>()?.data.into());
            }
            ("modulemd-obsoletes", 1) => {
                documents.obsoletes.push(piece.read::<Document<ObsoletesData>>()?.data.into());
            }
            (other, version) => documents.skipped.push(format!("{} {version}", excerpt(other))),
        }
    }
    Ok(documents)
}

/// One document of the file.
struct Piece<'a> {
    text: &'a str,
    /// The line it begins in.
    line: u32,
}

/// Cuts a file at its `---` lines. Each document is parsed by itself, so that a kind that is not known does
/// not have to be understood.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut begin, mut line, mut offset) = (0, 1, 0);
    for (number, content) in (1..).zip(text.split_inclusive('\n')) {
        if content.trim_end() == "---" || content.starts_with("--- ") {
            pieces.push(Piece { text: &text[begin..offset], line });
            (begin, line) = (offset, number);
        }
        offset += content.len();
    }
    pieces.push(Piece { text: &text[begin..], line });
    pieces
}

impl Piece<'_> {
    fn check(&self) -> Result<(), Malformed> {
        let wrong = |what: &str| Err(Malformed::at(self.line, what));
        if self.text.len() > DOCUMENT_SIZE {
            return wrong(&format!("this document has more than {DOCUMENT_SIZE} bytes"));
        }
        if self.depth() > DEPTH {
            return wrong("this document is nested too deeply");
        }
        if self.written_out() > WRITTEN_OUT {
            return wrong("this document refers to itself too often");
        }
        Ok(())
    }

    /// How many brackets are open at once, at most.
    fn depth(&self) -> usize {
        let (mut depth, mut most) = (0_usize, 0);
        for byte in self.text.bytes() {
            match byte {
                b'[' | b'{' => depth += 1,
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            most = most.max(depth);
        }
        most
    }

    /// What the document may come to, in bytes. Where an anchor's text refers to another anchor the
    /// repetitions multiply, and most so when each has an equal share of them. A few more than there are may
    /// be counted in texts, which does no harm.
    fn written_out(&self) -> usize {
        let marked = |mark: u8| {
            let begins = |window: &&[u8]| {
                window[1] == mark
                    && b" \t\n[{,:".contains(&window[0])
                    && !b" \t\n".contains(&window[2])
            };
            self.text.as_bytes().windows(3).filter(begins).count()
        };
        let (anchors, references) = (marked(b'&'), marked(b'*'));
        let share = references.div_ceil(anchors.max(1)) + 1;
        let repetitions = share.saturating_pow(u32::try_from(anchors).unwrap_or(u32::MAX));
        self.text.len().saturating_mul(repetitions)
    }

    fn read<T: DeserializeOwned>(&self) -> Result<T, Malformed> {
        yaml_serde::from_str(self.text).map_err(|error| {
            let inside = error.location().map_or(0, |place| place.line().saturating_sub(1));
            let inside = u32::try_from(inside).unwrap_or(u32::MAX);
            // The message has the line within the document, which would only confuse.
            let what = error.to_string();
            let what = what.split_once(" at line ").map_or(what.as_str(), |(what, _)| what);
            Malformed::at(self.line.saturating_add(inside), excerpt(what))
        })
    }
}

impl From<StreamData> for Stream {
    fn from(data: StreamData) -> Self {
        let dependencies = data.dependencies.unwrap_or_default().into_iter();
        let profiles = data.profiles.unwrap_or_default().into_iter();
        Self {
            name: data.name,
            stream: data.stream,
            version: data.version,
            context: data.context.unwrap_or_default(),
            arch: data.arch.unwrap_or_default(),
            dependencies: dependencies.map(Into::into).collect(),
            profiles: profiles.map(|(name, profile)| (name, profile.into())).collect(),
            artifacts: packages(data.artifacts),
            demodularized: packages(data.demodularized),
        }
    }
}

impl From<DependenciesData> for Dependencies {
    fn from(data: DependenciesData) -> Self {
        Self { build_requires: streams(data.buildrequires), requires: streams(data.requires) }
    }
}

impl From<ProfileData> for Profile {
    fn from(data: ProfileData) -> Self {
        Self {
            description: data.description.unwrap_or_default(),
            packages: data.rpms.unwrap_or_default(),
        }
    }
}

impl From<DefaultsData> for Defaults {
    fn from(data: DefaultsData) -> Self {
        let profiles = streams(data.profiles);
        Self { module: data.module, stream: data.stream, modified: data.modified, profiles }
    }
}

impl From<ObsoletesData> for Obsoletes {
    fn from(data: ObsoletesData) -> Self {
        Self {
            module: data.module,
            stream: data.stream,
            context: data.context,
            modified: data.modified.unwrap_or_default(),
            is_reset: data.reset,
            message: data.message.unwrap_or_default(),
            end_of_life: data.eol_date,
            obsoleted_by: data.obsoleted_by.map(|by| (by.module, by.stream)),
        }
    }
}

fn packages(data: Option<Packages>) -> Vec<String> {
    data.and_then(|packages| packages.rpms).unwrap_or_default()
}

fn streams(data: Option<Streams>) -> BTreeMap<String, Vec<String>> {
    let streams = data.unwrap_or_default().into_iter();
    streams.map(|(name, streams)| (name, streams.unwrap_or_default())).collect()
}
