//! Listings by filter and page, and what is looked up by name.

use model::artifact::ArtifactKind;
use model::build::{BuildOutput, BuildState, InstalledPackage, PackagesOutput, Product};
use model::decision::{Decision, DecisionKind};
use model::gate::{Waiver, WaiverKind};
use model::hold::{Hold, HoldKind};
use model::image::ImageOutput;
use model::package::Package;
use model::publication::{Generation, PublishedBuild};
use model::step::StepState;
use model::test::{Outcome, TestResult};
use store::artifacts::ArtifactFilter;
use store::builds::{NewBuild, Reservation};
use store::decisions::DecisionFilter;
use store::packages::Carried;
use store::publications::Standing;
use store::steps::StepFilter;
use store::{
    Page, artifacts, builds, decisions, events, holds, packages, plans, publications, results,
    sets, steps, waivers,
};

use crate::fixture::{
    artifact, at, both, branch, committed, digest, fence, id, new_build, plan, queued, succeeded,
};

#[tokio::test]
async fn artifacts_are_searched_by_name() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let keys =
            ["rpms/zlib#f44", "rpms/a_b#f44", "rpms/azb#f44", "rpms/zlib#f45", "rpms/ZLIB-ng#f44"];
        let keys = keys.map(|text| text.parse().unwrap());
        artifacts::ensure_all(&mut tx, &keys).await.unwrap();
        let mut search = async |filter: ArtifactFilter, after: Option<&str>, limit| {
            let after = after.map(|text| text.parse().unwrap());
            let found = artifacts::matching(&mut tx, &filter, after.as_ref(), limit).await.unwrap();
            found.iter().map(|found| found.key.to_string()).collect::<Vec<_>>().join(" ")
        };
        let any = ArtifactFilter::default;
        let all = "rpms/ZLIB-ng#f44 rpms/a_b#f44 rpms/azb#f44 rpms/zlib#f44 rpms/zlib#f45";
        assert_eq!(search(any(), None, 10).await, all);
        assert_eq!(search(any(), Some("rpms/azb#f44"), 1).await, "rpms/zlib#f44");
        let named = |name: &str| ArtifactFilter { name: Some(name.to_owned()), ..any() };
        assert_eq!(search(named("zlib"), None, 10).await, "rpms/zlib#f44 rpms/zlib#f45");
        let containing = |text: &str| ArtifactFilter { containing: Some(text.to_owned()), ..any() };
        assert_eq!(
            search(containing("Lib"), None, 10).await,
            "rpms/ZLIB-ng#f44 rpms/zlib#f44 rpms/zlib#f45"
        );
        assert_eq!(search(containing("a_"), None, 10).await, "rpms/a_b#f44");
        assert_eq!(search(containing("%"), None, 10).await, "");
        let of = ArtifactFilter {
            branch: Some("f45".parse().unwrap()),
            kind: Some(ArtifactKind::Rpms),
            ..containing("z")
        };
        assert_eq!(search(of, None, 10).await, "rpms/zlib#f45");
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_package_leads_to_who_makes_it() {
    both(|store| async move {
        let package = |name: &str| Package {
            nevra: format!("{name}-1.3-1.f44.x86_64").parse().unwrap(),
            file: format!("{name}-1.3-1.f44.x86_64.rpm"),
            digest: digest(name),
            size: 1,
            provides: Vec::new(),
            requires: Vec::new(),
        };
        let packages = PackagesOutput {
            packages: vec![package("zlib"), package("zlib-devel")],
            source_package: "zlib-1.3-1.f44.src.rpm".to_owned(),
            build_requires: Vec::new(),
        };
        let output = BuildOutput { product: Product::Packages(packages), facets: Vec::new() };
        let mut tx = store.begin().await.unwrap();
        let build = queued(&mut tx, 1, "zlib", "a").await;
        builds::start(&mut tx, &fence(&build, "me"), at(1)).await.unwrap();
        let BuildState::Succeeded { took, at: end, facets, .. } = succeeded(1) else { panic!() };
        let output = sets::put_json(&mut tx, &output).await.unwrap();
        let state = BuildState::Succeeded { took, at: end, facets, output };
        builds::finish(&mut tx, &fence(&build, "me"), state, at(2)).await.unwrap();
        assert_eq!(packages::makers(&mut tx, "zlib-devel").await.unwrap(), [artifact("zlib")]);
        assert_eq!(packages::makers(&mut tx, "png").await.unwrap(), []);

        let published = PublishedBuild { artifact: artifact("zlib"), build: build.id };
        let generation = Generation {
            branch: branch(),
            number: 1,
            plan: id(1),
            builds: vec![published.clone()],
            at: at(3),
            switched: None,
        };
        publications::begin_generation(&mut tx, &generation).await.unwrap();
        assert_eq!(publications::switched(&mut tx, &branch(), 1).await.unwrap(), None);
        publications::mark_switched(&mut tx, &branch(), 1, at(4)).await.unwrap();
        assert_eq!(publications::switched(&mut tx, &branch(), 1).await.unwrap(), Some(at(4)));
        assert_eq!(publications::switched(&mut tx, &branch(), 2).await.unwrap(), None);
        let keys = [artifact("zlib"), artifact("png")];
        let standing = publications::standing(&mut tx, &keys).await.unwrap();
        assert_eq!(standing, [Standing { published, generation: 1 }]);
        tx.commit().await.unwrap();
    })
    .await;
}

