//! From the tree of a rich dependency to clauses over sets of packages, which is all the solver knows.
//!
//! A clause says: where each of its conditions holds (some member of the set is installed), some member of
//! its consequence must be installed, or, if it has none, the conditions must not hold together. Every
//! boolean formula has such a form, since sets unite: `a or b` is one set.

use super::{Rich, RichError};
use crate::tables::{DependencyId, PackageId};

/// How many clauses one dependency may become when `or` is multiplied out over `and`.
const CLAUSES: usize = 4096;

/// Sets of packages, sorted by id, that stand in one clause.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Clause {
    /// Sets that must each have a member installed for the clause to say anything.
    pub(crate) conditions: Vec<Vec<PackageId>>,
    /// Of which one must be installed then.
    pub(crate) consequence: Vec<PackageId>,
}

/// Who provides a plain dependency, sorted by id.
pub(crate) type Literals<'a> = dyn FnMut(DependencyId) -> Vec<PackageId> + 'a;

/// Lowers a dependency that must hold, or with `holds` false one that must not.
pub(crate) fn lower(
    rich: &Rich,
    holds: bool,
    providers: &mut Literals<'_>,
) -> Result<Vec<Clause>, RichError> {
    if let Some(set) = as_set(rich, providers)? {
        return Ok(vec![if holds {
            Clause { conditions: Vec::new(), consequence: set }
        } else {
            Clause { conditions: vec![set], consequence: Vec::new() }
        }]);
    }
    match (rich, holds) {
        (Rich::And(items), true) | (Rich::Or(items), false) => all(items, holds, providers),
        (Rich::Or(items), true) | (Rich::And(items), false) => any(items, holds, providers),
        // a if b else c = (a or not b) and (c or b)
        (Rich::If(first, second, third), true) => {
            let mut clauses = either((first, true), (second, false), providers)?;
            if let Some(third) = third {
                clauses.extend(either((third, true), (second, true), providers)?);
            }
            Ok(clauses)
        }
        // not (a if b else c) = (not a or not b) and (not c or b); without c: not a and b
        (Rich::If(first, second, third), false) => match third {
            Some(third) => {
                let mut clauses = either((first, false), (second, false), providers)?;
                clauses.extend(either((third, false), (second, true), providers)?);
                Ok(clauses)
            }
            None => both((first, false), (second, true), providers),
        },
        // a unless b else c = (a or b) and (c or not b); without c: a and not b
        (Rich::Unless(first, second, third), true) => match third {
            Some(third) => {
                let mut clauses = either((first, true), (second, true), providers)?;
                clauses.extend(either((third, true), (second, false), providers)?);
                Ok(clauses)
            }
            None => both((first, true), (second, false), providers),
        },
        (Rich::Unless(first, second, third), false) => {
            let mut clauses = either((first, false), (second, true), providers)?;
            if let Some(third) = third {
                clauses.extend(either((third, false), (second, false), providers)?);
            }
            Ok(clauses)
        }
        (Rich::Plain(_) | Rich::With(_) | Rich::Without(..), _) => Err(RichError::NotASet),
    }
}

type Side<'a> = (&'a Rich, bool);

fn both(
    left: Side<'_>,
    right: Side<'_>,
    providers: &mut Literals<'_>,
) -> Result<Vec<Clause>, RichError> {
    let mut clauses = lower(left.0, left.1, providers)?;
    clauses.extend(lower(right.0, right.1, providers)?);
    Ok(clauses)
}

fn either(
    left: Side<'_>,
    right: Side<'_>,
    providers: &mut Literals<'_>,
) -> Result<Vec<Clause>, RichError> {
    let left = lower(left.0, left.1, providers)?;
    let right = lower(right.0, right.1, providers)?;
    multiply(&left, &right)
}

fn all(
    items: &[Rich],
    holds: bool,
    providers: &mut Literals<'_>,
) -> Result<Vec<Clause>, RichError> {
    let mut clauses = Vec::new();
    for item in items {
        clauses.extend(lower(item, holds, providers)?);
        check_count(clauses.len())?;
    }
    Ok(clauses)
}

fn any(
    items: &[Rich],
    holds: bool,
    providers: &mut Literals<'_>,
) -> Result<Vec<Clause>, RichError> {
    let mut product = vec![Clause::default()];
    for item in items {
        product = multiply(&product, &lower(item, holds, providers)?)?;
    }
    Ok(product)
}

fn check_count(count: usize) -> Result<(), RichError> {
    if count > CLAUSES { Err(RichError::TooManyClauses(CLAUSES)) } else { Ok(()) }
}

