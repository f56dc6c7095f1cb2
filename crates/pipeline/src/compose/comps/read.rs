//! Makes values of a `comps.xml`, and says of everything it cannot represent what it is and where.

use std::collections::BTreeSet;
use std::str::FromStr;

use model::artifact::InvalidName;
use model::compose::{
    Category, Comps, Condition, Environment, Group, GroupId, GroupRef, Langpack, Member,
    MemberKind, PackageName, Text,
};
use model::source::SourceProblem;

use super::FILE;
use super::xml::{self, Element};

/// What a `comps.xml` says, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What could be read.
    pub comps: Comps,
    /// Everything that is wrong, in the order of the lines.
    pub problems: Vec<SourceProblem>,
}

impl Reading {
    /// The whole of it, if nothing is wrong.
    ///
    /// # Errors
    /// The first problem.
    pub fn whole(self) -> Result<Comps, SourceProblem> {
        match self.problems.into_iter().next() {
            Some(problem) => Err(problem),
            None => Ok(self.comps),
        }
    }
}

/// Reads the text of a `comps.xml`, with the conditions that pungi allows on input.
pub fn read(text: &str) -> Reading {
    let mut reader = Reader::default();
    let comps = match xml::parse(text) {
        Ok(root) => reader.comps(&root),
        Err((line, message)) => {
            reader.problem(line, message);
            Comps::default()
        }
    };
    let mut problems = reader.problems;
    problems.sort_by_key(|problem| problem.line);
    Reading { comps, problems }
}

/// The attributes that make an element conditional.
const CONDITIONS: [&str; 2] = ["arch", "variant"];

#[derive(Default)]
struct Reader {
    problems: Vec<SourceProblem>,
    /// The groups that categories and environments name, with the line where they do.
    references: Vec<(GroupId, u32)>,
}

/// What groups, categories and environments have in common.
struct Head {
    id: GroupId,
    name: Text,
    description: Text,
    display_order: Option<u32>,
    only: Condition,
}

impl Reader {
    fn problem(&mut self, line: u32, message: impl Into<String>) {
        self.problems.push(SourceProblem {
            file: FILE.to_owned(),
            line: Some(line),
            message: message.into(),
        });
    }

    fn comps(&mut self, root: &Element) -> Comps {
        let mut comps = Comps::default();
        if root.name != "comps" {
            self.problem(root.line, format!("<{}> is not <comps>", root.name));
            return comps;
        }
        self.check(root, &["group", "category", "environment", "langpacks"], &[]);
        let mut ids = BTreeSet::new();
        for child in &root.children {
            match child.name.as_str() {
                "group" => comps.groups.extend(self.group(child, &mut ids)),
                "category" => comps.categories.extend(self.category(child, &mut ids)),
                "environment" => comps.environments.extend(self.environment(child, &mut ids)),
                "langpacks" => comps.langpacks.extend(self.langpacks(child)),
                _ => {}
            }
        }
        let groups: BTreeSet<&GroupId> = comps.groups.iter().map(|group| &group.id).collect();
        for (id, line) in std::mem::take(&mut self.references) {
            if !groups.contains(&id) {
                self.problem(line, format!("there is no group {id}"));
            }
        }
        comps
    }

    /// Refuses everything that is not known in a place: nothing is dropped without a word.
    fn check(&mut self, element: &Element, children: &[&str], attributes: &[&str]) {
        for child in element.children.iter().filter(|child| !children.contains(&&*child.name)) {
            self.problem(child.line, format!("<{}> has no <{}>", element.name, child.name));
        }
        for (name, _) in element.attributes.iter().filter(|(key, _)| !attributes.contains(&&**key))
        {
            self.problem(element.line, format!("<{}> has no attribute {name}", element.name));
        }
        if !children.is_empty() && !element.text.trim().is_empty() {
            self.problem(element.line, format!("there is text right in <{}>", element.name));
        }
    }

