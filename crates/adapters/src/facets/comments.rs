//! Takes the comments out of C and C++ text without changing what a compiler sees, line numbers included.

/// Words after which `<` opens a header name, in which `//` is no comment.
const INCLUDES: [&[u8]; 4] = [b"include", b"include_next", b"import", b"__has_include"];

/// Prefixes of a raw string literal, in which neither quotes nor comments nor line splices mean anything.
const RAW_PREFIXES: [&[u8]; 5] = [b"R", b"LR", b"uR", b"UR", b"u8R"];

/// The text with each comment replaced by a blank, or by none where there is one already.
///
/// A line end inside a comment becomes a spliced line end: the comment was one blank on one logical line, and
/// `__LINE__` below it must not move. Blanks before a line end go, so that a comment may come and go there.
/// Where the text is not well-formed, it is kept as it is: better a change too many than one too few.
pub(crate) fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut lexer =
        Lexer { text, at: 0, out: Vec::with_capacity(text.len()), floor: 0, in_include: false };
    while lexer.at < text.len() {
        lexer.step();
    }
    lexer.out
}

struct Lexer<'a> {
    text: &'a [u8],
    at: usize,
    out: Vec<u8>,
    /// Where the last literal ends in `out`: blanks before it belong to it.
    floor: usize,
    in_include: bool,
}

