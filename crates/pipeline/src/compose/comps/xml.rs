//! A small XML document as a tree of elements that know their lines.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

/// Deeper than any `comps.xml`, and shallow enough to walk without a thought for the stack.
const DEPTH: usize = 16;

/// An element with everything in it.
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) line: u32,
    /// The text directly in it, its pieces joined.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// What is wrong, and in which line.
pub(super) type Malformed = (u32, String);

/// Reads a document, of which only the root element is kept.
pub(super) fn parse(text: &str) -> Result<Element, Malformed> {
    let mut lines = Lines { text, offset: 0, line: 1 };
    if let Some((offset, strange)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        return Err((lines.at(offset as u64), not_allowed(strange)));
    }
    let mut reader = Reader::from_str(text);
    // What lies above the root element collects it.
    let mut open = vec![Element::above_root()];
    loop {
        let line = lines.at(reader.buffer_position());
        let event = reader.read_event().map_err(|error| {
            let place = Lines { text, offset: 0, line: 1 }.at(reader.error_position());
            (place, error.to_string())
        })?;
        let place = |message: String| (line, message);
        match event {
            Event::Start(tag) if open.len() > DEPTH => {
                return Err(place(format!("<{}> is nested too deeply", text_of(&tag))));
            }
            Event::Start(tag) => open.push(element(&tag, line).map_err(place)?),
            Event::Empty(tag) => {
                let element = element(&tag, line).map_err(place)?;
                innermost(&mut open).children.push(element);
            }
            // The reader has checked that it ends what was opened last.
            Event::End(_) => {
                let ended = open.pop().unwrap_or_else(Element::above_root);
                innermost(&mut open).children.push(ended);
            }
            Event::Text(piece) => innermost(&mut open).text += &piece.xml10_content(),
            Event::CData(piece) => innermost(&mut open).text += &piece.xml10_content(),
            Event::GeneralRef(reference) => {
                innermost(&mut open).text.push(character(&reference).map_err(place)?);
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            Event::Eof => return root(open, line),
        }
    }
}

/// The one element of a document that has come to its end.
fn root(mut open: Vec<Element>, line: u32) -> Result<Element, Malformed> {
    let mut above = match (open.pop(), open.is_empty()) {
        (Some(above), true) => above,
        (Some(unended), false) => {
            return Err((unended.line, format!("<{}> is never ended", unended.name)));
        }
        (None, _) => Element::above_root(),
    };
    let roots = above.children.len();
    match above.children.pop() {
        Some(second) if roots > 1 => Err((second.line, "there is a second root element".into())),
        Some(_) if !above.text.trim().is_empty() => {
            Err((1, "there is text outside of the root element".into()))
        }
        Some(root) => Ok(root),
        None => Err((line, "there is no element".into())),
    }
}

impl Element {
    fn above_root() -> Self {
        Self {
            name: String::new(),
            attributes: Vec::new(),
            line: 1,
            text: String::new(),
            children: Vec::new(),
        }
    }
}

fn innermost(open: &mut Vec<Element>) -> &mut Element {
    if open.is_empty() {
        open.push(Element::above_root());
    }
    let last = open.len() - 1;
    &mut open[last]
}

fn text_of(tag: &BytesStart<'_>) -> String {
    let name: &str = tag.name().into_inner();
    name.to_owned()
}

fn element(tag: &BytesStart<'_>, line: u32) -> Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| error.to_string())?;
        if let Some(strange) = value.chars().find(|c| !is_allowed(*c)) {
            return Err(not_allowed(strange));
        }
        let key: &str = attribute.key.into_inner();
        attributes.push((key.to_owned(), value.into_owned()));
    }
    Ok(Element { name: text_of(tag), attributes, line, ..Element::above_root() })
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
    character
        .filter(|c| is_allowed(*c))
        .ok_or_else(|| format!("&{name}; stands for no character that XML allows"))
}

fn not_allowed(character: char) -> String {
    format!("the character {character:?} is not allowed in XML")
}

/// Production `Char` of XML 1.0.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Counts lines on the way through a text.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
}

impl Lines<'_> {
    fn at(&mut self, position: u64) -> u32 {
        let end = usize::try_from(position).unwrap_or(usize::MAX).min(self.text.len());
        let passed = self.text.as_bytes().get(self.offset..end).unwrap_or_default();
        let lines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.offset = end;
        self.line
    }
}
