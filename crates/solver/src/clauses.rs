//! Clauses over yes-or-no variables: what follows from them, and what a contradiction teaches.
//!
//! The machinery of a conflict-driven search without its decisions: whoever decides drives it. Each clause
//! carries the number of the fact it came from, so that a contradiction can be traced back to facts.

mod analyse;

use std::ops::{Not, Range};

/// A variable that holds, or one that does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Literal(u32);

impl Literal {
    /// That a variable holds.
    pub(crate) fn holds(variable: u32) -> Self {
        Self(variable << 1)
    }

    /// That it does not.
    pub(crate) fn fails(variable: u32) -> Self {
        Self(variable << 1 | 1)
    }

    /// What it speaks of.
    pub(crate) fn variable(self) -> u32 {
        self.0 >> 1
    }

    /// Whether it says that the variable holds.
    pub(crate) fn is_positive(self) -> bool {
        self.0 & 1 == 0
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

impl Not for Literal {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

/// Number of a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClauseId(u32);

impl ClauseId {
    const NONE: Self = Self(u32::MAX);

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a clause comes from.
#[derive(Debug)]
enum Source {
    /// The fact of this number.
    Fact(u32),
    /// Resolved from these.
    Learned(Vec<ClauseId>),
}

#[derive(Debug)]
struct Clause {
    literals: Range<usize>,
    source: Source,
}

/// What became of a clause one of whose watched literals failed.
enum Visit {
    /// Another literal is watched now.
    Moved,
    /// It holds, or made its last literal hold.
    Stays,
    /// All its literals fail.
    Fails,
}

/// A set of clauses, and what is assigned so far.
#[derive(Debug, Default)]
pub(crate) struct Clauses {
    literals: Vec<Literal>,
    clauses: Vec<Clause>,
    /// By literal: the clauses that look whether it fails.
    watches: Vec<Vec<ClauseId>>,
    /// By variable.
    values: Vec<Option<bool>>,
    /// By variable: whether it ever failed, and whether it ever held.
    ever: Vec<[bool; 2]>,
    /// By variable: how many decisions stood when it was assigned.
    levels: Vec<u32>,
    /// By variable: the clause that assigned it.
    reasons: Vec<ClauseId>,
    trail: Vec<Literal>,
    head: usize,
    /// How much of the trail the last backtracking kept.
    kept: usize,
    /// Where in the trail each decision stands.
    decisions: Vec<usize>,
    /// Clauses that were added when they had been deciding for some levels already.
    late: Vec<ClauseId>,
    /// By variable, for the analysis of conflicts.
    seen: Vec<bool>,
    /// A clause that failed when it was added, or after decisions were taken back.
    pending: Option<ClauseId>,
    refuted_by: Option<ClauseId>,
}

impl Clauses {
    /// A new variable.
    pub(crate) fn variable(&mut self) -> u32 {
        let variable = self.values.len() as u32;
        self.values.push(None);
        self.ever.push([false; 2]);
        self.levels.push(0);
        self.reasons.push(ClauseId::NONE);
        self.seen.push(false);
        self.watches.push(Vec::new());
        self.watches.push(Vec::new());
        variable
    }

    /// How many variables there are.
    pub(crate) fn variables(&self) -> u32 {
        self.values.len() as u32
    }

    /// What is known of a variable.
    pub(crate) fn value(&self, variable: u32) -> Option<bool> {
        self.values[variable as usize]
    }

    /// Whether a variable ever failed, and whether it ever held, also where that was taken back.
    pub(crate) fn ever(&self, variable: u32) -> [bool; 2] {
        self.ever[variable as usize]
    }

    fn is(&self, literal: Literal) -> Option<bool> {
        self.value(literal.variable()).map(|value| value == literal.is_positive())
    }

    /// Everything assigned, in its order.
    pub(crate) fn trail(&self) -> &[Literal] {
        &self.trail
    }

    /// How much of the trail is as it was before decisions were last taken back.
    pub(crate) fn kept(&self) -> usize {
        self.kept
    }

    /// Assigns something nothing forces.
    pub(crate) fn decide(&mut self, literal: Literal) {
        self.decisions.push(self.trail.len());
        self.assign(literal, ClauseId::NONE);
    }

    fn assign(&mut self, literal: Literal, reason: ClauseId) {
        debug_assert!(self.is(literal).is_none(), "what is assigned is assigned again");
        let variable = literal.variable() as usize;
        self.values[variable] = Some(literal.is_positive());
        self.ever[variable][usize::from(literal.is_positive())] = true;
        self.levels[variable] = self.decisions.len() as u32;
        self.reasons[variable] = reason;
        self.trail.push(literal);
    }

    /// Adds a clause at any time. Where all its literals fail, the next propagation says so.
    pub(crate) fn add(&mut self, literals: &[Literal], fact: u32) {
        let mut literals = literals.to_vec();
        literals.sort_unstable();
        literals.dedup();
        if literals.windows(2).any(|two| two[0] == !two[1]) {
            return;
        }
        self.insert(literals, Source::Fact(fact));
    }

    /// A clause against the decisions as they stand, for a contradiction that was seen elsewhere.
    pub(crate) fn add_against_decisions(&mut self) {
        let against = self.decisions.iter().map(|&at| !self.trail[at]).collect();
        self.insert(against, Source::Learned(Vec::new()));
    }

    /// Something that follows from the decisions as they stand, as was seen elsewhere.
    pub(crate) fn add_consequence(&mut self, literal: Literal) {
        let against = self.decisions.iter().map(|&at| !self.trail[at]);
        let clause = against.chain([literal]).collect();
        self.insert(clause, Source::Learned(Vec::new()));
    }

    fn insert(&mut self, mut literals: Vec<Literal>, source: Source) {
        // What holds or is open first, then what failed last: the two in front are watched.
        literals.sort_by_key(|&literal| match self.is(literal) {
            Some(false) => u32::MAX - self.levels[literal.variable() as usize],
            _ => 0,
        });
        let id = ClauseId(self.clauses.len() as u32);
        let start = self.literals.len();
        self.literals.extend_from_slice(&literals);
        self.clauses.push(Clause { literals: start..self.literals.len(), source });
        if let [first, second, ..] = literals[..] {
            self.watches[first.index()].push(id);
            self.watches[second.index()].push(id);
        }
        let failed = self.look_at(id);
        self.set_aside(failed);
    }

    /// Follows a clause whose watched literals stand in front; returned where all its literals fail.
    fn look_at(&mut self, id: ClauseId) -> Option<ClauseId> {
        let literals = self.clauses[id.index()].literals.clone();
        let literals = &self.literals[literals];
        let (Some(&first), second) = (literals.first(), literals.get(1).copied()) else {
            return Some(id);
        };
        if second.is_some_and(|second| self.is(second) != Some(false)) {
            return None;
        }
        match self.is(first) {
            Some(false) => return Some(id),
            Some(true) => {}
            None => self.assign(first, id),
        }
        let level = |literal: Literal| self.levels[literal.variable() as usize];
        if second.map_or(0, level) < level(first) {
            self.late.push(id);
        }
        None
    }

    /// Follows everything assigned to its end; the clause all of whose literals fail, where there is one.
    #[must_use]
    pub(crate) fn propagate(&mut self) -> Option<ClauseId> {
        if self.pending.is_some() {
            return self.pending;
        }
        while let Some(&literal) = self.trail.get(self.head) {
            self.head += 1;
            let failed = self.visit_watching(!literal);
            if failed.is_some() {
                return failed;
            }
        }
        None
    }

    fn visit_watching(&mut self, failing: Literal) -> Option<ClauseId> {
        let mut watching = std::mem::take(&mut self.watches[failing.index()]);
        let mut failed = None;
        watching.retain(|&id| {
            if failed.is_some() {
                return true;
            }
            match self.visit(id, failing) {
                Visit::Moved => return false,
                Visit::Stays => {}
                Visit::Fails => failed = Some(id),
            }
            true
        });
        self.watches[failing.index()] = watching;
        failed
    }

    fn visit(&mut self, id: ClauseId, failing: Literal) -> Visit {
        let range = self.clauses[id.index()].literals.clone();
        if self.literals[range.start] == failing {
            self.literals.swap(range.start, range.start + 1);
        }
        let first = self.literals[range.start];
        if self.is(first) == Some(true) {
            return Visit::Stays;
        }
        for at in range.start + 2..range.end {
            let other = self.literals[at];
            if self.is(other) != Some(false) {
                self.literals.swap(range.start + 1, at);
                self.watches[other.index()].push(id);
                return Visit::Moved;
            }
        }
        if self.is(first) == Some(false) {
            return Visit::Fails;
        }
        self.assign(first, id);
        Visit::Stays
    }

    /// Takes back all decisions but the first so many, and what followed from them.
    pub(crate) fn backtrack(&mut self, level: usize) {
        self.kept = self.trail.len();
        let Some(&start) = self.decisions.get(level) else { return };
        self.kept = start;
        for literal in self.trail.drain(start..) {
            self.values[literal.variable() as usize] = None;
        }
        self.decisions.truncate(level);
        self.head = self.head.min(start);
        self.late.extend(self.pending.take());
        for id in std::mem::take(&mut self.late) {
            let failed = self.look_at_late(id);
            self.set_aside(failed);
        }
    }

    /// Keeps a clause that fails for the next propagation.
    fn set_aside(&mut self, failed: Option<ClauseId>) {
        match self.pending {
            None => self.pending = failed,
            Some(_) => self.late.extend(failed),
        }
    }

    /// A late clause's watched literals may have changed places.
    fn look_at_late(&mut self, id: ClauseId) -> Option<ClauseId> {
        let range = self.clauses[id.index()].literals.clone();
        if range.len() > 1 && self.is(self.literals[range.start]) == Some(false) {
            self.literals.swap(range.start, range.start + 1);
        }
        self.look_at(id)
    }

    /// The clauses that come from facts, with the facts' numbers.
    pub(crate) fn facts(&self) -> impl Iterator<Item = (&[Literal], u32)> {
        self.clauses.iter().filter_map(|clause| match clause.source {
            Source::Fact(fact) => Some((&self.literals[clause.literals.clone()], fact)),
            Source::Learned(_) => None,
        })
    }

    /// The first candidate of the first clause that is not met yet, all its conditions being met; none
    /// where what is open may as well fail.
    pub(crate) fn open_choice(&self) -> Option<Literal> {
        self.facts().find_map(|(literals, _)| {
            let mut candidate = None;
            for &literal in literals {
                match (self.is(literal), literal.is_positive()) {
                    (Some(true), _) | (None, false) => return None,
                    (None, true) => candidate = candidate.or(Some(literal)),
                    (Some(false), _) => {}
                }
            }
            candidate
        })
    }
}
