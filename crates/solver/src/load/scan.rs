//! A forward-only scanner of XML that hands out slices: as fast as finding the next `<`.

use super::Problem;
use memchr::{memchr, memchr2, memchr3};
use std::borrow::Cow;

/// What was found at a `<`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Its name; of a closing tag with the slash.
    pub(super) name: &'a [u8],
    /// What stands between name and `>`.
    pub(super) attributes: &'a [u8],
    /// Whether it ends with `/>`.
    pub(super) is_empty: bool,
}

/// A position in a document.
pub(super) struct Scanner<'a> {
    bytes: &'a [u8],
    pub(super) position: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    /// The next opening or closing tag; comments, declarations and CDATA are passed over.
    pub(super) fn next_tag(&mut self) -> Result<Option<Tag<'a>>, Problem> {
        loop {
            let Some(found) = self.next_angle() else {
                self.position = self.bytes.len();
                return Ok(None);
            };
            let start = found + 1;
            self.position = start;
            match self.bytes.get(start) {
                None => return Err(Problem::Truncated),
                Some(b'!' | b'?') => self.skip_declaration(start)?,
                Some(_) => return self.read_tag(start).map(Some),
            }
        }
    }

    /// Where the next `<` is. Mostly only a line's end and an indentation come before.
    fn next_angle(&self) -> Option<usize> {
        let rest = &self.bytes[self.position..];
        let start = rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if rest.get(start) == Some(&b'<') {
            return Some(self.position + start);
        }
        memchr(b'<', &rest[start..]).map(|found| self.position + start + found)
    }

    fn read_tag(&mut self, start: usize) -> Result<Tag<'a>, Problem> {
        let end = start + tag_end(&self.bytes[start..]).ok_or(Problem::Truncated)?;
        self.position = end + 1;
        let mut inner = &self.bytes[start..end];
        let is_empty = inner.last() == Some(&b'/') && inner.len() > 1;
        if is_empty {
            inner = &inner[..inner.len() - 1];
        }
        let name_end = inner.iter().position(u8::is_ascii_whitespace).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(name_end);
        Ok(Tag { name, attributes, is_empty })
    }

    fn skip_declaration(&mut self, start: usize) -> Result<(), Problem> {
        let rest = &self.bytes[start..];
        let end: &[u8] = if rest.starts_with(b"!--") {
            b"-->"
        } else if rest.starts_with(b"![CDATA[") {
            b"]]>"
        } else if rest.starts_with(b"?") {
            b"?>"
        } else {
            b">"
        };
        let found = memchr::memmem::find(rest, end).ok_or(Problem::Truncated)?;
        self.position = start + found + end.len();
        Ok(())
    }

    /// The text up to the next tag, as it stands.
    pub(super) fn text(&self) -> Result<&'a [u8], Problem> {
        let rest = &self.bytes[self.position..];
        memchr(b'<', rest).map(|end| &rest[..end]).ok_or(Problem::Truncated)
    }
}

/// Where the tag ends: the first `>` that does not stand in quotes. Nearly always that is the first of all,
/// behind a quote that closes, or as many quotes open as close before it.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let end = memchr(b'>', bytes)?;
    if is_behind_value(&bytes[..end]) {
        return Some(end);
    }
    // In bytes throughout, so that the compiler does many at once.
    let (odd, single) = bytes[..end].iter().fold((0u8, 0u8), |(odd, single), &byte| {
        (odd ^ u8::from(byte == b'"'), single | u8::from(byte == b'\''))
    });
    if odd == 0 && single == 0 { Some(end) } else { quoted_tag_end(bytes) }
}

/// Whether what a tag has so far ends with a value in quotes, perhaps with the slash of an empty tag: a quote
/// that opens has `=` before it, with space or without. With both kinds of quotes that is hard to say.
fn is_behind_value(inner: &[u8]) -> bool {
    let value = inner.strip_suffix(b"/").unwrap_or(inner);
    let [.., before, b'"'] = value else { return false };
    *before != b'=' && !before.is_ascii_whitespace() && memchr(b'\'', value).is_none()
}

