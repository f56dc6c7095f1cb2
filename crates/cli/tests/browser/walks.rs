//! What people do with the pages, one after the other on one server.

use crate::accessible;
use crate::driver::{Browser, ENTER, RIGHT};
use crate::server::Server;
use crate::sources::{Package, Spec};

const BOTH: &str = "--- !Policy
product_versions: [f44]
decision_context: millstream
subject_type: koji_build
rules:
  - !PassingTestCaseRule {test_case_name: tests.hello}
  - !PassingTestCaseRule {test_case_name: tests.other}
";
const OTHER_ONLY: &str = "--- !Policy
product_versions: [f44]
decision_context: millstream
subject_type: koji_build
rules:
  - !PassingTestCaseRule {test_case_name: tests.other}
";
const PASSES: &str = "#!/bin/sh\nexit 0\n";
const FAILS: &str = "#!/bin/sh\necho error: nobody is greeted\nexit 1\n";
/// Long enough to be followed, line by line.
const SLOW: &str = "for line in 1 2 3 4 5 6 7 8 9 10 11 12; do echo \"sounding $line\"; sleep 0.5; done\n\
                    echo '<b>no & markup</b>'";

#[test]
fn people_find_their_way() {
    let server = Server::start("[build]\ncapacity = 3\n");
    let browser = Browser::start(server.address());
    before_the_first_push(&browser);
    let lib = set_the_scene(&server);
    waive(&server, &browser);
    follow_a_build(&server, &browser);
    find_why_it_was_rebuilt(&browser);
    see_the_same_failure_elsewhere(&server, &browser);
    sign_off(&server, &browser, &lib);
    search(&browser);
    by_keyboard_alone(&browser);
    hold_and_release(&browser);
    assert_eq!(browser.complaints(), [""; 0]);
    accessible::check_every_page(&browser);
    accessible::check_a_phone(&browser);
    assert_eq!(browser.complaints(), [""; 0]);
}

fn before_the_first_push(browser: &Browser) {
    browser.open("/");
    browser.until_text("No message has come in yet.");
    for path in ["/plans", "/artifacts", "/builds", "/images", "/composes", "/gates", "/events"] {
        browser.open(path);
        assert_eq!(browser.script("return document.querySelectorAll('h1').length"), 1, "{path}");
    }
    browser.open("/");
}

/// A library whose test fails, a program that waits for it, and two packages that fail in one way.
fn set_the_scene(server: &Server) -> Package {
    let lib = Package::new(server, "lib");
    let spec = Spec::of("lib").write();
    let tests = [("tests/hello", FAILS), ("tests/other", PASSES)];
    lib.push(&[("lib.spec", &spec), ("gating.yaml", BOTH), tests[0], tests[1]]);
    let app = Spec::of("app").preamble("BuildRequires: lib\n").write();
    Package::new(server, "app").push_spec(&app);
    for name in ["odd", "even"] {
        Package::new(server, name).push_spec(&Spec::of(name).build("no-such-program").write());
    }
    lib
}

/// From the overview to the form, through a mistake in it, to the end of the plan, which shows by itself.
fn waive(server: &Server, browser: &Browser) {
    browser.until_text("tests.hello of rpms/lib#f44 failed: error: nobody is greeted");
    browser.until_text("rpms/lib#f44 held 1 step waits for it");
    browser.click_text("a.act", "Waive…");
    browser.click_text("button", "Waive");
    browser.until_text("Say who you are");
    assert_eq!(browser.script("return document.activeElement.tagName"), "BODY");
    browser.fill("#author", "Ann");
    browser.fill("#reason", "Nobody is at home.");
    browser.fill("#until", "01012001");
    browser.click_text("button", "Waive");
    browser.until_text("2001-01-01T00:00:00Z is past.");
    // What was entered is still there.
    assert_eq!(
        browser.script("return document.getElementById('reason').value"),
        "Nobody is at home."
    );
    browser.script("document.getElementById('until').value = ''; return null");
    browser.click_text("button", "Waive");
    browser.until_text("Ann: Nobody is at home.");
    assert_eq!(browser.path(), "/gates");
    let step = server.step("lib").unwrap();
    browser.open(&format!("/plans/{}", step["plan"]));
    // Nobody touches the page, and it changes.
    browser.until_text("lib-1-1.f44");
    browser.until("the program to be published", || {
        let published = "return [...document.querySelectorAll('a.node title, a.node')] \
                         .filter(e => (e.getAttribute('aria-label') ?? e.textContent).includes('is published')).length";
        browser.script(published).as_i64() >= Some(2)
    });
    browser.until_text("done");
}

/// A log that grows while one looks, in a build whose end shows by itself.
fn follow_a_build(server: &Server, browser: &Browser) {
    browser.open("/");
    Package::new(server, "slow").push_spec(&Spec::of("slow").build(SLOW).write());
    browser.click_text(".works a", "slow-1-1.f44");
    browser.until_text("sounding 2");
    assert!(browser.path().starts_with("/builds/"), "{}", browser.path());
    assert!(!browser.text().contains("sounding 12"), "it came too late to follow anything");
    browser.until_text("sounding 12");
    browser.until_text("<b>no & markup</b>");
    browser.until_text("succeeded");
    // Line by line, none twice.
    let lines =
        "return [...document.querySelectorAll('.line .number')].map(e => Number(e.textContent))";
    let lines: Vec<i64> = serde_json::from_value(browser.script(lines)).unwrap();
    assert!(lines.windows(2).all(|pair| pair[1] == pair[0] + 1), "{lines:?}");
    assert_eq!(lines.first(), Some(&1));
}

