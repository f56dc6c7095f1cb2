//! The picture itself: SVG with a link and a title for each node, which a keyboard reaches as well.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use maud::{Markup, html};
use model::plan::{Plan, StepIndex};
use model::reason::Reason;
use pipeline::plan::report::StepReport;

use super::layout::Place;
use super::{Cell, Sketch};
use crate::ui::assets;
use crate::ui::charts::short;
use crate::ui::links::artifact_url;
use crate::ui::words::look;

/// The height of a node.
const HEIGHT: f64 = 44.0;
/// The mean width of a letter of the name, and what stands around the name.
const LETTER: f64 = 8.2;
const AROUND: f64 = 34.0;
/// The room of the mark where the change began.
const MARK: f64 = 14.0;
/// How many letters of a name are shown.
const LETTERS: usize = 22;

/// A plan as it stands, for the picture.
pub(in crate::ui) struct Shown<'a> {
    pub(in crate::ui) number: i64,
    pub(in crate::ui) plan: &'a Plan,
    /// The name of each step's state.
    pub(in crate::ui) states: &'a [&'static str],
    /// The whole story of the steps that have a node of their own.
    pub(in crate::ui) reports: &'a BTreeMap<StepIndex, StepReport>,
    /// At how many edges a change stopped, by the step it stopped behind.
    pub(in crate::ui) stops: &'a BTreeMap<StepIndex, usize>,
}

/// Width and height of a node.
pub(super) fn size(cell: &Cell, plan: &Plan) -> (f64, f64) {
    let (letters, mark) = match cell {
        Cell::Step(step) => {
            let step = &plan.steps[*step];
            let letters = step.artifact.name.as_str().len().clamp(9, LETTERS);
            (letters, if step.root.is_some() { MARK } else { 0.0 })
        }
        Cell::Tier { .. } | Cell::Cycle { .. } => (18, 0.0),
    };
    (letters as f64 * LETTER + AROUND + mark, HEIGHT)
}

/// The picture of a plan.
pub(in crate::ui) fn picture(sketch: &Sketch, shown: &Shown<'_>) -> Markup {
    let positions = &sketch.positions;
    let (width, height) = (short(positions.width), short(positions.height));
    // Large pictures shrink to what can be read, beyond which they are moved about.
    let room = format!("room-{}", (positions.width / 200.0).ceil().clamp(1.0, 12.0));
    html! {
        svg class={ "picture " (room) } viewBox={ "0 0 " (width) " " (height) } width=(width)
            height=(height) role="group" aria-label="The plan as a graph" {
            g.links aria-hidden="true" {
                @for (link, way) in sketch.folded.links.iter().zip(&positions.edges) {
                    @let cells = (&sketch.folded.cells[link.from], &sketch.folded.cells[link.to]);
                    @let ends = (positions.nodes[link.from], positions.nodes[link.to]);
                    @let sizes = (size(cells.0, shown.plan).0, size(cells.1, shown.plan).0);
                    path class={ "link " (shown.travelled(cells.0, cells.1)) }
                        d=(curve(&level(way, ends, sizes))) {}
                }
            }
            @for (index, cell) in sketch.folded.cells.iter().enumerate() {
                (shown.node(cell, positions.nodes[index]))
            }
        }
    }
}

