//! What a crate must not depend on: the table of crates in ARCHITECTURE.md, held against each `Cargo.toml`.

use super::Violation;
use crate::manifest::{Dependency, Section, dependencies, is_member, package_name};
use crate::tree::Tree;

struct CrateRule {
    name: &'static str,
    /// The crates of this repository it may use; its tests may use others too.
    ours: &'static [&'static str],
    /// Whether crates that do I/O or run tasks are forbidden, for its tests as well.
    pure: bool,
}

const RULES: &[CrateRule] = &[
    CrateRule { name: "model", ours: &[], pure: true },
    CrateRule { name: "solver", ours: &["model"], pure: true },
    CrateRule { name: "pipeline", ours: &["model", "solver"], pure: true },
    CrateRule { name: "store", ours: &["model"], pure: false },
    CrateRule { name: "adapters", ours: &["model", "solver"], pure: false },
    CrateRule {
        name: "server",
        ours: &["model", "solver", "pipeline", "store", "adapters"],
        pure: false,
    },
    CrateRule { name: "millstream", ours: &["server"], pure: false },
    CrateRule { name: "xtask", ours: &[], pure: true },
];

/// The feature of a crate of ours that does I/O, as it is written in a list of features.
const READING: &str = "\"read\"";

/// Crates that run tasks, talk to a system, or read clock or chance; `x*` covers what starts with `x`.
const IMPURE: &[&str] = &[
    "tokio*",
    "async-*",
    "futures*",
    "smol*",
    "mio",
    "rayon*",
    "crossbeam*",
    "sqlx*",
    "rusqlite*",
    "libsqlite3-sys",
    "postgres*",
    "diesel*",
    "sea-orm*",
    "redis*",
    "sled",
    "reqwest*",
    "hyper*",
    "ureq*",
    "curl*",
    "isahc",
    "attohttpc",
    "tonic*",
    "lapin*",
    "h2",
    "axum*",
    "tower*",
    "actix*",
    "warp",
    "rocket*",
    "rustls*",
    "native-tls*",
    "openssl*",
    "git2",
    "gix*",
    "nix",
    "rustix",
    "libc",
    "notify",
    "walkdir",
    "ignore",
    "rand",
    "getrandom",
    "fastrand",
    "chrono",
    "time",
    "jiff",
];

pub(super) fn check(tree: &Tree) -> Vec<Violation> {
    let manifests = tree.files.iter().filter(|(path, text)| is_member(path, text));
    manifests.flat_map(|(path, text)| check_manifest(path, text)).collect()
}

fn check_manifest(path: &str, text: &str) -> Vec<Violation> {
    let Some(name) = package_name(text) else { return Vec::new() };
    let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
        let message = format!(
            "say in xtask/src/tidy/crate_rules.rs what `{name}` may depend on: a crate is there to \
             forbid a dependency"
        );
        return vec![Violation::at(path, 0, message)];
    };
    let dependencies = dependencies(text);
    let broken = dependencies.iter().filter_map(|dependency| {
        let why = rule.objection(dependency)?;
        let message = format!("`{name}` must not depend on `{}`: {why}", dependency.name);
        Some(Violation::at(path, dependency.line, message))
    });
    broken.collect()
}

impl CrateRule {
    /// Why this crate must not have this dependency, if so.
    fn objection(&self, dependency: &Dependency) -> Option<String> {
        let name = dependency.name.as_str();
        if name == self.name {
            return None;
        }
        if RULES.iter().any(|rule| rule.name == name) {
            if self.pure && dependency.entry.contains(READING) {
                return Some(format!("not with the feature {READING}, which opens files"));
            }
            let may = self.ours.contains(&name)
                || !self.pure && dependency.section == Section::Development;
            return (!may).then(|| match self.ours {
                [] => "of ours it may use none".to_owned(),
                ours => format!("of ours it may use {} only", ours.join(", ")),
            });
        }
        (self.pure && is_impure(name)).then(|| {
            "it does no I/O and reads neither clock nor chance; take the fact as a value".to_owned()
        })
    }
}

fn is_impure(name: &str) -> bool {
    IMPURE.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::check as rule;
    use crate::tidy::tests::check;

    #[track_caller]
    fn check_crate(name: &str, sections: &str, expected: &[&str]) {
        let text = format!("[package]\nname = \"{name}\"\n{sections}");
        check(rule, &[("crates/x/Cargo.toml", &text)], expected);
    }

    #[test]
    fn decisions_stay_pure() {
        check_crate(
            "pipeline",
            "[dependencies]\nmodel.workspace = true\nserde.workspace = true",
            &[],
        );
        let expected = ["crates/x/Cargo.toml:4: `pipeline` must not depend on `tokio`"];
        check_crate("pipeline", "[dependencies]\ntokio.workspace = true", &expected);
        check_crate("pipeline", "[dev-dependencies]\nt = { package = \"tokio\" }", &expected);
        let expected = ["crates/x/Cargo.toml:4: `model` must not depend on `reqwest-middleware`"];
        check_crate("model", "[build-dependencies]\nreqwest-middleware = \"1\"", &expected);
    }

    #[test]
    fn decisions_use_the_solver_without_its_readers() {
        check_crate("pipeline", "[dependencies]\nsolver.workspace = true", &[]);
        let reading = "[dependencies]\nsolver = { workspace = true, features = [\"read\"] }";
        let expected = ["crates/x/Cargo.toml:4: `pipeline` must not depend on `solver`: not with"];
        check_crate("pipeline", reading, &expected);
        check_crate("server", reading, &[]);
    }

    #[test]
    fn crates_use_those_below_them() {
        check_crate("store", "[dependencies]\nsqlx.workspace = true", &[]);
        check_crate("store", "[dev-dependencies]\nstore = { path = \".\" }", &[]);
        let expected = [
            "crates/x/Cargo.toml:4: `store` must not depend on `pipeline`: of ours it may use model",
        ];
        check_crate("store", "[dependencies]\npipeline.workspace = true", &expected);
        let expected = ["crates/x/Cargo.toml:4: `millstream` must not depend on `store`"];
        check_crate("millstream", "[dependencies]\nstore.workspace = true", &expected);
        check_crate("millstream", "[dev-dependencies]\nstore.workspace = true", &[]);
        let expected =
            ["crates/x/Cargo.toml:4: `model` must not depend on `server`: of ours it may use none"];
        check_crate("model", "[dev-dependencies]\nserver.workspace = true", &expected);
    }

    #[test]
    fn a_new_crate_says_what_it_forbids() {
        check_crate("webui", "", &["crates/x/Cargo.toml:1: say in xtask"]);
        check(rule, &[("Cargo.toml", "[workspace]\nmembers = []")], &[]);
    }
}