fn multiply(left: &[Clause], right: &[Clause]) -> Result<Vec<Clause>, RichError> {
    check_count(left.len().saturating_mul(right.len()))?;
    let mut product = Vec::with_capacity(left.len() * right.len());
    for first in left {
        for second in right {
            let mut conditions = first.conditions.clone();
            for condition in &second.conditions {
                if !conditions.contains(condition) {
                    conditions.push(condition.clone());
                }
            }
            let consequence = union(&first.consequence, &second.consequence);
            // (a if a) says nothing.
            if !conditions.iter().any(|set| is_subset(set, &consequence)) {
                product.push(Clause { conditions, consequence });
            }
        }
    }
    Ok(product)
}

fn is_subset(set: &[PackageId], of: &[PackageId]) -> bool {
    set.iter().all(|id| of.binary_search(id).is_ok())
}

fn union(left: &[PackageId], right: &[PackageId]) -> Vec<PackageId> {
    let mut union: Vec<PackageId> = left.iter().chain(right).copied().collect();
    union.sort_unstable();
    union.dedup();
    union
}

/// The packages any of which meets the dependency, where it is as simple as that.
fn as_set(rich: &Rich, providers: &mut Literals<'_>) -> Result<Option<Vec<PackageId>>, RichError> {
    Ok(Some(match rich {
        Rich::Plain(id) => providers(*id),
        Rich::Or(items) => {
            let mut set = Vec::new();
            for item in items {
                match as_set(item, providers)? {
                    Some(members) => set = union(&set, &members),
                    None => return Ok(None),
                }
            }
            set
        }
        Rich::With(items) => {
            let mut sets = items.iter().map(|item| member_set(item, providers));
            let mut set = sets.next().ok_or(RichError::NotASet)??;
            for other in sets {
                let other = other?;
                set.retain(|id| other.binary_search(id).is_ok());
            }
            set
        }
        Rich::Without(first, second) => {
            let mut set = member_set(first, providers)?;
            let other = member_set(second, providers)?;
            set.retain(|id| other.binary_search(id).is_err());
            set
        }
        Rich::And(_) | Rich::If(..) | Rich::Unless(..) => return Ok(None),
    }))
}

fn member_set(rich: &Rich, providers: &mut Literals<'_>) -> Result<Vec<PackageId>, RichError> {
    as_set(rich, providers)?.ok_or(RichError::NotASet)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rich::parse;
    use crate::tables::Tables;

    /// Each capability is provided by the packages whose numbers are its letters: `ab` by 0 and 1.
    fn check(text: &str, holds: bool, expected: &str) {
        let mut tables = Tables::new();
        let rich = parse(&mut tables, text.as_bytes()).unwrap();
        let mut providers = |id: DependencyId| {
            let name = tables.strings.get(tables.dependencies.get(id).name);
            name.iter().map(|letter| PackageId(u32::from(letter - b'a'))).collect()
        };
        let show = |set: &[PackageId]| -> String {
            set.iter().map(|id| char::from(b'a' + id.0 as u8)).collect()
        };
        let shown = lower(&rich, holds, &mut providers).map(|clauses| {
            let lines = clauses.iter().map(|clause| {
                let conditions: Vec<String> =
                    clause.conditions.iter().map(|set| show(set)).collect();
                format!("{}>{}", conditions.join("&"), show(&clause.consequence))
            });
            lines.collect::<Vec<_>>().join(" ")
        });
        assert_eq!(shown.unwrap_or_else(|error| error.to_string()), expected, "{text}");
    }

    #[test]
    fn lowers_to_clauses() {
        check("(a or b or cd)", true, ">abcd");
        check("(a and b)", true, ">a >b");
        check("(a if b)", true, "b>a");
        check("(a if b else c)", true, "b>a >bc");
        check("(a unless b)", true, ">a b>");
        check("(abc with bcd)", true, ">bc");
        check("(abc without b)", true, ">ac");
        check("((a and b) or c)", true, ">ac >bc");
        check("((a if b) if c)", true, "b&c>a");
        check("(a if (b and c))", true, "b&c>a");
        check("(a if (b or c))", true, "bc>a");
        check("(a if (b if c))", true, "b>a >ac");
        check("((a if b) or (c if d))", true, "b&d>ac");
    }

    #[test]
    fn lowers_what_must_not_hold() {
        check("(a and b)", false, "a&b>");
        check("(a or b)", false, "ab>");
        check("(a unless b)", false, "a>b");
        check("(a if b)", false, "a> >b");
    }

    #[test]
    fn refuses_what_explodes() {
        let many = vec!["(a and b)"; 13].join(" or ");
        check(&format!("({many})"), true, "becomes more than 4096 clauses");
    }
}
