//! Checks that an image is whole and could work, and runs test cases inside it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::image::{ImageError, Layout, check_programs, read_layout, script};
use crate::sandbox::{
    self, CAPABILITIES, Cancel, Cell, Job, Limits, Report, SandboxError, Slot, Staged,
};
use crate::testing::run::{self, Bounds, Planned, Subject, make};
use crate::testing::{CaseOutcome, CaseResult, LIBRARIES, TestingError, cases};
use crate::toolchain::Toolchain;

/// Every blob is there and is what its digest says, and skopeo reads the image.
pub const VALID: &str = "millstream.image-valid";
/// What each installed package requires is installed.
pub const PACKAGES: &str = "millstream.packages";
/// The program a container starts with is there and can be executed.
pub const STARTS: &str = "millstream.starts";

/// What to test, and within which limits.
#[derive(Clone, Debug)]
pub struct ImageTestRequest {
    /// A folder for this run alone.
    pub work: PathBuf,
    /// The folder with the image's OCI layout.
    pub oci: PathBuf,
    /// The folder whose executables are test cases, if there is one.
    pub tests: Option<PathBuf>,
    /// Limits of each case; the time is each case's own.
    pub limits: Limits,
    /// Where each case's log goes, as `CASE.log`.
    pub logs: PathBuf,
    /// Where it runs.
    pub slot: Slot,
}

/// Unpacks the image. That is the last thing about which [`VALID`] tells.
const PREPARE: &str = "skopeo copy --quiet oci:/in/image containers-storage:localhost/image\n";

/// The programs of packages, and those a shell would find; each asks the image's own loader.
const CHECK_LIBRARIES: &str = "open_image localhost/image\nrpm_over -qal >/build/listed\n\
                               over python3 -I /in/check.py libraries \"$M\"\n";

const CHECK_START: &str =
    "open_image localhost/image\nover python3 -I /in/check.py starts \"$M\"\n";

const CHECK_PACKAGES: &str = "open_image localhost/image\n\
                              rpm_over -Va --nofiles --nodigest --nosignature --noscripts\n";

/// Runs one test in a fresh container of the image, with a fresh copy of the folder it comes from.
const RUN_CASE: &str = "open_image localhost/image\nrm -rf /build/tests\ncp -r /in/tests /build/tests\n\
                        buildah run $RUN --user 0 --volume /build/tests:/tests --workingdir /tests \
                        \"$container\" -- \"/tests/${1#tests.}\"\n";

/// buildah mounts, so it keeps all capabilities of the user space; what it runs does not.
const STEPS: &str = concat!(
    "CELL_CAPABILITIES=+all\nphase install\ninside /in/prepare.sh\nphase run\n",
    include_str!("../testing/each_case.sh")
);

/// Starts a test run.
///
/// # Errors
/// No thread can be started, or programs are missing. Everything else is in the job's answer.
pub fn start(
    request: ImageTestRequest,
    toolchain: Toolchain,
) -> Result<Job<Result<Vec<CaseResult>, TestingError>>, ImageError> {
    check_programs(&["buildah", "crun", "skopeo"])?;
    Ok(sandbox::start("image-tests", move |cancel| test(&request, &toolchain, cancel))?)
}

fn test(
    request: &ImageTestRequest,
    toolchain: &Toolchain,
    cancel: &Cancel,
) -> Result<Vec<CaseResult>, TestingError> {
    let bounds = Bounds { logs: request.logs.clone(), limits: request.limits.clone() };
    let planned = |case: &str, script| Planned { case: case.to_owned(), script };
    let mut planned = vec![
        planned(LIBRARIES, "libraries.sh"),
        planned(PACKAGES, "packages.sh"),
        planned(STARTS, "starts.sh"),
    ];
    planned.extend(run::own_cases(request.tests.as_deref())?);
    match read_layout(&request.oci) {
        Ok(layout) => {
            let unpacked = Unpacked { request, toolchain, start: start_of(&layout), bounds };
            run::run(&unpacked, planned, cancel)
        }
        Err(error) => {
            make(&bounds.logs)?;
            let log = bounds.log(VALID);
            fs::write(&log, format!("error: {error}\n"))
                .map_err(|source| SandboxError::file("write", &log, source))?;
            let broken = CaseResult {
                case: VALID.to_owned(),
                outcome: CaseOutcome::Failed { line: error.to_string() },
                duration: Duration::ZERO,
                log,
            };
            let errored =
                |case: &Planned| cases::errored(&bounds, &case.case, "the image is broken");
            Ok(std::iter::once(broken).chain(planned.iter().map(errored)).collect())
        }
    }
}

/// What a container starts with, for the script that looks for it.
fn start_of(layout: &Layout) -> String {
    let config = &layout.config.config;
    let program = config.entrypoint.first().or(config.cmd.first());
    let start = serde_json::json!({
        "program": program,
        "folder": config.working_dir,
        "environment": config.env,
        "volumes": config.volumes.keys().collect::<Vec<_>>(),
    });
    start.to_string()
}

/// An image that is unpacked in each root.
struct Unpacked<'a> {
    request: &'a ImageTestRequest,
    toolchain: &'a Toolchain,
    start: String,
    bounds: Bounds,
}

impl Subject for Unpacked<'_> {
    const UNPREPARED: &'static str = "the image could not be unpacked";

    fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    fn cell(&self, waiting: &[Planned]) -> Cell {
        let request = self.request;
        let script =
            |steps: &str| format!("CAPABILITIES={CAPABILITIES}\n. /in/storage.sh\n{steps}");
        let mut staged = self.bounds.staged(waiting);
        staged.extend([
            Staged::Tree("image".to_owned(), request.oci.clone()),
            Staged::Text("start.json", self.start.clone()),
            Staged::Text("check.py", include_str!("check.py").to_owned()),
            Staged::Text("storage.sh", script::STORAGE.to_owned()),
            Staged::Text("prepare.sh", script(PREPARE)),
            Staged::Text("libraries.sh", script(CHECK_LIBRARIES)),
            Staged::Text("packages.sh", script(CHECK_PACKAGES)),
            Staged::Text("starts.sh", script(CHECK_START)),
            Staged::Text("case.sh", script(RUN_CASE)),
        ]);
        if let Some(tests) = &request.tests {
            staged.push(Staged::Tree("tests".to_owned(), tests.clone()));
        }
        Cell {
            work: request.work.clone(),
            slot: request.slot.clone(),
            limits: self.bounds.together(waiting),
            rpmdb: self.toolchain.rpmdb.clone(),
            dependencies: Vec::new(),
            staged,
            steps: STEPS,
            source_date_epoch: 0,
            log: self.bounds.log(VALID),
        }
    }

    fn prepared(&self, cell: &Cell, report: &Report) -> Vec<CaseResult> {
        vec![CaseResult {
            case: VALID.to_owned(),
            outcome: cases::preparation(cell, report),
            duration: Duration::ZERO,
            log: cell.log.clone(),
        }]
    }
}
