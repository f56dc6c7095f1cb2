//! The records of an XML document, each as a small tree of elements that know their lines.
//!
//! The files read so are lists: a root element with records in it. One record at a time is held, so that
//! a long list costs no more memory than a short one.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::malformed::{Lines, Malformed, excerpt, text};

/// Deeper than any of these formats, and shallow enough to walk without a thought for the stack.
const DEPTH: usize = 16;

/// More elements than any record has: the largest are advisories over a whole distribution.
const ELEMENTS: usize = 1 << 18;

/// More attributes than any element has.
const ATTRIBUTES: usize = 32;

/// An element with everything in it. A name space's prefix (`rpm:`) is left out of names.
#[derive(Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) line: u32,
    /// The text directly in it, its pieces joined.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
    attributes: Vec<(String, String)>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Malformed> {
        let missing = || Malformed::at(self.line, format!("<{}> has no `{name}`", self.name));
        self.attribute(name).ok_or_else(missing)
    }

    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The trimmed text of a child, empty when there is none.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.child(name).map_or("", |child| child.text.trim())
    }

    /// The elements of that name in a child that is a list.
    pub(super) fn listed<'a>(
        &'a self,
        list: &str,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Element> {
        let list = self.child(list).map_or(&[][..], |list| list.children.as_slice());
        list.iter().filter(move |child| child.name == name)
    }
}

/// Calls `record` with each element directly in the root element, which must have the given name.
pub(super) fn each_record(
    bytes: &[u8],
    root: &str,
    mut record: impl FnMut(Element) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let text = text(bytes)?;
    let mut reader = Reader::from_str(text);
    let mut walk = Walk { root, state: Root::Awaited, open: Vec::new(), elements: 0 };
    let mut lines = Lines::new(bytes);
    loop {
        let line = lines.at(offset(reader.buffer_position()));
        let event = reader.read_event().map_err(|error| {
            Malformed::at(Lines::new(bytes).at(offset(reader.error_position())), error)
        })?;
        if matches!(event, Event::Eof) {
            return walk.end(line);
        }
        if let Some(finished) = walk.take(event, line)? {
            record(finished)?;
        }
    }
}

fn offset(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

enum Root {
    Awaited,
    Open,
    Ended,
}

struct Walk<'a> {
    root: &'a str,
    state: Root,
    /// The elements that are open, the root not among them.
    open: Vec<Element>,
    /// How many the record in hand has so far.
    elements: usize,
}

impl Walk<'_> {
    /// Takes a piece of the document in; gives a record that ends with it.
    fn take(&mut self, event: Event<'_>, line: u32) -> Result<Option<Element>, Malformed> {
        match event {
            Event::Start(tag) => self.start(&tag, line)?,
            Event::Empty(tag) => {
                self.start(&tag, line)?;
                return Ok(self.finish());
            }
            // The reader has checked that it ends what was opened last.
            Event::End(_) => return Ok(self.finish()),
            Event::Text(piece) => self.add(&piece.xml10_content()),
            Event::CData(piece) => self.add(&piece.xml10_content()),
            Event::GeneralRef(name) => {
                let character = character(&name).map_err(|what| Malformed::at(line, what))?;
                self.add(character.encode_utf8(&mut [0; 4]));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) | Event::Eof => {}
        }
        Ok(None)
    }

    fn start(&mut self, tag: &BytesStart<'_>, line: u32) -> Result<(), Malformed> {
        let name = tag.name().into_inner();
        let name: &str = name.rsplit_once(':').map_or(name, |(_, local)| local);
        let wrong = |what: String| Err(Malformed::at(line, what));
        match self.state {
            Root::Awaited if name != self.root => {
                return wrong(format!("expected <{}>, found <{}>", self.root, excerpt(name)));
            }
            Root::Awaited => {
                self.state = Root::Open;
                return Ok(());
            }
            Root::Ended => return wrong(format!("<{}> stands behind the end", excerpt(name))),
            Root::Open => {}
        }
        self.elements += 1;
        if self.open.len() >= DEPTH {
            return wrong(format!("<{}> is nested too deeply", excerpt(name)));
        }
        if self.elements > ELEMENTS {
            return wrong(format!("more than {ELEMENTS} elements in one record"));
        }
        let attributes = attributes(tag).map_err(|what| Malformed::at(line, what))?;
        self.open.push(Element { name: name.to_owned(), line, attributes, ..Element::default() });
        Ok(())
    }

    fn finish(&mut self) -> Option<Element> {
        let Some(ended) = self.open.pop() else {
            self.state = Root::Ended;
            return None;
        };
        if let Some(parent) = self.open.last_mut() {
            parent.children.push(ended);
            return None;
        }
        self.elements = 0;
        Some(ended)
    }

    fn add(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text += text;
        }
    }

    fn end(&self, line: u32) -> Result<(), Malformed> {
        match (&self.state, self.open.last()) {
            (Root::Ended, _) => Ok(()),
            (Root::Awaited, _) => Err(Malformed::at(line, format!("there is no <{}>", self.root))),
            (Root::Open, None) => {
                Err(Malformed::at(line, format!("<{}> is never ended: cut off?", self.root)))
            }
            (Root::Open, Some(element)) => {
                let what = format!("<{}> is never ended: cut off?", excerpt(&element.name));
                Err(Malformed::at(element.line, what))
            }
        }
    }
}