/// From its name to the commit that began it.
fn find_why_it_was_rebuilt(browser: &Browser) {
    browser.fill("#q", "app\u{e007}");
    browser.until("its page", || browser.path() == "/artifacts/rpms/app/f44");
    let chain =
        "return [...document.querySelectorAll('.chain > li')].map(e => e.innerText).join('|')";
    let chain = browser.script(chain).as_str().unwrap().to_owned();
    assert!(chain.contains("rpms/app#f44 published"), "{chain}");
    assert!(chain.contains("Change something"), "{chain}");
    browser.click(".chain .cause a");
    browser.until_text("Plans that answer it");
    assert!(browser.path().starts_with("/events/"), "{}", browser.path());
}

fn see_the_same_failure_elsewhere(server: &Server, browser: &Browser) {
    server.until_step("odd", "failed");
    server.until_step("even", "failed");
    browser.open("/builds?state=failed");
    browser.click_text("th a", "odd-1-1.f44");
    browser.click_text("summary", "The same failure in 1 other build");
    browser.until_text("even-1-1.f44");
    // The line that tells is in sight and marked.
    assert!(
        browser
            .script("return document.querySelector('.line[aria-current] span').innerText")
            .as_str()
            .unwrap()
            .contains("no-such-program")
    );
    browser.open("/");
    browser.until_text("1 thing waits for a person");
}

/// A commit takes a test out of the gate.
fn sign_off(server: &Server, browser: &Browser, lib: &Package) {
    lib.push(&[("gating.yaml", OTHER_ONLY), ("lib.spec", &Spec::of("lib").text("second").write())]);
    server.until_step("lib", "held");
    browser.open("/gates");
    browser.until_text("a commit removed it from its gate");
    browser.click_text("a.act", "Sign off…");
    // The name is remembered.
    assert_eq!(browser.script("return document.getElementById('author').value"), "Ann");
    browser.fill("#reason", "There is nobody to greet.");
    browser.click_text("button", "Sign off");
    browser.until_text("Ann: There is nobody to greet.");
    server.until_step("lib", "published");
    // The page does not wait for anybody.
    browser.until_text("No gate refuses anything.");
}

fn search(browser: &Browser) {
    browser.open("/plans");
    browser.press(['/']);
    browser.press("lo".chars());
    browser.press([ENTER]);
    browser.until_text("rpms/slow#f44");
    browser.open("/search?q=nothing%3Cscript%3E");
    browser.until_text("Nothing is called nothing<script>.");
    browser.fill("#q", "");
    browser.script("document.getElementById('q').value = ''; return null");
    browser.fill("#q", "app-1-1.f44\u{e007}");
    browser.until("the build's page", || browser.path().starts_with("/builds/"));
}

/// Without a mouse: past the navigation, into a plan, along its graph, to an artifact.
fn by_keyboard_alone(browser: &Browser) {
    browser.open("/");
    browser.tab_to("Skip to the content");
    browser.press([ENTER]);
    browser.tab_to("All plans");
    browser.press([ENTER]);
    browser.until("the plans", || browser.path() == "/plans");
    // The first plan is the oldest and has a graph of two.
    browser.tab_to("Change something");
    browser.open("/plans/1");
    browser.tab_to("rpms/");
    let first = browser.focused();
    assert!(first.contains(" is "), "a node says what it is: {first}");
    browser.until("what the node is about", || {
        browser.script("return document.querySelector('.tip')?.hidden === false") == true
    });
    let plan = server_plan_with_edges(browser);
    browser.open(&plan);
    browser.tab_to("rpms/lib#f44 is");
    browser.press([RIGHT]);
    assert!(browser.focused().starts_with("rpms/app#f44 is"), "{}", browser.focused());
    browser.press([ENTER]);
    browser.until("the artifact", || browser.path().starts_with("/artifacts/rpms/app/f44?plan="));
}

/// The newest plan whose graph has a line.
fn server_plan_with_edges(browser: &Browser) -> String {
    browser.open("/artifacts/rpms/app/f44");
    let links = "return [...document.querySelectorAll('section[aria-labelledby=planned] th a')] \
                 .map(e => new URL(e.href).pathname)";
    let links: Vec<String> = serde_json::from_value(browser.script(links)).unwrap();
    let has_line = |path: &&String| {
        browser.open(path);
        browser.script("return document.querySelectorAll('path.link[d]').length > 3") == true
    };
    links.iter().find(has_line).expect("one of its plans has a line").clone()
}

fn hold_and_release(browser: &Browser) {
    browser.open("/artifacts/rpms/app/f44");
    browser.click_text("a.act", "Hold or freeze");
    browser.fill("#reason", "Wait for the new library.");
    browser.click_text("button", "Stop it");
    browser.until_text("Wait for the new library.");
    assert_eq!(browser.path(), "/artifacts/rpms/app/f44");
    browser.click_text("a.act", "Release");
    browser.fill("#reason", "It is there.");
    browser.click_text("button", "Release it");
    browser.until_text("Hold or freeze");
}
