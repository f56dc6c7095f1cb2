//! The same questions asked of libsolv, by a small program in C that is built where its headers are.

use std::error::Error;
use std::path::Path;
use std::process::Command;

/// Of so many sources each one.
const EVERY: &str = "400";

/// Builds the program and lets it tell its times; says so where it cannot be built.
pub(crate) fn measure(folder: &Path, scratch: &Path) -> Result<(), Box<dyn Error>> {
    let program = scratch.join("libsolv");
    let code = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/libsolv/buildroots.c");
    let mut compiler = Command::new("cc");
    compiler.arg("-O2").arg("-o").arg(&program).arg(code).args(["-lsolvext", "-lsolv"]);
    let is_built = compiler.output().is_ok_and(|output| output.status.success());
    if !is_built {
        println!("libsolv: SKIPPED, `cc` cannot build with libsolv and libsolvext here");
        return Ok(());
    }
    let mut run = Command::new(program);
    for document in ["sid-binary/primary.xml.gz", "sid-source/primary.xml.gz"] {
        run.arg(folder.join(document));
    }
    run.arg(folder.join("sid-build-group.txt")).arg(EVERY).status()?;
    Ok(())
}
