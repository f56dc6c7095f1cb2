//! Whether everybody can use the pages: axe finds nothing serious, light and dark, and a phone is wide enough.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::driver::Browser;

/// The checker, fetched on the first run.
fn axe() -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("node-tools");
    let fetched = Command::new(root.join("scripts/node-tools")).arg(&folder).status();
    assert!(fetched.expect("the script runs").success(), "scripts/node-tools could not fetch axe");
    std::fs::read_to_string(folder.join("node_modules/axe-core/axe.min.js")).unwrap()
}

/// One page of each kind, found as a person finds them.
fn pages(browser: &Browser) -> Vec<String> {
    let mut pages: Vec<String> =
        ["/", "/plans", "/artifacts", "/builds", "/gates", "/events", "/images", "/composes"]
            .map(str::to_owned)
            .to_vec();
    for list in ["/plans", "/artifacts", "/builds", "/builds?state=failed", "/events"] {
        browser.open(list);
        let first = browser.script(
            "const a = document.querySelector('th a'); return a ? new URL(a.href).pathname : null",
        );
        pages.extend(first.as_str().map(str::to_owned));
    }
    for page in ["/search?q=l", "/search", "/session", "/nowhere", "/plans/1?state=failed"] {
        pages.push(page.to_owned());
    }
    for form in [
        "/gates/waive?artifact=rpms/lib%23f44&case=tests.hello&nvr=lib-1-1.f44",
        "/holds/new?artifact=rpms/lib%23f44",
        "/requests/new?artifact=rpms/lib%23f44&request=rebuild",
    ] {
        pages.push(form.to_owned());
    }
    pages
}

/// Nothing serious or critical anywhere, in both themes.
pub(crate) fn check_every_page(browser: &Browser) {
    let axe = axe();
    let mut found = BTreeSet::new();
    for page in pages(browser) {
        browser.open(&page);
        browser.script(&format!("{axe}; return null"));
        for theme in ["light", "dark"] {
            browser.prefer(theme);
            for violation in violations(browser) {
                found.insert(format!("{page} ({theme}): {violation}"));
            }
        }
    }
    browser.prefer("light");
    assert_eq!(Vec::from_iter(found), [""; 0]);
}

fn violations(browser: &Browser) -> Vec<String> {
    // A checker that checks nothing finds nothing.
    let script = "return axe.run(document).then(result => result.passes.length < 10 ? ['axe did not run'] : result.violations \
                  .filter(v => ['serious', 'critical'].includes(v.impact)) \
                  .map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.target.join(' ') + ' ' + \
                  (n.any[0]?.message ?? '')).slice(0, 3).join('; ')}`))";
    let found = browser.script(script);
    found.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Nothing is wider than a phone but what can be moved about by itself.
pub(crate) fn check_a_phone(browser: &Browser) {
    browser.size(400, 860);
    for page in pages(browser) {
        browser.open(&page);
        let width = browser.script("return document.documentElement.scrollWidth");
        assert!(width.as_i64() <= Some(400), "{page} is {width} wide");
    }
    browser.size(1400, 900);
}
