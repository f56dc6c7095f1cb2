//! Packages that can never be installed, whatever is asked: something they need is nowhere.

use crate::tables::Lists;

/// Whether each package is dead. `needs` are sets by package, `conflicts` packages by package; a candidate
/// that conflicts with the one who needs it does not count.
pub(super) fn find(
    sets: &Lists,
    needs: &Lists,
    conflicts: &Lists,
    installable: &[bool],
) -> Vec<bool> {
    let packages = installable.len();
    let members_of = sets.inverted(packages);
    let owners = needs.inverted(sets.len());
    let mut dead = vec![false; packages];
    let mut queue: Vec<u32> = (0..packages as u32)
        .filter(|&package| installable[package as usize])
        .filter(|&package| cannot_live(package, sets, needs, conflicts, &dead))
        .collect();
    while let Some(package) = queue.pop() {
        if std::mem::replace(&mut dead[package as usize], true) {
            continue;
        }
        for &set in members_of.get(package) {
            let owners = owners.get(set).iter().copied();
            let alive =
                owners.filter(|&owner| installable[owner as usize] && !dead[owner as usize]);
            let dying: Vec<u32> =
                alive.filter(|&owner| cannot_live(owner, sets, needs, conflicts, &dead)).collect();
            queue.extend(dying);
        }
    }
    dead
}

fn cannot_live(
    package: u32,
    sets: &Lists,
    needs: &Lists,
    conflicts: &Lists,
    dead: &[bool],
) -> bool {
    let is_out =
        |other: &u32| dead[*other as usize] || conflicts.get(package).binary_search(other).is_ok();
    needs.get(package).iter().any(|&set| sets.get(set).iter().all(is_out))
}
