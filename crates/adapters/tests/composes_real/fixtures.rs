//! A small release: packages, an image, and a definition with two variants.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use adapters::compose::Ingredients;
use flate2::Compression;
use flate2::write::GzEncoder;
use model::clock::Timestamp;
use model::compose::{
    ArchName, ComposeDefinition, ComposeId, ComposeOutput, ComposedArch, ComposedImage,
    ComposedPackage, ComposedVariant, DeliverableKey, PackageName,
};
use model::digest::Digest;
use model::id::BuildId;
use model::version::Nevra;
use pipeline::compose::{contents, definition, deliverables, reuse};
use tempfile::TempDir;

use crate::packages::{build, run, spec};

pub(crate) const COMPOSE_TOML: &str = r#"
[release]
name = "The Harbour Almanac"
short = "Almanac"
version = "44"
[variants.Server]
name = "The Server"
groups = ["core"]
images = ["almanac-server"]
arches = ["x86_64"]
[variants.Desk]
packages = ["lamp"]
arches = ["x86_64"]
"#;

pub(crate) const COMPS: &str = r#"<comps>
  <group><id>core</id><name>Core</name><name xml:lang="cs">Jádro</name><description>What &amp; all</description>
    <packagelist>
      <packagereq type="mandatory" arch="x86_64">almanac</packagereq>
      <packagereq type="default">stars</packagereq>
      <packagereq type="optional">comets</packagereq>
      <packagereq type="conditional" requires="stars">charts</packagereq>
      <packagereq type="mandatory" variant="Desk">lamp</packagereq>
    </packagelist></group>
  <category><id>sky</id><name>Sky</name><grouplist><groupid>core</groupid></grouplist></category>
  <environment><id>harbour</id><name>Harbour</name><grouplist><groupid>core</groupid></grouplist></environment>
  <langpacks><match name="charts" install="charts-%s"/></langpacks>
</comps>"#;

/// Where packages are built, and what they were built into.
pub(crate) struct World {
    folder: TempDir,
    packages: Vec<PathBuf>,
    sources: BTreeMap<Nevra, PathBuf>,
    pub(crate) definition: ComposeDefinition,
}

impl World {
    /// Builds the packages: everything from `almanac`, the lamp from `lamp`.
    pub(crate) fn new() -> Self {
        let mut world = Self {
            folder: tempfile::tempdir().unwrap(),
            packages: Vec::new(),
            sources: BTreeMap::new(),
            definition: definition::read(COMPOSE_TOML, Some(COMPS)).unwrap(),
        };
        let almanac = [
            ("almanac", "Epoch: 1\nRequires: stars\nRequires: /bin/sh"),
            ("stars", ""),
            ("charts", ""),
            ("comets", ""),
            ("almanac-debuginfo", ""),
        ];
        world.build("sky", "1.0", &almanac);
        world.build("lamp-source", "2", &[("lamp", "Requires: /bin/sh")]);
        world.build("host", "1", &[("host-toolchain", "Provides: /bin/sh")]);
        world
    }

