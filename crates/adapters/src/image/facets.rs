//! What those who use an image could notice about it, as lines; what its packages are is said by theirs.

use std::collections::BTreeMap;

use model::facet::Facet;

use crate::image::{BuiltImage, Execution, OwnKind};

/// Labels by which a build names itself: they differ when nothing else does.
const OWN_NAMES: [&str; 7] = [
    "version",
    "release",
    "build-date",
    "org.opencontainers.image.version",
    "org.opencontainers.image.revision",
    "org.opencontainers.image.created",
    "io.buildah.version",
];

impl BuiltImage {
    /// The facets of what is the image's own: its files, and how it starts. Each list is sorted.
    pub fn own_facets(&self) -> BTreeMap<Facet, Vec<String>> {
        let mut content = self.config.clone();
        let mut files = Vec::new();
        for file in &self.files {
            let path = &file.path;
            let (there, inside) = match &file.kind {
                OwnKind::File { mode, digest } => {
                    (format!("{path} {:06o}", 0o100_000 | mode), format!(" sha256:{digest}"))
                }
                OwnKind::Link { target } => (format!("{path} 120777 -> {target}"), String::new()),
                OwnKind::Folder { mode } => {
                    (format!("{path} {:06o}", 0o040_000 | mode), String::new())
                }
                OwnKind::Special { mode } => (format!("{path} special {mode:06o}"), String::new()),
                OwnKind::Removed => (format!("{path} removed"), String::new()),
            };
            // Those who stand on the image listen to its content alone, and a mode may matter to them.
            content.push(format!("{there}{inside}"));
            files.push(there);
        }
        content.sort();
        let mut facets = BTreeMap::from([(Facet::Content, content), (Facet::Files, files)]);
        facets.retain(|_, lines| !lines.is_empty());
        facets
    }
}

/// How an image starts, a line for each thing.
pub(super) fn config_lines(config: &Execution) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, list) in [("entrypoint", &config.entrypoint), ("cmd", &config.cmd)] {
        if !list.is_empty() {
            lines.push(format!("config {name} {list:?}"));
        }
    }
    let texts =
        [("user", &config.user), ("workdir", &config.working_dir), ("stop", &config.stop_signal)];
    for (name, text) in texts {
        if !text.is_empty() {
            lines.push(format!("config {name} {text}"));
        }
    }
    lines.extend(config.env.iter().map(|variable| format!("config env {variable}")));
    let labels = config.labels.iter().filter(|(name, _)| !OWN_NAMES.contains(&name.as_str()));
    lines.extend(labels.map(|(name, value)| format!("config label {name}={value}")));
    lines.extend(config.exposed_ports.keys().map(|port| format!("config port {port}")));
    lines.extend(config.volumes.keys().map(|folder| format!("config volume {folder}")));
    lines.sort();
    lines
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use model::digest::Digest;

    use super::*;
    use crate::image::OwnFile;

    #[test]
    fn a_build_that_only_names_itself_anew_changes_no_facet() {
        let config = |version: &str| Execution {
            entrypoint: vec!["/usr/bin/a".to_owned()],
            env: vec!["B=c".to_owned()],
            labels: BTreeMap::from([
                ("version".to_owned(), version.to_owned()),
                ("purpose".to_owned(), "test".to_owned()),
            ]),
            ..Execution::default()
        };
        let image = |version: &str| BuiltImage {
            oci: PathBuf::new(),
            digest: Digest::of(version),
            config_digest: Digest::of(version),
            architecture: "amd64".to_owned(),
            layers: Vec::new(),
            size: 0,
            packages: Vec::new(),
            files: vec![OwnFile {
                path: "/a".to_owned(),
                kind: OwnKind::File { mode: 0o644, digest: Digest::of("a") },
            }],
            config: config_lines(&config(version)),
            duration: Duration::ZERO,
        };
        let facets = image("1").own_facets();
        assert_eq!(facets, image("2").own_facets());
        let content = facets[&Facet::Content].join("\n");
        let expected = "/a 100644 sha256:ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\n\
                        config entrypoint [\"/usr/bin/a\"]\nconfig env B=c\nconfig label purpose=test";
        assert_eq!(content, expected);
        assert_eq!(facets[&Facet::Files], ["/a 100644"]);
    }
}
