//! Shadow mode: it plans and reports, and nothing of it starts, then or later.

use serde_json::{Value, json};

use crate::server::Server;
use crate::sources::{Package, Spec};

#[test]
fn what_is_planned_in_the_shadow_never_starts() {
    let mut server = Server::prepare(None, "");
    server.run(&["--shadow"]);
    let (base, user) = (Package::new(&server, "base"), Package::new(&server, "user"));
    base.push_spec(&Spec::of("base").write());
    user.push_spec(&Spec::of("user").preamble("BuildRequires: base\n").write());
    server.until_event("user", "planned");
    base.push_spec(&Spec::of("base").text("second").write());
    let report = server.until("a plan that reaches the user", || {
        let report = server.json(&["shadow", "report"]);
        (artifacts(&report["only_we"]) == ["rpms/base#f44", "rpms/user#f44"]).then_some(report)
    });
    assert_eq!(report["first_seen"], 2, "{report}");
    let certainty = |index: usize| report["only_we"][index]["certainty"].as_str();
    assert_eq!((certainty(0), certainty(1)), (Some("certain"), Some("depends-on-facets")));
    others_build(&server);
    nothing_starts(&server);

    // Nor does it when the shadow is gone, although this server acts.
    assert!(server.stop().success());
    server.run(&[]);
    let other = Package::new(&server, "other");
    other.push_spec(&Spec::of("other").write());
    server.until_step("other", "published");
    nothing_starts(&server);
    assert_eq!(server.published(), ["other-1-1.f44.noarch.rpm"]);
    // The next commit is built like any other.
    base.push_spec(&Spec::of("base").text("third").write());
    server.until_step("base", "published");
    assert_eq!((server.builds("base").len(), server.builds("user").len()), (1, 0));
}

/// Builds of others come as messages, ours and a Koji hub's.
fn others_build(server: &Server) {
    let send = |id: &str, topic: &str, body: Value| {
        let message = json!({ "id": id, "topic": topic, "body": body });
        assert_eq!(server.post(None, &message.to_string()).0, 202);
    };
    let body = json!({ "artifact": "rpms/base#f44", "nvr": "base-1-1.f44", "system": "hands" });
    send("1", "millstream.built", body);
    let body = json!({
        "name": "vim", "version": "9", "release": "1.f44", "tag": "f44", "owner": "ann", "instance": "primary",
    });
    send("2", "org.fedoraproject.prod.buildsys.tag", body.clone());
    let mut elsewhere = body;
    elsewhere["tag"] = json!("f99");
    send("3", "org.fedoraproject.prod.buildsys.tag", elsewhere);
    let report = server.until("the builds to be reported", || {
        let report = server.json(&["shadow", "report"]);
        (!artifacts(&report["only_they"]).is_empty()).then_some(report)
    });
    assert_eq!(artifacts(&report["both"]), ["rpms/base#f44"], "{report}");
    assert_eq!(artifacts(&report["only_they"]), ["rpms/vim#f44"], "{report}");
    let markdown = server.done(&["shadow", "report", "--markdown"]);
    let line = "- rpms/vim#f44: vim-9-1.f44 by ann, ";
    assert!(markdown.contains("### Only they (1)") && markdown.contains(line), "{markdown}");
}

fn nothing_starts(server: &Server) {
    assert_eq!((server.builds("base"), server.builds("user")), (vec![], vec![]));
    let status = server.json(&["status"]);
    assert_eq!(status["open_plans"], json!([]), "{status}");
    let plans = server.json(&["plan", "list"]);
    let of_base = |plan: &Value| {
        let plan = server.json(&["plan", "show", &plan["number"].to_string()]);
        artifacts(&plan["steps"]).iter().any(|artifact| artifact == "rpms/base#f44")
    };
    let shadows = plans.as_array().unwrap().iter().filter(|plan| of_base(plan));
    let states: Vec<&str> = shadows.map(|plan| plan["state"].as_str().unwrap()).collect();
    assert!(states.len() >= 2 && states.iter().all(|state| *state == "shadow"), "{plans}");
}

fn artifacts(list: &Value) -> Vec<String> {
    let entries = list.as_array().into_iter().flatten();
    entries.map(|entry| entry["artifact"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_stage_that_acts_does_not_run_in_the_shadow() {
    let server = Server::prepare(None, "");
    let said = server.cli(&["serve", "--shadow", "--role", "build"]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("build does not run in shadow mode"), "{said:?}");
}
