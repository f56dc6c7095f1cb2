//! The types of conditions: checked before one is ever evaluated, so that a wrong name is found by whoever writes it.

use std::collections::BTreeSet;
use std::fmt;

use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SelectExpr, operators};
use model::event::Severity;

use super::EventKind;
use super::fields::Thing;

/// The type of an expression.
#[derive(Clone, Debug)]
pub(super) enum Type {
    Truth,
    Count,
    Severity,
    Text,
    /// A text that is one of few.
    Word(fn() -> Vec<&'static str>),
    List(Box<Type>),
    Labels,
    Thing(Thing),
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truth => f.write_str("true or false"),
            Self::Count => f.write_str("a number"),
            Self::Severity => f.write_str("a severity"),
            Self::Text | Self::Word(_) => f.write_str("a text"),
            Self::List(_) => f.write_str("a list"),
            Self::Labels => f.write_str("all labels"),
            Self::Thing(Thing::Event) => f.write_str("an event"),
            Self::Thing(Thing::Artifact) => f.write_str("an artifact"),
            Self::Thing(Thing::Edge) => f.write_str("an edge"),
        }
    }
}

impl Type {
    fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Word(_))
    }

    /// Whether values of both can be equal.
    fn fits(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Truth, Self::Truth)
            | (Self::Count, Self::Count)
            | (Self::Severity, Self::Severity) => true,
            (Self::List(a), Self::List(b)) => a.fits(b),
            (a, b) => a.is_text() && b.is_text(),
        }
    }
}

/// Where a condition stands: what it may speak of.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The kinds of event its rule is asked about.
    pub on: &'a [EventKind],
    /// Whether it stands in `follow`, where there is an edge.
    pub in_follow: bool,
}

/// What is wrong with an expression, and the number of the node at which it is.
pub(super) struct TypeProblem {
    pub(super) node: u64,
    pub(super) message: String,
}

/// What a condition speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    /// The fields, e.g. `artifact.kind`.
    pub(super) fields: BTreeSet<String>,
    /// The labels.
    pub(super) labels: BTreeSet<String>,
}

/// Checks that an expression is true or false.
pub(super) fn check(expression: &IdedExpr, scope: Scope<'_>) -> Result<Mentions, TypeProblem> {
    let mut checker = Checker { scope, bound: Vec::new(), mentions: Mentions::default() };
    let found = checker.type_of(expression)?;
    if !matches!(found, Type::Truth) {
        return fail(expression, format!("a condition is true or false, and this is {found}"));
    }
    Ok(checker.mentions)
}

const IN_RULE: [&str; 2] = ["artifact", "event"];
const IN_FOLLOW: [&str; 5] = ["artifact", "dependency", "dependent", "edge", "event"];
const FUNCTIONS: &str =
    "startsWith, endsWith and contains of texts, size of texts and lists, exists and all of lists";

struct Checker<'a> {
    scope: Scope<'a>,
    /// The variables of `exists` and `all`, the innermost last.
    bound: Vec<(String, Type)>,
    mentions: Mentions,
}

type Checked = Result<Type, TypeProblem>;

fn fail<T>(at: &IdedExpr, message: impl Into<String>) -> Result<T, TypeProblem> {
    Err(TypeProblem { node: at.id, message: message.into() })
}

