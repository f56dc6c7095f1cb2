//! From the hash of something that is kept once to its number.

use super::column::Column;
use hashbrown::HashTable;

/// A slot that holds no number.
const FREE: u32 = u32::MAX;

/// Numbers by hash; what they are the numbers of is kept elsewhere. Those that came from a snapshot stay in
/// the form in which it has them, and what is added since stands beside them.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    /// A power of two of slots, each number at the first free one from its hash on.
    stored: Column<u32>,
    added: HashTable<u32>,
}

impl Index {
    /// An index from a snapshot's slots; none where they are no power of two, or one holds a number that is
    /// not below the count.
    pub(super) fn from_slots(slots: Column<u32>, count: usize) -> Option<Self> {
        let holds = |slot: &u32| *slot == FREE || (*slot as usize) < count;
        let is_sound = slots.len().is_power_of_two() && slots.iter().all(holds);
        is_sound.then(|| Self { stored: slots, added: HashTable::new() })
    }

    /// The slots of all numbers below a count.
    pub(super) fn slots(count: usize, hash: impl Fn(u32) -> u64) -> Vec<u32> {
        let size = (count + count / 2).next_power_of_two();
        let mut slots = vec![FREE; size];
        for number in 0..count as u32 {
            let mut at = first_slot(hash(number), size);
            while slots[at] != FREE {
                at = (at + 1) & (size - 1);
            }
            slots[at] = number;
        }
        slots
    }

    /// The number with this hash that is the right one.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_right: impl Fn(u32) -> bool) -> Option<u32> {
        if !self.stored.is_empty()
            && let Some(found) = find_slot(&self.stored, hash, &is_right)
        {
            return Some(found);
        }
        self.added.find(hash, |&number| is_right(number)).copied()
    }

    /// Adds a number that is not there.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, number: u32, rehash: impl Fn(u32) -> u64) {
        self.added.insert_unique(hash, number, |&other| rehash(other));
    }
}

fn first_slot(hash: u64, size: usize) -> usize {
    (hash ^ hash >> 32) as usize & (size - 1)
}

fn find_slot(slots: &[u32], hash: u64, is_right: &impl Fn(u32) -> bool) -> Option<u32> {
    let start = first_slot(hash, slots.len());
    // A file may have no slot that is free: each is looked at once at most.
    let round = slots[start..].iter().chain(&slots[..start]);
    round.take_while(|&&slot| slot != FREE).find(|&&slot| is_right(slot)).copied()
}
