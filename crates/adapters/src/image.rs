//! Builds an image with buildah in an isolated root, and says what came of it.
//!
//! A stage's packages are installed over its parent by rpm, before its instructions run; so a layer holds
//! what is new, and rpm's own check holds across layers. Everything happens in the root that packages are
//! built in (`sandbox`); programs of the image itself run in a further one within, made by crun.

mod containerfile;
mod contents;
mod facets;
mod layout;
mod output;
mod script;
pub mod testing;

use std::io;
use std::path::PathBuf;

pub use containerfile::{Containerfile, ContainerfileError, Stage, StageBase, read_containerfile};
pub use contents::{OwnFile, OwnKind};
pub use layout::{Config, Execution, Layout, LayoutError, read_layout};
use model::image::ImageConfig;
pub use output::{BuiltImage, collect};

use crate::rpmbuild::{TellingLine, telling_line};
use crate::sandbox::{
    self, Cancel, Cell, Ended, Exhausted, Job, Limits, Phase, Report, SandboxError, Slot, Staged,
};
use crate::toolchain::{self, Toolchain};

/// What to build, from what, and within which limits.
#[derive(Clone, Debug)]
pub struct ImageRequest {
    /// A folder for this build alone. It is made if need be; what the build put there is removed after.
    pub work: PathBuf,
    /// The exported tree: what COPY copies from.
    pub sources: PathBuf,
    /// The Containerfile's name in it; without one the only stage, with its packages, is the image.
    pub containerfile: Option<String>,
    /// What each FROM line of the Containerfile stands on, in order; one entry where there is none.
    pub stages: Vec<StageInput>,
    /// How a container of it starts, where no Containerfile says so; what is empty is the parent's. A dollar
    /// sign in a variable's value is one. The labels are put on either way.
    pub config: ImageConfig,
    /// The tag in the layout.
    pub tag: String,
    /// The time of everything in the image, in seconds of the Unix epoch.
    pub source_date_epoch: i64,
    /// When to end it.
    pub limits: Limits,
    /// Where the log goes, line by line.
    pub log: PathBuf,
    /// Where it runs.
    pub slot: Slot,
    /// The folder that exists when, and only when, the build has succeeded.
    pub output: PathBuf,
}

/// What a stage stands on.
#[derive(Clone, Debug, Default)]
pub struct StageInput {
    /// The parent.
    pub base: Base,
    /// Packages to install over it: the whole closure, without what the parent has.
    pub packages: Vec<PathBuf>,
    /// Programs of the host to put in, by name. The stand-in for the toolchain is installed with them.
    pub programs: Vec<String>,
}

/// The parent of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// Nothing.
    #[default]
    Scratch,
    /// An image, as an OCI layout in this folder.
    Image(PathBuf),
    /// An earlier stage, by its index.
    Stage(usize),
}

/// How a build ended. What is the machine's fault is not here but an [`ImageError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An image was made.
    Succeeded(Box<BuiltImage>),
    /// An instruction of the Containerfile failed, or buildah refused it.
    Failed {
        /// buildah's exit code.
        exit: i32,
        /// The line of the log that says most about the reason.
        line: Option<TellingLine>,
        /// The line of the Containerfile whose instruction failed, where buildah tells.
        instruction: Option<usize>,
    },
    /// It took longer than its limit.
    TimedOut,
    /// It needed more memory than its limit.
    OutOfMemory,
    /// It had more processes than its limit.
    TooManyProcesses,
    /// It filled its disk, or wrote a log without end.
    DiskFull,
    /// Somebody ended it.
    Cancelled,
}