impl Checker<'_> {
    fn type_of(&mut self, at: &IdedExpr) -> Checked {
        match &at.expr {
            Expr::Literal(literal) => literal_type(at, literal),
            Expr::Ident(name) => self.variable(at, name),
            Expr::Select(select) => self.select(at, select),
            Expr::Call(call) => self.call(at, call),
            Expr::List(list) => self.list(at, &list.elements),
            Expr::Map(_) | Expr::Struct(_) => fail(at, "a condition makes no maps"),
            Expr::Comprehension(_) | Expr::Unspecified => fail(at, "this cannot be understood"),
        }
    }

    fn variable(&self, at: &IdedExpr, name: &str) -> Checked {
        if let Some((_, bound)) = self.bound.iter().rev().find(|(bound, _)| bound == name) {
            return Ok(bound.clone());
        }
        if Severity::ALL.iter().any(|severity| severity.as_str() == name) {
            return Ok(Type::Severity);
        }
        match (name, self.scope.in_follow) {
            ("event", _) => Ok(Type::Thing(Thing::Event)),
            ("artifact", _) => Ok(Type::Thing(Thing::Artifact)),
            ("dependent" | "dependency", true) => Ok(Type::Thing(Thing::Artifact)),
            ("edge", true) => Ok(Type::Thing(Thing::Edge)),
            ("dependent" | "dependency" | "edge", false) => {
                fail(at, format!("`{name}` is known to conditions in `follow` only"))
            }
            _ => {
                let known: &[&str] = if self.scope.in_follow { &IN_FOLLOW } else { &IN_RULE };
                let severities = Severity::ALL.map(Severity::as_str).join(", ");
                let known = known.join(", ");
                fail(
                    at,
                    format!(
                        "there is no `{name}`: there are {known}, and the severities {severities}; texts stand in quotes"
                    ),
                )
            }
        }
    }

    fn select(&mut self, at: &IdedExpr, select: &SelectExpr) -> Checked {
        let SelectExpr { operand, field, .. } = select;
        let whole = match self.type_of(operand)? {
            Type::Labels => return Ok(self.label(field)),
            Type::Thing(thing) => thing,
            other => return fail(at, format!("{other} has no field `{field}`")),
        };
        let Expr::Ident(name) = &operand.expr else {
            return fail(at, format!("this has no field `{field}`"));
        };
        let fields = whole.fields();
        let Some(found) = fields.iter().find(|known| known.name == field) else {
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let known = names.join(", ");
            return fail(at, format!("`{name}` has no field `{field}`: it has {known}"));
        };
        if let Some(told_by) = found.told_by
            && let Some(other) = self.scope.on.iter().find(|kind| **kind != told_by)
        {
            let (told_by, other) = (told_by.as_str(), other.as_str());
            return fail(
                at,
                format!(
                    "`{name}.{field}` is known of {told_by} events only, and the rule is on {other} as well: write a rule for each"
                ),
            );
        }
        self.mentions.fields.insert(format!("{name}.{field}"));
        Ok(found.of.clone())
    }

    fn label(&mut self, name: &str) -> Type {
        self.mentions.labels.insert(name.to_owned());
        Type::Text
    }

    fn list(&mut self, at: &IdedExpr, elements: &[IdedExpr]) -> Checked {
        let Some((first, rest)) = elements.split_first() else {
            return fail(at, "the list is empty");
        };
        let of = self.type_of(first)?;
        for element in rest {
            let other = self.type_of(element)?;
            if !of.fits(&other) {
                return fail(element, format!("the list begins with {of}, and this is {other}"));
            }
        }
        Ok(Type::List(Box::new(of)))
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Checked {
        match (&call.target, call.args.as_slice()) {
            (None, [a]) => self.call_of_one(at, &call.func_name, a),
            (None, [a, b]) => self.call_of_two(at, &call.func_name, (a, b)),
            (None, [condition, yes, no]) if call.func_name == operators::CONDITIONAL => {
                self.expect_truth(condition)?;
                let (yes_type, no_type) = (self.type_of(yes)?, self.type_of(no)?);
                if yes_type.fits(&no_type) {
                    return Ok(yes_type);
                }
                fail(at, format!("one side is {yes_type}, the other {no_type}"))
            }
            (Some(target), args) => self.method(at, &call.func_name, (target, args)),
            _ => no_function(at, &call.func_name),
        }
    }

    fn call_of_one(&mut self, at: &IdedExpr, function: &str, argument: &IdedExpr) -> Checked {
        match function {
            operators::LOGICAL_NOT => self.expect_truth(argument),
            "size" => self.size(argument),
            operators::HAS => {
                fail(at, "everything has a value: a label that is not set is an empty text")
            }
            operators::NEGATE => fail(at, "a condition does not calculate"),
            _ => no_function(at, function),
        }
    }

    fn call_of_two(
        &mut self,
        at: &IdedExpr,
        function: &str,
        (a, b): (&IdedExpr, &IdedExpr),
    ) -> Checked {
        match function {
            operators::LOGICAL_AND | operators::LOGICAL_OR => {
                self.expect_truth(a)?;
                self.expect_truth(b)
            }
            operators::EQUALS | operators::NOT_EQUALS => self.equality(at, a, b),
            operators::LESS
            | operators::LESS_EQUALS
            | operators::GREATER
            | operators::GREATER_EQUALS => self.order(at, a, b),
            operators::IN => self.membership(at, a, b),
            operators::INDEX => self.index(at, a, b),
            operators::ADD
            | operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO => fail(at, "a condition does not calculate"),
            _ => no_function(at, function),
        }
    }

    fn expect_truth(&mut self, at: &IdedExpr) -> Checked {
        match self.type_of(at)? {
            Type::Truth => Ok(Type::Truth),
            other => fail(at, format!("this has to be true or false, and is {other}")),
        }
    }

    fn equality(&mut self, at: &IdedExpr, a: &IdedExpr, b: &IdedExpr) -> Checked {
        let (left, right) = (self.type_of(a)?, self.type_of(b)?);
        for (of, words, literal, other) in [(a, &left, b, &right), (b, &right, a, &left)] {
            known_word(words, of, literal)?;
            if matches!((words, other), (Type::Severity, Type::Text | Type::Word(_))) {
                let known = Severity::ALL.map(Severity::as_str).join(", ");
                return fail(literal, format!("a severity is one of {known}, without quotes"));
            }
        }
        if left.fits(&right) {
            return Ok(Type::Truth);
        }
        fail(at, format!("{left} is compared with {right}"))
    }

    fn order(&mut self, at: &IdedExpr, a: &IdedExpr, b: &IdedExpr) -> Checked {
        match (self.type_of(a)?, self.type_of(b)?) {
            (Type::Severity, Type::Severity) | (Type::Count, Type::Count) => Ok(Type::Truth),
            (left, right) => fail(
                at,
                format!("severities and numbers have an order; this is {left} and {right}"),
            ),
        }
    }

    fn membership(&mut self, at: &IdedExpr, a: &IdedExpr, b: &IdedExpr) -> Checked {
        let element = self.type_of(a)?;
        match self.type_of(b)? {
            Type::List(of) if element.fits(&of) => {
                if let Expr::List(list) = &b.expr {
                    list.elements.iter().try_for_each(|word| known_word(&element, a, word))?;
                }
                Ok(Type::Truth)
            }
            Type::List(of) => fail(at, format!("{element} is looked for in a list of {of}")),
            Type::Labels => fail(
                at,
                "a label is asked for by its name, e.g. artifact.labels.tier == \"base\"; one that is not set is an empty text",
            ),
            other => fail(at, format!("`in` looks in a list, and this is {other}")),
        }
    }

    fn index(&mut self, at: &IdedExpr, a: &IdedExpr, b: &IdedExpr) -> Checked {
        match (self.type_of(a)?, &b.expr) {
            (Type::Labels, Expr::Literal(LiteralValue::String(name))) => {
                Ok(self.label(name.inner()))
            }
            (Type::Labels, _) => fail(b, "the name of a label is a text in quotes"),
            (other, _) => fail(at, format!("{other} has no numbered parts")),
        }
    }

    fn size(&mut self, of: &IdedExpr) -> Checked {
        match self.type_of(of)? {
            Type::Text | Type::Word(_) | Type::List(_) => Ok(Type::Count),
            other => fail(of, format!("{other} has no size")),
        }
    }

    fn method(
        &mut self,
        at: &IdedExpr,
        function: &str,
        (target, arguments): (&IdedExpr, &[IdedExpr]),
    ) -> Checked {
        match (function, arguments) {
            ("startsWith" | "endsWith" | "contains", [part]) => {
                for (expression, what) in [(target, "is asked of"), (part, "is given")] {
                    let found = self.type_of(expression)?;
                    if !found.is_text() {
                        return fail(
                            expression,
                            format!("`{function}` {what} a text, not {found}"),
                        );
                    }
                }
                Ok(Type::Truth)
            }
            ("size", []) => self.size(target),
            ("exists" | "all", [variable, body]) => {
                self.quantified(function, target, (variable, body))
            }
            _ => no_function(at, function),
        }
    }

    /// `list.exists(x, condition of x)`
    fn quantified(
        &mut self,
        function: &str,
        list: &IdedExpr,
        (variable, body): (&IdedExpr, &IdedExpr),
    ) -> Checked {
        let of = match self.type_of(list)? {
            Type::List(of) => *of,
            other => return fail(list, format!("`{function}` is asked of a list, not {other}")),
        };
        let Expr::Ident(name) = &variable.expr else {
            return fail(variable, "this has to be the name of a variable");
        };
        self.bound.push((name.clone(), of));
        let checked = self.expect_truth(body);
        self.bound.pop();
        checked
    }
}

