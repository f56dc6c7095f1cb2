//! Reads a Containerfile as far as its parents go, and refuses what could not be built here, with its line.
//!
//! Nothing is run and nothing is looked up: whoever plans asks this, and only buildah knows the whole language.

use std::fmt::Write as _;

/// What a Containerfile stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Containerfile {
    /// Its stages, in order; at least one.
    pub stages: Vec<Stage>,
}

/// What one FROM line begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// The name after AS, in lower case.
    pub name: Option<String>,
    /// What it stands on.
    pub base: StageBase,
    /// The earlier stages it copies from, as indexes, sorted.
    pub copies_from: Vec<usize>,
    /// Where its instructions stand; the first is FROM.
    instructions: Vec<Place>,
}

/// What a stage stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageBase {
    /// Nothing.
    Scratch,
    /// An image of this name, as it is written.
    Image(String),
    /// An earlier stage, by its index.
    Stage(usize),
}

/// What is wrong with a Containerfile, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ContainerfileError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub message: String,
}

/// The lines of an instruction, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    first: usize,
    last: usize,
}

/// An instruction in one piece, without comments and ends of lines.
struct Instruction {
    place: Place,
    text: String,
}

const INSTRUCTIONS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

impl Stage {
    /// The line of its FROM.
    pub fn line(&self) -> usize {
        self.instructions.first().map_or(0, |place| place.first)
    }

    /// The line of an instruction, counted from 1 as buildah counts its steps.
    pub(crate) fn line_of(&self, step: usize) -> Option<usize> {
        self.instructions.get(step.checked_sub(1)?).map(|place| place.first)
    }
}

impl Containerfile {
    /// The images it stands on, in the order of their FROM lines, each once.
    pub fn parents(&self) -> Vec<&str> {
        let mut parents = Vec::new();
        for stage in &self.stages {
            if let StageBase::Image(name) = &stage.base
                && !parents.contains(&name.as_str())
            {
                parents.push(name);
            }
        }
        parents
    }

    /// The same text with other images in its FROM lines, one for each stage that has a new one. Every other line stays
    /// where it is, so that line numbers in complaints are those of the file.
    pub(crate) fn with_bases(&self, text: &str, bases: &[Option<String>]) -> String {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (stage, base) in self.stages.iter().zip(bases) {
            let (Some(base), Some(from)) = (base, stage.instructions.first()) else { continue };
            for line in lines.iter_mut().take(from.last).skip(from.first - 1) {
                line.clear();
            }
            let line = &mut lines[from.first - 1];
            let _ = write!(line, "FROM {base}");
            if let Some(name) = &stage.name {
                let _ = write!(line, " AS {name}");
            }
        }
        lines.join("\n") + "\n"
    }
}

/// Reads a Containerfile.
///
/// # Errors
/// The first line that names a parent in a way nobody could follow, or that asks for what an isolated build does not
/// have: another user, the network, a form buildah does not know.
pub fn read_containerfile(text: &str) -> Result<Containerfile, ContainerfileError> {
    let mut reading = Reading::default();
    for instruction in instructions(text)? {
        let line = instruction.place.first;
        reading.read(&instruction).map_err(|message| ContainerfileError { line, message })?;
    }
    if reading.stages.is_empty() {
        let line = text.lines().count().max(1);
        return Err(ContainerfileError { line, message: "there is no FROM".to_owned() });
    }
    Ok(Containerfile { stages: reading.stages })
}

/// Puts continued lines together. Comments and blank lines between them do not end an instruction.
fn instructions(text: &str) -> Result<Vec<Instruction>, ContainerfileError> {
    let mut found: Vec<Instruction> = Vec::new();
    let mut is_open = false;
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim();
        if let Some(comment) = trimmed.strip_prefix('#') {
            if found.is_empty() && is_other_escape(comment) {
                let message = "the escape character can only be \\ here".to_owned();
                return Err(ContainerfileError { line: number, message });
            }
            continue;
        }
        if trimmed.is_empty() {
            continue;
        }
        let (part, goes_on) = match trimmed.strip_suffix('\\') {
            Some(part) => (part, true),
            None => (trimmed, false),
        };
        match found.last_mut() {
            Some(instruction) if is_open => {
                instruction.text.push_str(part);
                instruction.place.last = number;
            }
            _ => {
                let place = Place { first: number, last: number };
                found.push(Instruction { place, text: part.to_owned() });
            }
        }
        is_open = goes_on;
    }
    Ok(found)
}

fn is_other_escape(comment: &str) -> bool {
    let directive = comment.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
    directive.is_some_and(|(key, value)| key.eq_ignore_ascii_case("escape") && value != "\\")
}

#[derive(Default)]
struct Reading {
    stages: Vec<Stage>,
    /// The user that RUN would have, where it is not root.
    user: Option<String>,
}

