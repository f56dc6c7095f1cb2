//! Composes whose files cannot be read, or that ask for what nobody has.

use serde_json::Value;

use crate::server::Server;
use crate::sources::{Package, Spec};

const RELEASE: &str = "[release]\nname = \"Sky\"\nshort = \"Sky\"\nversion = \"1\"\n";

const COMPS: &str = "<comps>\n<group>\n<id>core</id>\n<name>Core</name>\n<packagelist>\n\
    <packagereq type=\"mandatory\">good</packagereq>\n</packagelist>\n</group>\n</comps>\n";

/// `compose.toml` with one variant.
fn variant(says: &str) -> String {
    format!("{RELEASE}[variants.Server]\narches = [\"x86_64\"]\n{says}\n")
}

#[test]
fn bad_files_are_rejected_with_their_place_and_the_others_go_on() {
    let server = Server::start("");
    let (ungrouped, misspelt) = (variant("groups = [\"desk\"]"), variant("group = [\"core\"]"));
    let grouped = variant("groups = [\"core\"]");
    let torn = "<comps>\n<group>\n<id>core</id>\n</comps>\n";
    type Bad<'a> = (&'static str, Vec<(&'a str, &'a str)>, &'a str);
    let bad: [Bad<'_>; 4] = [
        (
            "composes/ungrouped",
            vec![("compose.toml", &ungrouped), ("comps.xml", COMPS)],
            "compose.toml:7: comps.xml has no group desk",
        ),
        (
            "composes/misspelt",
            vec![("compose.toml", &misspelt), ("comps.xml", COMPS)],
            "compose.toml:7: unknown field `group`, expected one of `name`, `packages`, `groups`",
        ),
        ("composes/torn", vec![("compose.toml", &grouped), ("comps.xml", torn)], "comps.xml:4: "),
        (
            "composes/empty",
            vec![("comps.xml", COMPS)],
            "compose.toml: the repository has no such file",
        ),
    ];
    for (name, files, _) in &bad {
        Package::new(&server, name).push(files);
    }
    Package::new(&server, "good").push_spec(&Spec::of("good").write());
    server.until_step("good", "published");
    for (name, _, expected) in &bad {
        let event = server.until_event(name, "rejected");
        let sentence = event["decisions"][0]["sentence"].as_str().unwrap();
        let expected = format!("{name}#f44: {expected}");
        assert!(sentence.starts_with(&expected), "{sentence}\nexpected {expected}");
        assert_eq!(event["plans"], Value::Array(vec![]));
    }
    assert_eq!(server.json(&["build", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn what_nobody_has_is_named_and_mended_it_is_published() {
    let server = Server::start("");
    Package::new(&server, "good").push_spec(&Spec::of("good").write());
    server.until_step("good", "published");
    let sky = Package::new(&server, "composes/sky");
    let asking = variant("packages = [\"good\", \"nowhere\"]\nimages = [\"nothing\"]");
    sky.push(&[("compose.toml", &asking)]);
    let step = server.until_step("composes/sky", "failed");
    assert_eq!(step["failure"]["kind"], "unresolvable", "{step:#}");
    let said = step["failure"]["message"].as_str().unwrap();
    for sentence in [
        "Server: no build makes the package nowhere",
        "Server: there is no build of the image nothing; the variant Server names it",
    ] {
        assert!(said.contains(sentence), "{said}\nexpected {sentence}");
    }
    assert!(!server.data().join("published/f44/composes").exists());
    sky.push(&[("compose.toml", &variant("packages = [\"good\"]"))]);
    let step = server.until_step("composes/sky", "published");
    let latest = server.data().join("published/f44/composes/latest-sky");
    assert!(latest.join("compose/Server/x86_64/os/repodata/repomd.xml").is_file());
    is_not_reproduced(&server, step["nvr"].as_str().unwrap());
}

fn is_not_reproduced(server: &Server, nvr: &str) {
    let said = server.cli(&["reproduce", nvr]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("is a compose, which has no facets"), "{said:?}");
}
