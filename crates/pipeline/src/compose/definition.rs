//! Reads `compose.toml` together with `comps.xml`: what a commit of a compose says.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use model::artifact::{ArtifactName, InvalidName};
use model::compose::{
    ArchName, ComposeDefinition, Comps, GroupId, PackageName, Release, ReleaseKind, ReleaseShort,
    ReleaseVersion, Variant, VariantId,
};
use model::source::SourceProblem;
use serde::Deserialize;
use toml::Spanned;

use super::comps;

/// The file that defines a compose.
pub const FILE: &str = "compose.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComposeToml {
    release: ReleaseTable,
    #[serde(default)]
    variants: BTreeMap<VariantId, Spanned<VariantTable>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseTable {
    name: Spanned<String>,
    short: ReleaseShort,
    version: ReleaseVersion,
    #[serde(rename = "type")]
    kind: Option<Spanned<String>>,
    #[serde(default)]
    sign_off: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VariantTable {
    name: Option<Spanned<String>>,
    #[serde(default)]
    packages: BTreeSet<PackageName>,
    #[serde(default)]
    groups: Vec<Spanned<GroupId>>,
    #[serde(default)]
    environments: Vec<Spanned<GroupId>>,
    #[serde(default)]
    images: BTreeSet<ArtifactName>,
    #[serde(default)]
    arches: BTreeSet<ArchName>,
    #[serde(default = "yes")]
    sources: bool,
}

fn yes() -> bool {
    true
}

/// Reads the texts of `compose.toml` and, if there is one, `comps.xml`.
///
/// # Errors
/// The first problem, with file and line.
pub fn read(
    compose_toml: &str,
    comps_xml: Option<&str>,
) -> Result<ComposeDefinition, SourceProblem> {
    let place = |span: Option<Range<usize>>, message: String| SourceProblem {
        file: FILE.to_owned(),
        line: span.map(|span| line(compose_toml, span.start)),
        message,
    };
    let file: ComposeToml = toml::from_str(compose_toml)
        .map_err(|error| place(error.span(), error.message().to_owned()))?;
    let comps = comps_xml.map(|text| comps::read(text).whole()).transpose()?.unwrap_or_default();
    let refuse = |(span, message)| place(Some(span), message);
    let release = release(file.release).map_err(refuse)?;
    if file.variants.is_empty() {
        return Err(place(None, "there is no variant; add one as [variants.NAME]".to_owned()));
    }
    let mut variants = BTreeMap::new();
    for (id, table) in file.variants {
        let variant = variant(&id, table, &comps).map_err(refuse)?;
        variants.insert(id, variant);
    }
    Ok(ComposeDefinition { release, variants, comps })
}

/// What is wrong, and where it begins and ends in the text.
type Refusal = (Range<usize>, String);

fn release(table: ReleaseTable) -> Result<Release, Refusal> {
    let ReleaseTable { name, short, version, kind, sign_off } = table;
    let parsed = |kind: Spanned<String>| match kind.get_ref().parse() {
        Ok(parsed) => Ok(parsed),
        Err(error) => Err((kind.span(), InvalidName::to_string(&error))),
    };
    let kind = kind.map_or(Ok(ReleaseKind::Ga), parsed)?;
    Ok(Release { name: not_blank(name)?, short, version, kind, sign_off })
}

fn variant(
    id: &VariantId,
    table: Spanned<VariantTable>,
    comps: &Comps,
) -> Result<Variant, Refusal> {
    let span = table.span();
    let table = table.into_inner();
    if table.arches.is_empty() {
        let message = format!("{id} has no architecture; write for example arches = [\"x86_64\"]");
        return Err((span, message));
    }
    let is_group = |id: &GroupId| comps.groups.iter().any(|group| group.id == *id);
    let is_environment = |id: &GroupId| comps.environments.iter().any(|known| known.id == *id);
    let variant = Variant {
        name: table.name.map_or_else(|| Ok(id.to_string()), not_blank)?,
        packages: table.packages,
        groups: known(table.groups, "group", is_group)?,
        environments: known(table.environments, "environment", is_environment)?,
        images: table.images,
        arches: table.arches,
        sources: table.sources,
    };
    if variant.is_everything() && comps.groups.is_empty() {
        let message = format!("{id} is empty; it needs packages, groups, environments or images");
        return Err((span, message));
    }
    Ok(variant)
}

fn not_blank(name: Spanned<String>) -> Result<String, Refusal> {
    if name.get_ref().trim().is_empty() {
        return Err((name.span(), "the name is empty".to_owned()));
    }
    Ok(name.into_inner())
}

fn known(
    ids: Vec<Spanned<GroupId>>,
    what: &str,
    is_known: impl Fn(&GroupId) -> bool,
) -> Result<BTreeSet<GroupId>, Refusal> {
    match ids.iter().find(|id| !is_known(id.get_ref())) {
        Some(id) => Err((id.span(), format!("{} has no {what} {}", comps::FILE, id.get_ref()))),
        None => Ok(ids.into_iter().map(Spanned::into_inner).collect()),
    }
}

fn line(text: &str, offset: usize) -> u32 {
    let before = text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RELEASE: &str =
        "[release]\nname = \"The Harbour Almanac\"\nshort = \"Almanac\"\nversion = \"44\"\n";
    const COMPS: &str = "<comps><group><id>core</id><name>Core</name><packagelist>\
        <packagereq>stars</packagereq></packagelist></group></comps>";

    /// Reads a release and what follows it.
    fn check(rest: &str, comps: Option<&str>, expected: &str) {
        let read = read(&format!("{RELEASE}{rest}"), comps);
        let told = match read {
            Ok(definition) => {
                let variant = |(id, variant): (&VariantId, &Variant)| {
                    let Variant { name, packages, groups, images, arches, sources, .. } = variant;
                    format!("{id}|{name}|{packages:?}|{groups:?}|{images:?}|{arches:?}|{sources}")
                };
                definition.variants.iter().map(variant).collect::<Vec<_>>().join("\n")
            }
            Err(problem) => problem.to_string(),
        };
        assert_eq!(told, expected);
    }

    #[test]
    fn variants_are_read() {
        check(
            "[variants.Server]\npackages = [\"almanac\"]\ngroups = [\"core\"]\nimages = [\"almanac-server\"]\n\
             arches = [\"x86_64\"]\n[variants.Desktop]\nname = \"The Desk\"\narches = [\"x86_64\", \"aarch64\"]\nsources = false\n",
            Some(COMPS),
            "Desktop|The Desk|{}|{}|{}|{aarch64, x86_64}|false\n\
             Server|Server|{almanac}|{core}|{almanac-server}|{x86_64}|true",
        );
    }

    #[test]
    fn a_release_has_a_type_and_may_need_a_sign_off() {
        let rest = "type = \"updates\"\nsign_off = true\n[variants.A]\npackages = [\"a\"]\narches = [\"x86_64\"]\n";
        let release = read(&format!("{RELEASE}{rest}"), None).unwrap().release;
        assert_eq!((release.kind, release.sign_off), (ReleaseKind::Updates, true));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        check("", None, "compose.toml: there is no variant; add one as [variants.NAME]");
        check(
            "[variants.A]\npackages = [\"a\"]\n",
            None,
            "compose.toml:5: A has no architecture; write for example arches = [\"x86_64\"]",
        );
        check(
            "[variants.A]\narches = [\"x86_64\"]\n",
            None,
            "compose.toml:5: A is empty; it needs packages, groups, environments or images",
        );
        check(
            "[variants.A]\narches = [\"x86_64\"]\ngroups = [\n  \"core\",\n  \"desk\",\n]\n",
            Some(COMPS),
            "compose.toml:9: comps.xml has no group desk",
        );
        check(
            "[variants.A]\narches = [\"x86_64\"]\nenvironments = [\"core\"]\n",
            Some(COMPS),
            "compose.toml:7: comps.xml has no environment core",
        );
        check(
            "[variants.A]\narches = [\"noarch\"]\n",
            None,
            "compose.toml:6: \"noarch\" is not a valid architecture: letters, digits and _, and not noarch, src or nosrc",
        );
        check(
            "[variants.A-B]\narches = [\"x86_64\"]\n",
            None,
            "compose.toml:5: \"A-B\" is not a valid variant id: letters and digits",
        );
        check(
            "[variants.A]\npackage = [\"a\"]\n",
            None,
            "compose.toml:6: unknown field `package`, expected one of `name`, `packages`, `groups`, `environments`, `images`, `arches`, `sources`",
        );
        check(
            "type = \"beta\"\n",
            None,
            "compose.toml:5: \"beta\" is not a valid type of release: ga, updates, updates-testing, eus, aus, els, tus, e4s or fast",
        );
        check(
            "name = \n",
            None,
            "compose.toml:5: string values must be quoted, expected literal string",
        );
        check(
            "[variants.A]\narches = [\"x86_64\"]\npackages = [\"a\"]\n",
            Some("<comps>\n<group/></comps>"),
            "comps.xml:2: the group has no id",
        );
        let problem = read("", None).unwrap_err();
        assert!(problem.to_string().contains("missing field `release`"), "{problem}");
        let problem = read(&RELEASE.replace("The Harbour Almanac", " "), None).unwrap_err();
        assert_eq!(problem.to_string(), "compose.toml:2: the name is empty");
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(
            words in prop::collection::vec(
                prop::sample::select(vec![
                    "[release]", "[variants.A]", "name", "short", "version", "arches", "groups", "=", "\"a\"",
                    "\"x86_64\"", "[", "]", "true", "\n", "\n", ",", "\u{e9}", "'''", "#", "{", "}", ".",
                ]),
                0..40,
            ),
            text in "\\PC*",
        ) {
            let _ = read(&words.concat(), None);
            let _ = read(&text, Some(&text));
        }
    }
}