fn quoted_tag_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr3(b'>', b'"', b'\'', &bytes[at..])?;
        match bytes[at] {
            b'>' => return Some(at),
            quote => at += memchr(quote, &bytes[at + 1..])? + 2,
        }
    }
}

/// The attributes of a tag in turn: name and value as it stands.
pub(super) struct Attributes<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Attributes<'a> {
    type Item = Result<(&'a [u8], &'a [u8]), Problem>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_ascii_start();
        if rest.is_empty() {
            return None;
        }
        let pair = split_attribute(rest);
        self.0 = pair.map_or(&[], |(_, _, rest)| rest);
        Some(pair.map(|(name, value, _)| (name, value)).ok_or(Problem::Malformed))
    }
}

type Split<'a> = (&'a [u8], &'a [u8], &'a [u8]);

fn split_attribute(text: &[u8]) -> Option<Split<'_>> {
    let equals = memchr(b'=', text)?;
    let name = text[..equals].trim_ascii_end();
    let rest = text[equals + 1..].trim_ascii_start();
    let quote = *rest.first().filter(|quote| matches!(quote, b'"' | b'\''))?;
    let end = memchr(quote, &rest[1..])? + 1;
    Some((name, &rest[1..end], &rest[end + 1..]))
}

/// Text with its entities replaced.
pub(super) fn unescape(text: &[u8]) -> Result<Cow<'_, [u8]>, Problem> {
    let Some(first) = memchr(b'&', text) else { return Ok(Cow::Borrowed(text)) };
    let mut out = text[..first].to_vec();
    let mut rest = &text[first..];
    while let Some(stripped) = rest.strip_prefix(b"&") {
        let end = memchr2(b';', b'&', stripped).filter(|&end| stripped[end] == b';');
        let end = end.ok_or(Problem::UnknownEntity)?;
        push_entity(&stripped[..end], &mut out)?;
        rest = &stripped[end + 1..];
        let next = memchr(b'&', rest).unwrap_or(rest.len());
        out.extend_from_slice(&rest[..next]);
        rest = &rest[next..];
    }
    Ok(Cow::Owned(out))
}

fn push_entity(name: &[u8], out: &mut Vec<u8>) -> Result<(), Problem> {
    let character = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        _ => numbered_character(name).ok_or(Problem::UnknownEntity)?,
    };
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(())
}

fn numbered_character(name: &[u8]) -> Option<char> {
    let digits = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    char::from_u32(code.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hide_the_end_of_a_tag() {
        for text in
            ["<a b= \">\"/>", "<a b=\"/>\" />", "<a b='x\">'/>", "<a b=\"'>\">", "<a b=\"=\">"]
        {
            let tag = Scanner::new(text.as_bytes(), 0).next_tag().unwrap().unwrap();
            let ended = text.trim_end_matches(['/', '>', ' ']);
            assert_eq!(tag.attributes.trim_ascii(), &ended.as_bytes()["<a ".len()..], "{text}");
        }
        let mut scanner = Scanner::new(b"<!-- <no> --><a b='x>\"' c = \"&lt;&#x41;\"/>", 0);
        let tag = scanner.next_tag().unwrap().unwrap();
        assert!(tag.name == b"a" && tag.is_empty);
        let pairs: Vec<_> = Attributes(tag.attributes).map(Result::unwrap).collect();
        assert_eq!(pairs, [(&b"b"[..], &b"x>\""[..]), (b"c", b"&lt;&#x41;")]);
        assert_eq!(&*unescape(pairs[1].1).unwrap(), b"<A");
        assert_eq!(scanner.next_tag(), Ok(None));
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        assert_eq!(Scanner::new(b"<a b='", 0).next_tag(), Err(Problem::Truncated));
        assert_eq!(Scanner::new(b"<", 0).next_tag(), Err(Problem::Truncated));
        assert_eq!(Scanner::new(b"<!-- ", 0).next_tag(), Err(Problem::Truncated));
        assert_eq!(unescape(b"a&b").unwrap_err(), Problem::UnknownEntity);
        assert_eq!(unescape(b"&nbsp;").unwrap_err(), Problem::UnknownEntity);
    }
}