impl Reading {
    fn read(&mut self, instruction: &Instruction) -> Result<(), String> {
        let text = instruction.text.trim();
        let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let (word, rest) = (word.to_ascii_uppercase(), rest.trim());
        if !INSTRUCTIONS.contains(&word.as_str()) {
            return Err(format!("{word} is no instruction"));
        }
        if word == "FROM" {
            let stage = self.stage(rest, instruction.place)?;
            self.stages.push(stage);
            self.user = None;
            return Ok(());
        }
        if self.stages.is_empty() {
            let message = || format!("{word} stands before the first FROM, where only ARG may be");
            return if word == "ARG" { Ok(()) } else { Err(message()) };
        }
        match word.as_str() {
            "USER" => self.user = other_user(rest),
            "RUN" => self.run(rest)?,
            "COPY" | "ADD" => self.copy(&word, rest)?,
            _ => {}
        }
        if let Some(stage) = self.stages.last_mut() {
            stage.instructions.push(instruction.place);
        }
        Ok(())
    }

    fn stage(&self, rest: &str, place: Place) -> Result<Stage, String> {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (base, name) = match words[..] {
            [first, ..] if first.starts_with("--") => {
                return Err(format!("FROM takes no options here: leave {first} out"));
            }
            [base] => (base, None),
            [base, r#as, name] if r#as.eq_ignore_ascii_case("as") => (base, Some(name)),
            _ => return Err("this should read FROM IMAGE or FROM IMAGE AS NAME".to_owned()),
        };
        if base.contains('$') {
            return Err(format!("FROM {base}: the image must be named, not be a variable"));
        }
        let name = name.map(str::to_ascii_lowercase);
        if let Some(name) = &name {
            self.check_stage_name(name)?;
        }
        let earlier = base.to_ascii_lowercase();
        let base = match self.stages.iter().position(|s| s.name.as_ref() == Some(&earlier)) {
            Some(stage) => StageBase::Stage(stage),
            None if base == "scratch" => StageBase::Scratch,
            None => StageBase::Image(base.to_owned()),
        };
        Ok(Stage { name, base, copies_from: Vec::new(), instructions: vec![place] })
    }

    fn check_stage_name(&self, name: &str) -> Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(plain) {
            return Err(format!("{name} cannot name a stage: begin with a letter"));
        }
        if name == "scratch" || self.stages.iter().any(|stage| stage.name.as_deref() == Some(name))
        {
            return Err(format!("a stage cannot be named {name}: the name is taken"));
        }
        Ok(())
    }

    fn run(&mut self, rest: &str) -> Result<(), String> {
        if let Some(user) = &self.user {
            return Err(format!("RUN can only be root here, not {user}: move USER below it"));
        }
        let (options, command) = options(rest);
        if command.starts_with("<<") {
            return Err(no_here_document("RUN"));
        }
        for mount in options.iter().filter_map(|option| option.strip_prefix("--mount=")) {
            if let Some(from) = mount.split(',').find_map(|part| part.strip_prefix("from=")) {
                self.uses(from, "--mount")?;
            }
        }
        Ok(())
    }

    fn copy(&mut self, word: &str, rest: &str) -> Result<(), String> {
        let (options, sources) = options(rest);
        for option in options {
            if let Some(from) = option.strip_prefix("--from=") {
                self.uses(from, "--from")?;
            }
            if let Some(owner) = option.strip_prefix("--chown=")
                && owner.split(':').any(|part| other_user(part).is_some())
            {
                return Err(format!(
                    "files belong to root here, not to {owner}: leave --chown out"
                ));
            }
        }
        if sources.starts_with("<<") {
            return Err(no_here_document(word));
        }
        let is_remote = |source: &str| source.contains("://") || source.starts_with("git@");
        if word == "ADD"
            && let Some(source) = sources.split_whitespace().find(|source| is_remote(source))
        {
            return Err(format!("there is no network for {source}: put it into dist-git"));
        }
        Ok(())
    }

    /// Notes that the last stage copies from another one.
    fn uses(&mut self, from: &str, option: &str) -> Result<(), String> {
        let Some((stage, earlier)) = self.stages.split_last_mut() else { return Ok(()) };
        let name = from.to_ascii_lowercase();
        let named = earlier.iter().position(|stage| stage.name.as_ref() == Some(&name));
        let counted = || from.parse().ok().filter(|index| *index < earlier.len());
        let Some(index) = named.or_else(counted) else {
            return Err(format!(
                "{option} names {from}, which is no earlier stage: give the image a FROM line and a name of its own"
            ));
        };
        if let Err(place) = stage.copies_from.binary_search(&index) {
            stage.copies_from.insert(place, index);
        }
        Ok(())
    }
}

