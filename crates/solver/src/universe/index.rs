//! From collected pairs to lists by package.

use super::architecture::Class;
use super::relations::Lowered;
use super::{Condition, Options, Weak, flag};
use crate::tables::{Lists, Tables};

pub(super) fn first_flags(tables: &Tables, classes: &[Class], options: &Options) -> Vec<u8> {
    let source = ["src", "nosrc"].map(|name| tables.strings.find(name.as_bytes()));
    let mut flags: Vec<u8> = tables
        .ids()
        .map(|id| match tables.package(id).architecture {
            name if source.contains(&Some(name)) => flag::SOURCE,
            name if classes[name.index()].is_installable() => flag::INSTALLABLE,
            _ => 0,
        })
        .collect();
    for &excluded in &options.excluded {
        if let Some(flags) = flags.get_mut(excluded.index()) {
            *flags = 0;
        }
    }
    flags
}

pub(super) fn symmetric(pairs: &[(u32, u32)], installable: &[bool], packages: usize) -> Lists {
    let back = pairs.iter().filter(|(one, _)| installable[*one as usize]);
    let both: Vec<(u32, u32)> =
        back.map(|&(one, other)| (other, one)).chain(pairs.iter().copied()).collect();
    Lists::from_pairs(packages, &both).sorted()
}

/// Sets by package without repetitions, in the order they are named.
pub(super) fn needs(requires: &[(u32, u32)], packages: usize) -> Lists {
    let all = Lists::from_pairs(packages, requires);
    let mut last_owner: Vec<u32> = Vec::new();
    all.filtered(|package, set| {
        if last_owner.len() <= set as usize {
            last_owner.resize(set as usize + 1, u32::MAX);
        }
        std::mem::replace(&mut last_owner[set as usize], package) != package
    })
}

pub(super) fn popularity(needs: &Lists, sets: usize, sources: &[bool]) -> Vec<u32> {
    let mut popularity = vec![0; sets];
    for (package, _) in sources.iter().enumerate().filter(|(_, is_source)| **is_source) {
        for &set in needs.get(package as u32) {
            popularity[set as usize] += 1;
        }
    }
    popularity
}

pub(super) fn index_conditions(
    conditions: &[(u32, Condition)],
    packages: usize,
    flags: &mut [u8],
) -> Lists {
    let owners = conditions.iter().zip(0u32..);
    let pairs: Vec<(u32, u32)> = owners.map(|((package, _), at)| (*package, at)).collect();
    for &(package, _) in &pairs {
        flags[package as usize] |= flag::CONDITIONAL;
    }
    Lists::from_pairs(packages, &pairs)
}

pub(super) fn weak(
    recommends: &[(u32, Condition)],
    supplements: &mut Vec<(u32, Lowered)>,
    sets: &Lists,
    packages: usize,
) -> Weak {
    let mut weak = Weak::default();
    let mut pairs = Vec::new();
    for (package, condition) in recommends {
        for &member in sets.get(condition.then.0) {
            if condition.when.is_empty() {
                pairs.push((member, *package));
            } else {
                let entry = (*package, condition.clone());
                weak.conditional.entry(member).or_default().push(entry);
            }
        }
    }
    weak.by = Lists::from_pairs(packages, &pairs).sorted();
    for (package, lowered) in supplements.drain(..) {
        weak.called_by.entry(package).or_default().push(lowered);
    }
    weak
}
