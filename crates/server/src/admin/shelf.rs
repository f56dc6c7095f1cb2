//! Plans that were read lately. A plan never changes, and reading a large one costs more than everything else about it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::plan::NumberedPlan;
use store::Conn;

use super::AdminError;
use super::plans::numbered;

/// How many steps the plans on a shelf have together, at most; some ten million bytes.
const ROOM: usize = 20_000;

/// Plans by their public numbers.
#[derive(Default)]
pub(crate) struct Shelf(Mutex<Books>);

#[derive(Default)]
struct Books {
    plans: HashMap<i64, (Arc<NumberedPlan>, u64)>,
    /// Counts the askings; who was asked for longest ago goes first.
    asked: u64,
    steps: usize,
}

impl Shelf {
    /// A plan that has to be there.
    pub(crate) async fn plan(
        &self,
        conn: &mut Conn,
        number: i64,
    ) -> Result<Arc<NumberedPlan>, AdminError> {
        if let Some(plan) = self.books().find(number) {
            return Ok(plan);
        }
        let plan = Arc::new(numbered(conn, number).await?);
        self.books().put(Arc::clone(&plan));
        Ok(plan)
    }

    fn books(&self) -> std::sync::MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn find(&mut self, number: i64) -> Option<Arc<NumberedPlan>> {
        self.asked += 1;
        let (plan, asked) = self.plans.get_mut(&number)?;
        *asked = self.asked;
        Some(Arc::clone(plan))
    }

    fn put(&mut self, plan: Arc<NumberedPlan>) {
        self.steps += plan.plan.steps.len();
        if let Some((old, _)) = self.plans.insert(plan.number, (plan, self.asked)) {
            self.steps -= old.plan.steps.len();
        }
        while self.steps > ROOM && self.plans.len() > 1 {
            let oldest = self.plans.iter().min_by_key(|(_, (_, asked))| *asked);
            let Some(number) = oldest.map(|(number, _)| *number) else { break };
            if let Some((gone, _)) = self.plans.remove(&number) {
                self.steps -= gone.plan.steps.len();
            }
        }
    }
}
