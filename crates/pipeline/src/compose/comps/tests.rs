//! Tests of reading, narrowing and writing, text in and text out.

use std::collections::BTreeSet;

use model::compose::{
    Category, Comps, Condition, Environment, Group, GroupRef, Langpack, Member, MemberKind, Text,
};
use proptest::prelude::*;

use super::{narrow, read, unknown_members, write};
use crate::compose::definition;

const COMPS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<comps>
  <group>
    <id>server</id>
    <_name>Server &amp; more</_name>
    <name xml:lang="cs">Server a v&#237;ce</name>
    <uservisible>false</uservisible>
    <packagelist>
      <packagereq type="optional">stars</packagereq>
      <packagereq type="default" arch="aarch64">moons</packagereq>
      <packagereq type="default" arch="x86_64,s390x">suns</packagereq>
      <packagereq type="conditional" requires="stars">star-charts</packagereq>
      <packagereq basearchonly="true">tides</packagereq>
    </packagelist>
  </group>
  <group variant="Desktop"><id>desk</id><name>Desk</name><default>true</default>
    <packagelist><packagereq>lamp</packagereq></packagelist></group>
  <group><id>core</id><name>Core</name><packagelist>
    <packagereq variant="Server">almanac</packagereq></packagelist></group>
  <category><id>base</id><name>Base</name><display_order>2</display_order>
    <grouplist><groupid>server</groupid><groupid>desk</groupid></grouplist></category>
  <category><id>desks</id><name>Desks</name><grouplist><groupid>desk</groupid></grouplist></category>
  <environment><id>harbour</id><name>Harbour</name>
    <grouplist><groupid>core</groupid></grouplist>
    <optionlist><groupid default="true">server</groupid><groupid>desk</groupid></optionlist></environment>
  <langpacks><match name="tides" install="tides-%s"/></langpacks>
</comps>
"#;

/// The groups of a variant that wants something.
fn narrowed(variant: &str, wants: &str) -> Comps {
    let toml = format!(
        "[release]\nname = \"A\"\nshort = \"A\"\nversion = \"1\"\n\
         [variants.{variant}]\narches = [\"x86_64\"]\n{wants}\n"
    );
    let definition = definition::read(&toml, Some(COMPS)).unwrap();
    narrow(&definition, &variant.parse().unwrap(), &"x86_64".parse().unwrap())
}

#[test]
fn a_variant_has_its_groups_without_conditions_and_in_order() {
    let text = write(&narrowed("Server", "groups = [\"server\"]"));
    let expected = r#"  <group>
    <id>server</id>
    <name>Server &amp; more</name>
    <name xml:lang="cs">Server a více</name>
    <description>Server &amp; more</description>
    <default>false</default>
    <uservisible>false</uservisible>
    <packagelist>
      <packagereq basearchonly="true" type="mandatory">tides</packagereq>
      <packagereq type="default">suns</packagereq>
      <packagereq type="optional">stars</packagereq>
      <packagereq requires="stars" type="conditional">star-charts</packagereq>
    </packagelist>
  </group>
  <category>
    <id>base</id>
    <name>Base</name>
    <description>Base</description>
    <display_order>2</display_order>
    <grouplist>
      <groupid>server</groupid>
    </grouplist>
  </category>
  <langpacks>
    <match install="tides-%s" name="tides"/>
  </langpacks>
</comps>
"#;
    assert_eq!(text.split_once("<comps>\n").unwrap().1, expected);
    assert_eq!(write(&read(&text).whole().unwrap()), text);
}

/// The groups, categories and environments of a variant that wants something.
fn check(variant: &str, wants: &str, expected: &str) {
    let comps = narrowed(variant, wants);
    let names = |references: &[GroupRef]| {
        references.iter().map(|group| group.id.to_string()).collect::<Vec<_>>().join(",")
    };
    let groups = comps.groups.iter().map(|group| group.id.to_string());
    let categories = comps.categories.iter().map(|it| format!("{}={}", it.id, names(&it.groups)));
    let environments = comps
        .environments
        .iter()
        .map(|it| format!("{}={}+{}", it.id, names(&it.groups), names(&it.options)));
    let told = groups.chain(categories).chain(environments).collect::<Vec<_>>().join(" ");
    assert_eq!(told, expected);
}

