//! `updateinfo.xml`: advisories, what they mend and in which packages.
//!
//! The format is described by its users; this follows createrepo_c and libsolv.

use super::malformed::{Malformed, excerpt};
use super::xml::{Element, each_record};

/// An advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advisory {
    /// Its id, e.g. `FEDORA-2026-0123456789`.
    pub id: String,
    /// `security`, `bugfix`, `enhancement`, `newpackage`; empty when it is not said.
    pub kind: String,
    /// `stable`, `testing`, `retracted` …; empty when it is not said.
    pub status: String,
    /// Its title.
    pub title: String,
    /// `Critical`, `Important`, `Moderate`, `Low`; empty when it is not said.
    pub severity: String,
    /// When it was issued, as written: a date, or seconds since 1970.
    pub issued: String,
    /// When it was last changed, likewise.
    pub updated: String,
    /// What it mends.
    pub references: Vec<Reference>,
    /// The packages that bring it.
    pub packages: Vec<AdvisoryPackage>,
}

/// What an advisory mends, or where one reads on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// `cve`, `bugzilla`, `self`, `other` …
    pub kind: String,
    /// Its id, e.g. `CVE-2026-1234`.
    pub id: String,
    /// Where it is.
    pub href: String,
    /// Its title.
    pub title: String,
}

/// A package that brings an advisory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AdvisoryPackage {
    /// Its name.
    pub name: String,
    /// Its epoch, `0` when none is given.
    pub epoch: String,
    /// Its version.
    pub version: String,
    /// Its release.
    pub release: String,
    /// Its architecture.
    pub arch: String,
    /// The file name of its source package; empty when it is not said.
    pub source: String,
    /// Whether the system has to be started anew for it.
    pub needs_reboot: bool,
    /// The module's stream that it belongs to: `name:stream:version:context:arch`.
    pub module: Option<String>,
}

/// Reads the text of an `updateinfo.xml`.
///
/// # Errors
/// It is no XML or no `<updates>`, an advisory lacks its id, or a package its name, version or release.
pub fn parse_advisories(bytes: &[u8]) -> Result<Vec<Advisory>, Malformed> {
    let mut advisories = Vec::new();
    each_record(bytes, "updates", |element| {
        if element.name == "update" {
            advisories.push(advisory(&element)?);
        }
        Ok(())
    })?;
    Ok(advisories)
}

fn advisory(element: &Element) -> Result<Advisory, Malformed> {
    let id = element.text_of("id");
    if id.is_empty() {
        return Err(Malformed::at(element.line, "<update> has no <id>"));
    }
    let date = |name: &str| element.child(name).map_or_else(String::new, |at| optional(at, "date"));
    let mut packages = Vec::new();
    for collection in element.listed("pkglist", "collection") {
        let module = collection.child("module").map(module).transpose()?;
        for found in collection.children.iter().filter(|child| child.name == "package") {
            packages.push(package(found, module.clone())?);
        }
    }
    Ok(Advisory {
        id: id.to_owned(),
        kind: optional(element, "type"),
        status: optional(element, "status"),
        title: element.text_of("title").to_owned(),
        severity: element.text_of("severity").to_owned(),
        issued: date("issued"),
        updated: date("updated"),
        references: element.listed("references", "reference").map(reference).collect(),
        packages,
    })
}

fn reference(element: &Element) -> Reference {
    Reference {
        kind: optional(element, "type"),
        id: optional(element, "id"),
        href: optional(element, "href"),
        title: optional(element, "title"),
    }
}

fn package(element: &Element, module: Option<String>) -> Result<AdvisoryPackage, Malformed> {
    let epoch = element.attribute("epoch").unwrap_or_default();
    if !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        let what = format!("`{}` is no epoch", excerpt(epoch));
        return Err(Malformed::at(element.line, what));
    }
    Ok(AdvisoryPackage {
        name: element.required("name")?.to_owned(),
        epoch: if epoch.is_empty() { "0" } else { epoch }.to_owned(),
        version: element.required("version")?.to_owned(),
        release: element.required("release")?.to_owned(),
        arch: optional(element, "arch"),
        source: optional(element, "src"),
        needs_reboot: matches!(element.text_of("reboot_suggested"), "1" | "true" | "True"),
        module,
    })
}

fn module(element: &Element) -> Result<String, Malformed> {
    let parts = ["name", "stream", "version", "context", "arch"];
    let parts: Result<Vec<&str>, _> = parts.iter().map(|part| element.required(part)).collect();
    Ok(parts?.join(":"))
}

fn optional(element: &Element, attribute: &str) -> String {
    element.attribute(attribute).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPDATES: &str = r#"<updates>
<update from="x@y" status="stable" type="security" version="2.0">
  <id>FEDORA-1</id><title>zlib</title><severity>Moderate</severity>
  <issued date="2026-01-02 03:04:05"/>
  <references><reference href="https://b/1" id="CVE-1" type="cve" title="t"/></references>
  <pkglist><collection short="F"><name>Fedora</name>
    <module name="m" stream="1" version="2" context="c" arch="x86_64"/>
    <package name="zlib" version="1.3" release="1.fc1" epoch="2" arch="x86_64" src="zlib-1.3-1.fc1.src.rpm">
      <filename>zlib-1.3-1.fc1.x86_64.rpm</filename><reboot_suggested>True</reboot_suggested>
    </package>
    <package name="b" version="1" release="1" arch="noarch"/>
  </collection></pkglist>
</update>
</updates>"#;

    fn refused(from: &str, to: &str) -> String {
        assert!(UPDATES.contains(from));
        parse_advisories(UPDATES.replace(from, to).as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn an_advisory_has_its_packages() {
        let advisories = parse_advisories(UPDATES.as_bytes()).unwrap();
        let advisory = &advisories[0];
        assert_eq!(
            (&*advisory.id, &*advisory.kind, &*advisory.severity),
            ("FEDORA-1", "security", "Moderate")
        );
        assert_eq!((&*advisory.issued, &*advisory.updated), ("2026-01-02 03:04:05", ""));
        assert_eq!((&*advisory.references[0].id, &*advisory.references[0].kind), ("CVE-1", "cve"));
        let package = &advisory.packages[0];
        assert_eq!((&*package.name, &*package.epoch, package.needs_reboot), ("zlib", "2", true));
        assert_eq!(package.module.as_deref(), Some("m:1:2:c:x86_64"));
        assert_eq!((&*advisory.packages[1].epoch, advisory.packages[1].needs_reboot), ("0", false));
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        assert_eq!(refused("<id>FEDORA-1</id>", ""), "line 2: <update> has no <id>");
        assert_eq!(refused("\"2\" arch", "\"-2\" arch"), "line 8: `-2` is no epoch");
        assert_eq!(refused(" release=\"1\"", ""), "line 11: <package> has no `release`");
        assert_eq!(refused(" stream=\"1\"", ""), "line 7: <module> has no `stream`");
    }
}