/// The options before an instruction's arguments, and the rest.
fn options(mut rest: &str) -> (Vec<&str>, &str) {
    let mut options = Vec::new();
    while rest.starts_with("--") {
        let (option, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        options.push(option);
        rest = behind.trim_start();
    }
    (options, rest)
}

/// A user or group that is not root, by whatever name.
fn other_user(text: &str) -> Option<String> {
    let is_root = text.split(':').all(|part| matches!(part.trim(), "" | "0" | "root"));
    (!is_root).then(|| text.to_owned())
}

fn no_here_document(word: &str) -> String {
    format!("{word} <<: buildah does not know here-documents: put the text into a file and COPY it")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stages in short, or the complaint.
    fn check(text: &str, expected: &str) {
        let shown = match read_containerfile(text) {
            Ok(file) => file.stages.iter().map(show).collect::<Vec<_>>().join(" | "),
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "of\n{text}");
    }

    fn show(stage: &Stage) -> String {
        let mut shown = stage.line().to_string();
        if let Some(name) = &stage.name {
            let _ = write!(shown, " {name}");
        }
        match &stage.base {
            StageBase::Scratch => shown.push_str(" on nothing"),
            StageBase::Image(name) => {
                let _ = write!(shown, " on {name}");
            }
            StageBase::Stage(index) => {
                let _ = write!(shown, " on stage {index}");
            }
        }
        for index in &stage.copies_from {
            let _ = write!(shown, ", from {index}");
        }
        shown
    }

    #[test]
    fn stages_name_their_parents() {
        check("FROM almanac-base\n", "1 on almanac-base");
        check("# a comment\nARG x=1\n\nfrom scratch\nRUN true\n", "4 on nothing");
        check(
            "FROM base AS Build\nRUN make\nFROM scratch\nCOPY --from=build /a /a\nFROM build as x\n\
             COPY --from=1 a b\nRUN --mount=type=bind,from=build,target=/b true\n",
            "1 build on base | 3 on nothing, from 0 | 5 x on stage 0, from 0, from 1",
        );
        let file = read_containerfile("FROM b AS x\nFROM a\nFROM b\nFROM scratch\n").unwrap();
        assert_eq!(file.parents(), ["b", "a"]);
    }

    #[test]
    fn instructions_may_go_on_over_lines_and_comments() {
        let text = "FROM \\\n  base \\\n# why\n\n  AS x\nRUN echo FROM; \\\n FROM nothing\nFROM x\nRUN a\n";
        check(text, "1 x on base | 8 on stage 0");
        let file = read_containerfile(text).unwrap();
        assert_eq!(file.stages[0].line_of(2), Some(6));
        assert_eq!(file.stages[1].line_of(2), Some(9));
        assert_eq!(file.stages[1].line_of(3), None);
        assert_eq!(
            file.with_bases(text, &[Some("localhost/base-0".to_owned()), None]),
            "FROM localhost/base-0 AS x\n\n\n\n\nRUN echo FROM; \\\n FROM nothing\nFROM x\nRUN a\n"
        );
    }

    #[test]
    fn what_nobody_could_follow_is_refused_with_its_line() {
        check("", "line 1: there is no FROM");
        check("\nARG a\n", "line 2: there is no FROM");
        check("RUN true\n", "line 1: RUN stands before the first FROM, where only ARG may be");
        check("ARG B\n\nFROM $B\n", "line 3: FROM $B: the image must be named, not be a variable");
        check("FROM\n", "line 1: this should read FROM IMAGE or FROM IMAGE AS NAME");
        check(
            "FROM --platform=x a\n",
            "line 1: FROM takes no options here: leave --platform=x out",
        );
        check("FROM a AS 1\n", "line 1: 1 cannot name a stage: begin with a letter");
        check("FROM a AS x\nFROM b AS X\n", "line 2: a stage cannot be named x: the name is taken");
        check(
            "FROM a\nCOPY --from=b c d\n",
            "line 2: --from names b, which is no earlier stage: give the image a FROM line and a name of its own",
        );
        check("FROM a\nFROB\n", "line 2: FROB is no instruction");
        check("# escape=`\nFROM a\n", "line 1: the escape character can only be \\ here");
    }

    #[test]
    fn what_an_isolated_build_lacks_is_refused_with_its_line() {
        check("FROM a\nUSER root\nRUN b\nUSER 7\nCMD c\n", "1 on a");
        check(
            "FROM a\nUSER 7\n\nRUN b\n",
            "line 4: RUN can only be root here, not 7: move USER below it",
        );
        check(
            "FROM a\nCOPY --chown=app:app b c\n",
            "line 2: files belong to root here, not to app:app: leave --chown out",
        );
        check("FROM a\nCOPY --chown=0:root b c\n", "1 on a");
        check(
            "FROM a\nADD https://example.org/b c\n",
            "line 2: there is no network for https://example.org/b: put it into dist-git",
        );
        check(
            "FROM a\nRUN <<X\nb\nX\n",
            "line 2: RUN <<: buildah does not know here-documents: put the text into a file and COPY it",
        );
    }
}
