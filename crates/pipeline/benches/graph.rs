//! The graph at the size of a distribution: 34,000 sources and 4.5 million edges with cycles.
//!
//! `cargo bench -p pipeline --bench graph` prints medians and the process's peak of memory.
#![expect(clippy::print_stdout, reason = "a bench exists to print its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench measures with the system's clock")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on may stop")]

use std::time::{Duration, Instant};

use model::artifact::ArtifactKey;
use model::edge::EdgeKind;
use pipeline::graph::{Graph, GraphBuilder, NamedEdge, Node};

const SOURCES: usize = 34_000;
const EDGES: usize = 4_500_000;
/// Sources from here on are needed by few, as most of a distribution is: a change of theirs reaches about a thousand.
const CORE: usize = 3_000;

/// Numbers that look random and are the same every time (xorshift64*, by Vigna).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        high as usize % bound
    }
}

struct Names {
    artifacts: Vec<ArtifactKey>,
    packages: Vec<String>,
}

fn main() {
    let names = names();
    let mut numbers = Numbers(20_260_727);
    let (built, build_time) = timed(|| build(&names, &mut numbers));
    let mut graph = built;
    println!("sources {}, edges {}", graph.node_count(), graph.edge_count());
    println!("build from a stream of edges: {build_time:?} (once)");

    let all = || graph.components(graph.nodes(), |_| true);
    let components = all();
    let cycles = components.iter().filter(|component| component.members.len() > 1);
    let (cycles, largest) =
        cycles.fold((0, 0), |(n, most), cycle| (n + 1, most.max(cycle.members.len())));
    let tiers = components.last().map_or(0, |component| component.tier + 1);
    println!("components {}, cycles {cycles}, largest {largest}, tiers {tiers}", components.len());
    report("components and tiers of everything (target 300 ms)", median(9, all));

    let root = root_of_a_thousand(&graph);
    let reached = graph.reach(&[root], |_| true);
    println!("a change of {} reaches {}", graph.key(root), reached.nodes().count());
    report("reach, components and tiers of it (target 20 ms)", median(51, || plan(&graph, root)));

    let rows: Vec<Node> = (0..51).map(|_| nth(&graph, &names, numbers.below(SOURCES))).collect();
    let mut rows = rows.into_iter();
    let replace = median(51, || change_one(&mut graph, rows.next().unwrap()));
    report("replace the edges of one source", replace);
    println!("peak memory (target 300 MB): {} MB", peak_memory_kib() / 1024);
}

fn names() -> Names {
    let artifacts = (0..SOURCES).map(|n| format!("rpms/source-{n:05}#f44").parse().unwrap());
    let packages =
        (0..SOURCES * 2).map(|n| format!("source-{:05}-{}", n / 2, ["devel", "libs"][n % 2]));
    Names { artifacts: artifacts.collect(), packages: packages.collect() }
}

/// Every source needs a share of the core, a little of what stands near it, and a few edges close small cycles.
fn build(names: &Names, numbers: &mut Numbers) -> Graph {
    let mut builder = GraphBuilder::default();
    let each = EDGES / SOURCES;
    for dependent in 1..SOURCES {
        for n in 0..each + 2 {
            let dependency = match n {
                0..40 if dependent > CORE => near(dependent, numbers),
                _ => numbers.below(dependent.min(CORE)),
            };
            add(&mut builder, names, (dependent, dependency), numbers.below(16));
        }
    }
    // Cycles of two to six among neighbours, and a large one in the core, as with compilers and their tools.
    for start in (CORE..SOURCES - 8).step_by(400) {
        add(&mut builder, names, (start, start + 1 + start % 5), 0);
        add(&mut builder, names, (start + 1 + start % 5, start), 0);
    }
    for member in 1..400 {
        add(&mut builder, names, (member - 1, member), 0);
    }
    add(&mut builder, names, (399, 0), 0);
    builder.build()
}

/// A family of about a thousand in which each needs earlier members.
fn near(dependent: usize, numbers: &mut Numbers) -> usize {
    let family = dependent - dependent % 1_000;
    let first = family.max(CORE);
    if dependent == first { numbers.below(CORE) } else { first + numbers.below(dependent - first) }
}

fn add(builder: &mut GraphBuilder, names: &Names, edge: (usize, usize), choice: usize) {
    let kind = match choice {
        0 | 1 => EdgeKind::BuildRequires,
        2..5 => EdgeKind::Requires,
        _ => EdgeKind::Buildroot,
    };
    let (dependent, dependency) = edge;
    builder.add(NamedEdge {
        dependent: &names.artifacts[dependent],
        dependency: &names.artifacts[dependency],
        kind,
        package: &names.packages[dependency * 2 + choice % 2],
    });
}

fn nth(graph: &Graph, names: &Names, number: usize) -> Node {
    graph.node(&names.artifacts[number]).unwrap()
}

/// The source whose change reaches a number closest to a thousand.
fn root_of_a_thousand(graph: &Graph) -> Node {
    let far = |node: &Node| graph.reach(&[*node], |_| true).nodes().count().abs_diff(1_000);
    graph.nodes().skip(CORE).step_by(100).min_by_key(far).unwrap()
}

fn plan(graph: &Graph, root: Node) -> usize {
    let reached = graph.reach(&[root], |_| true);
    graph.components(reached.nodes(), |_| true).len()
}

/// Takes away a source's first edge, as a new build that needs one package less would.
fn change_one(graph: &mut Graph, node: Node) {
    let key = graph.key(node).clone();
    let kept: Vec<_> = graph
        .dependencies(node)
        .skip(1)
        .map(|edge| {
            let edge = graph.name(edge);
            (edge.dependency.clone(), edge.kind, edge.package.to_owned())
        })
        .collect();
    graph.replace(
        &key,
        kept.iter().map(|(dependency, kind, package)| NamedEdge {
            dependent: &key,
            dependency,
            kind: *kind,
            package,
        }),
    );
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let value = run();
    (value, start.elapsed())
}

fn median<T>(times: usize, mut run: impl FnMut() -> T) -> Duration {
    let mut taken: Vec<Duration> =
        (0..times).map(|_| timed(|| std::hint::black_box(run())).1).collect();
    taken.sort_unstable();
    taken[times / 2]
}

fn report(what: &str, median: Duration) {
    println!("{what}: {:.2} ms", median.as_secs_f64() * 1e3);
}

/// `VmHWM` of the process, in KiB.
fn peak_memory_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
