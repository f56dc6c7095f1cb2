//! Graphs written as text: `zlib <- libpng <- gtk` says that libpng needs zlib and gtk needs libpng.

use std::collections::BTreeSet;

use model::artifact::ArtifactKey;
use model::edge::{Edge, EdgeKind, Evidence};
use proptest::prelude::*;

use super::*;

fn artifact(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

/// Reads `a <- b <- c; a <= d`: `<-` is build-requires, `<=` buildroot, `<~` requires; the package is the dependency's
/// name.
fn edges(text: &str) -> Vec<Edge> {
    let mut edges = Vec::new();
    for chain in text.split(';') {
        let words: Vec<&str> = chain.split_whitespace().collect();
        for link in words.windows(3).step_by(2) {
            let kind = match link[1] {
                "<-" => EdgeKind::BuildRequires,
                "<=" => EdgeKind::Buildroot,
                "<~" => EdgeKind::Requires,
                arrow => panic!("strange arrow {arrow}"),
            };
            edges.push(edge(link[2], link[0], kind, link[0]));
        }
    }
    edges
}

fn edge(dependent: &str, dependency: &str, kind: EdgeKind, package: &str) -> Edge {
    let commit = "1".repeat(40).parse().unwrap();
    Edge {
        dependent: artifact(dependent),
        dependency: artifact(dependency),
        kind,
        package: package.to_owned(),
        evidence: Evidence::Spec { commit, capability: package.to_owned() },
    }
}

fn graph(text: &str) -> Graph {
    Graph::from_edges(edges(text).iter().map(NamedEdge::from))
}

fn names(graph: &Graph, nodes: impl IntoIterator<Item = Node>) -> String {
    let names: Vec<&str> = nodes.into_iter().map(|node| graph.key(node).name.as_str()).collect();
    names.join(" ")
}

/// Roots separated by blanks; the answer is `name/depth<via`, in the order in which they are reached.
fn check_reach(text: &str, roots: &str, expected: &str) {
    let graph = graph(text);
    let roots: Vec<Node> =
        roots.split_whitespace().map(|root| graph.node(&artifact(root)).unwrap()).collect();
    let reached = graph.reach(&roots, |edge| edge.kind != EdgeKind::Requires);
    let visits = reached.visits().iter().map(|visit| {
        let via = visit.via.map_or(String::new(), |via| {
            assert_eq!(via.dependent, visit.node);
            format!("<{}", names(&graph, [via.dependency]))
        });
        format!("{}/{}{via}", names(&graph, [visit.node]), visit.depth)
    });
    assert_eq!(visits.collect::<Vec<_>>().join(" "), expected);
    for (place, visit) in reached.visits().iter().enumerate() {
        assert_eq!(reached.place(visit.node), Some(place));
    }
}

/// Tiers separated by `|`, components by `,`, members by blanks.
fn check_components(text: &str, expected: &str) {
    let graph = graph(text);
    let components = graph.components(graph.nodes(), |_| true);
    assert_eq!(show_components(&graph, &components), expected);
}

fn show_components(graph: &Graph, components: &[Component]) -> String {
    let mut tiers: Vec<Vec<String>> = Vec::new();
    for component in components {
        tiers.resize(tiers.len().max(component.tier as usize + 1), Vec::new());
        tiers[component.tier as usize].push(names(graph, component.members.iter().copied()));
    }
    tiers.iter().map(|tier| tier.join(", ")).collect::<Vec<_>>().join(" | ")
}

#[test]
fn a_change_reaches_dependents_of_dependents() {
    check_reach("zlib <- libpng <- gtk; zlib <~ vim", "zlib", "zlib/0 libpng/1<zlib gtk/2<libpng");
    check_reach("zlib <- libpng <- gtk", "gtk", "gtk/0");
}

#[test]
fn the_first_edge_is_the_one_with_the_least_key() {
    check_reach("b <- d; a <- d; c <- a; c <- b", "c", "c/0 a/1<c b/1<c d/2<a");
    check_reach("b <- x; a <- x", "b a a", "a/0 b/0 x/1<a");
}

#[test]
fn a_walk_around_a_cycle_ends() {
    check_reach("a <- b <- c <- a", "b", "b/0 c/1<b a/2<c");
}

#[test]
fn components_stand_in_tiers() {
    check_components("zlib <- libpng <- gtk; zlib <- gtk", "zlib | libpng | gtk");
    check_components("a <- b <- c <- b; c <- d; a <- e", "a | b c, e | d");
    check_components("a <- a; a <- b", "a | b");
    check_components("a <- b <- a; c <- d <- c; b <- c", "a b | c d");
}

#[test]
fn components_of_a_subset_do_not_look_outside() {
    let graph = graph("a <- b <- c; c <- a");
    let subset = ["a", "b"].map(|name| graph.node(&artifact(name)).unwrap());
    assert_eq!(show_components(&graph, &graph.components(subset, |_| true)), "a | b");
    let none = graph.components(graph.nodes(), |_| false);
    assert_eq!(show_components(&graph, &none), "a, b, c");
}

#[test]
fn a_deep_chain_does_not_overflow_the_stack() {
    let chain: Vec<String> = (0..100_000).map(|n| format!("p{n:06}")).collect();
    let graph = graph(&chain.join(" <- "));
    let components = graph.components(graph.nodes(), |_| true);
    assert_eq!(components.last().map(|component| component.tier), Some(99_999));
}

#[test]
fn the_evidence_of_an_edge_is_found_again() {
    let stored = edges("zlib <- gtk; zlib <= gtk; libpng <- gtk");
    let graph = Graph::from_edges(stored.iter().map(NamedEdge::from));
    let zlib = graph.node(&artifact("zlib")).unwrap();
    let found: Vec<&Edge> =
        graph.dependents(zlib).map(|edge| graph.name(edge).find_in(&stored).unwrap()).collect();
    assert_eq!(found, [&stored[0], &stored[1]]);
}

#[test]
fn replaced_edges_show_in_both_directions() {
    let mut graph = graph("zlib <- gtk; glib <- gtk; zlib <- vim");
    let replacement = edges("zlib <~ gtk; aalib <- gtk");
    graph.replace(&artifact("gtk"), replacement.iter().map(NamedEdge::from));
    assert_eq!(graph, super::tests::graph("aalib <- gtk; zlib <~ gtk; zlib <- vim"));
    let dependents = |name: &str| {
        let node = graph.node(&artifact(name)).unwrap();
        names(&graph, graph.dependents(node).map(|edge| edge.dependent))
    };
    assert_eq!(dependents("zlib"), "gtk vim");
    assert_eq!(dependents("glib"), "");
    assert_eq!(dependents("aalib"), "gtk");
    assert_ne!(graph, super::tests::graph("aalib <- gtk; zlib <- gtk; zlib <- vim"));
}

type Step = (u8, Vec<(u8, u8, u8)>);

/// A dependent and its new edges, as small numbers.
fn step() -> impl Strategy<Value = Step> {
    (0..12u8, prop::collection::vec((0..12u8, 0..3u8, 0..3u8), 0..8))
}

fn edges_of((dependent, row): &Step) -> Vec<Edge> {
    let name = |number: u8| format!("p{}", (number * 7) % 12);
    row.iter()
        .map(|(to, kind, package)| {
            let kind = EdgeKind::ALL[usize::from(*kind)];
            edge(&name(*dependent), &name(*to), kind, &format!("q{}", (package * 2) % 3))
        })
        .collect()
}

/// Components by the definition: two nodes are together when each reaches the other.
fn together(graph: &Graph) -> BTreeSet<(Node, Node)> {
    let reached: Vec<(Node, Reached)> =
        graph.nodes().map(|node| (node, graph.reach(&[node], |_| true))).collect();
    let reaches = |from: Node, to: Node| {
        reached.iter().any(|(node, reached)| *node == from && reached.place(to).is_some())
    };
    let pairs = graph.nodes().flat_map(|a| graph.nodes().map(move |b| (a, b)));
    pairs.filter(|(a, b)| reaches(*a, *b) && reaches(*b, *a)).collect()
}

proptest! {
    #[test]
    fn a_patched_graph_equals_one_built_anew(steps in prop::collection::vec(step(), 1..40), settle in any::<bool>()) {
        let mut patched = Graph::default();
        let mut current = std::collections::BTreeMap::new();
        for step in &steps {
            let (edges, name) = (edges_of(step), format!("p{}", (step.0 * 7) % 12));
            patched.replace(&artifact(&name), edges.iter().map(NamedEdge::from));
            if settle {
                patched.dependencies.rebuild();
                patched.dependents.rebuild();
            }
            current.insert(name, edges);
        }
        let all: Vec<Edge> = current.into_values().flatten().collect();
        let anew = Graph::from_edges(all.iter().map(NamedEdge::from));
        prop_assert_eq!(&patched, &anew);
        // Both directions and every order agree as well.
        let turned = |graph: &Graph| -> Vec<String> {
            let edges = graph.nodes().flat_map(|node| graph.dependents(node));
            edges.map(|edge| format!("{:?}", graph.name(edge))).collect()
        };
        prop_assert_eq!(turned(&patched), turned(&anew));
        prop_assert_eq!(patched.dependents.len(), patched.dependencies.len());
    }

    #[test]
    fn components_are_what_reaches_one_another(steps in prop::collection::vec(step(), 1..12)) {
        let all: Vec<Edge> = steps.iter().flat_map(edges_of).collect();
        let graph = Graph::from_edges(all.iter().map(NamedEdge::from));
        let components = graph.components(graph.nodes(), |_| true);
        let pairs = components.iter().flat_map(|component| {
            component.members.iter().flat_map(|a| component.members.iter().map(move |b| (*a, *b)))
        });
        prop_assert_eq!(pairs.collect::<BTreeSet<_>>(), together(&graph));

        let tier = |node: Node| {
            components.iter().find(|component| component.members.contains(&node)).unwrap()
        };
        for component in &components {
            let outside = component.members.iter().flat_map(|node| graph.dependencies(*node));
            let above = outside
                .map(|edge| tier(edge.dependency))
                .filter(|other| *other != component)
                .map(|other| other.tier + 1);
            prop_assert_eq!(component.tier, above.max().unwrap_or(0));
        }
    }
}
