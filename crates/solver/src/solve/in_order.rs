//! Packages put in the order of their numbers: a bit for each, which costs less than to sort them.

/// Packages, each once.
pub(super) struct InOrder {
    /// A bit for each word of `words` that has one.
    summary: Vec<u64>,
    words: Vec<u64>,
}

impl InOrder {
    /// None yet, of so many that there are.
    pub(super) fn new(packages: usize) -> Self {
        let words = packages.div_ceil(64);
        Self { summary: vec![0; words.div_ceil(64)], words: vec![0; words] }
    }

    #[inline]
    pub(super) fn insert(&mut self, package: u32) {
        let word = (package / 64) as usize;
        self.words[word] |= 1 << (package % 64);
        self.summary[word / 64] |= 1 << (word % 64);
    }

    /// Takes all of them out, the lowest first.
    pub(super) fn drain(&mut self, mut take: impl FnMut(u32)) {
        for (at, summary) in self.summary.iter_mut().enumerate() {
            each_bit(std::mem::take(summary), |bit| {
                let word = at * 64 + bit as usize;
                each_bit(std::mem::take(&mut self.words[word]), |bit| take(word as u32 * 64 + bit));
            });
        }
    }
}

fn each_bit(mut word: u64, mut see: impl FnMut(u32)) {
    while word != 0 {
        see(word.trailing_zeros());
        word &= word - 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_put_in_and_is_empty_then() {
        let mut packages = InOrder::new(5000);
        for package in [4999, 3, 64, 4096, 63, 3] {
            packages.insert(package);
        }
        let mut found = Vec::new();
        packages.drain(|package| found.push(package));
        packages.drain(|package| found.push(package));
        assert_eq!(found, [3, 63, 64, 4096, 4999]);
    }
}