impl Shown<'_> {
    fn node(&self, cell: &Cell, place: Place) -> Markup {
        let (width, height) = size(cell, self.plan);
        let (x, y) = (place.x - width / 2.0, place.y - height / 2.0);
        let corner = format!("translate({} {})", short(x), short(y));
        match cell {
            Cell::Step(step) => self.step(*step, &corner, width),
            Cell::Tier { tier, members } => {
                let name = format!("{} in tier {tier}", members.len());
                self.group((&name, &format!("tier={tier}")), members, &corner, width)
            }
            Cell::Cycle { members, .. } => {
                let first = &self.plan.steps[members[0]].artifact;
                let name = format!("cycle of {}", members.len());
                self.group((&name, &format!("q={}", first.name)), members, &corner, width)
            }
        }
    }

    fn step(&self, step: StepIndex, corner: &str, width: f64) -> Markup {
        let planned = &self.plan.steps[step];
        let state = self.state(step);
        let (icon, tone) = look(state);
        let why = self.reports.get(&step).map(StepReport::explanation).unwrap_or_default();
        let stops = self.stops.get(&step).copied().unwrap_or(0);
        let url = format!("{}?plan={}", artifact_url(&planned.artifact), self.number);
        html! {
            a class={ "node tone-" (tone) } id={ "node-" (step) } href=(url) transform=(corner) {
                title { (planned.artifact) " is " (state) ": " (why) }
                rect.box width=(short(width)) height=(short(HEIGHT)) rx="6" {}
                rect.edge x="6" y="9" width="3" height=(short(HEIGHT - 18.0)) rx="1.5" {}
                text.name x="16" y="18" { (cut(planned.artifact.name.as_str())) }
                use.icon x="16" y="24" width="14" height="14"
                    href={ (assets::url("icons.svg")) "#" (icon) } {}
                text.word x="34" y="35" { (state) }
                @if planned.root.is_some() { circle.root cx=(short(width - 12.0)) cy="14" r="4" {} }
                @if stops > 0 {
                    text.mark x=(short(width - 8.0)) y="35" text-anchor="end" { (stops) " ⊣" }
                }
            }
        }
    }

    fn group(
        &self,
        (name, query): (&str, &str),
        members: &[StepIndex],
        corner: &str,
        width: f64,
    ) -> Markup {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        members.iter().for_each(|step| *counts.entry(self.state(*step)).or_default() += 1);
        let said: Vec<String> =
            counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let scale = (width - 28.0) / members.len().max(1) as f64;
        let mut bars = Vec::new();
        let mut at = 14.0;
        for (state, count) in counts {
            let length = count as f64 * scale;
            bars.push((look(state).1, short(at), short(length)));
            at += length;
        }
        html! {
            a.node.group href={ "/plans/" (self.number) "?" (query) "#steps" } transform=(corner) {
                title { (name) ": " (said.join(", ")) }
                rect.box.behind x="4" y="4" width=(short(width)) height=(short(HEIGHT)) rx="6" {}
                rect.box width=(short(width)) height=(short(HEIGHT)) rx="6" {}
                text.name x="14" y="20" { (name) }
                @for (tone, x, length) in bars {
                    rect class={ "fill-" (tone) } x=(x) y="28" width=(length) height="6" {}
                }
            }
        }
    }

    fn state(&self, step: StepIndex) -> &'static str {
        self.states.get(step).copied().unwrap_or("waiting")
    }

    /// Whether the change travelled along a line, stopped on it, or is still to come.
    fn travelled(&self, from: &Cell, to: &Cell) -> &'static str {
        let (Cell::Step(from), Cell::Step(to)) = (from, to) else { return "to-come" };
        let dependency = &self.plan.steps[*from].artifact;
        let Some(report) = self.reports.get(to) else { return "to-come" };
        match inner(&report.reason) {
            Reason::Listens { edge, .. }
            | Reason::RequirementLost { edge, .. }
            | Reason::UsesAtRunTime { edge, .. }
                if edge.dependency == *dependency =>
            {
                "carried"
            }
            Reason::Reached { .. } => "to-come",
            // It is rebuilt whatever comes along its edges.
            Reason::SourceChanged { .. } | Reason::Requested { .. } => "beside",
            _ if matches!(self.state(*from), "waiting" | "rebuild" | "building") => "to-come",
            _ => "stopped",
        }
    }
}

fn inner(reason: &Reason) -> &Reason {
    match reason {
        Reason::Bootstrapped { because } => inner(because),
        reason => reason,
    }
}

/// A name as far as it fits.
fn cut(name: &str) -> String {
    match name.len() > LETTERS {
        // Names are ASCII.
        true => format!("{}…", &name[..LETTERS - 1]),
        false => name.to_owned(),
    }
}

/// A way that leaves in the middle of a node's right side and arrives in the middle of another's left side, if it leads
/// to the right; else as it is.
fn level(
    way: &[Place],
    (from, to): (Place, Place),
    (from_width, to_width): (f64, f64),
) -> Vec<Place> {
    let mut way = way.to_vec();
    let (start, end) = (from.x + from_width / 2.0, to.x - to_width / 2.0);
    if start < end && way.len() >= 2 {
        let last = way.len() - 1;
        way[0] = Place { x: start, y: from.y };
        way[last] = Place { x: end, y: to.y };
    }
    way
}

/// A line that leaves and arrives level, whatever it does between.
fn curve(way: &[Place]) -> String {
    let mut path = String::new();
    let Some(first) = way.first() else { return path };
    // Writing to a string cannot fail.
    let _ = write!(path, "M{} {}", short(first.x), short(first.y));
    for pair in way.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        let middle = short((a.x + b.x) / 2.0);
        let (ay, bx, by) = (short(a.y), short(b.x), short(b.y));
        let _ = write!(path, "C{middle} {ay} {middle} {by} {bx} {by}");
    }
    path
}
