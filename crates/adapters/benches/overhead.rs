//! What isolation and bookkeeping add to a build: plain rpmbuild beside the whole way a build takes here.
//!
//! `cargo bench -p adapters --bench overhead`. The package compiles for about 0.3 s and needs five small packages.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a bench prints, reads the clock, and ends at the first surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use adapters::closure::{Answer, Closures, Question};
use adapters::rpmbuild::{BuildRequest, Outcome};
use adapters::sandbox::{Limits, Slot};
use adapters::{facets, packages, repository, rpmbuild, toolchain};

const ROUNDS: usize = 9;

#[tokio::main]
async fn main() {
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder for the run");
    // Builds run under another uid.
    Command::new("chmod").arg("755").arg(folder.path()).status().expect("chmod runs");
    let toolchain =
        toolchain::prepare(&folder.path().join("toolchain")).await.expect("a toolchain");
    let needs: Vec<PathBuf> = (0..5).map(|number| dependency(folder.path(), number)).collect();
    let sources = sources(folder.path());
    let closures = Closures::start(&folder.path().join("resolver")).expect("a resolver");
    let mut times: [Vec<Duration>; 4] = Default::default();
    for round in 0..=ROUNDS {
        let began = Instant::now();
        plain(folder.path(), &sources);
        let plain = began.elapsed();

        let began = Instant::now();
        let paths: Vec<PathBuf> = needs.iter().cloned().chain([toolchain.rpm.clone()]).collect();
        let snapshots = folder.path().join(format!("snapshots-{round}"));
        let id = repository::write_snapshot(&snapshots, &paths).await.expect("a snapshot");
        let install = (0..5).map(|number| format!("need{number}")).collect();
        let question = Question { id: "q".to_owned(), install, weak: false };
        let answers = closures
            .resolve(&[snapshots.join(id.to_string())], &[question])
            .await
            .expect("an answer");
        assert!(matches!(answers["q"], Answer::Packages(_)), "{answers:?}");
        let resolved = began.elapsed();

        let began = Instant::now();
        let built = isolated(folder.path(), &sources, &needs, &toolchain, round).await;
        let isolated = began.elapsed();

        let began = Instant::now();
        packages::read(&built).await.expect("packages");
        facets::read(&built).await.expect("facets");
        let read = began.elapsed();
        // The first round fills the caches of the machine.
        if round > 0 {
            for (list, time) in times.iter_mut().zip([plain, resolved, isolated, read]) {
                list.push(time);
            }
        }
    }
    report(&mut times);
}

fn report(times: &mut [Vec<Duration>; 4]) {
    let names =
        ["plain rpmbuild", "repository and resolving", "isolated rpmbuild", "packages and facets"];
    let mut medians = Vec::new();
    for (name, list) in names.iter().zip(times) {
        list.sort();
        let median = list[list.len() / 2];
        println!(
            "{name:>26}: median {:>6.0} ms, {:.0} to {:.0}",
            ms(median),
            ms(list[0]),
            ms(list[list.len() - 1])
        );
        medians.push(median);
    }
    let isolation = ms(medians[2]) - ms(medians[0]);
    println!("{:>26}: {isolation:>13.0} ms", "isolation adds");
    println!("{:>26}: {:>13.0} ms", "all of it adds", isolation + ms(medians[1]) + ms(medians[3]));
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn rpm(folder: &Path, spec: &Path, sources: &Path, top: &str) {
    let define = |name: &str, value: &Path| format!("{name} {}", value.display());
    let status = Command::new("rpmbuild")
        .args([
            "-ba",
            "--quiet",
            "--define",
            "debug_package %{nil}",
            "--define",
            "_binary_payload w1.gzdio",
        ])
        .args([
            "--define",
            &define("_topdir", &folder.join(top)),
            "--define",
            &define("_sourcedir", sources),
        ])
        .args(["--define", &define("_dbpath", &folder.join("rpmdb")), "--nodeps"])
        .arg(spec)
        .output()
        .expect("rpmbuild runs");
    assert!(status.status.success(), "{}", String::from_utf8_lossy(&status.stderr));
}

fn dependency(folder: &Path, number: usize) -> PathBuf {
    let spec = folder.join(format!("need{number}.spec"));
    let text = format!(
        "Name: need{number}\nVersion: 1\nRelease: 1\nSummary: Needed\nLicense: MIT\nBuildArch: noarch\n%description\nNeeded.\n\
         %install\nmkdir -p %{{buildroot}}/usr/share/need{number}\necho x >%{{buildroot}}/usr/share/need{number}/x\n\
         %files\n/usr/share/need{number}\n"
    );
    fs::write(&spec, text).expect("a spec");
    rpm(folder, &spec, folder, "needs");
    folder.join(format!("needs/RPMS/noarch/need{number}-1-1.noarch.rpm"))
}

/// A spec that keeps the compiler busy for about 0.3 s.
fn sources(folder: &Path) -> PathBuf {
    let sources = folder.join("sources");
    fs::create_dir_all(&sources).expect("a folder");
    let functions: String = (0..250)
        .map(|number| format!("int f{number}(int x) {{ int s = 0; for (int i = 0; i < x; i++) s += i * {number} ^ s; return s; }}\n"))
        .collect();
    fs::write(sources.join("busy.c"), functions + "int main(void) { return f1(0); }\n")
        .expect("a source");
    let needs: String = (0..5).map(|number| format!("BuildRequires: need{number}\n")).collect();
    let text = format!(
        "Name: busy\nVersion: 1\nRelease: 1%{{?dist}}\nSummary: Busy\nLicense: MIT\nSource0: busy.c\n{needs}BuildRequires: gcc\n\
         %description\nBusy.\n%build\ngcc -O2 -o busy %{{SOURCE0}}\n%install\ninstall -D busy %{{buildroot}}/usr/bin/busy\n\
         %files\n/usr/bin/busy\n"
    );
    fs::write(sources.join("busy.spec"), text).expect("a spec");
    sources
}

fn plain(folder: &Path, sources: &Path) {
    rpm(folder, &sources.join("busy.spec"), sources, "plain");
}

async fn isolated(
    folder: &Path,
    sources: &Path,
    needs: &[PathBuf],
    toolchain: &toolchain::Toolchain,
    round: usize,
) -> Vec<PathBuf> {
    let request = BuildRequest {
        work: folder.join("work"),
        sources: sources.to_owned(),
        spec_name: "busy.spec".to_owned(),
        dependencies: needs.to_vec(),
        dist: ".f44".to_owned(),
        with: Vec::new(),
        source_date_epoch: 1_700_000_000,
        limits: Limits::default(),
        log: folder.join("log"),
        slot: Slot::default(),
        output: folder.join(format!("output-{round}")),
    };
    let job = rpmbuild::start(request, toolchain.clone()).expect("a job");
    match job.wait().await.expect("the job ends").expect("the machine works") {
        Outcome::Succeeded(built) => built.rpms,
        other => {
            panic!("{other:?}: {}", fs::read_to_string(folder.join("log")).unwrap_or_default())
        }
    }
}