fn attributes(tag: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let mut attributes = Vec::new();
    // Looking for one given twice compares each with all before it.
    for attribute in tag.attributes().with_checks(false) {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| error.to_string())?;
        let key = attribute.key.into_inner();
        let key = key.rsplit_once(':').map_or(key, |(_, local)| local);
        if attributes.len() == ATTRIBUTES {
            return Err(format!("more than {ATTRIBUTES} attributes"));
        }
        attributes.push((key.to_owned(), value.into_owned()));
    }
    Ok(attributes)
}

/// `&amp;`, `&#233;`. Entities that a document type declares are not known here.
fn character(reference: &BytesRef<'_>) -> Result<char, String> {
    let name = reference.xml10_content();
    let character = match &*name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => reference.resolve_char_ref().map_err(|error| error.to_string())?,
    };
    character.ok_or_else(|| format!("&{}; is not a character", excerpt(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &str, expected: &str) {
        let mut seen = Vec::new();
        let result = each_record(document.as_bytes(), "r", |element| {
            seen.push(format!("{}={}", element.name, element.text));
            Ok(())
        });
        let found = match result {
            Ok(()) => seen.join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected, "{}", excerpt(document));
    }

    #[test]
    fn records_come_one_by_one() {
        check("<?xml version='1.0'?><!DOCTYPE r><r><a>x&amp;y&#33;</a><n:b/></r>", "a=x&y! b=");
        check("<r><a><![CDATA[<x>]]></a></r>", "a=<x>");
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        check("", "line 1: there is no <r>");
        check("<r>\n<a>\n", "line 2: <a> is never ended: cut off?");
        check("<r>\n\n", "line 3: <r> is never ended: cut off?");
        check(
            "<r>\n<a></b></r>",
            "line 2: ill-formed document: expected `</a>`, but `</b>` was found",
        );
        check("<other/>", "line 1: expected <r>, found <other>");
        check("<r/>\n<r/>", "line 2: <r> stands behind the end");
        check("<r>\n<a>&bomb;</a></r>", "line 2: &bomb; is not a character");
    }

    #[test]
    fn hostile_documents_end_soon() {
        let deep = format!("<r>{}", "<a>".repeat(1_000_000));
        check(&deep, "line 1: <a> is nested too deeply");
        let wide = format!("<r><a>{}", "<b/>".repeat(ELEMENTS + 1));
        check(&wide, "line 1: more than 262144 elements in one record");
        let attributes: String = (0..1000).map(|at| format!(" a{at}=''")).collect();
        check(&format!("<r><a{attributes}/></r>"), "line 1: more than 32 attributes");
        let entities = "<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><r><c>&b;</c></r>";
        check(entities, "line 1: &b; is not a character");
    }
}
