//! `comps.xml`: groups of packages, categories and environments of groups, language packs.
//!
//! The format is described by its users; this follows libcomps and its document type (`libcomps/comps.dtd`).

use super::malformed::{Malformed, excerpt};
use super::xml::{Element, each_record};

/// Everything in a `comps.xml`, in its order. Names in other languages than the neutral one are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comps {
    /// Groups of packages.
    pub groups: Vec<Group>,
    /// What groups are sorted under where a person chooses.
    pub categories: Vec<Category>,
    /// Groups that make a kind of installation.
    pub environments: Vec<Environment>,
    /// Packages that come with the language of the system.
    pub langpacks: Vec<Langpack>,
}

/// A group of packages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its id, by which jobs name it, e.g. `build`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it is installed unless someone chooses otherwise.
    pub is_default: bool,
    /// Whether it is offered for choice.
    pub is_visible: bool,
    /// The packages in it.
    pub members: Vec<Member>,
}

/// A package in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The package's name.
    pub name: String,
    /// When it is installed with the group.
    pub kind: MemberKind,
}

/// When a package is installed with its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// Always.
    Mandatory,
    /// Unless someone chooses otherwise.
    Default,
    /// When someone chooses so.
    Optional,
    /// When another package is installed.
    Conditional {
        /// The other package's name.
        on: String,
    },
}

/// What groups are sorted under.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Category {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The ids of its groups.
    pub groups: Vec<String>,
}

/// Groups that make a kind of installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Its id.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// The ids of the groups that belong to it.
    pub groups: Vec<String>,
    /// Groups that may be added.
    pub options: Vec<GroupOption>,
}

/// A group that may be added to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupOption {
    /// The group's id.
    pub id: String,
    /// Whether it is added unless someone chooses otherwise.
    pub is_default: bool,
}

/// A package that comes with the language of the system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Langpack {
    /// The package that has translations.
    pub package: String,
    /// The name of the package with a translation, `%s` standing for the language.
    pub install: String,
}

