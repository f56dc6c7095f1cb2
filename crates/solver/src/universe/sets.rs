//! Sets of packages any of which will do, each kept once.

use crate::tables::Lists;
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use std::hash::BuildHasher;

/// Number of a set of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SetId(pub(crate) u32);

impl SetId {
    /// The set without a member, which nothing can meet.
    pub const EMPTY: Self = Self(0);
}

/// Collects sets while relations are lowered. Members are sorted by id.
#[derive(Clone)]
pub(super) struct Sets {
    pub(super) lists: Lists,
    /// By package: the set that has it alone, 0 where there is none yet.
    singles: Vec<u32>,
    numbers: HashTable<u32>,
}

impl Sets {
    pub(super) fn new(packages: usize) -> Self {
        let mut lists = Lists::default();
        lists.push([]);
        Self { lists, singles: vec![0; packages], numbers: HashTable::new() }
    }

    pub(super) fn intern(&mut self, members: &[u32]) -> SetId {
        match members {
            [] => SetId::EMPTY,
            [only] => {
                let known = &mut self.singles[*only as usize];
                if *known == 0 {
                    *known = self.lists.push([*only]);
                }
                SetId(*known)
            }
            _ => self.intern_many(members),
        }
    }

    fn intern_many(&mut self, members: &[u32]) -> SetId {
        let hash = FxBuildHasher.hash_one(members);
        let lists = &self.lists;
        if let Some(&known) = self.numbers.find(hash, |&number| lists.get(number) == members) {
            return SetId(known);
        }
        let number = self.lists.push(members.iter().copied());
        let lists = &self.lists;
        let rehash = |&number: &u32| FxBuildHasher.hash_one(lists.get(number));
        self.numbers.insert_unique(hash, number, rehash);
        SetId(number)
    }
}
