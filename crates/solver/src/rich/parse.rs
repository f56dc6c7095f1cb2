//! From the text of a rich dependency to its tree.

use super::Rich;
use crate::tables::{Comparison, Dependency, EvrId, Tables};

/// How deep rich dependencies may be nested. rpm itself does not go deeper than a stack allows; nobody
/// writes more than three.
const DEPTH: usize = 64;

/// Why a text is no rich dependency.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RichError {
    /// It ends too early.
    #[error("the rich dependency ends too early")]
    Truncated,
    /// Something stands behind its end.
    #[error("something follows the end of the rich dependency, at byte {0}")]
    Trailing(usize),
    /// An operator that does not exist.
    #[error("unknown operator at byte {0}")]
    UnknownOperator(usize),
    /// `and` and `or` and the like must not be mixed without parentheses.
    #[error("operators are mixed without parentheses at byte {0}")]
    MixedOperators(usize),
    /// Nested deeper than the limit.
    #[error("nested deeper than {DEPTH} levels")]
    TooDeep,
    /// It grows beyond the limit when its parts are multiplied out.
    #[error("becomes more than {0} clauses")]
    TooManyClauses(usize),
    /// `with` and `without` take plain dependencies, or sets of them.
    #[error("`with` and `without` must stand between dependencies on one package")]
    NotASet,
}

/// The words of a rich dependency: names, operators, comparisons, versions.
pub fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.iter().position(|byte| !matches!(byte, b' ' | b'(' | b')'))?;
        let (word, after) = take_word(&rest[start..]);
        rest = after;
        Some(word)
    })
}

/// A word ends at a space or at a parenthesis it did not open, as in `perl(Foo)`.
fn take_word(text: &[u8]) -> (&[u8], &[u8]) {
    let mut open = 0usize;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b' ' => return text.split_at(at),
            b'(' => open += 1,
            b')' if open == 0 => return text.split_at(at),
            b')' => open -= 1,
            _ => {}
        }
    }
    (text, &[])
}

/// Parses a rich dependency. Its leaves are added to the tables.
///
/// # Errors
/// What is wrong with the text, and where.
pub fn parse(tables: &mut Tables, text: &[u8]) -> Result<Rich, RichError> {
    let mut parser = Parser { tables, text, at: 0 };
    let rich = parser.group(0)?;
    parser.skip_spaces();
    if parser.at < text.len() { Err(RichError::Trailing(parser.at)) } else { Ok(rich) }
}

struct Parser<'a> {
    tables: &'a mut Tables,
    text: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    fn skip_spaces(&mut self) {
        while self.text.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
    }

    fn word(&mut self) -> &'a [u8] {
        self.skip_spaces();
        let (word, _) = take_word(&self.text[self.at..]);
        self.at += word.len();
        word
    }

    /// A parenthesised group or a plain dependency.
    fn group(&mut self, depth: usize) -> Result<Rich, RichError> {
        self.skip_spaces();
        if self.text.get(self.at) != Some(&b'(') {
            return self.plain();
        }
        if depth >= DEPTH {
            return Err(RichError::TooDeep);
        }
        self.at += 1;
        let mut items = vec![self.group(depth + 1)?];
        let mut operator: &[u8] = b"";
        let mut has_else = false;
        loop {
            self.skip_spaces();
            let at = self.at;
            if self.text.get(at) == Some(&b')') {
                self.at += 1;
                return build(operator, has_else, items).ok_or(RichError::UnknownOperator(at));
            }
            let word = self.word();
            match word {
                b"" => return Err(RichError::Truncated),
                b"else" if matches!(operator, b"if" | b"unless") && !has_else => has_else = true,
                b"if" | b"unless" | b"without" if !operator.is_empty() => {
                    return Err(RichError::MixedOperators(at));
                }
                _ if operator.is_empty() || operator == word => operator = word,
                _ => return Err(RichError::MixedOperators(at)),
            }
            items.push(self.group(depth + 1)?);
        }
    }

    fn plain(&mut self) -> Result<Rich, RichError> {
        let name = self.word();
        if name.is_empty() {
            return Err(RichError::Truncated);
        }
        let after_name = self.at;
        let name = self.tables.strings.intern(name);
        let (comparison, evr) = match Comparison::from_symbol(self.word()) {
            Some(comparison) => {
                let version = self.word();
                if version.is_empty() {
                    return Err(RichError::Truncated);
                }
                (comparison, self.tables.intern_evr_text(version))
            }
            None => {
                self.at = after_name;
                (Comparison::ANY, EvrId::NONE)
            }
        };
        let dependency = Dependency { name, comparison, evr };
        Ok(Rich::Plain(self.tables.dependencies.intern(dependency)))
    }
}

fn build(operator: &[u8], has_else: bool, items: Vec<Rich>) -> Option<Rich> {
    let mut items = items.into_iter();
    let mut next = || items.next().map(Box::new);
    Some(match operator {
        b"" => *next()?,
        b"and" => Rich::And(items.collect()),
        b"or" => Rich::Or(items.collect()),
        b"with" => Rich::With(items.collect()),
        b"without" => Rich::Without(next()?, next()?),
        b"if" => Rich::If(next()?, next()?, if has_else { next() } else { None }),
        b"unless" => Rich::Unless(next()?, next()?, if has_else { next() } else { None }),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let mut tables = Tables::new();
        let shown = match parse(&mut tables, text.as_bytes()) {
            Ok(rich) => show(&tables, &rich),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    fn show(tables: &Tables, rich: &Rich) -> String {
        let list = |items: &[Rich]| {
            items.iter().map(|item| show(tables, item)).collect::<Vec<_>>().join(", ")
        };
        let three = |name: &str, first: &Rich, second: &Rich, third: &Option<Box<Rich>>| {
            let third =
                third.as_ref().map_or(String::new(), |third| format!(", {}", show(tables, third)));
            format!("{name}[{}, {}{third}]", show(tables, first), show(tables, second))
        };
        match rich {
            Rich::Plain(id) => tables.dependency_text(*id),
            Rich::And(items) => format!("and[{}]", list(items)),
            Rich::Or(items) => format!("or[{}]", list(items)),
            Rich::With(items) => format!("with[{}]", list(items)),
            Rich::If(first, second, third) => three("if", first, second, third),
            Rich::Unless(first, second, third) => three("unless", first, second, third),
            Rich::Without(first, second) => three("without", first, second, &None),
        }
    }

    #[test]
    fn reads_what_packages_write() {
        check("(a and b >= 1.2-3)", "and[a, b >= 1.2-3]");
        check("(perl(Foo::Bar) or lib(x86-64) or c)", "or[perl(Foo::Bar), lib(x86-64), c]");
        check("((a with b < 2) if c else (d or e))", "if[with[a, b < 2], c, or[d, e]]");
        check("(a unless b)", "unless[a, b]");
        check("(a without b)", "without[a, b]");
        check("( a )", "a");
    }

    #[test]
    fn says_what_is_wrong() {
        check("(a and b or c)", "operators are mixed without parentheses at byte 9");
        check("(a and b", "the rich dependency ends too early");
        check("(a xor b)", "unknown operator at byte 8");
        check("(a and b) c", "something follows the end of the rich dependency, at byte 10");
        check(&"(".repeat(1_000_000), "nested deeper than 64 levels");
    }
}
