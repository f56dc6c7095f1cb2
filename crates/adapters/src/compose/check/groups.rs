//! Looks whether the groups of a repository name packages that it has.

use std::collections::BTreeSet;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::{Findings, repodata};

/// A member of a group as a repository lists it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Member {
    group: String,
    kind: String,
    requires: String,
    name: String,
}

/// Checks one repository. One without groups is as good as any.
///
/// Optional members may be missing: nobody gets them without asking. A conditional member must be there if that is
/// there which it is for.
pub(super) fn check(compose: &Path, tree: &str) -> Findings {
    let index = repodata::index(compose, tree)?;
    let Some(groups) = index.iter().find(|listed| listed.name == "group") else {
        return Ok(Vec::new());
    };
    let place = |error: &dyn std::fmt::Display| format!("{}: {error}", groups.path);
    let text = repodata::unpack(&compose.join(&groups.path)).map_err(|error| place(&error))?;
    let members = members(&text).map_err(|error| place(&error))?;
    let packages = repodata::packages(compose, tree)?;
    let names: BTreeSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let is_broken = |member: &&Member| {
        let needed = match member.kind.as_str() {
            "optional" => false,
            "conditional" => names.contains(member.requires.as_str()),
            _ => true,
        };
        needed && !names.contains(member.name.as_str())
    };
    let told = |member: &Member| {
        let Member { group, name, .. } = member;
        format!("{tree}: the group {group} names {name}, which is not in the repository")
    };
    Ok(members.iter().filter(is_broken).map(told).collect())
}

fn members(text: &str) -> Result<Vec<Member>, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    let mut members: Vec<Member> = Vec::new();
    let mut group = String::new();
    // The names of the innermost open elements.
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                let name: &str = tag.name().into_inner();
                match name {
                    "group" => group.clear(),
                    "packagereq" => members.push(member(&group, &tag)?),
                    _ => {}
                }
                open.push(name.to_owned());
            }
            Event::Text(piece) => match open.as_slice() {
                [.., parent, child] if parent == "group" && child == "id" => {
                    group += piece.xml10_content().trim();
                }
                [.., child] if child == "packagereq" => {
                    if let Some(member) = members.last_mut() {
                        member.name += piece.xml10_content().trim();
                    }
                }
                _ => {}
            },
            Event::End(_) => drop(open.pop()),
            Event::Eof => return Ok(members),
            _ => {}
        }
    }
}

fn member(group: &str, tag: &BytesStart<'_>) -> Result<Member, quick_xml::Error> {
    let mut member = Member { group: group.to_owned(), ..Member::default() };
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)?.into_owned();
        let key: &str = attribute.key.into_inner();
        match key {
            "type" => member.kind = value,
            "requires" => member.requires = value,
            _ => {}
        }
    }
    Ok(member)
}
