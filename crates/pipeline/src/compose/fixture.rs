//! Composes for tests, written as text: one variant a line, `Server: almanac-1-1.noarch *base-2-1`.

use std::collections::BTreeMap;

use model::clock::Timestamp;
use model::compose::{
    ArchName, ComposeDefinition, ComposeId, ComposeOutput, ComposedArch, ComposedImage,
    ComposedPackage, ComposedVariant, VariantId,
};
use model::digest::Digest;
use model::id::BuildId;
use model::version::{Nevra, Nvr};

use super::{definition, deliverables};

/// The definition of the variants of `text`, with a group for each word after `@`.
pub(super) fn definition(text: &str) -> ComposeDefinition {
    let mut toml = "[release]\nname = \"A\"\nshort = \"A\"\nversion = \"1\"\n".to_owned();
    let mut comps = String::new();
    for line in text.lines() {
        let (id, words) = line.split_once(':').unwrap();
        let groups = words.split_whitespace().filter_map(|word| word.strip_prefix('@'));
        let groups: Vec<&str> = groups.collect();
        toml += &format!(
            "[variants.{id}]\narches = [\"x86_64\"]\npackages = [\"a\"]\ngroups = {groups:?}\n"
        );
        for group in groups {
            comps += &format!(
                "<group><id>{group}</id><name>{group}</name><packagelist><packagereq>a</packagereq></packagelist></group>"
            );
        }
    }
    definition::read(&toml, Some(&format!("<comps>{comps}</comps>"))).unwrap()
}

/// A compose. Packages are NEVRAs and images are NVRs after `*`; what follows `=` is their content.
pub(super) fn compose(id: &str, text: &str) -> ComposeOutput {
    let definition = definition(text);
    let id: ComposeId = id.parse().unwrap();
    let mut variants: BTreeMap<VariantId, ComposedVariant> = BTreeMap::new();
    for line in text.lines() {
        let (variant, words) = line.split_once(':').unwrap();
        let mut contents = ComposedArch::default();
        for word in words.split_whitespace().filter(|word| !word.starts_with('@')) {
            match word.strip_prefix('*') {
                Some(word) => contents.images.push(image(word)),
                None => contents.packages.push(package(word)),
            }
        }
        let arch: ArchName = "x86_64".parse().unwrap();
        let composed =
            ComposedVariant { name: variant.to_owned(), arches: [(arch, contents)].into() };
        variants.insert(variant.parse().unwrap(), composed);
    }
    let deliverables = deliverables::deliverables(&definition, &id, &variants);
    let (release, created) = (definition.release, Timestamp(0));
    ComposeOutput { id, release, created, variants, deliverables }
}

fn package(word: &str) -> ComposedPackage {
    let nevra: Nevra = word.split('=').next().unwrap().parse().unwrap();
    ComposedPackage {
        source: Nevra { arch: "src".to_owned(), ..nevra.clone() },
        build: build(word),
        file: format!("{nevra}.rpm"),
        digest: Digest::of(word),
        size: 1000,
        nevra,
    }
}

fn image(word: &str) -> ComposedImage {
    let nvr: Nvr = word.split('=').next().unwrap().parse().unwrap();
    let name = nvr.name.parse().unwrap();
    ComposedImage { name, nvr, build: build(word), digest: Digest::of(word) }
}

fn build(word: &str) -> BuildId {
    let digest = Digest::of(word).to_string();
    digest[..32].parse().unwrap()
}
