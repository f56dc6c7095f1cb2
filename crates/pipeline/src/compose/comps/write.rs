//! Writes `comps.xml` so that the same groups are the same bytes: everything sorted, one form for everything.

use model::compose::{
    Category, Comps, Condition, Environment, Group, GroupRef, Langpack, Member, MemberKind, Text,
};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
    <!DOCTYPE comps PUBLIC \"-//Red Hat, Inc.//DTD Comps info//EN\" \"comps.dtd\">\n";

/// The text of a `comps.xml`: groups, categories and environments by id, members by type and name.
pub fn write(comps: &Comps) -> String {
    let mut out = Writer { text: HEAD.to_owned(), depth: 0 };
    out.within("comps", &[], |out| {
        sorted(&comps.groups, |group| group.id.clone()).for_each(|group| group_element(out, group));
        let categories = sorted(&comps.categories, |category| category.id.clone());
        categories.for_each(|category| category_element(out, category));
        let environments = sorted(&comps.environments, |environment| environment.id.clone());
        environments.for_each(|environment| environment_element(out, environment));
        langpacks(out, &comps.langpacks);
    });
    out.text
}

fn sorted<T, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> impl Iterator<Item = &T> {
    let mut sorted: Vec<&T> = items.iter().collect();
    sorted.sort_by_key(|item| key(item));
    sorted.into_iter()
}

fn group_element(out: &mut Writer, group: &Group) {
    out.within("group", &conditions(&group.only), |out| {
        out.element("id", &[], group.id.as_str());
        texts(out, "name", &group.name);
        texts(out, "description", &group.description);
        out.element("default", &[], &group.default.to_string());
        out.element("uservisible", &[], &group.user_visible.to_string());
        if group.biarch_only {
            out.element("biarchonly", &[], "true");
        }
        if let Some(language) = &group.lang_only {
            out.element("langonly", &[], language);
        }
        display_order(out, group.display_order);
        out.within("packagelist", &[], |out| {
            sorted(&group.members, member_order).for_each(|member| member_element(out, member));
        });
    });
}

pub(super) fn member_order(member: &Member) -> impl Ord + use<> {
    let (place, requires) = match &member.kind {
        MemberKind::Mandatory => (0, None),
        MemberKind::Default => (1, None),
        MemberKind::Optional => (2, None),
        MemberKind::Conditional { requires } => (3, Some(requires.clone())),
    };
    (place, member.name.clone(), requires, member.only.clone())
}

fn member_element(out: &mut Writer, member: &Member) {
    let mut attributes = conditions(&member.only);
    if member.base_arch_only {
        attributes.push(("basearchonly", "true".to_owned()));
    }
    if let MemberKind::Conditional { requires } = &member.kind {
        attributes.push(("requires", requires.to_string()));
    }
    attributes.push(("type", member.kind.as_str().to_owned()));
    out.element("packagereq", &attributes, member.name.as_str());
}

fn category_element(out: &mut Writer, category: &Category) {
    out.within("category", &conditions(&category.only), |out| {
        out.element("id", &[], category.id.as_str());
        texts(out, "name", &category.name);
        texts(out, "description", &category.description);
        display_order(out, category.display_order);
        references(out, "grouplist", &category.groups);
    });
}

fn environment_element(out: &mut Writer, environment: &Environment) {
    out.within("environment", &conditions(&environment.only), |out| {
        out.element("id", &[], environment.id.as_str());
        texts(out, "name", &environment.name);
        texts(out, "description", &environment.description);
        display_order(out, environment.display_order);
        references(out, "grouplist", &environment.groups);
        if !environment.options.is_empty() {
            references(out, "optionlist", &environment.options);
        }
    });
}

fn references(out: &mut Writer, list: &str, groups: &[GroupRef]) {
    out.within(list, &[], |out| {
        for group in sorted(groups, |group| (group.id.clone(), group.only.clone())) {
            let mut attributes = conditions(&group.only);
            if group.default {
                attributes.push(("default", "true".to_owned()));
            }
            out.element("groupid", &attributes, group.id.as_str());
        }
    });
}

fn langpacks(out: &mut Writer, langpacks: &[Langpack]) {
    if langpacks.is_empty() {
        return;
    }
    out.within("langpacks", &[], |out| {
        for Langpack { name, install } in sorted(langpacks, Clone::clone) {
            out.element("match", &[("install", install.clone()), ("name", name.clone())], "");
        }
    });
}

fn texts(out: &mut Writer, name: &str, text: &Text) {
    out.element(name, &[], &text.plain);
    for (language, text) in &text.translations {
        out.element(name, &[("xml:lang", language.clone())], text);
    }
}

fn display_order(out: &mut Writer, order: Option<u32>) {
    if let Some(order) = order {
        out.element("display_order", &[], &order.to_string());
    }
}

type Attribute = (&'static str, String);

fn conditions(only: &Condition) -> Vec<Attribute> {
    let join = |words: Vec<String>| words.join(",");
    let arches = join(only.arches.iter().map(ToString::to_string).collect());
    let variants = join(only.variants.iter().map(ToString::to_string).collect());
    let written = [("arch", arches), ("variant", variants)].into_iter();
    written.filter(|(_, words)| !words.is_empty()).collect()
}

struct Writer {
    text: String,
    depth: usize,
}

impl Writer {
    fn within(&mut self, name: &str, attributes: &[Attribute], inner: impl FnOnce(&mut Self)) {
        self.open(name, attributes);
        self.text += ">\n";
        self.depth += 1;
        inner(self);
        self.depth -= 1;
        self.text += &format!("{}</{name}>\n", "  ".repeat(self.depth));
    }

    fn element(&mut self, name: &str, attributes: &[Attribute], text: &str) {
        self.open(name, attributes);
        if text.is_empty() {
            self.text += "/>\n";
        } else {
            self.text += &format!(">{}</{name}>\n", escaped(text));
        }
    }

    fn open(&mut self, name: &str, attributes: &[Attribute]) {
        self.text += &format!("{}<{name}", "  ".repeat(self.depth));
        for (key, value) in attributes {
            // Readers make blanks of these.
            let value = escaped(value).replace('\n', "&#10;").replace('\t', "&#9;");
            self.text += &format!(" {key}=\"{value}\"");
        }
    }
}

/// Escapes what has a meaning in XML, and the blanks a reader would change.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\r' => escaped += "&#13;",
            _ => escaped.push(character),
        }
    }
    escaped
}