fn literal_type(at: &IdedExpr, literal: &LiteralValue) -> Checked {
    match literal {
        LiteralValue::Boolean(_) => Ok(Type::Truth),
        LiteralValue::String(_) => Ok(Type::Text),
        LiteralValue::Int(_) => Ok(Type::Count),
        LiteralValue::Null => fail(at, "everything has a value: there is no null"),
        LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::UInt(_) => {
            fail(at, "nothing has a value of this kind")
        }
    }
}

/// A literal that is compared with one of few words has to be one of them.
fn known_word(words: &Type, of: &IdedExpr, literal: &IdedExpr) -> Result<(), TypeProblem> {
    let Type::Word(known) = words else { return Ok(()) };
    let Expr::Literal(LiteralValue::String(text)) = &literal.expr else { return Ok(()) };
    if known().contains(&text.inner()) {
        return Ok(());
    }
    let field = match &of.expr {
        Expr::Select(select) => select.field.as_str(),
        _ => "it",
    };
    let known = known().join(", ");
    fail(literal, format!("`{field}` is never \"{}\": it is one of {known}", text.inner()))
}

fn no_function<T>(at: &IdedExpr, name: &str) -> Result<T, TypeProblem> {
    fail(at, format!("there is no function `{name}` that is used like this: there are {FUNCTIONS}"))
}
