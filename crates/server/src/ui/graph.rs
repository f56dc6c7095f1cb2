//! A plan as a picture: what it looks at, in the direction in which the change travels, from left to right.

mod draw;
mod fold;
mod layout;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::plan::NumberedPlan;

pub(super) use draw::{Shown, picture};
pub(super) use fold::{Cell, Folded};
use layout::{Dag, Positions, layout};

/// How many pictures are kept.
const KEPT: usize = 64;

/// A plan's picture before anything is coloured: plans never change, and so it is made once.
pub(super) struct Sketch {
    pub(super) folded: Folded,
    positions: Positions,
}

/// The pictures that were made lately.
#[derive(Default)]
pub(super) struct Sketches(Mutex<HashMap<i64, Arc<Sketch>>>);

impl Sketches {
    /// The picture of a plan.
    pub(super) fn of(&self, plan: &NumberedPlan) -> Arc<Sketch> {
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sketch) = known().get(&plan.number) {
            return Arc::clone(sketch);
        }
        let folded = fold::fold(&plan.plan);
        let widths = folded.cells.iter().map(|cell| draw::size(cell, &plan.plan)).collect();
        let edges = folded.links.iter().map(|link| (link.from, link.to)).collect();
        let positions = layout(&Dag { sizes: widths, edges });
        let sketch = Arc::new(Sketch { folded, positions });
        let mut kept = known();
        if kept.len() >= KEPT {
            // Which one goes matters little: making one again takes some milliseconds.
            let first = kept.keys().next().copied();
            first.map(|number| kept.remove(&number));
        }
        kept.insert(plan.number, Arc::clone(&sketch));
        sketch
    }
}
