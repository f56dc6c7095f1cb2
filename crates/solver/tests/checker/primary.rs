//! Packages out of `primary.xml`, and files out of `filelists.xml`.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::evr::{Range, Version};
use super::rich::Capability;

/// A package as it is written.
#[derive(Default)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) arch: String,
    pub(crate) version: Option<Version>,
    pub(crate) provides: Vec<Capability>,
    pub(crate) requires: Vec<Capability>,
    pub(crate) conflicts: Vec<Capability>,
    pub(crate) obsoletes: Vec<Capability>,
    pub(crate) files: Vec<String>,
}

/// The packages of a `primary.xml`.
pub(crate) fn read_primary(text: &str) -> Vec<Package> {
    read(text, "metadata")
}

/// The packages of a `filelists.xml`, with their files only.
pub(crate) fn read_filelists(text: &str) -> Vec<Package> {
    read(text, "filelists")
}

fn read(text: &str, root: &str) -> Vec<Package> {
    let mut reader = Reader::from_str(text);
    let mut packages: Vec<Package> = Vec::new();
    let (mut section, mut piece) = (String::new(), String::new());
    loop {
        match reader.read_event().expect("well-formed metadata") {
            Event::Start(tag) | Event::Empty(tag) => {
                piece.clear();
                let name: &str = tag.name().into_inner();
                match (name, packages.last_mut()) {
                    ("package", _) => packages.push(Package {
                        name: attribute(&tag, "name"),
                        arch: attribute(&tag, "arch"),
                        ..Package::default()
                    }),
                    ("version", Some(package)) => package.version = Some(version(&tag)),
                    ("rpm:entry", Some(package)) => {
                        if let Some(list) = list(package, &section) {
                            list.push(capability(&tag));
                        }
                    }
                    (name, _) if name.starts_with("rpm:") => name.clone_into(&mut section),
                    (name, None) => assert_eq!(name, root),
                    _ => {}
                }
            }
            Event::Text(text) => piece += &text.xml10_content(),
            Event::GeneralRef(name) => piece += &format!("&{};", name.xml10_content()),
            Event::End(tag) => {
                let name: &str = tag.name().into_inner();
                let Some(package) = packages.last_mut() else { continue };
                match name {
                    "name" if package.name.is_empty() => package.name = unescaped(&piece),
                    "arch" if package.arch.is_empty() => package.arch = unescaped(&piece),
                    "file" => package.files.push(unescaped(&piece)),
                    _ => {}
                }
            }
            Event::Eof => return packages,
            _ => {}
        }
    }
}

fn list<'a>(package: &'a mut Package, section: &str) -> Option<&'a mut Vec<Capability>> {
    match section {
        "rpm:provides" => Some(&mut package.provides),
        "rpm:requires" => Some(&mut package.requires),
        "rpm:conflicts" => Some(&mut package.conflicts),
        "rpm:obsoletes" => Some(&mut package.obsoletes),
        _ => None,
    }
}

fn version(tag: &BytesStart<'_>) -> Version {
    Version {
        epoch: attribute(tag, "epoch"),
        version: attribute(tag, "ver"),
        release: attribute(tag, "rel"),
    }
}

fn capability(tag: &BytesStart<'_>) -> Capability {
    let range = Range::new(&attribute(tag, "flags"), version(tag));
    Capability { name: attribute(tag, "name"), range }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> String {
    let attribute = tag.try_get_attribute(name).expect("well-formed attributes");
    let value = attribute
        .map(|it| it.normalized_value(XmlVersion::Implicit1_0).expect("well-formed").into_owned());
    value.unwrap_or_default()
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
