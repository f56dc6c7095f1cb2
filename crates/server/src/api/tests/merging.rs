//! What a plan built, merged in thought into what is published.

use std::path::PathBuf;

use serde_json::json;
use store::builds;

use super::scene::Scene;

/// A header in the making: entries, and what they point to.
#[derive(Default)]
struct Header {
    index: Vec<u8>,
    data: Vec<u8>,
}

impl Header {
    fn entry(mut self, tag: u32, kind: u32, count: usize, data: &[u8]) -> Self {
        for number in [tag, kind, self.data.len() as u32, count as u32] {
            self.index.extend(number.to_be_bytes());
        }
        self.data.extend(data);
        self
    }

    fn texts(self, tag: u32, texts: &[&str]) -> Self {
        let data: Vec<u8> = texts.iter().flat_map(|text| text.bytes().chain([0])).collect();
        self.entry(tag, if texts.len() == 1 { 6 } else { 8 }, texts.len(), &data)
    }

    /// Capabilities without a version.
    fn provides(self, names: [&str; 2]) -> Self {
        self.texts(1047, &names).entry(1112, 4, 2, &[0; 8]).texts(1113, &["", ""])
    }

    fn bytes(&self) -> Vec<u8> {
        let counts = [(self.index.len() / 16) as u32, self.data.len() as u32];
        let counts: Vec<u8> = counts.iter().flat_map(|count| count.to_be_bytes()).collect();
        [&[0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0][..], &counts, &self.index, &self.data].concat()
    }
}

/// The beginning of an RPM file, as far as anybody reads it here.
fn rpm(name: &str, provides: &str) -> Vec<u8> {
    let mut file = vec![0xed, 0xab, 0xee, 0xdb, 3, 0];
    file.resize(96, 0);
    file.extend(Header::default().bytes());
    let header = Header::default()
        .texts(1000, &[name])
        .texts(1001, &["2"])
        .texts(1002, &["1.f44"])
        .texts(1022, &["x86_64"])
        .texts(1044, &["lib-2-1.f44.src.rpm"])
        .provides([name, provides]);
    file.extend(header.bytes());
    file
}

/// The folder of the build that the plan's step has passed with.
async fn folder(scene: &Scene) -> PathBuf {
    let mut reader = scene.store.read().await.unwrap();
    let build = builds::by_number(&mut reader, scene.seed.new_build).await.unwrap().unwrap();
    scene.config.builds_root().join(build.id.to_string())
}

#[tokio::test]
async fn what_a_plan_built_is_merged_in_thought() {
    let scene = Scene::open().await;
    scene.publish("1", &[("lib", "libx.so.1", ""), ("app", "", "libx.so.1")]);
    let plan = scene.seed.plan;
    let path = format!("/api/v1/depcheck?branch=f44&plan={plan}");
    let (status, _, detail) = scene.get(&path).await.problem();
    assert_eq!((status, detail.contains("not kept any more")), (404, true), "{detail}");

    let folder = folder(&scene).await;
    std::fs::create_dir_all(&folder).unwrap();
    let write = |library: &str| {
        let file = |name: &str| folder.join(format!("{name}-2-1.f44.x86_64.rpm"));
        std::fs::write(file("lib"), rpm("lib", library)).unwrap();
        std::fs::write(file("lib-devel"), rpm("lib-devel", "pkgconfig(lib)")).unwrap();
    };
    write("libx.so.2");
    let found = scene.get(&path).await.json();
    assert_eq!(found["harmless"], false, "{found}");
    assert_eq!(found["added"], json!(["lib-2-1.f44.x86_64", "lib-devel-2-1.f44.x86_64"]));
    assert_eq!(found["removed"], json!(["lib-1-1.noarch"]));
    assert_eq!(found["broken"][0]["package"], "app-1-1.noarch");

    write("libx.so.1");
    let found = scene.get(&path).await.json();
    assert_eq!((&found["harmless"], &found["broken"]), (&json!(true), &json!([])));
    let both = scene.get(&format!("{path}&without=lib-devel")).await.problem();
    assert_eq!(both, (422, String::new(), "no package is called lib-devel".to_owned()));
    let both = scene.get(&format!("{path}&without=app")).await.json();
    assert_eq!((&both["harmless"], &both["removed"][0]), (&json!(true), &json!("app-1-1.noarch")));

    // A plan of which nothing waits to be published changes nothing.
    let waiting = scene.seed.waiting_plan;
    let found = scene.get(&format!("/api/v1/depcheck?branch=f44&plan={waiting}")).await.json();
    assert_eq!((&found["harmless"], &found["added"]), (&json!(true), &json!([])));
}

#[tokio::test]
async fn rich_dependencies_and_paths_are_asked_as_anything_else() {
    let scene = Scene::open().await;
    scene.publish("1", &[("lib", "libx.so.1", ""), ("app", "", "libx.so.1"), ("lib-ng", "", "")]);
    let ask = async |wishes: &str| {
        scene.get(&format!("/api/v1/resolve?branch=f44&install={wishes}")).await
    };
    let found = ask("(nothing%20or%20app)").await.json();
    assert_eq!(found["installed"], json!(["app-1-1.noarch", "lib-1-1.noarch"]));
    let found = ask("app,(lib-ng%20if%20libx.so.1)").await.json();
    assert_eq!(found["installed"][2], "lib-ng-1-1.noarch");
    let found = ask("(nothing%20or%20nobody)").await.json();
    let sentence = "nothing provides (nothing or nobody), which is asked for";
    assert_eq!(found["problems"], json!([sentence]));
    let found = ask("/usr/bin/nothing").await.json();
    let sentence = "nothing provides /usr/bin/nothing, which is asked for";
    assert_eq!(found["problems"], json!([sentence]));
    let (status, _, detail) = ask("(a%20or").await.problem();
    assert_eq!((status, detail.as_str()), (422, "`(a or`: the rich dependency ends too early"));
}
