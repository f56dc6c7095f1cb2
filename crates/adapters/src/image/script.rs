//! The script that builds an image, and which line of the Containerfile it stopped at.

use std::fmt::Write as _;

use crate::image::{Base, Containerfile, ImageRequest, StageBase, StageInput};
use crate::sandbox::{CAPABILITIES, quote};

pub(super) const STORAGE: &str = include_str!("storage.sh");
pub(super) const BUILD: &str = include_str!("build.sh");

/// Refuses what the script could not say.
pub(super) fn check(request: &ImageRequest) -> Result<(), String> {
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-[".contains(c))
    };
    if !plain(&request.tag) || request.tag.contains(['+', '[']) {
        return Err(format!("{:?} cannot be a tag", request.tag));
    }
    let mut programs = request.stages.iter().flat_map(|stage| &stage.programs);
    if let Some(program) = programs.find(|program| !plain(program) && *program != "[") {
        return Err(format!("{program:?} is not the name of a program"));
    }
    match (&request.containerfile, &request.stages[..]) {
        (None, [stage]) if !matches!(stage.base, Base::Stage(_)) => Ok(()),
        (None, _) => Err("an image without a Containerfile has one parent".to_owned()),
        (Some(_), _) => Ok(()),
    }
}

/// Compares what a Containerfile says about its stages with what was found for them.
pub(super) fn check_stages(file: &Containerfile, inputs: &[StageInput]) -> Result<(), String> {
    let (stages, count) = (&file.stages, inputs.len());
    if stages.len() != count {
        return Err(format!("the Containerfile has {} stages, not {count}", stages.len()));
    }
    for (stage, input) in stages.iter().zip(inputs) {
        let line = stage.line();
        let fits = match (&stage.base, &input.base) {
            (StageBase::Scratch, Base::Scratch) | (StageBase::Image(_), Base::Image(_)) => true,
            (StageBase::Stage(named), Base::Stage(given)) => named == given,
            _ => false,
        };
        if !fits {
            return Err(format!("line {line} of the Containerfile names another parent"));
        }
        if matches!(input.base, Base::Stage(_)) && is_changed(input) {
            return Err(format!(
                "the stage of line {line} stands on another stage: give its packages to that one"
            ));
        }
    }
    Ok(())
}

/// Whether something is put over the parent before the instructions run.
fn is_changed(stage: &StageInput) -> bool {
    !stage.packages.is_empty() || !stage.programs.is_empty()
}

/// What each FROM line says instead, where it cannot stay.
pub(super) fn bases(file: &Containerfile, inputs: &[StageInput]) -> Vec<Option<String>> {
    let numbered = (0..).zip(file.stages.iter().zip(inputs));
    numbered
        .map(|(number, (stage, input))| match &stage.base {
            _ if is_changed(input) => Some(prepared(number, &stage.base)),
            StageBase::Image(_) => Some(format!("oci:/in/base-{number}")),
            StageBase::Scratch | StageBase::Stage(_) => None,
        })
        .collect()
}

/// The name of a parent with packages over it. The final image says that it stands on this.
fn prepared(number: usize, base: &StageBase) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let name = match base {
        StageBase::Image(name) if name.chars().all(plain) => name,
        _ => "scratch",
    };
    format!("localhost/{name}:stage-{number}")
}

/// The whole script. What does the work stands in the two that it reads.
pub(super) fn write(request: &ImageRequest, containerfile: Option<&Containerfile>) -> String {
    let mut script = format!(
        "CAPABILITIES={CAPABILITIES}\n. /in/storage.sh\n. /in/build.sh\nreached packages\n"
    );
    let image = format!("oci:/build/oci:{}", request.tag);
    for (number, input) in request.stages.iter().enumerate() {
        let stage = containerfile.and_then(|file| file.stages.get(number));
        if stage.is_none() || is_changed(input) {
            put_over(&mut script, number, input);
        }
        if let Some(stage) = stage.filter(|_| is_changed(input)) {
            let name = prepared(number, &stage.base);
            let _ = writeln!(
                script,
                "buildah commit --quiet $COMMIT --rm \"$container\" {name} >/dev/null"
            );
        }
    }
    if containerfile.is_some() {
        let _ = write!(script, "reached containerfile\ncontainerfile");
        for (name, value) in &request.config.labels {
            let _ = write!(script, " --label {}", quote(&format!("{name}={value}")));
        }
        let _ = writeln!(script, " --tag {image}\nreached facts\nopen_image {image}\nfacts");
    } else {
        configure(&mut script, request);
        let _ = writeln!(
            script,
            "buildah commit --quiet $PACKED \"$container\" {image} >/dev/null\nreached facts\nfacts"
        );
    }
    script
}

