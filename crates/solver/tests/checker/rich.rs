//! Rich dependencies as rpm's manual describes them (`docs/manual/dependencies.md`, "Boolean Dependencies").

use super::evr::{Range, Version};

/// A name, and which versions of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Capability {
    pub(crate) name: String,
    pub(crate) range: Option<Range>,
}

/// A dependency that may have others in it.
#[derive(Clone, Debug)]
pub(crate) enum Formula {
    One(Capability),
    And(Vec<Formula>),
    Or(Vec<Formula>),
    With(Vec<Formula>),
    Without(Box<[Formula; 2]>),
    If(Box<[Formula; 2]>, Option<Box<Formula>>),
    Unless(Box<[Formula; 2]>, Option<Box<Formula>>),
}

/// Reads a name that begins with a parenthesis.
pub(crate) fn parse(text: &str) -> Formula {
    let mut parser = Parser { rest: text };
    let formula = parser.operand();
    assert_eq!(parser.rest.trim(), "", "{text}");
    formula
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn operand(&mut self) -> Formula {
        self.rest = self.rest.trim_start();
        let Some(inside) = self.rest.strip_prefix('(') else { return Formula::One(self.simple()) };
        self.rest = inside;
        let first = self.operand();
        let word = self.word();
        let formula = match word {
            "" => first,
            "and" => Formula::And(self.chain(first, word)),
            "or" => Formula::Or(self.chain(first, word)),
            "with" => Formula::With(self.chain(first, word)),
            "without" => Formula::Without(Box::new([first, self.operand()])),
            "if" | "unless" => {
                let both = Box::new([first, self.operand()]);
                let other = (self.peek() == "else").then(|| {
                    self.word();
                    Box::new(self.operand())
                });
                if word == "if" { Formula::If(both, other) } else { Formula::Unless(both, other) }
            }
            other => panic!("`{other}` before `{}`", self.rest),
        };
        self.rest = self.rest.trim_start().strip_prefix(')').expect("a parenthesis is closed");
        formula
    }

    /// The other operands of an operator that may stand several times.
    fn chain(&mut self, first: Formula, word: &str) -> Vec<Formula> {
        let mut operands = vec![first, self.operand()];
        while self.peek() == word {
            self.word();
            operands.push(self.operand());
        }
        operands
    }

    fn simple(&mut self) -> Capability {
        let name = self.word().to_owned();
        assert!(!name.is_empty(), "{}", self.rest);
        let range = Range::new(self.peek(), Version::parse("")).map(|range| {
            self.word();
            Range { version: Version::parse(self.word()), ..range }
        });
        Capability { name, range }
    }

    fn peek(&self) -> &'a str {
        Parser { rest: self.rest }.word()
    }

    /// Up to a blank, or to a parenthesis that closes what was opened before.
    fn word(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let mut open = 0;
        let end = self.rest.find(|character: char| {
            open += i32::from(character == '(') - i32::from(character == ')');
            open < 0 || character.is_whitespace()
        });
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        word
    }
}
