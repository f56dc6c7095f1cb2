//! The dependency graph in memory: a cache of the stored edges, brought up to date before each use.

use pipeline::graph::{Graph, NamedEdge};
use store::{Store, edges};

/// The graph and the version of the edges it holds.
#[derive(Default)]
pub(crate) struct GraphCache {
    graph: Option<(Graph, i64)>,
}

impl GraphCache {
    /// The graph as the store has it now; losing it costs time only.
    pub(crate) async fn current(&mut self, store: &Store) -> Result<&Graph, store::Error> {
        let newest = edges::graph_version(&mut *store.read().await?).await?;
        if self.graph.as_ref().is_none_or(|(_, known)| *known != newest) {
            self.update(store).await?;
        }
        Ok(&self.graph.get_or_insert_default().0)
    }

    /// Reads what changed, or everything, from one state of the store.
    async fn update(&mut self, store: &Store) -> Result<(), store::Error> {
        let mut reader = store.snapshot().await?;
        let version = edges::graph_version(&mut reader).await?;
        let graph = match self.graph.take() {
            Some((mut graph, known)) => {
                let changed = edges::changed_since(&mut reader, known).await?;
                let now = edges::for_dependents(&mut reader, &changed).await?;
                for dependent in &changed {
                    let own = now
                        .iter()
                        .map(|stored| &stored.edge)
                        .filter(|edge| edge.dependent == *dependent);
                    graph.replace(dependent, own.map(NamedEdge::from));
                }
                graph
            }
            None => {
                let all = edges::all(&mut reader).await?;
                Graph::from_edges(all.iter().map(|stored| NamedEdge::from(&stored.edge)))
            }
        };
        self.graph = Some((graph, version));
        Ok(())
    }
}