    fn head(
        &mut self,
        element: &Element,
        more: &[&str],
        ids: &mut BTreeSet<(String, GroupId)>,
    ) -> Option<Head> {
        let mut children =
            vec!["id", "name", "_name", "description", "_description", "display_order"];
        children.extend(more);
        self.check(element, &children, &CONDITIONS);
        let display_order = self.only_child(element, "display_order");
        let display_order = display_order.and_then(|child| self.number(child));
        let (name, description) = (self.text(element, "name"), self.text(element, "description"));
        let only = self.condition(element);
        let Some(child) = self.only_child(element, "id") else {
            self.problem(element.line, format!("the {} has no id", element.name));
            return None;
        };
        let id: GroupId = self.parsed(child, &child.text)?;
        if !ids.insert((element.name.clone(), id.clone())) {
            self.problem(child.line, format!("there are two of the {} {id}", element.name));
            return None;
        }
        if name.plain.is_empty() {
            self.problem(element.line, format!("the {} {id} has no name", element.name));
        }
        Some(Head { id, name, description, display_order, only })
    }

    fn group(&mut self, element: &Element, ids: &mut BTreeSet<(String, GroupId)>) -> Option<Group> {
        let more = ["default", "uservisible", "biarchonly", "langonly", "packagelist"];
        let head = self.head(element, &more, ids);
        let mut members = Vec::new();
        let mut seen = BTreeSet::new();
        for list in element.named("packagelist") {
            self.check(list, &["packagereq"], &[]);
            for child in list.named("packagereq") {
                let Some(member) = self.member(child) else { continue };
                if seen.insert(way_in(&member)) {
                    members.push(member);
                } else {
                    self.problem(child.line, format!("{} is listed twice", member.name));
                }
            }
        }
        let default = self.flag_child(element, "default", false);
        let user_visible = self.flag_child(element, "uservisible", true);
        let biarch_only = self.flag_child(element, "biarchonly", false);
        let lang_only = self.only_child(element, "langonly");
        let lang_only = lang_only.map(|child| child.text.trim().to_owned());
        let lang_only = lang_only.filter(|language| !language.is_empty());
        let Head { id, name, description, display_order, only } = head?;
        Some(Group {
            id,
            name,
            description,
            default,
            user_visible,
            biarch_only,
            lang_only,
            display_order,
            only,
            members,
        })
    }

    fn member(&mut self, element: &Element) -> Option<Member> {
        self.check(element, &[], &["type", "requires", "basearchonly", "arch", "variant"]);
        let requires = element.attribute("requires");
        let kind = match (element.attribute("type").unwrap_or("mandatory"), requires) {
            ("conditional", Some(requires)) => {
                MemberKind::Conditional { requires: self.parsed(element, requires)? }
            }
            ("conditional", None) => {
                let name = element.text.trim();
                self.problem(element.line, format!("{name} is conditional and requires nothing"));
                return None;
            }
            ("mandatory", None) => MemberKind::Mandatory,
            ("default", None) => MemberKind::Default,
            ("optional", None) => MemberKind::Optional,
            ("mandatory" | "default" | "optional", Some(_)) => {
                self.problem(element.line, "only conditional members have requires");
                return None;
            }
            (other, _) => {
                let known = "mandatory, default, optional or conditional";
                self.problem(element.line, format!("the type {other:?} is not {known}"));
                return None;
            }
        };
        let base_arch_only = element.attribute("basearchonly");
        let base_arch_only = base_arch_only.is_some_and(|text| self.flag(element, text, false));
        let only = self.condition(element);
        Some(Member { kind, name: self.parsed(element, &element.text)?, base_arch_only, only })
    }

    fn category(
        &mut self,
        element: &Element,
        ids: &mut BTreeSet<(String, GroupId)>,
    ) -> Option<Category> {
        let head = self.head(element, &["grouplist"], ids);
        let groups = self.references(element, "grouplist");
        let Head { id, name, description, display_order, only } = head?;
        Some(Category { id, name, description, display_order, only, groups })
    }

    fn environment(
        &mut self,
        element: &Element,
        ids: &mut BTreeSet<(String, GroupId)>,
    ) -> Option<Environment> {
        let head = self.head(element, &["grouplist", "optionlist"], ids);
        let groups = self.references(element, "grouplist");
        let options = self.references(element, "optionlist");
        let Head { id, name, description, display_order, only } = head?;
        Some(Environment { id, name, description, display_order, only, groups, options })
    }

