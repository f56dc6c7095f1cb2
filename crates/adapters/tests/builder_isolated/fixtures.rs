//! Small source packages, and the steps that tests share.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use adapters::rpmbuild::{self, BuildRequest, Built, Outcome};
use adapters::sandbox::{Limits, Slot};
use adapters::toolchain::{self, Toolchain};
use tempfile::TempDir;

/// A folder for one test, with a toolchain in it.
pub(crate) struct Bench {
    pub(crate) folder: TempDir,
    pub(crate) toolchain: Toolchain,
    slot: u32,
}

/// A library with a header and a soname.
pub(crate) const BASE: &str = r#"
Name: base
Version: 1.0
Release: 1%{?dist}
Summary: A library
License: MIT
BuildRequires: gcc make
%description
A library.
%package devel
Summary: Its header
Requires: %{name}%{?_isa} = %{version}-%{release}
%description devel
Its header.
%prep
%build
echo 'int base(void) { return 42; }' > base.c
gcc -shared -fPIC -Wl,-soname,libbase.so.1 -o libbase.so.1 base.c
%install
install -D -m 755 libbase.so.1 %{buildroot}%{_libdir}/libbase.so.1
ln -s libbase.so.1 %{buildroot}%{_libdir}/libbase.so
mkdir -p %{buildroot}%{_includedir}/base
echo 'int base(void);' > %{buildroot}%{_includedir}/base/base.h
%files
%{_libdir}/libbase.so.1
%files devel
%{_libdir}/libbase.so
%{_includedir}/base
"#;

/// A program that is linked with it.
pub(crate) const USER: &str = r#"
Name: user
Version: 2.0
Release: 1%{?dist}
Summary: A program
License: MIT
BuildRequires: gcc make base-devel
%description
A program.
%prep
%build
cp %{_sourcedir}/user.c .
gcc -o user user.c -lbase
./user
%install
install -D -m 755 user %{buildroot}%{_bindir}/user
%files
%{_bindir}/user
"#;

pub(crate) const USER_C: &str = "#include <base/base.h>\nint main(void) { return base() - 42; }\n";

/// A package whose `%build` is a script of the test.
pub(crate) fn probe(script: &str) -> String {
    format!(
        "Name: probe\nVersion: 1\nRelease: 1%{{?dist}}\nSummary: x\nLicense: MIT\nBuildArch: noarch\n\
         %description\nx\n%prep\n%build\n{script}\n%install\n%files\n"
    )
}

impl Bench {
    /// Each test needs a slot of its own, since tests run side by side.
    pub(crate) async fn new(slot: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let toolchain = toolchain::prepare(&folder.path().join("toolchain")).await.unwrap();
        Self { folder, toolchain, slot }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lays out a tree with a spec and other files, and a request to build it.
    pub(crate) fn request(&self, name: &str, spec: &str, files: &[(&str, &str)]) -> BuildRequest {
        let sources = self.path(&format!("{name}-sources"));
        fs::create_dir_all(&sources).unwrap();
        fs::write(sources.join(format!("{name}.spec")), spec).unwrap();
        for (file, text) in files {
            fs::write(sources.join(file), text).unwrap();
        }
        BuildRequest {
            work: self.path(&format!("{name}-work")),
            sources,
            spec_name: format!("{name}.spec"),
            dependencies: Vec::new(),
            dist: ".f44".to_owned(),
            with: Vec::new(),
            source_date_epoch: 1_700_000_000,
            limits: limits(),
            log: self.path(&format!("{name}.log")),
            slot: self.slot(),
            output: self.path(&format!("{name}-out")),
        }
    }

    pub(crate) fn slot(&self) -> Slot {
        Slot { number: self.slot, ..Slot::default() }
    }

    pub(crate) async fn build(&self, request: BuildRequest) -> Outcome {
        let log = request.log.clone();
        let job = rpmbuild::start(request, self.toolchain.clone()).unwrap();
        job.wait().await.unwrap().unwrap_or_else(|error| panic!("{error}\n{}", read(&log)))
    }

    /// Builds a package that must build.
    pub(crate) async fn built(&self, request: BuildRequest) -> Built {
        let log = request.log.clone();
        match self.build(request).await {
            Outcome::Succeeded(built) => built,
            other => panic!("{other:?}\n{}", read(&log)),
        }
    }

    /// Runs a script as a package's `%build`.
    pub(crate) async fn probe(&self, script: &str, limits: Limits) -> (Outcome, String) {
        let mut request = self.request("probe", &probe(script), &[]);
        request.limits = limits;
        let log = request.log.clone();
        (self.build(request).await, read(&log))
    }
}

pub(crate) fn limits() -> Limits {
    Limits {
        wall: Duration::from_secs(120),
        memory_bytes: 1 << 30,
        processes: 300,
        disk_bytes: 256 << 20,
    }
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The digests of a package's files.
pub(crate) fn digests(package: &Path) -> String {
    let format = "[%{FILENAMES} %{FILEMODES:octal} %{FILELINKTOS} %{FILEDIGESTS}\n]";
    rpm(&["-qp", "--nosignature", "--qf", format, &package.to_string_lossy()])
}

pub(crate) fn rpm(arguments: &[&str]) -> String {
    let answer = Command::new("rpm").args(arguments).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).unwrap()
}

/// Makes sure that no process with this word is left. Those that were killed may take a moment to go on a busy machine.
pub(crate) async fn none_is_left(word: &str) {
    let gone = async {
        while !processes_with(word).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    let waited = tokio::time::timeout(std::time::Duration::from_secs(60), gone).await;
    assert!(waited.is_ok(), "left over: {:?}", processes_with(word));
}

/// The process ids whose command line contains a word.
pub(crate) fn processes_with(word: &str) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    entries
        .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok())
        .filter(|entry| {
            fs::read(entry.path().join("cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).contains(word))
        })
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

/// Whether the tests run as root.
pub(crate) fn is_root() -> bool {
    let status = read(Path::new("/proc/self/status"));
    let ids = status.lines().find_map(|line| line.strip_prefix("Uid:")).unwrap();
    ids.split_whitespace().nth(1) == Some("0")
}