impl Comps {
    /// Reads the text of a `comps.xml`.
    ///
    /// # Errors
    /// It is no XML or no `<comps>`, something lacks its id, or a package is of an unknown kind.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut comps = Self::default();
        each_record(bytes, "comps", |element| {
            match element.name.as_str() {
                "group" => comps.groups.push(group(&element)?),
                "category" => comps.categories.push(Category {
                    id: id(&element)?,
                    name: name(&element),
                    groups: texts(&element, "grouplist", "groupid"),
                }),
                "environment" => comps.environments.push(environment(&element)?),
                "langpacks" => comps.langpacks.extend(langpacks(&element)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(comps)
    }

    /// The first group with an id.
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }
}

impl Group {
    /// The packages that come with the group when nobody chooses, as dnf takes them: the mandatory and the
    /// default ones.
    pub fn installed(&self) -> impl Iterator<Item = &str> {
        let comes = |kind: &MemberKind| matches!(kind, MemberKind::Mandatory | MemberKind::Default);
        self.members.iter().filter(move |member| comes(&member.kind)).map(|member| &*member.name)
    }

    /// The packages without which the group is not the group: what a buildroot takes of its build group.
    pub fn mandatory(&self) -> impl Iterator<Item = &str> {
        let members = self.members.iter().filter(|member| member.kind == MemberKind::Mandatory);
        members.map(|member| &*member.name)
    }
}

fn group(element: &Element) -> Result<Group, Malformed> {
    let members = element.listed("packagelist", "packagereq").map(member);
    Ok(Group {
        id: id(element)?,
        name: name(element),
        description: neutral(element, "description"),
        is_default: is_true(element.text_of("default")),
        is_visible: element.child("uservisible").is_none_or(|child| is_true(&child.text)),
        members: members.collect::<Result<_, _>>()?,
    })
}

fn member(element: &Element) -> Result<Member, Malformed> {
    let name = element.text.trim();
    if name.is_empty() {
        return Err(Malformed::at(element.line, "<packagereq> names no package"));
    }
    let kind = match element.attribute("type") {
        // libcomps takes one without a kind for mandatory.
        None | Some("mandatory") => MemberKind::Mandatory,
        Some("default") => MemberKind::Default,
        Some("optional") => MemberKind::Optional,
        Some("conditional") => {
            MemberKind::Conditional { on: element.required("requires")?.to_owned() }
        }
        Some(other) => {
            let what = format!("`{}` is no kind of package in a group", excerpt(other));
            return Err(Malformed::at(element.line, what));
        }
    };
    Ok(Member { name: name.to_owned(), kind })
}

fn environment(element: &Element) -> Result<Environment, Malformed> {
    let option = |option: &Element| GroupOption {
        id: option.text.trim().to_owned(),
        is_default: option.attribute("default").is_some_and(is_true),
    };
    Ok(Environment {
        id: id(element)?,
        name: name(element),
        groups: texts(element, "grouplist", "groupid"),
        options: element.listed("optionlist", "groupid").map(option).collect(),
    })
}

fn langpacks(element: &Element) -> Result<Vec<Langpack>, Malformed> {
    let matches = element.children.iter().filter(|child| child.name == "match");
    let langpack = |found: &Element| {
        let (package, install) = (found.required("name")?, found.required("install")?);
        Ok(Langpack { package: package.to_owned(), install: install.to_owned() })
    };
    matches.map(langpack).collect()
}

fn id(element: &Element) -> Result<String, Malformed> {
    match element.text_of("id") {
        "" => Err(Malformed::at(element.line, format!("<{}> has no <id>", element.name))),
        id => Ok(id.to_owned()),
    }
}

fn name(element: &Element) -> String {
    neutral(element, "name")
}

/// The text that is not marked as being in some language.
fn neutral(element: &Element, name: &str) -> String {
    let texts = element.children.iter().filter(|child| child.name == name);
    let neutral = texts.clone().find(|child| child.attribute("lang").is_none());
    neutral.map_or_else(String::new, |child| child.text.trim().to_owned())
}

fn texts(element: &Element, list: &str, name: &str) -> Vec<String> {
    element.listed(list, name).map(|child| child.text.trim().to_owned()).collect()
}

fn is_true(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("true") || text.trim() == "1"
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE comps PUBLIC "-//Red Hat, Inc.//DTD Comps info//EN" "comps.dtd">
<comps>
  <group>
    <id>build</id>
    <name xml:lang="de">Bauen</name><name>Building</name>
    <description/><default>False</default><uservisible>false</uservisible>
    <packagelist>
      <packagereq type="mandatory">bash</packagereq>
      <packagereq type="default">make</packagereq>
      <packagereq type="optional">ccache</packagereq>
      <packagereq type="conditional" requires="php">php-devel</packagereq>
      <packagereq>sed</packagereq>
    </packagelist>
  </group>
  <category><id>apps</id><name>Apps &amp; more</name>
    <grouplist><groupid>build</groupid></grouplist></category>
  <environment><id>server</id><name>Server</name>
    <grouplist><groupid>build</groupid></grouplist>
    <optionlist><groupid default="true">apps</groupid><groupid>x</groupid></optionlist></environment>
  <langpacks><match name="aspell" install="aspell-%s"/></langpacks>
</comps>"#;

    fn refused(from: &str, to: &str) -> String {
        assert!(COMPS.contains(from));
        Comps::parse(COMPS.replace(from, to).as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_group_has_its_members() {
        let comps = Comps::parse(COMPS.as_bytes()).unwrap();
        let group = comps.group("build").unwrap();
        assert_eq!(
            (group.name.as_str(), group.is_default, group.is_visible),
            ("Building", false, false)
        );
        assert_eq!(group.mandatory().collect::<Vec<_>>(), ["bash", "sed"]);
        assert_eq!(group.installed().collect::<Vec<_>>(), ["bash", "make", "sed"]);
        let conditional = MemberKind::Conditional { on: "php".to_owned() };
        assert_eq!(group.members[3], Member { name: "php-devel".to_owned(), kind: conditional });
        assert_eq!(comps.group("other"), None);
    }

    #[test]
    fn groups_are_put_together() {
        let comps = Comps::parse(COMPS.as_bytes()).unwrap();
        assert_eq!(comps.categories[0].name, "Apps & more");
        assert_eq!(comps.categories[0].groups, ["build"]);
        let environment = &comps.environments[0];
        assert_eq!(environment.groups, ["build"]);
        let options: Vec<_> =
            environment.options.iter().map(|option| (&*option.id, option.is_default)).collect();
        assert_eq!(options, [("apps", true), ("x", false)]);
        assert_eq!(comps.langpacks[0].install, "aspell-%s");
    }

    #[test]
    fn what_is_wrong_has_its_line() {
        let kind = refused("\"optional\"", "\"maybe\"");
        assert_eq!(kind, "line 11: `maybe` is no kind of package in a group");
        assert_eq!(refused(" requires=\"php\"", ""), "line 12: <packagereq> has no `requires`");
        assert_eq!(refused(">sed<", "> <"), "line 13: <packagereq> names no package");
        assert_eq!(refused("<id>build</id>", ""), "line 4: <group> has no <id>");
        assert_eq!(refused(" install=\"aspell-%s\"", ""), "line 21: <match> has no `install`");
    }
}
