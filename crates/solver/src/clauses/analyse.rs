//! From a clause that fails to one that would have kept from it, and from the last of them to the facts.

use super::{ClauseId, Clauses, Literal, Source};

impl Clauses {
    /// Learns from a clause that fails: takes decisions back to where the new clause would have said
    /// something, and lets it say so. The number of decisions left; none where the clauses contradict each
    /// other whatever is decided.
    pub(crate) fn learn(&mut self, failed: ClauseId) -> Option<usize> {
        let level_of = |literal: &Literal| self.levels[literal.variable() as usize] as usize;
        let top = self.literals_of(failed).iter().map(level_of).max().unwrap_or(0);
        if top == 0 {
            self.refuted_by = Some(failed);
            return None;
        }
        self.backtrack(top);
        let (learned, antecedents) = self.resolve(failed, top);
        let others = learned[1..].iter();
        let back = others.map(|literal| self.levels[literal.variable() as usize]).max();
        let back = back.unwrap_or(0) as usize;
        self.backtrack(back);
        self.insert(learned, Source::Learned(antecedents));
        Some(back)
    }

    fn literals_of(&self, id: ClauseId) -> &[Literal] {
        &self.literals[self.clauses[id.index()].literals.clone()]
    }

    /// Replaces what followed at the top level by its reasons until one assignment of that level is left:
    /// the first that by itself, with what was before, leads to the contradiction.
    fn resolve(&mut self, failed: ClauseId, top: usize) -> (Vec<Literal>, Vec<ClauseId>) {
        let mut learned = Vec::new();
        let mut antecedents = vec![failed];
        let (mut clause, mut open, mut at) = (failed, 0, self.trail.len());
        let first = loop {
            for place in self.clauses[clause.index()].literals.clone() {
                let literal = self.literals[place];
                let variable = literal.variable() as usize;
                let level = self.levels[variable] as usize;
                if level == 0 || std::mem::replace(&mut self.seen[variable], true) {
                    continue;
                }
                if level == top {
                    open += 1;
                } else {
                    learned.push(literal);
                }
            }
            at -= 1;
            while !self.seen[self.trail[at].variable() as usize] {
                at -= 1;
            }
            open -= 1;
            if open == 0 {
                break !self.trail[at];
            }
            clause = self.reasons[self.trail[at].variable() as usize];
            antecedents.push(clause);
        };
        let everything = learned.clone();
        self.drop_implied(&mut learned, &mut antecedents);
        for literal in everything.iter().chain(&self.trail[at..]) {
            self.seen[literal.variable() as usize] = false;
        }
        learned.insert(0, first);
        (learned, antecedents)
    }

    /// Leaves out literals that fail because others of the clause do.
    fn drop_implied(&self, learned: &mut Vec<Literal>, antecedents: &mut Vec<ClauseId>) {
        learned.retain(|literal| {
            let reason = self.reasons[literal.variable() as usize];
            if reason == ClauseId::NONE {
                return true;
            }
            let is_covered = |other: &Literal| {
                let variable = other.variable() as usize;
                self.seen[variable] || self.levels[variable] == 0
            };
            let is_implied = self.literals_of(reason).iter().all(is_covered);
            if is_implied {
                antecedents.push(reason);
            }
            !is_implied
        });
    }

    /// The facts that contradict each other, sorted, once [`Clauses::learn`] has found that they do.
    pub(crate) fn core(&self) -> Vec<u32> {
        let mut facts = Vec::new();
        let mut is_seen = vec![false; self.clauses.len()];
        let mut open: Vec<ClauseId> = self.refuted_by.into_iter().collect();
        while let Some(id) = open.pop() {
            if std::mem::replace(&mut is_seen[id.index()], true) {
                continue;
            }
            match &self.clauses[id.index()].source {
                Source::Fact(fact) => facts.push(*fact),
                Source::Learned(antecedents) => open.extend(antecedents),
            }
            let failing = self.literals_of(id).iter().map(|literal| literal.variable() as usize);
            let fixed = failing.filter(|&variable| {
                self.levels[variable] == 0 && self.reasons[variable] != ClauseId::NONE
            });
            open.extend(fixed.map(|variable| self.reasons[variable]));
        }
        facts.sort_unstable();
        facts.dedup();
        facts
    }
}