fn image(contents: &[&str]) -> Product {
    let package = |nevra: &&str| InstalledPackage {
        nevra: nevra.parse().unwrap(),
        digest: digest(nevra),
        build: None,
        direct: true,
    };
    Product::Image(ImageOutput {
        digest: digest("manifest"),
        size: 1,
        layers: Vec::new(),
        contents: contents.iter().map(package).collect(),
        parents: Vec::new(),
    })
}

#[tokio::test]
async fn what_an_image_carries_is_found_by_name() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let web: model::artifact::ArtifactKey = "containers/web#f44".parse().unwrap();
        let mut numbers = Vec::new();
        for (number, contents) in [
            (1, &["zlib-1.3-1.f44.x86_64", "png-2-1.f44.x86_64"][..]),
            (2, &["zlib-1.3-2.f44.x86_64"]),
            (3, &["zlib-1.3-3.f44.x86_64"]),
        ] {
            let new =
                NewBuild { artifact: web.clone(), ..new_build(number, "web", &number.to_string()) };
            let Reservation::New(build) = builds::reserve(&mut tx, &new).await.unwrap() else {
                panic!()
            };
            builds::start(&mut tx, &fence(&build, "me"), at(1)).await.unwrap();
            let output = BuildOutput { product: image(contents), facets: Vec::new() };
            let output = sets::put_json(&mut tx, &output).await.unwrap();
            let BuildState::Succeeded { took, at: end, facets, .. } = succeeded(1) else {
                panic!()
            };
            let state = BuildState::Succeeded { took, at: end, facets, output };
            builds::finish(&mut tx, &fence(&build, "me"), state, at(2)).await.unwrap();
            numbers.push(build.number);
            if number == 2 {
                let published = PublishedBuild { artifact: web.clone(), build: build.id };
                let generation = Generation {
                    branch: branch(),
                    number: 1,
                    plan: id(1),
                    builds: vec![published],
                    at: at(3),
                    switched: None,
                };
                publications::begin_generation(&mut tx, &generation).await.unwrap();
                publications::mark_switched(&mut tx, &branch(), 1, at(4)).await.unwrap();
            }
        }
        let found = packages::carriers(&mut tx, Carried::Package, "zlib").await.unwrap();
        let told: Vec<(i64, String)> =
            found.iter().map(|carrier| (carrier.build, carrier.evr.to_string())).collect();
        // What came before the published build is forgotten when a newer one comes.
        assert_eq!(
            told,
            [(numbers[1], "1.3-2.f44".to_owned()), (numbers[2], "1.3-3.f44".to_owned())]
        );
        assert_eq!((found[0].artifact.clone(), found[0].arch.as_str()), (web.clone(), "x86_64"));
        assert_eq!(packages::carriers(&mut tx, Carried::Package, "png").await.unwrap(), []);
        assert_eq!(packages::carriers(&mut tx, Carried::Image, "zlib").await.unwrap(), []);
        let newest = builds::newest_succeeded(&mut tx, &[web, artifact("x")]).await.unwrap();
        assert_eq!(newest.iter().map(|build| build.number).collect::<Vec<_>>(), [numbers[2]]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn steps_are_listed_newest_plan_first() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let (first, first_steps) = plan(1, &["zlib", "png"]);
        let (second, second_steps) = plan(2, &["zlib"]);
        let one = plans::insert(&mut tx, &first, &first_steps).await.unwrap();
        let two = plans::insert(&mut tx, &second, &second_steps).await.unwrap();
        assert_eq!(plans::id_of(&mut tx, two).await.unwrap(), Some(second.id));
        assert_eq!(plans::id_of(&mut tx, 99).await.unwrap(), None);
        let numbers = plans::numbers(&mut tx, &[second.id, second.id, id(99)]).await.unwrap();
        assert_eq!(numbers, [(second.id, two)].into());
        let event = events::insert(&mut tx, id(5), &committed("zlib", 1), at(1)).await.unwrap();
        let numbers = events::numbers(&mut tx, &[id(5), id(99)]).await.unwrap();
        assert_eq!(numbers, [(id(5), event)].into());
        let mut step = first_steps[0].clone();
        step.state = StepState::Unneeded;
        steps::update(&mut tx, &step).await.unwrap();
        let mut list = async |filter: StepFilter, before, limit| {
            let found = steps::list(&mut tx, &filter, before, limit).await.unwrap();
            let place = |found: &steps::PlacedStep| (found.plan_number, found.step.index);
            found.iter().map(place).collect::<Vec<_>>()
        };
        let any = StepFilter::default;
        assert_eq!(list(any(), None, 10).await, [(two, 0), (one, 1), (one, 0)]);
        assert_eq!(list(any(), Some((two, 0)), 1).await, [(one, 1)]);
        let of_plan = StepFilter { plan: Some(one), ..any() };
        assert_eq!(list(of_plan, None, 10).await, [(one, 1), (one, 0)]);
        let zlib = StepFilter { artifact: Some(artifact("zlib")), ..any() };
        assert_eq!(list(zlib.clone(), None, 10).await, [(two, 0), (one, 0)]);
        assert_eq!(list(StepFilter { unsettled: true, ..zlib }, None, 10).await, [(two, 0)]);
        let unneeded = StepFilter { state: Some("unneeded".to_owned()), ..any() };
        assert_eq!(list(unneeded, None, 10).await, [(one, 0)]);
        let unknown = StepFilter { artifact: Some(artifact("x")), ..any() };
        assert_eq!(list(unknown, None, 10).await, []);
        let counts = |states: &[&str]| states.iter().map(|&state| (state.to_owned(), 1)).collect();
        assert_eq!(
            steps::counts(&mut tx, &[one, two]).await.unwrap(),
            [(one, counts(&["unneeded", "waiting"])), (two, counts(&["waiting"]))].into()
        );
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one scene, asked in every way there is")]
async fn results_decisions_waivers_and_holds_are_filtered() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        queued(&mut tx, 1, "zlib", "a").await;
        queued(&mut tx, 2, "png", "a").await;
        let result = |number: u128, name: &str, build: u128| TestResult {
            id: id(number),
            run: None,
            artifact: artifact(name),
            build: id(build),
            case: "tests.hello".to_owned(),
            outcome: Outcome::Passed,
            note: String::new(),
            at: at(1),
        };
        let stored = [result(1, "zlib", 1), result(2, "png", 2)];
        results::insert_many(&mut tx, &stored).await.unwrap();
        let all = results::list(&mut tx, None, None, Page::default()).await.unwrap();
        assert_eq!(all.iter().map(|found| found.result.id).collect::<Vec<_>>(), [id(2), id(1)]);
        let zlib = artifact("zlib");
        let one = results::list(&mut tx, None, Some(&zlib), Page::default()).await.unwrap();
        assert_eq!(one, results::list(&mut tx, Some(id(1)), None, Page::default()).await.unwrap());
        assert_eq!(one[0].result, stored[0]);
        let unknown = artifact("x");
        assert_eq!(
            results::list(&mut tx, None, Some(&unknown), Page::default()).await.unwrap(),
            []
        );

        let decision = |kind| Decision {
            kind,
            at: at(1),
            event: None,
            plan: None,
            artifact: None,
            sentence: "so".to_owned(),
            detail: serde_json::Value::Null,
        };
        let lines = [decision(DecisionKind::PublishRefused), decision(DecisionKind::Passed)];
        decisions::append_many(&mut tx, &lines).await.unwrap();
        let filter =
            DecisionFilter { kind: Some(DecisionKind::PublishRefused), ..Default::default() };
        let found = decisions::list(&mut tx, &filter, Page::default()).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].decision, lines[0]);
        let again = decisions::by_number(&mut tx, found[0].number).await.unwrap();
        assert_eq!(again.as_ref(), Some(&found[0]));
        assert_eq!(decisions::by_number(&mut tx, 99).await.unwrap(), None);

        let waiver = |number: u128, kind| Waiver {
            id: id(number),
            artifact: artifact("zlib"),
            case: "tests.hello".to_owned(),
            nvr: None,
            kind,
            author: "ann".to_owned(),
            reason: "so".to_owned(),
            at: at(1),
            end: None,
        };
        waivers::insert(&mut tx, &waiver(1, WaiverKind::Waiver)).await.unwrap();
        let number = waivers::insert(&mut tx, &waiver(2, WaiverKind::SignOff)).await.unwrap();
        let kind = Some(WaiverKind::SignOff);
        let found = waivers::list(&mut tx, None, kind, Page::default()).await.unwrap();
        assert_eq!(found.len(), 1);
        let again = waivers::by_number(&mut tx, number).await.unwrap();
        assert_eq!(again.as_ref(), Some(&found[0]));

        let hold = |number: u128, end: Option<i64>, released: Option<i64>| Hold {
            id: id(number),
            kind: HoldKind::Freeze,
            artifact: artifact("zlib"),
            author: "ann".to_owned(),
            reason: "so".to_owned(),
            at: at(1),
            end: end.map(at),
            released: released.map(at),
        };
        holds::insert(&mut tx, &hold(1, Some(5), None)).await.unwrap();
        holds::insert(&mut tx, &hold(2, None, Some(2))).await.unwrap();
        let number = holds::insert(&mut tx, &hold(3, None, None)).await.unwrap();
        let mut in_force = async |second| {
            let now = Some(at(second));
            let found = holds::list(&mut tx, None, now, Page::default()).await.unwrap();
            found.iter().map(|found| found.hold.id).collect::<Vec<_>>()
        };
        assert_eq!(in_force(0).await, []);
        assert_eq!(in_force(4).await, [id(3), id(1)]);
        assert_eq!(in_force(5).await, [id(3)]);
        let again = holds::by_number(&mut tx, number).await.unwrap().unwrap();
        assert_eq!(again.hold, hold(3, None, None));
        tx.commit().await.unwrap();
    })
    .await;
}