/// Why a build could not be attempted or its result not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// No isolated root.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// A program that builds or tests images is not there.
    #[error("the host has no {program}, which images need: install {program}")]
    Missing {
        /// The program, and Debian's package that has it.
        program: &'static str,
    },
    /// The Containerfile cannot be read.
    #[error("could not read {path}: {source}")]
    Unreadable {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The Containerfile asks for something that cannot be.
    #[error("{file}, {source}")]
    Containerfile {
        /// Its name.
        file: String,
        /// The line, and what is wrong with it.
        source: ContainerfileError,
    },
    /// The request contradicts itself.
    #[error("the image cannot be built as asked: {0}")]
    Request(String),
    /// The packages do not go together or do not fit the parent, so their choice is wrong.
    #[error("rpm could not install the image's packages: {line}")]
    Packages {
        /// What was said first.
        line: String,
    },
    /// buildah claims success, and what it left is no image.
    #[error("buildah succeeded, but {problem}")]
    Output {
        /// What is wrong.
        problem: String,
    },
    /// A layout is damaged.
    #[error("{}: {source}", folder.display())]
    Layout {
        /// Where it lies.
        folder: PathBuf,
        /// What is wrong with it.
        source: LayoutError,
    },
    /// The record of an earlier build cannot be read.
    #[error("could not read the record of an image {path}: {source}")]
    Record {
        /// Where.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
}

/// Runs in the outer script: see `root.sh`. buildah mounts, so it keeps all capabilities of the user
/// space; it gives none of that to what it runs.
const STEPS: &str = r#"
CELL_CAPABILITIES=+all
status=0
inside /in/image.sh || status=$?
echo $status >out/exit
take $R/build/reached out
if [ $status -eq 0 ]; then
	mkdir -p out/oci/blobs/sha256
	take $R/build/facts/* out
	take $R/build/oci/oci-layout $R/build/oci/index.json out/oci
	take $R/build/oci/blobs/sha256/* out/oci/blobs/sha256
fi
"#;

/// Starts a build. If its output is in place already, that is the answer and nothing is run.
///
/// # Errors
/// No thread can be started. Everything else is in the job's answer.
pub fn start(
    request: ImageRequest,
    toolchain: Toolchain,
) -> Result<Job<Result<Outcome, ImageError>>, ImageError> {
    Ok(sandbox::start("buildah", move |cancel| build(&request, &toolchain, cancel))?)
}

fn build(
    request: &ImageRequest,
    toolchain: &Toolchain,
    cancel: &Cancel,
) -> Result<Outcome, ImageError> {
    if let Some(earlier) = collect(&request.output)? {
        return Ok(Outcome::Succeeded(Box::new(earlier)));
    }
    check_programs(&["buildah", "crun"])?;
    let recipe = recipe(request)?;
    let cell = Cell {
        work: request.work.clone(),
        slot: request.slot.clone(),
        limits: request.limits.clone(),
        rpmdb: toolchain.rpmdb.clone(),
        dependencies: Vec::new(),
        staged: staged(request, recipe.as_ref(), toolchain)?,
        steps: STEPS,
        source_date_epoch: request.source_date_epoch,
        log: request.log.clone(),
    };
    let report = sandbox::run(&cell, cancel)?;
    judge(request, recipe.as_ref(), &cell, &report)
}

fn check_programs(names: &[&'static str]) -> Result<(), ImageError> {
    match names.iter().find(|name| toolchain::host_program(name).is_none()) {
        None => Ok(()),
        Some(program) => Err(ImageError::Missing { program }),
    }
}

/// A Containerfile and what was read from it.
struct Recipe {
    text: String,
    read: Containerfile,
}

/// Reads the Containerfile, if there is one, and compares it with the stages it is to be built from.
fn recipe(request: &ImageRequest) -> Result<Option<Recipe>, ImageError> {
    script::check(request).map_err(ImageError::Request)?;
    let Some(file) = &request.containerfile else { return Ok(None) };
    let path = request.sources.join(file);
    let text = std::fs::read_to_string(&path)
        .map_err(|source| ImageError::Unreadable { path: path.clone(), source })?;
    let wrong = |source| ImageError::Containerfile { file: file.clone(), source };
    let read = read_containerfile(&text).map_err(wrong)?;
    script::check_stages(&read, &request.stages).map_err(ImageError::Request)?;
    Ok(Some(Recipe { text, read }))
}

fn staged(
    request: &ImageRequest,
    recipe: Option<&Recipe>,
    toolchain: &Toolchain,
) -> Result<Vec<Staged>, ImageError> {
    let mut staged = vec![
        Staged::Text("storage.sh", script::STORAGE.to_owned()),
        Staged::Text("build.sh", script::BUILD.to_owned()),
        Staged::Text("image.sh", script::write(request, recipe.map(|recipe| &recipe.read))),
        Staged::Text("libraries", toolchain::LIBRARIES.map(|name| format!("{name}\n")).concat()),
        Staged::Packages("toolchain".to_owned(), vec![toolchain.rpm.clone()]),
    ];
    if let Some(recipe) = recipe {
        let bases = script::bases(&recipe.read, &request.stages);
        staged.push(Staged::Text("Containerfile", recipe.read.with_bases(&recipe.text, &bases)));
        staged.push(Staged::Tree("sources".to_owned(), request.sources.clone()));
    }
    for (number, stage) in request.stages.iter().enumerate() {
        let packages = stage.packages.clone();
        staged.push(Staged::Packages(format!("packages-{number}"), packages));
        if let Base::Image(folder) = &stage.base {
            // A damaged parent must not go unnoticed into all that stand on it.
            read_layout(folder)
                .map_err(|source| ImageError::Layout { folder: folder.clone(), source })?;
            staged.push(Staged::Tree(format!("base-{number}"), folder.clone()));
        }
    }
    Ok(staged)
}

fn judge(
    request: &ImageRequest,
    recipe: Option<&Recipe>,
    cell: &Cell,
    report: &Report,
) -> Result<Outcome, ImageError> {
    let exit = match report.ended {
        Ended::Exited(outer) => sandbox::exit_of(cell).map_or(outer, |inner| inner.max(outer)),
        Ended::TimedOut => return Ok(Outcome::TimedOut),
        Ended::OutOfMemory(_) => return Ok(Outcome::OutOfMemory),
        Ended::TooManyProcesses(_) => return Ok(Outcome::TooManyProcesses),
        Ended::LogTooLong => return Ok(Outcome::DiskFull),
        Ended::Cancelled => return Ok(Outcome::Cancelled),
    };
    if exit == 0 {
        let built = output::place(request, &cell.out(), report.duration)?;
        return Ok(Outcome::Succeeded(Box::new(built)));
    }
    match sandbox::exhausted(&request.log) {
        Some(Exhausted::Memory) => return Ok(Outcome::OutOfMemory),
        Some(Exhausted::Disk) => return Ok(Outcome::DiskFull),
        Some(Exhausted::Processes) => return Ok(Outcome::TooManyProcesses),
        None => {}
    }
    let line = telling_line(&request.log);
    let reached = std::fs::read_to_string(cell.out().join("reached")).unwrap_or_default();
    let said = line.as_ref().map_or("nothing was said", |line| line.text.as_str());
    match reached.trim() {
        "containerfile" => {
            let log = sandbox::tail(&request.log, 64 << 10);
            let instruction = recipe.and_then(|recipe| script::failed_line(&recipe.read, &log));
            Ok(Outcome::Failed { exit, line, instruction })
        }
        "packages" => Err(ImageError::Packages { line: said.to_owned() }),
        _ if report.phase != Phase::Run => {
            Err(SandboxError::Root { exit, line: said.to_owned() }.into())
        }
        at => Err(ImageError::Output { problem: format!("{said} (at {at:?})") }),
    }
}