    fn references(&mut self, element: &Element, list: &str) -> Vec<GroupRef> {
        let attributes: &[&str] =
            if list == "optionlist" { &["default", "arch", "variant"] } else { &CONDITIONS };
        let mut references = Vec::new();
        let mut seen = BTreeSet::new();
        for list in element.named(list) {
            self.check(list, &["groupid"], &[]);
            for child in list.named("groupid") {
                self.check(child, &[], attributes);
                let default = child.attribute("default");
                let default = default.is_some_and(|text| self.flag(child, text, false));
                let only = self.condition(child);
                let Some(id) = self.parsed::<GroupId>(child, &child.text) else { continue };
                if !seen.insert((id.clone(), only.clone())) {
                    self.problem(child.line, format!("{id} is listed twice"));
                    continue;
                }
                self.references.push((id.clone(), child.line));
                references.push(GroupRef { id, default, only });
            }
        }
        references
    }

    fn langpacks(&mut self, element: &Element) -> Vec<Langpack> {
        self.check(element, &["match"], &[]);
        let mut langpacks = Vec::new();
        for child in element.named("match") {
            self.check(child, &[], &["name", "install"]);
            let words = |name| child.attribute(name).map(str::trim).filter(|text| !text.is_empty());
            match (words("name"), words("install")) {
                (Some(name), Some(install)) => {
                    let (name, install) = (name.to_owned(), install.to_owned());
                    langpacks.push(Langpack { name, install });
                }
                _ => self.problem(child.line, "<match> needs name and install"),
            }
        }
        langpacks
    }

    /// A text in all its languages. Files that wait for their translations mark it with a line before its name.
    fn text(&mut self, element: &Element, name: &str) -> Text {
        let mut text = Text::default();
        let is_it = |child: &&Element| child.name.strip_prefix('_').unwrap_or(&child.name) == name;
        for child in element.children.iter().filter(is_it) {
            self.check(child, &[], &["xml:lang"]);
            let words = child.text.trim().to_owned();
            let earlier = match child.attribute("xml:lang") {
                Some(language) => text.translations.insert(language.to_owned(), words).is_some(),
                None => !std::mem::replace(&mut text.plain, words).is_empty(),
            };
            if earlier {
                self.problem(child.line, format!("there is a second <{name}> in this language"));
            }
        }
        text
    }

    fn only_child<'a>(&mut self, element: &'a Element, name: &'a str) -> Option<&'a Element> {
        let mut children = element.named(name);
        let first = children.next()?;
        self.check(first, &[], &[]);
        if let Some(second) = children.next() {
            self.problem(second.line, format!("there is a second <{name}>"));
        }
        Some(first)
    }

    fn flag_child(&mut self, element: &Element, name: &str, default: bool) -> bool {
        match self.only_child(element, name) {
            Some(child) => self.flag(child, &child.text, default),
            None => default,
        }
    }

    fn flag(&mut self, element: &Element, text: &str, default: bool) -> bool {
        match text.trim() {
            "true" => true,
            "false" => false,
            other => {
                self.problem(element.line, format!("{other:?} is neither true nor false"));
                default
            }
        }
    }

    fn number(&mut self, element: &Element) -> Option<u32> {
        let number = element.text.trim().parse().ok();
        if number.is_none() {
            let text = element.text.trim();
            self.problem(element.line, format!("<{}> {text:?} is no number", element.name));
        }
        number
    }

    fn condition(&mut self, element: &Element) -> Condition {
        let mut condition = Condition::default();
        for word in words(element.attribute("arch")) {
            condition.arches.extend(self.parsed(element, word));
        }
        for word in words(element.attribute("variant")) {
            condition.variants.extend(self.parsed(element, word));
        }
        condition
    }

    fn parsed<T: FromStr<Err = InvalidName>>(
        &mut self,
        element: &Element,
        text: &str,
    ) -> Option<T> {
        text.trim()
            .parse()
            .map_err(|error: InvalidName| self.problem(element.line, error.to_string()))
            .ok()
    }
}

fn words(text: Option<&str>) -> impl Iterator<Item = &str> {
    let text = text.unwrap_or_default();
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty())
}

/// A package may be a member under several conditions, but only one way under each.
fn way_in(member: &Member) -> (PackageName, Condition, Option<PackageName>) {
    let requires = match &member.kind {
        MemberKind::Conditional { requires } => Some(requires.clone()),
        _ => None,
    };
    (member.name.clone(), member.only.clone(), requires)
}
