//! As much of `Cargo.toml` as the rules need: which dependencies a section names, on which lines.
//!
//! Reading by line keeps this program without dependencies, so that it is built in a second. What it
//! expects is how these files are written: one entry starts one line.

/// One dependency.
#[derive(Debug, PartialEq)]
pub(crate) struct Dependency {
    /// The crate's name, also when it is used under another.
    pub(crate) name: String,
    /// The name it is used under, which is the key in `[workspace.dependencies]`.
    pub(crate) key: String,
    pub(crate) section: Section,
    /// Counted from zero.
    pub(crate) line: usize,
    /// The entry up to its end, over several lines if need be, with its comments.
    pub(crate) entry: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Section {
    Normal,
    Build,
    Development,
    Workspace,
}

impl Dependency {
    /// Whether it takes its version from the root's `[workspace.dependencies]`.
    pub(crate) fn is_inherited(&self) -> bool {
        self.entry.replace(' ', "").contains("workspace=true")
    }

    /// Whether it lies in this repository.
    pub(crate) fn is_path(&self) -> bool {
        let entry = self.entry.replace(' ', "");
        entry.contains("{path=") || entry.contains(",path=") || entry.starts_with("path=")
    }
}

/// The dependencies a manifest names, in its order.
pub(crate) fn dependencies(text: &str) -> Vec<Dependency> {
    let lines: Vec<_> = text.lines().collect();
    let (mut found, mut place, mut at) = (Vec::new(), Place::Elsewhere, 0);
    while at < lines.len() {
        let line = lines[at].trim();
        let length = entry_length(&lines[at..]);
        let entry = lines[at..at + length].join("\n");
        if line.starts_with('[') {
            place = header(line);
            if let Place::Single(section, key) = &place {
                let table = lines[at + 1..].iter().take_while(|l| !l.trim().starts_with('['));
                let entry = table.copied().collect::<Vec<_>>().join(",");
                found.push(dependency(key, *section, at, entry));
            }
        } else if let (Place::List(section), Some((key, _))) = (&place, line.split_once('='))
            && !line.starts_with('#')
        {
            let key = key.trim().trim_end_matches(".workspace").trim_matches('"');
            found.push(dependency(key, *section, at, entry));
        }
        at += length;
    }
    found
}

/// Whether a file is the manifest of a crate in the workspace. Fuzz targets are a workspace of their own: they
/// want another compiler, and nothing is built from them.
pub(crate) fn is_member(path: &str, text: &str) -> bool {
    path.ends_with("/Cargo.toml") && !text.lines().any(|line| line.trim() == "[workspace]")
}

/// The `name` of the `[package]`.
pub(crate) fn package_name(text: &str) -> Option<&str> {
    let (_, package) = text.split_once("[package]")?;
    let line = package.lines().map(str::trim).find(|line| line.starts_with("name"))?;
    Some(line.split_once('=')?.1.trim().trim_matches('"'))
}

enum Place {
    /// `[dependencies]`: every entry is a dependency.
    List(Section),
    /// `[dependencies.name]`: the table is one dependency.
    Single(Section, String),
    Elsewhere,
}

fn header(line: &str) -> Place {
    let name = line.split('#').next().unwrap_or(line).trim().trim_matches(['[', ']']);
    // `[target.'cfg(unix)'.dependencies]` is read as `[dependencies]`.
    let name = match name.strip_prefix("target.") {
        Some(rest) => rest.find("dependencies").map_or(name, |at| {
            let kinds = ["dev-", "build-"].into_iter().find(|kind| rest[..at].ends_with(kind));
            &rest[at - kinds.map_or(0, str::len)..]
        }),
        None => name,
    };
    let sections = [
        ("dependencies", Section::Normal),
        ("build-dependencies", Section::Build),
        ("dev-dependencies", Section::Development),
        ("workspace.dependencies", Section::Workspace),
    ];
    for (section_name, section) in sections {
        match name.strip_prefix(section_name) {
            Some("") => return Place::List(section),
            Some(key) if key.starts_with('.') => {
                return Place::Single(section, key[1..].trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
    Place::Elsewhere
}

fn dependency(key: &str, section: Section, line: usize, entry: String) -> Dependency {
    let renamed = entry.split_once("package").and_then(|(_, rest)| {
        let value = rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
        value.split('"').next()
    });
    let name = renamed.unwrap_or(key).to_owned();
    Dependency { name, key: key.to_owned(), section, line, entry }
}

/// How many lines the entry at the start takes: brackets may be left open.
fn entry_length(lines: &[&str]) -> usize {
    let mut depth = 0_i32;
    for (at, line) in lines.iter().enumerate() {
        let code = line.split('#').next().unwrap_or(line);
        for character in code.chars() {
            match character {
                '[' | '{' => depth += 1,
                ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        if depth <= 0 {
            return at + 1;
        }
    }
    lines.len()
}

#[cfg(test)]
mod tests {
    use super::{dependencies, is_member, package_name};

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = dependencies(text);
        let shown: Vec<_> = found
            .iter()
            .map(|d| format!("{} {}={} {:?}", d.line + 1, d.key, d.name, d.section))
            .collect();
        assert_eq!(shown.join(", "), expected);
    }

    #[test]
    fn every_way_to_name_a_dependency_is_read() {
        check("[package]\nname = \"a\"\n[dependencies]\nb.workspace = true", "4 b=b Normal");
        check("[dev-dependencies]\n# no = \"1\"\nc = \"1\" # why", "3 c=c Development");
        check("[dependencies]\nd = { package = \"tokio\", version = \"1\" }", "2 d=tokio Normal");
        check("[target.'cfg(unix)'.build-dependencies]\ne = \"1\"", "2 e=e Build");
        check("[dependencies.f]\nversion = \"1\"\n[features]\nx = []", "1 f=f Normal");
        check(
            "[workspace.dependencies]\ng = { features = [\n  \"x\",\n] } # why\nh = \"1\"",
            "2 g=g Workspace, 5 h=h Workspace",
        );
    }

    #[test]
    fn origins_are_told_apart() {
        let found = dependencies("[dependencies]\na = { path = \".\" }\nb = { workspace = true }");
        assert!(found[0].is_path() && !found[0].is_inherited());
        assert!(found[1].is_inherited() && !found[1].is_path());
    }

    #[test]
    fn members_are_told_from_other_workspaces() {
        assert!(is_member("crates/x/Cargo.toml", "[package]\nversion.workspace = true"));
        assert!(!is_member("crates/x/fuzz/Cargo.toml", "[package]\n[workspace]\n"));
        assert!(!is_member("Cargo.toml", "[workspace.package]"));
    }

    #[test]
    fn the_name_is_the_packages() {
        assert_eq!(package_name("[package]\nname = \"millstream\"\n"), Some("millstream"));
        assert_eq!(package_name("[workspace]\n"), None);
    }
}