impl Lexer<'_> {
    fn step(&mut self) {
        let byte = self.text[self.at];
        if let Some(length) = self.splice(self.at) {
            return self.copy(length);
        }
        match byte {
            b'\n' => self.end_line(),
            b'/' => self.slash(),
            b'"' | b'\'' => self.literal(byte),
            b'<' if self.in_include => self.header_name(),
            b'0'..=b'9' => self.number(),
            b'.' if self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit) => self.number(),
            _ if is_identifier(byte) => self.identifier(),
            b' ' | b'\t' => self.copy(1),
            _ => {
                self.in_include &= byte == b'(';
                self.copy(1);
            }
        }
    }

    fn copy(&mut self, length: usize) {
        let end = (self.at + length).min(self.text.len());
        self.out.extend_from_slice(&self.text[self.at..end]);
        self.at = end;
    }

    /// The length of a backslash and line end at a place: the two lines are one.
    fn splice(&self, at: usize) -> Option<usize> {
        let rest = &self.text[at.min(self.text.len())..];
        if rest.starts_with(b"\\\n") {
            Some(2)
        } else if rest.starts_with(b"\\\r\n") {
            Some(3)
        } else {
            None
        }
    }

    /// The byte a compiler sees at or after a place, and the place behind it.
    fn logical(&self, mut at: usize) -> Option<(u8, usize)> {
        while let Some(length) = self.splice(at) {
            at += length;
        }
        self.text.get(at).map(|&byte| (byte, at + 1))
    }

    fn end_line(&mut self) {
        while self.out.len() > self.floor && matches!(self.out.last(), Some(b' ' | b'\t')) {
            self.out.pop();
        }
        self.in_include = false;
        self.copy(1);
    }

    fn slash(&mut self) {
        let end = match self.logical(self.at + 1) {
            Some((b'*', inside)) => self.block_end(inside),
            Some((b'/', inside)) => Some(self.line_end(inside)),
            _ => {
                self.in_include = false;
                return self.copy(1);
            }
        };
        match end {
            Some(end) => self.comment(end),
            // A comment that never ends is no C; the rest stays.
            None => self.copy(self.text.len()),
        }
    }

    fn block_end(&self, mut at: usize) -> Option<usize> {
        loop {
            let (byte, next) = self.logical(at)?;
            match self.logical(next) {
                Some((b'/', end)) if byte == b'*' => return Some(end),
                _ => at = next,
            }
        }
    }

    fn line_end(&self, mut at: usize) -> usize {
        loop {
            match self.logical(at) {
                Some((b'\n', next)) => return next - 1,
                Some((_, next)) => at = next,
                None => return self.text.len(),
            }
        }
    }

    fn comment(&mut self, end: usize) {
        let lines = self.text[self.at..end].iter().filter(|&&byte| byte == b'\n').count();
        if !matches!(self.out.last(), None | Some(b' ' | b'\t' | b'\n')) {
            self.out.push(b' ');
        }
        for _ in 0..lines {
            self.out.extend_from_slice(b"\\\n");
        }
        self.at = end;
        while matches!(self.text.get(self.at), Some(b' ' | b'\t')) {
            self.at += 1;
        }
    }

    fn literal(&mut self, quote: u8) {
        self.in_include = false;
        self.copy(1);
        while let Some(&byte) = self.text.get(self.at) {
            if let Some(length) = self.splice(self.at) {
                self.copy(length);
            } else if byte == b'\n' {
                // Unterminated: an apostrophe in an #error line.
                break;
            } else if byte == b'\\' && self.text.get(self.at + 1) != Some(&b'\n') {
                self.escape();
            } else {
                self.copy(1);
                if byte == quote {
                    break;
                }
            }
        }
        self.floor = self.out.len();
    }

    /// A backslash and the byte it escapes, which a line splice may part from it.
    fn escape(&mut self) {
        self.copy(1);
        while let Some(length) = self.splice(self.at) {
            self.copy(length);
        }
        if self.text.get(self.at) != Some(&b'\n') {
            self.copy(1);
        }
    }

    fn header_name(&mut self) {
        let rest = &self.text[self.at..];
        let length =
            rest.iter().position(|byte| matches!(byte, b'>' | b'\n')).unwrap_or(rest.len());
        self.copy(length);
        self.in_include = false;
    }

    /// A preprocessing number, whose digits C++ and C23 may part with apostrophes.
    fn number(&mut self) {
        self.in_include = false;
        self.copy(1);
        while let Some(&byte) = self.text.get(self.at) {
            let next = self.text.get(self.at + 1).copied().unwrap_or(0);
            let exponent = matches!(self.text[self.at - 1], b'e' | b'E' | b'p' | b'P');
            let goes_on = is_identifier(byte)
                || byte.is_ascii_digit()
                || byte == b'.'
                || (byte == b'\'' && (next.is_ascii_alphanumeric() || next == b'_'))
                || (exponent && matches!(byte, b'+' | b'-'));
            if !goes_on {
                break;
            }
            self.copy(1);
        }
    }

    fn identifier(&mut self) {
        let rest = &self.text[self.at..];
        let inside = |byte: &u8| is_identifier(*byte) || byte.is_ascii_digit();
        let length = rest.iter().position(|byte| !inside(byte)).unwrap_or(rest.len());
        let word = &rest[..length];
        self.in_include = INCLUDES.contains(&word);
        let raw = rest.get(length) == Some(&b'"') && RAW_PREFIXES.contains(&word);
        self.copy(length);
        if raw {
            self.raw_string();
        }
    }

    /// `"tag(…)tag"`, the prefix being copied already.
    fn raw_string(&mut self) {
        let rest = &self.text[self.at..];
        let opening = rest.iter().position(|&byte| byte == b'(').filter(|&at| at <= 17);
        let Some(opening) = opening else { return self.literal(b'"') };
        let mut closing = vec![b')'];
        closing.extend_from_slice(&rest[1..opening]);
        closing.push(b'"');
        let end = rest.windows(closing.len()).position(|window| window == closing);
        self.copy(end.map_or(rest.len(), |end| end + closing.len()));
        self.floor = self.out.len();
    }
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b'$' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = without_comments(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&found), expected, "from {text:?}");
        let again = without_comments(&found);
        assert_eq!(String::from_utf8_lossy(&again), expected, "{expected:?} is not stable");
    }

    #[test]
    fn comments_become_a_blank() {
        check("int a; // one\nint b;", "int a;\nint b;");
        check("int a; /* one */\n", "int a;\n");
        check("int/**/a;", "int a;");
        check("a /* x */ b", "a b");
        check("/* at the start */ int a;", "int a;");
        check("#define EMPTY/**/(x)\n", "#define EMPTY (x)\n");
        check("a /**/ /* two */ b", "a b");
        check("a / b /= c", "a / b /= c");
        check("a /* ** / */ b", "a b");
    }

    #[test]
    fn line_numbers_stay_where_they_are() {
        check("/*\n * licence\n */\nint a;", "\\\n\\\n\nint a;");
        check("#define A /* \n */ 1\n", "#define A \\\n1\n");
        check("a // one \\\n two\nb", "a \\\n\nb");
        check("a /\\\n* x *\\\n/ b", "a \\\n\\\nb");
    }

    #[test]
    fn literals_are_left_alone() {
        for text in [
            "char *a = \"/* no */ // no\";",
            "char *a = \"\\\" // no\";",
            "char a = '\"'; char b = '/'; char c = '\\'';",
            "char *a = R\"(\" // no)\";",
            "char *a = u8R\"x(/* )\" */ )x\";",
            "#include <sys//param.h>",
            "#if __has_include(<a//b.h>)",
            "int a = 1'000'000; char b = '/';",
            "char *a = \"one \\\n// two\";",
            "#error don't // say",
            "double d = 1e+5;",
        ] {
            check(text, text);
        }
        check("int a = 1'0; // gone", "int a = 1'0; ");
        check("auto a = R\"(x)\"; // gone\n", "auto a = R\"(x)\";\n");
    }

    #[test]
    fn what_never_ends_is_kept() {
        check("int a; /* no end", "int a; /* no end");
        check("char *a = R\"x(no end", "char *a = R\"x(no end");
        check("char *a = \"no end\nint b; // gone\nc", "char *a = \"no end\nint b;\nc");
    }

    #[test]
    fn any_bytes_keep_their_lines() {
        let alphabet = b"/*\"'\\\n R(x)<>#1.e \r";
        let mut state = 7_u64;
        for _ in 0..20_000 {
            let mut text = Vec::new();
            for _ in 0..24 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push(alphabet[(state >> 33) as usize % alphabet.len()]);
            }
            let lines = |text: &[u8]| text.iter().filter(|&&byte| byte == b'\n').count();
            let found = without_comments(&text);
            assert_eq!(lines(&found), lines(&text), "{:?}", String::from_utf8_lossy(&text));
        }
    }
}