#[test]
fn groups_of_other_variants_and_groups_that_became_empty_are_gone() {
    check("Server", "packages = [\"almanac\"]", "");
    check("Server", "groups = [\"desk\"]", "");
    check("Desktop", "groups = [\"desk\"]", "desk base=desk desks=desk");
    check("Desktop", "groups = [\"core\"]", "");
}

#[test]
fn environments_bring_their_groups_and_default_options() {
    check("Server", "environments = [\"harbour\"]", "server core base=server harbour=core+server");
    // Its only group is empty here, so that it has nothing left; its option is a group all the same.
    check("Desktop", "environments = [\"harbour\"]", "server base=server");
}

#[test]
fn a_variant_that_names_nothing_has_every_group() {
    check("Server", "", "server core base=server harbour=core+server");
    check("Desktop", "", "server desk base=server,desk desks=desk");
}

fn problems(comps: &str) -> String {
    let told = read(comps).problems.into_iter().map(|problem| problem.to_string());
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn everything_that_is_wrong_is_told_with_its_line() {
    let group = |members: &str| {
        format!(
            "<comps>\n<group><id>core</id><name>Core</name>\n<packagelist>\n{members}\n</packagelist></group></comps>"
        )
    };
    for (text, expected) in [
        (String::new(), "comps.xml:1: there is no element"),
        ("<comps>\n<group>".into(), "comps.xml:2: <group> is never ended"),
        ("<groups/>".into(), "comps.xml:1: <groups> is not <comps>"),
        ("<comps/>\n<comps/>".into(), "comps.xml:2: there is a second root element"),
        (
            group("<packagereq type=\"needed\">a</packagereq>"),
            "comps.xml:4: the type \"needed\" is not mandatory, default, optional or conditional",
        ),
        (
            group("<packagereq type=\"conditional\">a</packagereq>"),
            "comps.xml:4: a is conditional and requires nothing",
        ),
        (
            group("<packagereq requires=\"b\">a</packagereq>"),
            "comps.xml:4: only conditional members have requires",
        ),
        (group("<packagereq>a</packagereq>\n<packagereq>a</packagereq>"), "comps.xml:5: a is listed twice"),
        (
            group("<packagereq>a b</packagereq>"),
            "comps.xml:4: \"a b\" is not a valid package name: letters, digits and ._+-, starting with a letter, a digit or _",
        ),
        (
            group("<packagereq varaint=\"A\">a</packagereq>\n<package/>"),
            "comps.xml:4: <packagereq> has no attribute varaint\ncomps.xml:5: <packagelist> has no <package>",
        ),
        (group("&nothing;"), "comps.xml:4: &nothing; stands for no character that XML allows"),
        (group("&#1;"), "comps.xml:4: &#1; stands for no character that XML allows"),
        (group("\u{1}"), "comps.xml:4: the character '\\u{1}' is not allowed in XML"),
        (
            "<comps><group><id>a</id><name>A</name></group>\n<group><id>a</id><name>A</name></group></comps>".into(),
            "comps.xml:2: there are two of the group a",
        ),
        (
            "<comps>\n<group><id>a</id><default>yes</default></group></comps>".into(),
            "comps.xml:2: the group a has no name\ncomps.xml:2: \"yes\" is neither true nor false",
        ),
        (
            "<comps>\n<category><id>a</id><name>A</name><display_order>-1</display_order>\n<grouplist>\n<groupid>b</groupid></grouplist></category></comps>".into(),
            "comps.xml:2: <display_order> \"-1\" is no number\ncomps.xml:4: there is no group b",
        ),
        ("<comps><whiteout/></comps>".into(), "comps.xml:1: <comps> has no <whiteout>"),
        ("<comps>words</comps>".into(), "comps.xml:1: there is text right in <comps>"),
        ("<comps><langpacks><match name=\"a\"/></langpacks></comps>".into(), "comps.xml:1: <match> needs name and install"),
    ] {
        assert_eq!(problems(&text), expected);
    }
    assert!(
        problems("<comps>\n<a></b></comps>").starts_with("comps.xml:2: "),
        "names do not match"
    );
    assert!(problems(&"<a>".repeat(100_000)).ends_with("<a> is nested too deeply"));
}

#[test]
fn members_that_no_build_makes_are_named() {
    let comps = read(COMPS).whole().unwrap();
    let known = BTreeSet::from(["stars", "moons", "suns", "star-charts", "lamp", "almanac"]);
    let unknown: Vec<_> = unknown_members(&comps, &known).iter().map(ToString::to_string).collect();
    assert_eq!(unknown, ["the group server names tides, which no build makes"]);
}

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop::sample::select(vec![
            "a",
            "é",
            "&",
            "<",
            ">",
            "\"",
            "'",
            " ",
            "\n",
            "\r",
            "\t",
            "]]>",
            "\u{10000}",
        ]),
        0..8,
    )
    .prop_map(|pieces| pieces.concat().trim().to_owned())
}