fn put_over(script: &mut String, number: usize, input: &StageInput) {
    let from = match &input.base {
        Base::Image(_) => format!("oci:/in/base-{number}"),
        _ => "scratch".to_owned(),
    };
    let _ = writeln!(script, "open_image {from}");
    if !input.programs.is_empty() {
        script.push_str("programs");
        for program in &input.programs {
            let _ = write!(script, " {}", quote(program));
        }
        script.push_str("\ntoolchain\n");
    }
    if !input.packages.is_empty() {
        let _ = writeln!(script, "packages /in/packages-{number}");
    }
    if is_changed(input) {
        script.push_str("refresh_libraries\n");
    }
}

/// How a container starts. buildah reads each value in a way of its own.
fn configure(script: &mut String, request: &ImageRequest) {
    let config = &request.config;
    let mut arguments = Vec::new();
    if !config.entrypoint.is_empty() {
        // A list of texts always has a form as JSON.
        let list = serde_json::to_string(&config.entrypoint).unwrap_or_default();
        arguments.push(("--entrypoint", list));
    }
    if !config.cmd.is_empty() {
        let words: Vec<String> = config.cmd.iter().map(|word| quote(word)).collect();
        arguments.push(("--cmd", words.join(" ")));
    }
    for (name, value) in &config.env {
        // Twice it stands for itself, and not for a variable's name.
        arguments.push(("--env", format!("{name}={}", value.replace('$', "$$"))));
    }
    for (name, value) in &config.labels {
        arguments.push(("--label", format!("{name}={value}")));
    }
    arguments.extend(config.workdir.iter().map(|folder| ("--workingdir", folder.clone())));
    arguments.extend(config.user.iter().map(|user| ("--user", user.clone())));
    if arguments.is_empty() {
        return;
    }
    script.push_str("configure");
    for (option, value) in arguments {
        let _ = write!(script, " {option} {}", quote(&value));
    }
    script.push('\n');
}

/// The line of the Containerfile whose instruction failed: the last step that buildah announced with the
/// words of its error, because what an instruction prints may look like a step too. Where variables make
/// the words differ, it is the last of all.
pub(super) fn failed_line(file: &Containerfile, log: &str) -> Option<usize> {
    let stopped = |line: &&str| line.starts_with("Error: ") && line.contains(STOPPED);
    let (_, words) = log.lines().rev().find(stopped)?.split_once(STOPPED)?;
    let steps: Vec<Step<'_>> = log.lines().rev().filter_map(announced).collect();
    let step = steps.iter().find(|step| words.starts_with(step.words)).or(steps.first())?;
    file.stages.get(step.stage.checked_sub(1)?)?.line_of(step.number)
}

/// What stands before the words of the instruction in buildah's error.
const STOPPED: &str = "building at STEP \"";

/// A step as buildah announces it.
struct Step<'a> {
    stage: usize,
    number: usize,
    words: &'a str,
}

/// `STEP 2/4: RUN x`, or `[1/2] STEP 2/4: RUN x` where there are several stages.
fn announced(line: &str) -> Option<Step<'_>> {
    let (stage, rest) = match line.strip_prefix('[') {
        Some(rest) => {
            let (stage, rest) = rest.split_once("] ")?;
            (stage.split_once('/')?.0.parse().ok()?, rest)
        }
        None => (1, line),
    };
    let (step, words) = rest.strip_prefix("STEP ")?.split_once(": ")?;
    Some(Step { stage, number: step.split_once('/')?.0.parse().ok()?, words })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::read_containerfile;

    #[test]
    fn a_failed_step_has_a_line() {
        let file = read_containerfile("FROM a AS b\nRUN x\n\nFROM c\n\nCOPY d e\nRUN f\n").unwrap();
        let check = |log: &str, expected| assert_eq!(failed_line(&file, log), expected, "{log}");
        let error = "Error: building at STEP \"COPY d e\": no such file or directory\n";
        check(&format!("[1/2] STEP 2/2: RUN x\n[2/2] STEP 2/3: COPY d e\n{error}"), Some(6));
        check(&format!("[1/2] STEP 1/2: FROM a AS b\n[1/2] STEP 2/2: RUN x\n{error}"), Some(2));
        check(&format!("[2/2] STEP 2/3: COPY d e\n[1/2] STEP 1/1: no\nSTEP x\n{error}"), Some(6));
        check("[2/2] STEP 2/3: COPY d e\nError: parsing main Dockerfile\n", None);
        check(&format!("[2/2] STEP 9/3: LABEL x\n{error}"), None);
        check(error, None);
    }
}
