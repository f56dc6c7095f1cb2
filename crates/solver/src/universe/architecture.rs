//! Which architectures can be installed, which is better, and which can live side by side.

use crate::tables::Tables;

/// How an architecture stands to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Class {
    /// 0: cannot be installed, sources among it. 1: `noarch`. From 2 on, the smaller the better.
    pub(crate) rank: u8,
    /// Bit 1 for 32 bits, bit 2 for 64, both for `noarch`: packages of one name that share no bit can be
    /// installed together, as glibc.i686 and glibc.x86_64. From libsolv's `pool_arch2color`.
    pub(crate) color: u8,
}

impl Class {
    pub(crate) const NOARCH: u8 = 1;
    pub(crate) const UNKNOWN: Self = Self { rank: 0, color: 3 };

    pub(crate) fn is_installable(self) -> bool {
        self.rank > 0
    }

    /// Whether two packages of one name stand in each other's way.
    pub(crate) fn collides(self, other: Self) -> bool {
        self.color & other.color != 0
    }

    /// Whether this architecture is worse than the best one there is; `noarch` never is.
    pub(crate) fn is_inferior_to(self, best: u8) -> bool {
        self.rank > Self::NOARCH && self.rank > best
    }
}

/// From best to worst, as libsolv's `poolarch.c` has them.
fn compatible(machine: &str) -> &[&str] {
    match machine {
        "x86_64" => &["x86_64", "i686", "i586", "i486", "i386"],
        "i686" => &["i686", "i586", "i486", "i386"],
        "s390x" => &["s390x", "s390"],
        "armv7hl" => &["armv7hl", "armv6hl"],
        _ => &[],
    }
}

/// The class of one architecture.
pub(crate) fn class(machine: &str, name: &str) -> Class {
    if name == "noarch" {
        return Class { rank: Class::NOARCH, color: 3 };
    }
    let known = compatible(machine);
    let place = if known.is_empty() {
        (name == machine).then_some(0)
    } else {
        known.iter().position(|other| *other == name)
    };
    let color = if name == "s390x" || name.contains("64") { 2 } else { 1 };
    place.map_or(Class::UNKNOWN, |at| Class { rank: at as u8 + 2, color })
}

/// The class of each string of the tables, were it an architecture.
pub(super) fn classes(tables: &Tables, machine: &str) -> Vec<Class> {
    let mut classes = vec![Class::UNKNOWN; tables.strings.len()];
    let alone = [machine];
    let known = compatible(machine);
    let names = if known.is_empty() { &alone[..] } else { known };
    for name in names.iter().chain(&["noarch"]) {
        if let Some(id) = tables.strings.find(name.as_bytes()) {
            classes[id.index()] = class(machine, name);
        }
    }
    classes
}
