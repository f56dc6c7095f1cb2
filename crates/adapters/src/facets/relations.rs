//! The lines of the facets that are in a package's header: provides, relations, scripts, files.

use model::digest::Digest;
use model::facet::Facet;

use super::Lines;
use super::header::{Dependency, FileEntry, Header, Script};
use super::own_version::OwnVersions;

/// The times at which a requirement may be needed apart from run time.
const PHASES: [&str; 7] = ["pretrans", "pre", "post", "preun", "postun", "posttrans", "verify"];

/// `%ghost`: owned, but not in the payload.
pub(crate) const GHOST: u32 = 1 << 6;
const CONFIG: u32 = 1;
const NO_REPLACE: u32 = 1 << 4;

/// The facets of a header.
pub(crate) fn lines(header: &Header, own: &OwnVersions) -> Lines {
    let mut lines = Lines::default();
    for dependency in &header.dependencies {
        // What the package asks of rpm's own features comes and goes with rpm.
        if dependency.name.starts_with("rpmlib(") {
            continue;
        }
        let facet = if dependency.kind == "provides" { Facet::Provides } else { Facet::Relations };
        lines.extend(relation(dependency, own).into_iter().map(|line| (facet, line)));
    }
    let scripts = header.scripts.iter().filter(|script| !is_absent(script));
    lines.extend(scripts.map(|script| (Facet::Scripts, self::script(script, own))));
    let files = header.files.iter().filter(|(path, _)| !is_debug(path));
    lines.extend(files.map(|(path, entry)| (Facet::Files, file(path, entry))));
    lines
}

/// Whether a path belongs to debug information, whose names are build-ids.
pub(crate) fn is_debug(path: &str) -> bool {
    ["/usr/lib/debug", "/usr/src/debug", "/usr/lib/.build-id"].iter().any(|folder| {
        path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

fn relation(dependency: &Dependency, own: &OwnVersions) -> Vec<String> {
    let Dependency { kind, name, comparison, version, sense } = dependency;
    let version = match kind.as_str() {
        "provides" => own.provided(version),
        _ => own.related(kind, name, version),
    };
    let name = if name.starts_with('(') { own.rich(name) } else { name.clone() };
    let subject = if kind == "provides" { name } else { format!("{kind} {name}") };
    let line =
        if comparison.is_empty() { subject } else { format!("{subject} {comparison} {version}") };
    let phases: Vec<&str> = sense.split(',').filter(|phase| PHASES.contains(phase)).collect();
    if phases.is_empty() {
        return vec![line];
    }
    let in_phase = |phase| line.replacen(kind.as_str(), &format!("{kind}({phase})"), 1);
    phases.into_iter().map(in_phase).collect()
}

/// A scriptlet that rpm listed although the package has none: neither a body nor an interpreter.
fn is_absent(script: &Script) -> bool {
    script.body.is_empty() && script.interpreter.is_empty()
}

fn script(script: &Script, own: &OwnVersions) -> String {
    let Script { kind, interpreter, body, condition } = script;
    let words = [kind, condition, interpreter].into_iter().filter(|word| !word.is_empty());
    let words = words.map(String::as_str).collect::<Vec<_>>().join(" ");
    format!("{words} sha256:{}", Digest::of(own.full_in(body.as_bytes())))
}

fn file(path: &str, entry: &FileEntry) -> String {
    let FileEntry { mode, flags, owner, group, link, capabilities } = entry;
    let mut line = format!("{path} {mode:06o} {owner}:{group}");
    if !link.is_empty() {
        line += &format!(" -> {link}");
    }
    if !capabilities.is_empty() {
        line += &format!(" capabilities {capabilities}");
    }
    for (flag, word) in [(CONFIG, " config"), (NO_REPLACE, " noreplace"), (GHOST, " ghost")] {
        line += if flags & flag == 0 { "" } else { word };
    }
    line
}
