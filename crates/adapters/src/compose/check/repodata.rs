//! Reads the metadata of a repository back: what it indexes, and the packages it lists.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use flate2::read::GzDecoder;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::super::metadata::digest_file;
use super::Findings;

/// A file that a repository says it has.
pub(super) struct Listed {
    /// What it is: a package's name, or the type of an index.
    pub(super) name: String,
    /// Where it is, relative to the folder `compose/`.
    pub(super) path: String,
    checksum: String,
    size: u64,
}

impl Listed {
    /// What is wrong with the file, if anything is.
    pub(super) fn check(&self, compose: &Path) -> Option<String> {
        let Self { path, checksum, size, .. } = self;
        match digest_file(&compose.join(path)) {
            Err(error) => Some(format!("{path}: {error}")),
            Ok((found, _)) if found != *size => {
                Some(format!("{path} has {found} bytes and not {size}"))
            }
            Ok((_, found)) if found.to_string() != *checksum => {
                Some(format!("{path} has the SHA-256 {found} and not {checksum}"))
            }
            Ok(_) => None,
        }
    }
}

/// Whether the files that `repomd.xml` names are as it says.
pub(super) fn check_index(compose: &Path, tree: &str) -> Findings {
    Ok(index(compose, tree)?.iter().filter_map(|listed| listed.check(compose)).collect())
}

/// The files that `repomd.xml` names.
pub(super) fn index(compose: &Path, tree: &str) -> Result<Vec<Listed>, String> {
    let path = format!("{tree}/repodata/repomd.xml");
    let text =
        fs::read_to_string(compose.join(&path)).map_err(|error| format!("{path}: {error}"))?;
    let records = records(&text, "data").map_err(|error| format!("{path}: {error}"))?;
    let listed = records.iter().map(|record| listed(tree, record, "@type", "size"));
    listed.collect::<Option<_>>().ok_or_else(|| format!("{path} is incomplete"))
}

/// The packages that a repository lists.
pub(super) fn packages(compose: &Path, tree: &str) -> Result<Vec<Listed>, String> {
    let primary = index(compose, tree)?.into_iter().find(|listed| listed.name == "primary");
    let path = primary.ok_or_else(|| format!("{tree} has no list of packages"))?.path;
    let text = unpack(&compose.join(&path)).map_err(|error| format!("{path}: {error}"))?;
    let records = records(&text, "package").map_err(|error| format!("{path}: {error}"))?;
    let listed = records.iter().map(|record| listed(tree, record, "name", "size@package"));
    listed.collect::<Option<_>>().ok_or_else(|| format!("{path} is incomplete"))
}

/// The text of a file, which may be compressed.
pub(super) fn unpack(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let mut file = File::open(path)?;
    if path.extension().is_some_and(|extension| extension == "gz") {
        GzDecoder::new(file).read_to_string(&mut text)?;
    } else {
        file.read_to_string(&mut text)?;
    }
    Ok(text)
}

fn listed(tree: &str, record: &Record, name: &str, size: &str) -> Option<Listed> {
    Some(Listed {
        name: record.get(name)?.clone(),
        path: format!("{tree}/{}", record.get("location@href")?),
        checksum: record.get("checksum")?.clone(),
        size: record.get(size)?.parse().ok()?,
    })
}

/// An element as texts: `CHILD`, `CHILD@ATTRIBUTE`, and `@ATTRIBUTE` for its own.
type Record = BTreeMap<String, String>;

/// The elements of a name, each with its children but nothing below them.
fn records(text: &str, name: &str) -> Result<Vec<Record>, quick_xml::Error> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let mut records = Vec::new();
    let mut record: Option<Record> = None;
    let mut open: Vec<String> = Vec::new();
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                let element = element_name(&tag);
                match &mut record {
                    None if element == name => {
                        let mut own = Record::new();
                        attributes(&mut own, "", &tag)?;
                        record = Some(own);
                    }
                    None => {}
                    Some(record) => {
                        if open.is_empty() {
                            attributes(record, &element, &tag)?;
                        }
                        open.push(element);
                    }
                }
            }
            Event::Text(piece) => {
                if let (Some(record), [child]) = (&mut record, open.as_slice()) {
                    *record.entry(child.clone()).or_default() += piece.xml10_content().trim();
                }
            }
            Event::End(_) => match open.pop() {
                Some(_) => {}
                None => records.extend(record.take()),
            },
            Event::Eof => return Ok(records),
            _ => {}
        }
    }
}

fn element_name(tag: &BytesStart<'_>) -> String {
    let name: &str = tag.name().into_inner();
    name.to_owned()
}

fn attributes(
    record: &mut Record,
    element: &str,
    tag: &BytesStart<'_>,
) -> Result<(), quick_xml::Error> {
    for attribute in tag.attributes() {
        let attribute = attribute?;
        let key: &str = attribute.key.into_inner();
        let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0)?;
        record.insert(format!("{element}@{key}"), value.into_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, name: &str, expected: &str) {
        let records = records(text, name).unwrap();
        let told = records.iter().map(|record| {
            let pairs = record.iter().map(|(key, value)| format!("{key}={value}"));
            pairs.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(told.collect::<Vec<_>>().join("\n"), expected);
    }

    #[test]
    fn records_have_their_attributes_and_direct_children() {
        check(
            "<m><data type=\"a\"><size>1</size><location href=\"x\"/></data><data type=\"b\">\n<deep><size>2</size></deep></data></m>",
            "data",
            "@type=a location@href=x size=1\n@type=b",
        );
        check("<m><other/></m>", "data", "");
    }
}
