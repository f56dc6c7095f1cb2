//! Small images, and the steps that tests share.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use adapters::image::{self, Base, BuiltImage, ImageRequest, Outcome, StageInput};
use model::image::ImageConfig;

use crate::fixtures::{BASE, Bench, USER, USER_C, limits, read};

/// A bench, the packages that were built on it, and images made of them.
pub(crate) struct Gallery {
    pub(crate) bench: Bench,
    /// A library and the program that needs it.
    pub(crate) base: Vec<PathBuf>,
    pub(crate) user: Vec<PathBuf>,
}

impl Gallery {
    /// With packages. Each test needs a slot of its own.
    pub(crate) async fn new(slot: u32) -> Self {
        let bench = Bench::new(slot).await;
        let base = bench.built(bench.request("base", BASE, &[])).await.rpms;
        let mut request = bench.request("user", USER, &[("user.c", USER_C)]);
        request.dependencies.clone_from(&base);
        let user = bench.built(request).await.rpms;
        // The library without its header.
        let base = base.into_iter().filter(|path| !path.to_string_lossy().contains("-devel-"));
        Self { base: base.collect(), bench, user }
    }

    /// Without packages.
    pub(crate) async fn empty(slot: u32) -> Self {
        Self { bench: Bench::new(slot).await, base: Vec::new(), user: Vec::new() }
    }

    pub(crate) fn request(&self, name: &str, stages: Vec<StageInput>) -> ImageRequest {
        let path = |kind: &str| self.bench.path(&format!("image-{name}-{kind}"));
        fs::create_dir_all(path("sources")).unwrap();
        ImageRequest {
            work: path("work"),
            sources: path("sources"),
            containerfile: None,
            stages,
            config: ImageConfig::default(),
            tag: "1-1.f44".to_owned(),
            source_date_epoch: 1_700_000_000,
            limits: limits(),
            log: path("log"),
            slot: self.bench.slot(),
            output: path("out"),
        }
    }

    /// The same with a Containerfile.
    pub(crate) fn described(
        &self,
        name: &str,
        text: &str,
        stages: Vec<StageInput>,
    ) -> ImageRequest {
        let request = self.request(name, stages);
        fs::write(request.sources.join("Containerfile"), text).unwrap();
        ImageRequest { containerfile: Some("Containerfile".to_owned()), ..request }
    }

    pub(crate) async fn build(&self, request: ImageRequest) -> Outcome {
        let log = request.log.clone();
        let job = image::start(request, self.bench.toolchain.clone()).unwrap();
        job.wait().await.unwrap().unwrap_or_else(|error| panic!("{error}\n{}", read(&log)))
    }

    /// Builds an image that must build.
    pub(crate) async fn built(&self, request: ImageRequest) -> BuiltImage {
        let log = request.log.clone();
        match self.build(request).await {
            Outcome::Succeeded(built) => *built,
            other => panic!("{other:?}\n{}", read(&log)),
        }
    }

    /// The complaint about a build that cannot be attempted.
    pub(crate) async fn refused(&self, request: ImageRequest) -> String {
        let job = image::start(request, self.bench.toolchain.clone()).unwrap();
        job.wait().await.unwrap().unwrap_err().to_string()
    }

    /// Runs a script as the RUN of a Containerfile over a few programs of the host.
    pub(crate) fn probe(&self, script: &str) -> ImageRequest {
        let run = "FROM scratch\nCOPY script /script\nRUN sh /script\n";
        let request = self.described("probe", run, vec![programs(PROGRAMS)]);
        fs::write(request.sources.join("script"), script).unwrap();
        request
    }
}

/// What scripts of the tests use.
pub(crate) const PROGRAMS: &str = "sh cat ls id grep sleep tail head touch chmod rm env setsid mount \
                                   umount unshare chroot";

pub(crate) fn programs(names: &str) -> StageInput {
    let programs = names.split_whitespace().map(str::to_owned).collect();
    StageInput { programs, ..StageInput::default() }
}

pub(crate) fn over(parent: &BuiltImage, packages: &[PathBuf]) -> StageInput {
    let base = Base::Image(parent.oci.clone());
    StageInput { base, packages: packages.to_vec(), ..StageInput::default() }
}

/// The paths in a layer, counted from the ground, in the order of the archive.
pub(crate) fn paths(image: &BuiltImage, layer: usize) -> Vec<String> {
    let blob = image.oci.join("blobs/sha256").join(image.layers[layer].digest.to_string());
    let answer = Command::new("tar").arg("-tzf").arg(&blob).output().unwrap();
    assert!(answer.status.success(), "{}", String::from_utf8_lossy(&answer.stderr));
    String::from_utf8(answer.stdout).unwrap().lines().map(str::to_owned).collect()
}

pub(crate) fn nevras(image: &BuiltImage) -> Vec<String> {
    let names = image.packages.iter().map(ToString::to_string);
    names.filter(|name| !name.starts_with("host-toolchain-")).collect()
}
