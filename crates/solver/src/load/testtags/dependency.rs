//! One dependency in libsolv's notation, `A >= 1 & (B | C)`, put into rpm's: `(A >= 1 and (B or C))`.
//!
//! As in libsolv operators have no order among themselves: whatever stands behind one belongs together.

use crate::load::malformed::excerpt;
use crate::load::record::{Bound, Comparison, Relation};

/// Deeper than any dependency someone wrote.
const DEPTH: usize = 100;

/// What cannot be put into rpm's notation.
type Unsupported = String;

/// Reads a dependency; a path is one as it stands.
pub(crate) fn dependency(text: &str) -> Result<Relation, Unsupported> {
    if text.starts_with('/') {
        return Ok(Relation { name: text.to_owned(), ..Relation::default() });
    }
    let mut parser = Parser { rest: text };
    let term = parser.term(DEPTH)?;
    if !parser.rest.is_empty() {
        return Err(format!("`{}` has a parenthesis too many", excerpt(text)));
    }
    match term {
        Term::Simple(relation) => Ok(relation),
        Term::Rich { .. } => Ok(Relation { name: term.written()?, ..Relation::default() }),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Compare(Comparison),
    /// `<=>`, which is true of every version.
    Any,
    Join(&'static str),
    /// What rpm has no word for.
    Foreign(&'static str),
}

/// In libsolv's order, as the first that fits is taken.
const OPERATORS: [(&str, Operator); 21] = [
    ("=", Operator::Compare(Comparison::Equal)),
    ("<=>", Operator::Any),
    ("<=", Operator::Compare(Comparison::LessOrEqual)),
    (">=", Operator::Compare(Comparison::GreaterOrEqual)),
    (">", Operator::Compare(Comparison::Greater)),
    ("<>", Operator::Foreign("<>")),
    ("&", Operator::Join("and")),
    ("|", Operator::Join("or")),
    ("+", Operator::Join("with")),
    ("-", Operator::Join("without")),
    ("<NAMESPACE>", Operator::Foreign("<NAMESPACE>")),
    (".", Operator::Foreign(".")),
    ("<MULTIARCH>", Operator::Foreign("<MULTIARCH>")),
    ("<FILECONFLICT>", Operator::Foreign("<FILECONFLICT>")),
    ("<IF>", Operator::Join("if")),
    ("compat >=", Operator::Foreign("compat >=")),
    ("<KIND>", Operator::Foreign("<KIND>")),
    ("<ELSE>", Operator::Join("else")),
    ("<ERROR>", Operator::Foreign("<ERROR>")),
    ("<UNLESS>", Operator::Join("unless")),
    ("<", Operator::Compare(Comparison::Less)),
];

enum Term {
    Simple(Relation),
    Rich { left: Box<Term>, word: &'static str, right: Box<Term> },
}

impl Term {
    /// The dependency as rpm writes it.
    fn written(&self) -> Result<String, Unsupported> {
        match self {
            Self::Simple(relation) if relation.name.contains([' ', '(', ')']) => {
                let balanced =
                    relation.name.matches('(').count() == relation.name.matches(')').count();
                if balanced && !relation.name.contains(' ') && !relation.name.starts_with('(') {
                    return Ok(relation.to_string());
                }
                Err(format!("`{}` cannot stand in a rich dependency", excerpt(&relation.name)))
            }
            Self::Simple(relation) => Ok(relation.to_string()),
            Self::Rich { word: "else", .. } => Err("<ELSE> without <IF> or <UNLESS>".to_owned()),
            Self::Rich { left, word, right } => {
                Ok(format!("({} {word} {})", left.written()?, right.behind(word)?))
            }
        }
    }

    /// The same behind an operator: a chain goes on without parentheses, and so does an alternative.
    fn behind(&self, before: &str) -> Result<String, Unsupported> {
        match self {
            Self::Rich { left, word, right }
                if *word == before && matches!(*word, "and" | "or")
                    || *word == "else" && matches!(before, "if" | "unless") =>
            {
                Ok(format!("{} {word} {}", left.written()?, right.behind(word)?))
            }
            _ => self.written(),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn term(&mut self, depth: usize) -> Result<Term, Unsupported> {
        let depth = depth.checked_sub(1).ok_or("the dependency is nested too deeply")?;
        let mut term = self.operand(depth)?;
        loop {
            self.skip_blanks();
            if self.rest.is_empty() || self.rest.starts_with(')') {
                return Ok(term);
            }
            term = match self.operator()? {
                Operator::Any => {
                    self.skip_blanks();
                    self.word()?;
                    term
                }
                Operator::Compare(comparison) => {
                    self.skip_blanks();
                    compared(term, comparison, self.word()?)?
                }
                Operator::Join(word) => {
                    let right = Box::new(self.term(depth)?);
                    Term::Rich { left: Box::new(term), word, right }
                }
                Operator::Foreign(name) => return Err(format!("`{name}` is not supported")),
            };
        }
    }

    fn operand(&mut self, depth: usize) -> Result<Term, Unsupported> {
        self.skip_blanks();
        if self.rest.starts_with("namespace:") {
            return Err(format!("the namespace `{}` is not supported", excerpt(self.rest)));
        }
        let Some(inside) = self.rest.strip_prefix('(') else {
            let name = self.word()?;
            if name.is_empty() || name == "<NULL>" || name.ends_with(":any") {
                return Err(format!("the name `{}` is not supported", excerpt(&name)));
            }
            return Ok(Term::Simple(Relation { name, ..Relation::default() }));
        };
        self.rest = inside;
        let term = self.term(depth)?;
        self.rest = self.rest.strip_prefix(')').ok_or("a parenthesis is never closed")?;
        Ok(term)
    }

    fn operator(&mut self) -> Result<Operator, Unsupported> {
        let found = OPERATORS.iter().find(|(written, _)| self.rest.starts_with(written));
        let (written, operator) =
            found.ok_or_else(|| format!("`{}` begins with no operator", excerpt(self.rest)))?;
        self.rest = &self.rest[written.len()..];
        Ok(*operator)
    }

    /// A name or a version: up to a blank, or a parenthesis that closes what was opened before it.
    fn word(&mut self) -> Result<String, Unsupported> {
        let mut open = 0_usize;
        let end = self.rest.find(|character: char| {
            match character {
                '(' => open += 1,
                ')' if open == 0 => return true,
                ')' => open -= 1,
                _ => {}
            }
            character <= ' '
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        unescaped(word)
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }
}

fn compared(term: Term, comparison: Comparison, evr: String) -> Result<Term, Unsupported> {
    match term {
        Term::Simple(Relation { name, bound: None, is_pre }) if !evr.is_empty() => {
            let bound = Some(Bound { comparison, evr });
            Ok(Term::Simple(Relation { name, bound, is_pre }))
        }
        _ => Err("a version of something that has none".to_owned()),
    }
}

/// `\28` is a parenthesis: two hexadecimal digits behind a backslash.
fn unescaped(word: &str) -> Result<String, Unsupported> {
    if !word.contains('\\') {
        return Ok(word.to_owned());
    }
    let mut pieces = word.as_bytes().split(|byte| *byte == b'\\');
    let mut bytes = pieces.next().unwrap_or_default().to_vec();
    for piece in pieces {
        let digits = piece.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => bytes.extend(std::iter::once(byte).chain(piece[2..].iter().copied())),
            // As in libsolv, which leaves the backslash where no digits follow.
            None => bytes.extend(b"\\".iter().chain(piece)),
        }
    }
    String::from_utf8(bytes).map_err(|_| format!("`{}` is not UTF-8", excerpt(word)))
}
