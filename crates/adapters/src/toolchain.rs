//! The stand-in package for what the host itself offers to builds: compiler, shell, C library.
//!
//! An isolated root sees the host's `/usr`, but its rpm database is our own, so rpm would find every
//! `BuildRequires: gcc` and every `libc.so.6(GLIBC_2.34)(64bit)` missing. One package without files,
//! `host-toolchain`, provides them. It carries the host's versions in its release, so that a build's
//! recorded buildroot says which compiler made it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest as _, Sha256};

/// The name of the stand-in package.
pub const PACKAGE: &str = "host-toolchain";

/// A prepared toolchain: the stand-in package and an rpm database in which only it is installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toolchain {
    /// The package, to be put into every repository that dependencies are resolved against.
    pub rpm: PathBuf,
    /// The folder with the rpm database that each isolated root starts from.
    pub rpmdb: PathBuf,
    /// Name, version, release and architecture of the package.
    pub nevra: String,
}

/// Why the toolchain could not be prepared.
#[derive(Debug, thiserror::Error)]
pub enum ToolchainError {
    /// A program that every build needs is not there.
    #[error("the host has no {program}, which every build needs: install {package}")]
    Missing {
        /// The program.
        program: &'static str,
        /// Debian's package that has it.
        package: &'static str,
    },
    /// A program did not do its work.
    #[error("{program} could not {purpose} ({exit}): {line}")]
    Program {
        /// The program.
        program: String,
        /// What it was asked for.
        purpose: &'static str,
        /// How it ended.
        exit: String,
        /// The first line it wrote to its standard error.
        line: String,
    },
    /// A file could not be read or written.
    #[error("could not write the toolchain's {path}: {source}")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The blocking task was stopped with the runtime.
    #[error("the preparation of the toolchain was stopped")]
    Stopped,
}

/// What a program of the host stands for, if it is there.
struct Offer {
    program: &'static str,
    packages: &'static [&'static str],
}

/// Programs whose version is asked, and Debian's package of each. All of them must be there.
const REQUIRED: [(&str, &str); 9] = [
    ("gcc", "gcc"),
    ("ld", "binutils"),
    ("make", "make"),
    ("bash", "bash"),
    ("python3", "python3"),
    ("perl", "perl"),
    ("eu-strip", "elfutils"),
    ("rpmbuild", "rpm"),
    ("unshare", "util-linux"),
];

const OFFERS: [Offer; 33] = [
    Offer { program: "gcc", packages: &["gcc", "cpp", "glibc-devel", "libgcc", "kernel-headers"] },
    Offer { program: "g++", packages: &["gcc-c++", "libstdc++", "libstdc++-devel"] },
    Offer { program: "ld", packages: &["binutils"] },
    Offer { program: "make", packages: &["make"] },
    Offer { program: "bash", packages: &["bash"] },
    Offer { program: "sh", packages: &["glibc", "glibc-common", "filesystem", "setup"] },
    Offer { program: "env", packages: &["coreutils"] },
    Offer { program: "sed", packages: &["sed"] },
    Offer { program: "grep", packages: &["grep"] },
    Offer { program: "awk", packages: &["gawk", "awk"] },
    Offer { program: "find", packages: &["findutils"] },
    Offer { program: "diff", packages: &["diffutils"] },
    Offer { program: "python3", packages: &["python3", "python3-libs"] },
    Offer {
        program: "perl",
        packages: &["perl", "perl-interpreter", "perl(strict)", "perl(warnings)", "perl(utf8)"],
    },
    Offer { program: "tar", packages: &["tar"] },
    Offer { program: "gzip", packages: &["gzip"] },
    Offer { program: "xz", packages: &["xz"] },
    Offer { program: "bzip2", packages: &["bzip2"] },
    Offer { program: "zstd", packages: &["zstd"] },
    Offer { program: "cpio", packages: &["cpio"] },
    Offer { program: "patch", packages: &["patch"] },
    Offer { program: "file", packages: &["file"] },
    Offer { program: "which", packages: &["which"] },
    Offer { program: "msgfmt", packages: &["gettext"] },
    Offer { program: "m4", packages: &["m4"] },
    Offer { program: "bison", packages: &["bison"] },
    Offer { program: "flex", packages: &["flex"] },
    Offer { program: "cmake", packages: &["cmake"] },
    Offer { program: "ldconfig", packages: &["ldconfig"] },
    Offer { program: "unshare", packages: &["util-linux"] },
    Offer { program: "pkg-config", packages: &["pkgconfig", "pkgconf", "pkgconf-pkg-config"] },
    Offer { program: "eu-strip", packages: &["elfutils"] },
    Offer {
        program: "rpmbuild",
        packages: &["rpm", "rpm-build", "redhat-rpm-config", "system-rpm-config"],
    },
];

/// The compiler's run-time libraries, which link edges of every compiled package point at.
pub(crate) const LIBRARIES: [&str; 12] = [
    "libc.so.6",
    "libm.so.6",
    "libpthread.so.0",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "ld-linux-x86-64.so.2",
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libgomp.so.1",
    "libatomic.so.1",
];

