//! Narrows `comps.xml` to what a variant has on an architecture.

use std::collections::BTreeSet;

use model::compose::{
    ArchName, ComposeDefinition, Comps, Condition, Environment, GroupId, GroupRef, VariantId,
};

/// The groups of a variant on an architecture: its own, and those of its environments with their default options.
///
/// Conditions are decided and gone. Groups without members are left out, and so is everything that is left naming
/// none. A variant that names nothing has every group and every environment.
pub fn narrow(definition: &ComposeDefinition, variant: &VariantId, arch: &ArchName) -> Comps {
    let Some(wanted) = definition.variants.get(variant) else { return Comps::default() };
    let holds = |only: &Condition| only.holds(variant, arch);
    let mut comps = definition.comps.clone();
    comps.environments.retain(|environment| {
        holds(&environment.only)
            && (wanted.is_everything() || wanted.environments.contains(&environment.id))
    });
    for environment in &mut comps.environments {
        environment.groups.retain(|group| holds(&group.only));
        environment.options.retain(|group| holds(&group.only));
    }
    let brought = brought(&comps.environments);
    let is_chosen =
        |id: &GroupId| wanted.is_everything() || wanted.groups.contains(id) || brought.contains(id);
    comps.groups.retain(|group| holds(&group.only) && is_chosen(&group.id));
    for group in &mut comps.groups {
        group.members.retain(|member| holds(&member.only));
        group.members.iter_mut().for_each(|member| member.only = Condition::default());
        group.only = Condition::default();
    }
    comps.groups.retain(|group| !group.members.is_empty());
    comps.categories.retain(|category| holds(&category.only));
    for category in &mut comps.categories {
        category.groups.retain(|group| holds(&group.only));
    }
    drop_dangling(&mut comps);
    if comps.groups.is_empty() {
        comps.langpacks.clear();
    }
    describe(&mut comps);
    comps
}

/// Readers want a description of everything; where there is none, the name has to do.
fn describe(comps: &mut Comps) {
    let groups = comps.groups.iter_mut().map(|it| (&it.name, &mut it.description));
    let categories = comps.categories.iter_mut().map(|it| (&it.name, &mut it.description));
    let environments = comps.environments.iter_mut().map(|it| (&it.name, &mut it.description));
    for (name, description) in groups.chain(categories).chain(environments) {
        if description.plain.is_empty() {
            description.plain.clone_from(&name.plain);
        }
    }
}

/// The groups that environments bring along: their own, and their default options.
fn brought(environments: &[Environment]) -> BTreeSet<GroupId> {
    let groups = environments.iter().flat_map(|environment| {
        let options = environment.options.iter().filter(|option| option.default);
        environment.groups.iter().chain(options)
    });
    groups.map(|group: &GroupRef| group.id.clone()).collect()
}

/// Takes out references to groups that are gone, and then what has none left.
fn drop_dangling(comps: &mut Comps) {
    let groups: BTreeSet<&GroupId> = comps.groups.iter().map(|group| &group.id).collect();
    let keep = |references: &mut Vec<GroupRef>| {
        // What was named under several conditions is named once.
        let mut seen = BTreeSet::new();
        references.retain(|reference| {
            groups.contains(&reference.id) && seen.insert(reference.id.clone())
        });
        references.iter_mut().for_each(|reference| reference.only = Condition::default());
        !references.is_empty()
    };
    comps.categories.retain_mut(|category| {
        category.only = Condition::default();
        keep(&mut category.groups)
    });
    comps.environments.retain_mut(|environment| {
        environment.only = Condition::default();
        keep(&mut environment.options);
        keep(&mut environment.groups)
    });
}
