//! `millstream demo`: pushes commits to an example distribution and shows how they travel.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use server::demo::{Demo, DemoReport, Distribution, FROM_NOTHING, Push, PushReport, Status, Told};

use super::serve::Stop;
use crate::arguments::Global;
use crate::failure::{Answer, Failure};
use crate::output;

/// How many names a line of progress holds.
const NAMES: usize = 4;

/// What to show, and how thoroughly.
///
/// The distribution is laid out as git repositories in the folder of `--data` (a new one, or that of an earlier demo,
/// which is emptied), built from nothing, and the pushes are made one after the other. What each causes is compared
/// with what it must cause. Ends with 0 if everything was as expected, else with 1.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The example distribution
    #[arg(long, value_name = "FOLDER", default_value = "examples/distribution")]
    distribution: PathBuf,
    /// Make these pushes only, in the distribution's order; 5a is enough for 5a-comment-in-c. What is expected of a
    /// push supposes that those before it were made
    #[arg(long = "push", value_name = "NAME", num_args = 1..)]
    pushes: Vec<String>,
    /// Where the server answers meanwhile; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: String,
    /// After each push, build everything anyway: what was left alone must come out as it was
    #[arg(long)]
    prove: bool,
    /// A Python that has productmd, such as scripts/python-venv makes: published composes are read with it too
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

/// Runs the demo to its end, or until it is interrupted.
pub(crate) async fn run(args: Args, global: &Global) -> Result<Answer, Failure> {
    let Some(data) = global.data() else {
        return Err(Failure::Usage("name a folder to work in with --data".to_owned()));
    };
    let python = args.python;
    let distribution = Distribution { python, ..Distribution::read(&args.distribution)? };
    let pushes = distribution.named(&args.pushes)?;
    let mut stop = Stop::listen()?;
    let mut demo = tokio::select! {
        () = stop.wait() => return interrupted(),
        demo = Demo::start(distribution, data, args.listen) => demo?,
    };
    let ended = tokio::select! {
        () = stop.wait() => None,
        report = show(&mut demo, (&pushes, args.prove), global) => Some(report),
    };
    tokio::select! {
        () = demo.stop() => {}
        () = stop.wait() => {}
    }
    let Some(report) = ended.transpose()? else { return interrupted() };
    output::answer(global, &report)?;
    Ok(Answer::of(report.as_expected))
}

fn interrupted() -> Result<Answer, Failure> {
    note("interrupted: the server has stopped, and the other pushes are left out");
    Ok(Answer::No)
}

async fn show(
    demo: &mut Demo,
    (pushes, prove): (&[Push], bool),
    global: &Global,
) -> Result<DemoReport, Failure> {
    introduce(demo, pushes, global)?;
    let (name, title) = FROM_NOTHING;
    announce(name, title, global)?;
    let mut view = View::new(name, global);
    let tree = demo.build_tree(prove, &mut |told| view.show(&told)).await?;
    view.end();
    print(&tree, global)?;
    let mut reports = vec![tree];
    for push in pushes {
        let expected = push.expected.replace('\n', "\n  ");
        announce(&push.name, &format!("{}\n  {expected}", push.title), global)?;
        let mut view = View::new(&push.name, global);
        let report = demo.push(push, prove, &mut |told| view.show(&told)).await?;
        view.end();
        print(&report, global)?;
        reports.push(report);
    }
    Ok(demo.report(reports))
}

fn introduce(demo: &Demo, pushes: &[Push], global: &Global) -> Result<(), Failure> {
    let text = format!(
        "{}, pushes to make: {}. The server answers on http://{}.\nUsers would point dnf at {}.\n",
        demo.distribution().counted(),
        pushes.len(),
        demo.address(),
        demo.repository().display(),
    );
    if global.json { Ok(()) } else { output::text_block(&format!("{text}\n")) }
}

fn announce(name: &str, text: &str, global: &Global) -> Result<(), Failure> {
    if global.json { Ok(()) } else { output::text_block(&format!("{name}: {text}\n")) }
}

fn print(report: &PushReport, global: &Global) -> Result<(), Failure> {
    if global.json { Ok(()) } else { output::text_block(&format!("{report}\n")) }
}

/// How progress is shown: a bar on a terminal, lines elsewhere. Both go to standard error.
enum View {
    Bar(ProgressBar),
    Lines { name: String, last: String },
}

impl View {
    fn new(name: &str, global: &Global) -> Self {
        if global.json || !std::io::stderr().is_terminal() {
            return Self::Lines { name: name.to_owned(), last: String::new() };
        }
        let bar = ProgressBar::new_spinner().with_message("the server looks at what was pushed");
        bar.set_style(style("  {spinner} {elapsed:>3}  {wide_msg}"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::Bar(bar)
    }

    fn show(&mut self, told: &Told<'_>) {
        let (position, message) = words(told);
        match self {
            Self::Bar(bar) => {
                if let Some((done, total)) = position {
                    let template =
                        "  {spinner} {elapsed:>3} [{bar:20}] {pos:>2}/{len:<2}  {wide_msg}";
                    bar.set_style(style(template));
                    bar.set_length(total as u64);
                    bar.set_position(done as u64);
                }
                bar.set_message(message);
            }
            Self::Lines { name, last } if *last != message => {
                note(&format!("{name}: {message}"));
                *last = message;
            }
            Self::Lines { .. } => {}
        }
    }

    fn end(self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

/// A fixed template is valid or not for good; the default one does as well.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

/// A line for whoever watches. That nobody does is no error.
fn note(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// How far it is, if that can be said, and what happens now.
fn words(told: &Told<'_>) -> (Option<(usize, usize)>, String) {
    match told {
        Told::Status(status) => (Some((status.settled, status.total)), status_words(status)),
        Told::Checking => (None, "checking what is published with other programs".to_owned()),
        Told::Proving(done, total) => {
            (Some((*done, *total)), "building everything anyway, to compare".to_owned())
        }
    }
}

fn status_words(status: &Status) -> String {
    let work = [list("building", &status.building), list("testing", &status.testing)];
    let work: Vec<String> = work.into_iter().flatten().collect();
    let tier = format!("tier {}/{}", status.tier, status.tiers);
    if work.is_empty() { tier } else { format!("{tier}, {}", work.join(", ")) }
}

fn list(what: &str, names: &[String]) -> Option<String> {
    let shown: Vec<&str> = names.iter().take(NAMES).map(String::as_str).collect();
    let more = match names.len().saturating_sub(NAMES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!shown.is_empty()).then(|| format!("{what} {}{more}", shown.join(", ")))
}