/// Makes the toolchain in `folder`, or finds the one made earlier for the same versions of the host.
///
/// Each set of versions has its own folder, which is renamed into place when it is complete: several
/// servers may prepare at the same time, and an upgrade of the host makes a new one at the next start.
///
/// # Errors
/// A required program is missing or fails, or `folder` cannot be written.
pub async fn prepare(folder: &Path) -> Result<Toolchain, ToolchainError> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || prepare_blocking(&folder))
        .await
        .map_err(|_| ToolchainError::Stopped)?
}

fn prepare_blocking(folder: &Path) -> Result<Toolchain, ToolchainError> {
    let versions = versions()?;
    let provides = provides(&versions)?;
    let text = specification(&versions, &provides);
    let digest: String =
        Sha256::digest(&text).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    let text = text.replace("@RELEASE@", &digest);
    let place = folder.join(format!("{PACKAGE}-{digest}"));
    if !place.join("complete").exists() {
        make(&place, &text)?;
    }
    read(&place)
}

/// The version of each required program, in the order of the table.
fn versions() -> Result<Vec<(&'static str, String)>, ToolchainError> {
    let mut versions = Vec::new();
    for (program, package) in REQUIRED {
        let path = host_program(program).ok_or(ToolchainError::Missing { program, package })?;
        let mut command = Command::new(path);
        command.arg("--version");
        let printed = output(command, "tell its version")?;
        versions.push((program, first_version(&printed).unwrap_or_else(|| "0".to_owned())));
    }
    Ok(versions)
}

/// The first word that looks like `12.2.0`. Distributors write more after it, which is not wanted.
fn first_version(printed: &str) -> Option<String> {
    printed
        .lines()
        .next()?
        .split(|c: char| !(c.is_ascii_digit() || c == '.'))
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.'))
        .map(str::to_owned)
}

/// Everything the host can be said to provide: packages, interpreters by path, versioned symbols.
fn provides(versions: &[(&str, String)]) -> Result<BTreeSet<String>, ToolchainError> {
    let mut provides = BTreeSet::from(["rtld(GNU_HASH)".to_owned()]);
    for offer in &OFFERS {
        let Some(path) = host_program(offer.program) else { continue };
        let version = versions.iter().find(|(program, _)| *program == offer.program);
        let version = version.map_or_else(String::new, |(_, version)| format!(" = {version}"));
        for package in offer.packages {
            provides.insert(format!("{package}{version}"));
            if !package.contains('(') {
                provides.insert(format!("{package}%{{?_isa}}{version}"));
            }
        }
        // Each folder of programs has a second name at the top, and scripts use either.
        let path = path.display().to_string();
        provides.insert(path.trim_start_matches("/usr").to_owned());
        provides.insert(path);
    }
    if let Some((_, version)) = versions.iter().find(|(program, _)| *program == "python3") {
        let abi: Vec<&str> = version.split('.').take(2).collect();
        provides.insert(format!("python(abi) = {}", abi.join(".")));
    }
    provides.extend(symbols()?);
    Ok(provides)
}

/// The sonames and symbol versions of the compiler's run-time libraries, as rpm's own generator names them.
fn symbols() -> Result<Vec<String>, ToolchainError> {
    let mut symbols = Vec::new();
    for library in LIBRARIES {
        let mut ask = Command::new("gcc");
        ask.arg(format!("-print-file-name={library}"));
        let path = output(ask, "say where its libraries are")?;
        // gcc answers with the bare name for a library it does not have.
        let Ok(path) = fs::canonicalize(path.trim()) else { continue };
        let mut elfdeps = Command::new("/usr/lib/rpm/elfdeps");
        elfdeps.arg("--provides").arg(&path);
        let printed = output(elfdeps, "list a library's symbol versions")?;
        symbols.extend(printed.lines().map(str::to_owned));
    }
    Ok(symbols)
}

fn specification(versions: &[(&str, String)], provides: &BTreeSet<String>) -> String {
    let version = versions.first().map_or("0", |(_, version)| version.as_str());
    let mut text = format!(
        "Name: {PACKAGE}\nVersion: {version}\nRelease: @RELEASE@\nLicense: Apache-2.0 OR MIT\n\
         Summary: Stands for the programs and libraries of the build host\n"
    );
    for provide in provides {
        let _ = writeln!(text, "Provides: {provide}");
    }
    text.push_str("%description\nStands for the programs and libraries of the build host:\n");
    for (program, version) in versions {
        let _ = writeln!(text, "{program} {version}");
    }
    text.push_str("%files\n");
    text
}

