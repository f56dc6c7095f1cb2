//! Narrows `comps.xml` to what a variant has on an architecture.

use model::compose::{
    ArchName, ComposeDefinition, Comps, Condition, Environment, Group, GroupId, GroupRef, Variant,
    VariantId,
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
    let chosen = |group: &Group| is_chosen(wanted, &comps.environments, &group.id);
    comps.groups.retain(|group| holds(&group.only) && chosen(group));
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

fn is_chosen(variant: &Variant, environments: &[Environment], group: &GroupId) -> bool {
    let in_environment = |environment: &Environment| {
        let names = |reference: &GroupRef| reference.id == *group;
        environment.groups.iter().any(names)
            || environment.options.iter().any(|option| option.default && names(option))
    };
    variant.is_everything()
        || variant.groups.contains(group)
        || environments.iter().any(in_environment)
}

/// Takes out references to groups that are gone, and then what has none left.
fn drop_dangling(comps: &mut Comps) {
    let groups = &comps.groups;
    let keep = |references: &mut Vec<GroupRef>| {
        references.retain(|reference| groups.iter().any(|group| group.id == reference.id));
        references.iter_mut().for_each(|reference| reference.only = Condition::default());
        // What was named under several conditions is named once.
        let mut seen = Vec::new();
        references.retain(|reference| {
            let first = !seen.contains(&reference.id);
            seen.push(reference.id.clone());
            first
        });
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
