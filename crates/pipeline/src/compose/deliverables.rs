//! What is to be made of the contents of a compose, each deliverable with the digest of everything it is made of.

use std::collections::{BTreeMap, BTreeSet};

use model::compose::{
    ArchName, ComposeDefinition, ComposeId, ComposedArch, ComposedVariant, Deliverable,
    DeliverableKey, VariantId,
};
use model::digest::Digest;

use super::comps;

/// The deliverables of a compose, sorted by key; none of them made yet.
pub fn deliverables(
    definition: &ComposeDefinition,
    id: &ComposeId,
    variants: &BTreeMap<VariantId, ComposedVariant>,
) -> Vec<Deliverable> {
    let mut inputs: BTreeMap<DeliverableKey, Digest> = BTreeMap::new();
    for (variant, composed) in variants {
        for (arch, contents) in &composed.arches {
            inputs.extend(of_arch(definition, variant, arch, contents));
        }
        if definition.variants.get(variant).is_some_and(|variant| variant.sources) {
            inputs.extend(sources(variant, composed));
        }
    }
    // It names the compose, so it is never the same.
    let fields: Vec<String> = inputs.iter().map(|(key, input)| format!("{key} {input}")).collect();
    let fields = ["metadata".to_owned(), id.to_string()].into_iter().chain(fields);
    inputs.insert(DeliverableKey::Metadata, Digest::of_fields(fields));
    let deliverable = |(key, input): (DeliverableKey, Digest)| {
        let path = key.path();
        Deliverable { key, path, input, size: 0, reused_from: None }
    };
    inputs.into_iter().map(deliverable).collect()
}

/// The `comps.xml` of a variant on an architecture; none if it has no groups.
pub fn comps_xml(
    definition: &ComposeDefinition,
    variant: &VariantId,
    arch: &ArchName,
) -> Option<String> {
    let comps = comps::narrow(definition, variant, arch);
    if comps.is_empty() { None } else { Some(comps::write(&comps)) }
}

fn of_arch(
    definition: &ComposeDefinition,
    variant: &VariantId,
    arch: &ArchName,
    contents: &ComposedArch,
) -> Vec<(DeliverableKey, Digest)> {
    let place = || (variant.clone(), arch.clone());
    let mut inputs = Vec::new();
    let comps = comps_xml(definition, variant, arch);
    let comps = comps.map(|text| Digest::of_fields(["comps", text.as_str()]));
    if let Some(comps) = comps {
        let (variant, arch) = place();
        inputs.push((DeliverableKey::Comps { variant, arch }, comps));
    }
    if comps.is_some() || !contents.packages.is_empty() {
        let packages = contents.packages.iter();
        let packages = packages.map(|package| format!("{} {}", package.file, package.digest));
        let comps = comps.map_or_else(String::new, |comps| comps.to_string());
        let fields = ["repository".to_owned(), comps].into_iter().chain(packages);
        let (variant, arch) = place();
        inputs.push((DeliverableKey::Repository { variant, arch }, Digest::of_fields(fields)));
    }
    for image in &contents.images {
        let (variant, arch) = place();
        let input = Digest::of_fields(["image".to_owned(), image.digest.to_string()]);
        inputs.push((DeliverableKey::Image { variant, arch, name: image.name.clone() }, input));
    }
    inputs
}

/// A source package is what its build made of it, so the build says which file it is.
fn sources(variant: &VariantId, composed: &ComposedVariant) -> Option<(DeliverableKey, Digest)> {
    let packages = composed.arches.values().flat_map(|contents| &contents.packages);
    let sources: BTreeSet<String> =
        packages.map(|package| format!("{} {}", package.source, package.build)).collect();
    if sources.is_empty() {
        return None;
    }
    let fields = std::iter::once("source".to_owned()).chain(sources);
    Some((DeliverableKey::Source { variant: variant.clone() }, Digest::of_fields(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::fixture::compose;

    fn check(text: &str, expected: &str) {
        let output = compose("A-1-20260101.n.0", text);
        let told: Vec<_> = output.deliverables.iter().map(|it| it.key.to_string()).collect();
        assert_eq!(told.join("\n"), expected);
    }

    #[test]
    fn a_variant_delivers_what_it_has() {
        check(
            "Server: a-1-1.noarch @core *base-1-1\nPhone: *base-1-1",
            "the groups of Server for x86_64\nthe repository of Server for x86_64\nthe sources of Server\n\
             the image base of Phone for x86_64\nthe image base of Server for x86_64\nthe metadata",
        );
    }

    fn inputs(id: &str, text: &str) -> Vec<(String, Digest)> {
        compose(id, text).deliverables.iter().map(|it| (it.key.to_string(), it.input)).collect()
    }

    #[test]
    fn inputs_are_what_deliverables_are_made_of() {
        let changed = |one: &str, other: &str| -> Vec<String> {
            let one = inputs("A-1-20260101.n.0", one);
            let other = inputs("A-1-20260101.n.0", other);
            let differ = one.into_iter().zip(other).filter(|(one, other)| one != other);
            differ.map(|((key, _), _)| key).collect()
        };
        let base = "Server: a-1-1.noarch b-1-1.noarch @core *base-1-1";
        assert!(changed(base, base).is_empty());
        assert_eq!(
            changed(base, "Server: a-1-2.noarch b-1-1.noarch @core *base-1-1"),
            ["the repository of Server for x86_64", "the sources of Server", "the metadata"]
        );
        assert_eq!(
            changed(base, "Server: a-1-1.noarch b-1-1.noarch @more *base-1-1"),
            [
                "the groups of Server for x86_64",
                "the repository of Server for x86_64",
                "the metadata"
            ]
        );
        assert_eq!(
            changed(base, "Server: a-1-1.noarch b-1-1.noarch @core *base-1-1=other"),
            ["the image base of Server for x86_64", "the metadata"]
        );
        let next = inputs("A-1-20260101.n.1", base);
        let differ = next.into_iter().zip(inputs("A-1-20260101.n.0", base));
        let differ: Vec<_> = differ.filter(|(one, other)| one != other).collect();
        assert_eq!(differ.len(), 1, "only the metadata names the compose");
    }
}
