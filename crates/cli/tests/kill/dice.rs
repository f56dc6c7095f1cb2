//! Random numbers that are the same for the same seed (xorshift64*, Marsaglia 2003 and Vigna 2016).

use std::time::Duration;

/// When the server is killed next.
pub(crate) struct Dice(u64);

impl Dice {
    /// Every seed has its own sequence; the multiplier spreads small seeds over all bits, of which one must be set.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }

    /// How long the server lives: often so short that it dies while it starts or right after, else long enough for
    /// something to happen.
    pub(crate) fn lifetime(&mut self) -> Duration {
        let longest = [100, 600, 1200, 2500][self.below(4) as usize];
        Duration::from_micros(self.below(longest * 1000))
    }
}

#[test]
fn a_seed_can_be_repeated_and_another_is_another() {
    let roll = |seed| {
        let mut dice = Dice::new(seed);
        [(); 20].map(|()| dice.lifetime())
    };
    assert_eq!(roll(7), roll(7));
    assert_ne!(roll(7), roll(8));
    assert!(roll(0).iter().any(|lifetime| *lifetime > Duration::from_millis(500)));
}