    /// Builds packages, in place of those that were there from the same source.
    pub(crate) fn build(&mut self, source: &str, version: &str, packages: &[(&str, &str)]) {
        let folder = self.path(source);
        fs::create_dir_all(&folder).unwrap();
        self.packages.retain(|path| !path.starts_with(&folder));
        self.sources.retain(|nevra, _| nevra.name != source);
        let text = spec(source, version, packages);
        let built = build(&folder, &text, ".f44");
        // The next build empties the folder.
        let place = folder.join(version);
        fs::create_dir_all(&place).unwrap();
        for path in built {
            let kept = place.join(path.file_name().unwrap());
            fs::rename(&path, &kept).unwrap();
            self.packages.push(kept);
        }
        let define = |name: &str, value: &Path| format!("{name} {}", value.display());
        run(Command::new("rpmbuild")
            .args(["-bs", "--quiet", "--define", "dist .f44", "--define"])
            .arg(define("_topdir", &folder.join("top")))
            .args(["--define", &define("_srcrpmdir", &place)])
            .args(["--define", &define("_dbpath", &folder.join("db"))])
            .arg(folder.join("package.spec"))
            .env("HOME", &folder));
        let nevra: Nevra = format!("{source}-{version}-1.f44.src").parse().unwrap();
        self.sources.insert(nevra.clone(), place.join(format!("{nevra}.rpm")));
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The package that stands for the host.
    pub(crate) fn toolchain(&self) -> PathBuf {
        self.package("host-toolchain")
    }

    pub(crate) fn package(&self, start: &str) -> PathBuf {
        let starts = |path: &&PathBuf| {
            path.file_name().unwrap().to_string_lossy().starts_with(&format!("{start}-"))
        };
        self.packages.iter().find(starts).unwrap().clone()
    }

    /// Decides what a compose holds, and what it takes over from the one before.
    pub(crate) async fn plan(
        &self,
        id: &str,
        previous: Option<(&ComposeOutput, &Path)>,
    ) -> (ComposeOutput, Ingredients) {
        let id: ComposeId = id.parse().unwrap();
        let arch: ArchName = "x86_64".parse().unwrap();
        let read = adapters::packages::read(&self.packages).await.unwrap();
        let layout = self.path("almanac-server");
        let manifest = write_layout(&layout);
        let mut variants = BTreeMap::new();
        for (variant, wanted) in &self.definition.variants {
            let available = contents::Available {
                packages: read.iter().map(|package| package.nevra.name.as_str()).collect(),
                images: BTreeSet::from(["almanac-server"]),
            };
            let present = BTreeSet::new();
            let asked = contents::ask(&self.definition, variant, &arch, &available, &present);
            assert_eq!(asked.missing, []);
            let mut names: BTreeSet<&str> =
                asked.packages.keys().map(PackageName::as_str).collect();
            if names.contains("almanac") {
                names.insert("almanac-debuginfo");
            }
            let chosen = read.iter().filter(|package| names.contains(package.nevra.name.as_str()));
            let packages = chosen.map(|package| self.composed(package)).collect();
            let image = |name: &model::artifact::ArtifactName| ComposedImage {
                name: name.clone(),
                nvr: format!("{name}-1-1.f44").parse().unwrap(),
                build: build_id(name.as_str()),
                digest: manifest,
            };
            let images = asked.images.iter().map(image).collect();
            let arches = [(arch.clone(), ComposedArch { packages, images })].into();
            let name = wanted.name.clone();
            variants.insert(variant.clone(), ComposedVariant { name, arches });
        }
        let deliverables = deliverables::deliverables(&self.definition, &id, &variants);
        let release = self.definition.release.clone();
        let mut output =
            ComposeOutput { id, release, created: Timestamp(0), variants, deliverables };
        let choices = reuse::choose(previous.map(|(output, _)| output), &output);
        output.deliverables = choices.into_iter().map(|choice| choice.deliverable).collect();
        let file = |path: &PathBuf| {
            (path.file_name().unwrap().to_string_lossy().into_owned(), path.clone())
        };
        let ingredients = Ingredients {
            packages: self.packages.iter().map(file).collect(),
            sources: self.sources.clone(),
            images: [((arch, "almanac-server".parse().unwrap()), layout)].into(),
            comps: self.comps(&output),
            previous: previous.map(|(_, folder)| folder.to_owned()),
        };
        (output, ingredients)
    }

    fn comps(&self, output: &ComposeOutput) -> BTreeMap<DeliverableKey, String> {
        let keys = output.deliverables.iter().map(|deliverable| &deliverable.key);
        let text = |key: &DeliverableKey| match key {
            DeliverableKey::Comps { variant, arch } => {
                deliverables::comps_xml(&self.definition, variant, arch)
            }
            _ => None,
        };
        keys.filter_map(|key| Some((key.clone(), text(key)?))).collect()
    }

    fn composed(&self, package: &model::package::Package) -> ComposedPackage {
        let is_lamp = package.nevra.name == "lamp";
        let source = if is_lamp { "lamp-source" } else { "sky" };
        let source = self.sources.keys().find(|nevra| nevra.name == source).unwrap().clone();
        ComposedPackage {
            nevra: package.nevra.clone(),
            build: build_id(&source.to_string()),
            source,
            file: package.file.clone(),
            digest: package.digest,
            size: package.size,
        }
    }
}

fn build_id(text: &str) -> BuildId {
    Digest::of(text).to_string()[..32].parse().unwrap()
}

/// Writes an image with one empty layer as an OCI layout; the digest of its manifest.
pub(crate) fn write_layout(folder: &Path) -> Digest {
    let blobs = folder.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let blob = |content: &[u8]| {
        let digest = Digest::of(content);
        fs::write(blobs.join(digest.to_string()), content).unwrap();
        digest
    };
    let layer = [0; 1024];
    let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
    compressed.write_all(&layer).unwrap();
    let compressed = compressed.finish().unwrap();
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["sha256:{}"]}}}}"#,
        Digest::of(layer)
    );
    let part = |kind: &str, content: &[u8]| {
        let digest = blob(content);
        let kind = format!("application/vnd.oci.image.{kind}");
        format!(r#"{{"mediaType":"{kind}","digest":"sha256:{digest}","size":{}}}"#, content.len())
    };
    let config = part("config.v1+json", config.as_bytes());
    let layer = part("layer.v1.tar+gzip", &compressed);
    let manifest = format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer}]}}"#);
    let index = part("manifest.v1+json", manifest.as_bytes());
    fs::write(folder.join("index.json"), format!(r#"{{"schemaVersion":2,"manifests":[{index}]}}"#))
        .unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    Digest::of(manifest)
}

/// The Python that has the real readers.
pub(crate) fn python() -> PathBuf {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/python-venv");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("compose-readers");
    run(Command::new(script).arg(folder)).trim().into()
}

/// Names and contents of all files below a folder, in order.
pub(crate) fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let below = listing(&path).into_iter();
            files.extend(below.map(|(below, content)| (format!("{name}/{below}"), content)));
        } else {
            files.push((name, fs::read(&path).unwrap()));
        }
    }
    files.sort();
    files
}