fn make(place: &Path, text: &str) -> Result<(), ToolchainError> {
    let draft = place.with_extension(format!("draft-{}", std::process::id()));
    discard(&draft)?;
    let spec = draft.join("host-toolchain.spec");
    fs::create_dir_all(draft.join("rpmdb")).map_err(|source| failed(&draft, source))?;
    fs::write(&spec, text).map_err(|source| failed(&spec, source))?;

    let mut build = Command::new("rpmbuild");
    build.arg("-bb").arg(&spec).env("SOURCE_DATE_EPOCH", "0");
    define(&mut build, "_topdir", &draft.join("top"));
    define(&mut build, "_rpmdir", &draft);
    define(&mut build, "_dbpath", &draft.join("rpmdb"));
    define(
        &mut build,
        "_build_name_fmt",
        Path::new("%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"),
    );
    build.args([
        "--define",
        "_buildhost build",
        "--define",
        "use_source_date_epoch_as_buildtime 1",
    ]);
    output(build, "package the stand-in for the host")?;

    let rpm = find_rpm(&draft)?;
    let mut install = Command::new("rpm");
    install.args(["-U", "--justdb", "--nosignature", "--nodigest"]).arg(rpm);
    define(&mut install, "_dbpath", &draft.join("rpmdb"));
    output(install, "start a database with the stand-in")?;

    discard(&draft.join("top"))?;
    let complete = draft.join("complete");
    fs::write(&complete, "").map_err(|source| failed(&complete, source))?;
    match fs::rename(&draft, place) {
        // Another server was quicker, and what it made is the same.
        Err(_) if place.join("complete").exists() => discard(&draft),
        other => other.map_err(|source| failed(place, source)),
    }
}

fn read(place: &Path) -> Result<Toolchain, ToolchainError> {
    let rpm = find_rpm(place)?;
    let nevra = rpm.file_stem().and_then(OsStr::to_str).unwrap_or(PACKAGE).to_owned();
    Ok(Toolchain { rpmdb: place.join("rpmdb"), nevra, rpm })
}

fn find_rpm(folder: &Path) -> Result<PathBuf, ToolchainError> {
    let entries = fs::read_dir(folder).map_err(|source| failed(folder, source))?;
    entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .find(|path| path.extension() == Some(OsStr::new("rpm")))
        .ok_or_else(|| failed(folder, io::Error::other("rpmbuild left no package there")))
}

fn define(command: &mut Command, name: &str, value: &Path) {
    command.arg("--define").arg(format!("{name} {}", value.display()));
}

/// Where the host has a program, among the folders that an isolated root shows as well.
pub(crate) fn host_program(name: &str) -> Option<PathBuf> {
    ["/usr/bin", "/usr/sbin"].iter().map(|folder| Path::new(folder).join(name)).find(|p| p.exists())
}

fn discard(folder: &Path) -> Result<(), ToolchainError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(folder, error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, source: io::Error) -> ToolchainError {
    ToolchainError::File { path: path.to_owned(), source }
}

fn output(mut command: Command, purpose: &'static str) -> Result<String, ToolchainError> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.env("PATH", "/usr/bin:/usr/sbin").env("LC_ALL", "C").stdin(Stdio::null());
    let answer = command.output().map_err(|error| ToolchainError::Program {
        program: program.clone(),
        purpose,
        exit: "not started".to_owned(),
        line: error.to_string(),
    })?;
    if answer.status.success() {
        return Ok(String::from_utf8_lossy(&answer.stdout).into_owned());
    }
    let stderr = String::from_utf8_lossy(&answer.stderr);
    let line = stderr.lines().next().unwrap_or("it said nothing").to_owned();
    Err(ToolchainError::Program { program, purpose, exit: answer.status.to_string(), line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_print() {
        let check = |printed: &str| first_version(printed).unwrap_or_default();
        assert_eq!(check("gcc (Debian 12.2.0-14) 12.2.0"), "12.2.0");
        assert_eq!(check("GNU Make 4.3\nBuilt for x86_64"), "4.3");
        assert_eq!(check("RPM version 4.18.0"), "4.18.0");
        assert_eq!(check("GNU bash, version 5.2.15(1)-release"), "5.2.15");
        assert_eq!(check("no digits"), "");
    }

    #[test]
    fn the_stand_in_provides_what_compiled_packages_require() {
        let folder = tempfile::tempdir().unwrap();
        let first = prepare_blocking(folder.path()).unwrap();
        let mut query = Command::new("rpm");
        query.args(["-qp", "--nosignature", "--provides"]).arg(&first.rpm);
        let provides = output(query, "list provides").unwrap();
        for wanted in ["libc.so.6(GLIBC_2.2.5)(64bit)", "libm.so.6()(64bit)", "rtld(GNU_HASH)"] {
            assert!(provides.lines().any(|line| line == wanted), "{wanted} in {provides}");
        }
        for wanted in ["/bin/sh", "/usr/bin/python3", "/usr/bin/env", "/sbin/ldconfig", "coreutils"]
        {
            assert!(provides.lines().any(|line| line == wanted), "{wanted} in {provides}");
        }
        assert_eq!(prepare_blocking(folder.path()).unwrap(), first, "made once");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");
    }
}
