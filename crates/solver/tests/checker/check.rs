//! Checks answers of a solver against the packages they are made of, with nothing of the solver's own.
//!
//! Use it from a test with `#[path = "checker/check.rs"] mod check;`. It reads `primary.xml` anew, compares
//! versions with the crate `rpm-version`, and holds each answer against what rpm asks of a set of packages.

mod evr;
mod primary;
mod rich;
mod universe;

use std::collections::{BTreeMap, HashMap};

pub(crate) use primary::{read_filelists, read_primary};
pub(crate) use universe::Universe;

use universe::{Known, Rule};

/// What the answers are answers to.
pub(crate) struct Questions<'a> {
    /// Names or capabilities that must be there each time, as far as anything provides them.
    pub(crate) build_group: &'a [&'a str],
    /// Whether the rows are named after sources, whose requirements must hold, or after packages, which must
    /// be there.
    pub(crate) of_sources: bool,
    /// Whether the packages of a row must be sorted by their bytes.
    pub(crate) sorted: bool,
}

/// What is wrong with answers, a sentence each. An answer is a row of a name, the number of packages, perhaps
/// the milliseconds it took, and the packages as `name-[epoch:]version-release.arch`, with tabs in between. A
/// negative number says that there is no answer, which is not checked.
pub(crate) fn check_answers(
    universe: &Universe,
    questions: &Questions<'_>,
    answers: &str,
) -> Vec<String> {
    let mut checker = Checker {
        universe,
        questions,
        stamps: vec![0; universe.packages.len()],
        row: 0,
        violations: Vec::new(),
    };
    for line in answers.lines() {
        checker.row += 1;
        checker.check(line);
    }
    checker.violations
}

struct Checker<'a> {
    universe: &'a Universe,
    questions: &'a Questions<'a>,
    /// For each package the last row that has it.
    stamps: Vec<u32>,
    row: u32,
    violations: Vec<String>,
}

impl Checker<'_> {
    fn check(&mut self, line: &str) {
        let mut fields: Vec<&str> = line.split('\t').collect();
        let count = fields.get(1).and_then(|count| count.parse::<i64>().ok());
        let Some(count) = count else {
            return self.violations.push(format!("row {}: `{line}` is no answer", self.row));
        };
        if count < 0 {
            return;
        }
        let name = fields[0];
        // A package has a dash in it, a time has none.
        let begin = if fields.get(2).is_some_and(|field| !field.contains('-')) { 3 } else { 2 };
        let nevras = fields.split_off(begin.min(fields.len()));
        if nevras.len() as i64 != count {
            self.say(name, format_args!("it has {} packages and says {count}", nevras.len()));
        }
        if self.questions.sorted && !nevras.is_sorted() {
            self.say(name, "its packages are not sorted");
        }
        let packages = self.take(name, &nevras);
        self.check_question(name, &packages);
        for package in &packages {
            self.check_package(name, *package);
        }
        self.check_names(name, &packages);
    }

    fn say(&mut self, name: &str, what: impl std::fmt::Display) {
        self.violations.push(format!("{name} (row {}): {what}", self.row));
    }

    /// Marks the packages of a row; those that stand twice or are not known are violations.
    fn take(&mut self, name: &str, nevras: &[&str]) -> Vec<u32> {
        let mut packages = Vec::new();
        for nevra in nevras {
            match self.universe.by_nevra.get(*nevra).map(Vec::as_slice) {
                None => self.say(name, format!("there is no {nevra}")),
                Some([first, ..]) if self.stamps[*first as usize] == self.row => {
                    self.say(name, format!("{nevra} stands twice"));
                }
                Some([]) => {}
                // One that is in two repositories is the same.
                Some(same @ [first, ..]) => {
                    packages.push(*first);
                    same.iter().for_each(|package| self.stamps[*package as usize] = self.row);
                }
            }
        }
        packages
    }

    fn holds(&self, rule: &Rule, except: Option<u32>) -> bool {
        rule.holds(&|package| self.stamps[package as usize] == self.row && Some(package) != except)
    }

    fn check_question(&mut self, name: &str, packages: &[u32]) {
        let universe = self.universe;
        for member in self.questions.build_group {
            let provides = universe.providers(member);
            if !provides.is_empty() && !self.holds(&Rule::Any(provides), None) {
                self.say(name, format!("{member} of the build group is not there"));
            }
        }
        if !self.questions.of_sources {
            if !packages.iter().any(|package| universe.packages[*package as usize].name == name) {
                self.say(name, "it is not there itself");
            }
            return;
        }
        let Some(source) = universe.sources.get(name) else {
            return self.say(name, "there is no such source");
        };
        self.check_relations(name, name, source, None);
    }

    fn check_package(&mut self, name: &str, package: u32) {
        let known = &self.universe.packages[package as usize];
        self.check_relations(name, &known.nevra, known, Some(package));
        for (obsoleted, text) in &known.obsoletes {
            let mut there = obsoleted.iter().filter(|it| self.stamps[**it as usize] == self.row);
            if let Some(other) = there.find(|it| **it != package) {
                let other = &self.universe.packages[*other as usize].nevra;
                self.say(name, format!("{} obsoletes {text}, which is {other}", known.nevra));
            }
        }
    }

    fn check_relations(&mut self, name: &str, who: &str, known: &Known, itself: Option<u32>) {
        for (rule, text) in &known.requires {
            if !self.holds(rule, None) {
                self.say(name, format!("{who} requires {text}, which nothing provides"));
            }
        }
        for (rule, text) in &known.conflicts {
            if self.holds(rule, itself) {
                self.say(name, format!("{who} conflicts with {text}, which is there"));
            }
        }
    }

    /// One package of a name, or one for each word size; only kernels and the like may stand side by side.
    fn check_names(&mut self, name: &str, packages: &[u32]) {
        let universe = self.universe;
        let mut seen: HashMap<&str, BTreeMap<u32, &Known>> = HashMap::new();
        for package in packages {
            let known = &universe.packages[*package as usize];
            let others = seen.entry(&known.name).or_default();
            let clash =
                others.values().find(|it| it.colours & known.colours != 0 && !known.is_installonly);
            if let Some(other) = clash {
                self.say(name, format!("{} and {} have one name", other.nevra, known.nevra));
            }
            others.insert(*package, known);
        }
    }
}
