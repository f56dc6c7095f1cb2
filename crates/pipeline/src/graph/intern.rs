//! Numbers for names, given out once and never taken back.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

#[derive(Clone, Debug)]
pub(super) struct Interner<T> {
    names: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { names: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Clone + Eq + Hash + Ord> Interner<T> {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    pub(super) fn numbers(&self) -> std::ops::Range<u32> {
        0..self.names.len() as u32
    }

    pub(super) fn get(&self, number: u32) -> &T {
        &self.names[number as usize]
    }

    pub(super) fn find<Q: Eq + Hash + ?Sized>(&self, name: &Q) -> Option<u32>
    where
        T: Borrow<Q>,
    {
        self.numbers.get(name).copied()
    }

    /// The number of a name, a new one if it has none yet.
    pub(super) fn intern<Q>(&mut self, name: &Q) -> u32
    where
        Q: Eq + Hash + ToOwned<Owned = T> + ?Sized,
        T: Borrow<Q>,
    {
        if let Some(number) = self.find(name) {
            return number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }

    /// Numbers all names anew in their order, and says for each old number which is the new one.
    pub(super) fn sort(&mut self) -> Vec<u32> {
        let places = self.places();
        self.names.sort_unstable();
        for number in self.numbers.values_mut() {
            *number = places[*number as usize];
        }
        places
    }

    /// For each number, the place of its name in the order of names.
    pub(super) fn places(&self) -> Vec<u32> {
        let mut sorted: Vec<u32> = self.numbers().collect();
        sorted.sort_unstable_by_key(|number| self.get(*number));
        let mut places = vec![0; sorted.len()];
        for (place, number) in sorted.into_iter().enumerate() {
            places[number as usize] = place as u32;
        }
        places
    }
}