fn texts() -> impl Strategy<Value = Text> {
    (text(), prop::collection::btree_map("[a-z]{2}", text(), 0..2))
        .prop_map(|(plain, translations)| Text { plain: format!("n{plain}"), translations })
}

fn only() -> impl Strategy<Value = Condition> {
    let arches = prop::collection::btree_set("[a-z]{1,2}", 0..2);
    (arches, prop::collection::btree_set("[A-Z]{1,2}", 0..2)).prop_map(|(arches, variants)| {
        let arches = arches.iter().map(|arch| arch.parse().unwrap()).collect();
        Condition { arches, variants: variants.iter().map(|id| id.parse().unwrap()).collect() }
    })
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let member = (0..4u8, "[a-c]", any::<bool>(), only());
    prop::collection::btree_map("[a-z]{1,3}", member, 0..4).prop_map(|members| {
        let member = |(name, (kind, requires, base_arch_only, only)): (
            String,
            (u8, String, bool, Condition),
        )| {
            let kind = match kind {
                0 => MemberKind::Mandatory,
                1 => MemberKind::Default,
                2 => MemberKind::Optional,
                _ => MemberKind::Conditional { requires: requires.parse().unwrap() },
            };
            Member { kind, name: name.parse().unwrap(), base_arch_only, only }
        };
        members.into_iter().map(member).collect()
    })
}

fn group() -> impl Strategy<Value = Group> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    let more = (prop::option::of("[a-z]{2}"), prop::option::of(0..9u32));
    (texts(), texts(), flags, more, only(), members()).prop_map(
        |(name, description, flags, (lang_only, display_order), only, members)| {
            let (default, user_visible, biarch_only) = flags;
            let id = "x".parse().unwrap();
            Group {
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
            }
        },
    )
}

prop_compose! {
    fn comps()(
        mut groups in prop::collection::vec(group(), 1..4),
        (name, description, only) in (texts(), texts(), only()),
        (display_order, default, install) in (prop::option::of(0..9u32), any::<bool>(), text()),
    ) -> Comps {
        for (index, group) in groups.iter_mut().enumerate() {
            group.id = format!("g{index}").parse().unwrap();
            group.members.sort_by_key(super::write::member_order);
        }
        let reference = |default| GroupRef { id: groups[0].id.clone(), default, only: only.clone() };
        let (id, install) = ("c".parse().unwrap(), format!("i{install}"));
        let category = Category {
            id, name: name.clone(), description: description.clone(), display_order, only: only.clone(),
            groups: vec![reference(false)],
        };
        let environment = Environment {
            id: "e".parse().unwrap(), name, description, display_order, only: only.clone(),
            groups: vec![reference(false)], options: vec![reference(default)],
        };
        let langpacks = vec![Langpack { name: "n".into(), install }];
        Comps { groups, categories: vec![category], environments: vec![environment], langpacks }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_as_it_was(comps in comps()) {
        let text = write(&comps);
        prop_assert_eq!(read(&text).whole(), Ok(comps.clone()), "{}", text);
        let mut shuffled = comps;
        shuffled.groups.reverse();
        shuffled.groups.iter_mut().for_each(|group| group.members.reverse());
        prop_assert_eq!(write(&shuffled), text, "the order does not matter");
    }

    #[test]
    fn no_text_makes_reading_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "<comps>", "</comps>", "<group>", "</group>", "<id>", "</id>", "<packagereq", "type=", "\"a\"", ">",
                "/>", "</", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE", "[", "]", "<?xml", "?>", "&", "&#0;",
                "&#x110000;", "&amp;", "\n", "a", "\u{e9}", "\u{feff}", "\0", "'", "<langpacks>", "<match name='", " ",
            ]),
            0..40,
        ),
        text in "\\PC*",
    ) {
        let read_words = read(&words.concat());
        let _ = write(&read_words.comps);
        let _ = read(&text);
    }
}
