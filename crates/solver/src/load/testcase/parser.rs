//! The statements of a test case, a line each.

use crate::load::malformed::{Malformed, excerpt, text};
use crate::load::testtags::{dependency, parse_lines};

use super::{CaseRepository, Content, Expected, Job, Run, Selection, System, TestCase};

/// Lines with their numbers.
type Lines<'a> = std::iter::Peekable<std::iter::Zip<std::ops::RangeFrom<u32>, std::str::Lines<'a>>>;

pub(super) fn parse(bytes: &[u8]) -> Result<TestCase, Malformed> {
    let mut lines = (1..).zip(text(bytes)?.lines()).peekable();
    let mut parser = Parser { case: TestCase::default(), run: Run::default() };
    while let Some((number, line)) = lines.next() {
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        if words.first().is_some_and(|word| !word.starts_with('#')) {
            parser.statement(number, &words, &mut lines)?;
        }
    }
    parser.case.runs.push(parser.run);
    Ok(parser.case)
}

struct Parser {
    case: TestCase,
    /// The run that is being described.
    run: Run,
}

impl Parser {
    fn statement(
        &mut self,
        number: u32,
        words: &[&str],
        lines: &mut Lines<'_>,
    ) -> Result<(), Malformed> {
        let run = &mut self.run;
        match words {
            ["repo", name, priority, format, rest @ ..] => {
                let content = repository(number, format, rest, lines)?;
                let priority = priorities(priority).ok_or_else(|| {
                    Malformed::at(number, format!("`{}` is no priority", excerpt(priority)))
                })?;
                self.case.repositories.push(CaseRepository {
                    name: (*name).to_owned(),
                    priority,
                    content,
                });
            }
            ["system", arch, distributions, rest @ ..] => {
                run.system = system(arch, distributions, rest);
            }
            ["job", rest @ ..] => match job(number, rest) {
                Ok(job) => run.jobs.push(job),
                Err(what) => self.case.unsupported.push(Malformed::at(number, what)),
            },
            ["disable", rest @ ..] => match selection(rest) {
                Ok(selection) => run.disabled.push(selection),
                Err(what) => self.case.unsupported.push(Malformed::at(number, what)),
            },
            ["namespace", name, rest @ ..] => {
                run.namespaces.push(((*name).to_owned(), owned(rest)));
            }
            ["vendorclass", rest @ ..] => run.vendor_classes.push(owned(rest)),
            ["feature", rest @ ..] => run.features.extend(owned(rest)),
            ["poolflags", rest @ ..] => run.pool_flags.extend(flags(rest)),
            ["solverflags", rest @ ..] => run.solver_flags.extend(flags(rest)),
            ["result", kinds, rest @ ..] => {
                let kinds = kinds.split(',').map(str::to_owned).collect();
                run.expected = Some(Expected { kinds, lines: results(rest, lines) });
            }
            ["nextjob", rest @ ..] => self.next_run(rest.contains(&"reusesolver")),
            _ => {
                let what = format!("`{}` is not understood", excerpt(&words.join(" ")));
                self.case.unsupported.push(Malformed::at(number, what));
            }
        }
        Ok(())
    }

    /// The pool lives on from run to run; jobs, flags of the solver and expectations do not.
    fn next_run(&mut self, is_continued: bool) {
        let next = Run {
            jobs: Vec::new(),
            expected: None,
            solver_flags: Vec::new(),
            is_continued,
            ..self.run.clone()
        };
        self.case.runs.push(std::mem::replace(&mut self.run, next));
    }
}

fn repository(
    number: u32,
    format: &str,
    rest: &[&str],
    lines: &mut Lines<'_>,
) -> Result<Content<super::TestRepository>, Malformed> {
    match (format, rest) {
        ("empty", _) => Ok(Content::Empty),
        ("testtags", ["<inline>", ..]) => parse_lines(inline(lines)).map(Content::Inline),
        (_, [name, ..]) if *name != "<inline>" => {
            Ok(Content::File { format: format.to_owned(), name: (*name).to_owned() })
        }
        _ => Err(Malformed::at(number, format!("`{}` has no content", excerpt(format)))),
    }
}

/// `99` or `99.1`
fn priorities(text: &str) -> Option<(i32, i32)> {
    let (main, minor) = text.split_once('.').unwrap_or((text, "0"));
    Some((main.parse().ok()?, minor.parse().ok()?))
}

fn system(arch: &str, distributions: &str, rest: &[&str]) -> System {
    let any = matches!(arch, "unset" | "-");
    let distributions = distributions.split(',').filter(|name| *name != "*");
    System {
        arch: (!any).then(|| arch.to_owned()),
        distributions: distributions.map(str::to_owned).collect(),
        installed: rest.first().map(|name| (*name).to_owned()),
    }
}

/// `install name A >= 1 [weak,forcebest]`
fn job(number: u32, words: &[&str]) -> Result<Job, String> {
    let (words, flags) = match words {
        [words @ .., last] if words.len() > 2 => {
            match last.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(flags) => (words, flags.split(',').map(str::to_owned).collect()),
                None => (&[words, &[*last]].concat()[..], Vec::new()),
            }
        }
        _ => (words, Vec::new()),
    };
    let (action, rest) = words.split_first().ok_or("a job without an action")?;
    let selection = selection(rest)?;
    Ok(Job { action: (*action).to_owned(), selection, flags, line: number })
}

fn selection(words: &[&str]) -> Result<Selection, String> {
    match words {
        ["pkg", package] => Ok(Selection::Package((*package).to_owned())),
        ["name", rest @ ..] => dependency(&rest.join(" ")).map(Selection::Name),
        ["provides", rest @ ..] => dependency(&rest.join(" ")).map(Selection::Provides),
        ["oneof", "nothing"] => Ok(Selection::OneOf(Vec::new())),
        ["oneof", rest @ ..] => Ok(Selection::OneOf(owned(rest))),
        ["repo", name] => Ok(Selection::Repository((*name).to_owned())),
        ["all", "packages"] => Ok(Selection::All),
        _ => Err(format!("`{}` selects nothing that is known", excerpt(&words.join(" ")))),
    }
}

fn results(rest: &[&str], lines: &mut Lines<'_>) -> Content<Vec<String>> {
    match rest {
        ["<inline>", ..] => {
            Content::Inline(inline(lines).map(|(_, line)| line.to_owned()).collect())
        }
        [name, ..] => Content::File { format: "lines".to_owned(), name: (*name).to_owned() },
        [] => Content::Empty,
    }
}

/// The lines that follow and begin with `#>`, without it.
fn inline<'a>(lines: &mut Lines<'a>) -> impl Iterator<Item = (u32, &'a str)> {
    std::iter::from_fn(move || {
        let (number, line) = lines.next_if(|(_, line)| line.starts_with("#>"))?;
        Some((number, &line[2..]))
    })
}

fn flags(words: &[&str]) -> Vec<String> {
    let flags = words.iter().flat_map(|word| word.split(','));
    flags.filter(|flag| !flag.is_empty()).map(str::to_owned).collect()
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
