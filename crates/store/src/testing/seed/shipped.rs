//! What is shipped: images in layers, and composes.

use model::artifact::ArtifactKey;
use model::digest::Digest;
use model::id::BuildId;
use serde_json::{Value, json};

use super::{End, at, built, id};
use crate::error::Result;
use crate::{Store, Tx};

/// Stores one more image, of another branch say.
///
/// # Errors
/// What the database says.
pub async fn image(store: &Store, artifact: &ArtifactKey) -> Result<()> {
    let mut tx = store.begin().await?;
    let made = made(&["base-1-1.f44.x86_64"], &[], 10);
    built(&mut tx, 90, &artifact.to_string(), "1-1.f44", End::Made(made, Vec::new())).await?;
    tx.commit().await
}

fn made(contents: &[&str], parents: &[BuildId], size: u64) -> Value {
    let content = |nevra: &&str| json!({"nevra": nevra, "digest": Digest::of(nevra), "build": null, "direct": true});
    let contents: Vec<Value> = contents.iter().map(content).collect();
    json!({"kind": "image", "digest": Digest::of("manifest"), "size": size,
           "layers": [{"digest": Digest::of("layer"), "size": size}], "contents": contents, "parents": parents})
}

/// Images in two layers, and a compose with what changed in it.
pub(super) async fn all(tx: &mut Tx) -> Result<()> {
    let base = made(&["base-1-1.f44.x86_64"], &[], 10);
    built(tx, 20, "containers/base-image#f44", "1-1.f44", End::Made(base, Vec::new())).await?;
    let parents = [id(20)];
    let old = made(&["base-1-1.f44.x86_64", "lib-1-1.f44.x86_64"], &parents, 100);
    let new = made(&["lib-2-1.f44.x86_64", "app-1-1.f44.x86_64"], &parents, 90);
    built(tx, 21, "containers/web#f44", "1-1.f44", End::Made(old, Vec::new())).await?;
    built(tx, 22, "containers/web#f44", "1-1.f44", End::Made(new, Vec::new())).await?;
    for (number, lib, respin) in [(30, "lib-1-1.f44", 0), (31, "lib-2-1.f44", 1)] {
        let compose = compose(lib, respin);
        built(tx, number, "composes/server#f44", "1-1.f44", End::Made(compose, Vec::new())).await?;
    }
    Ok(())
}

fn compose(lib: &str, respin: u32) -> Value {
    let packages = [
        json!({"nevra": format!("{lib}.x86_64"), "source": format!("{lib}.src"), "build": id::<BuildId>(2),
        "file": format!("{lib}.x86_64.rpm"), "digest": Digest::of(lib), "size": 1_000}),
    ];
    let images = [
        json!({"name": "web", "nvr": "web-1-1.f44", "build": id::<BuildId>(21), "digest": Digest::of("manifest")}),
    ];
    let earlier = (respin > 0).then_some("Almanac-44-20260701.n.0");
    json!({
        "kind": "compose",
        "id": format!("Almanac-44-20260701.n.{respin}"),
        "release": {"name": "The Harbour Almanac", "short": "Almanac", "version": "44", "type": "ga", "sign_off": true},
        "created": at(20),
        "variants": {"Server": {"name": "Server", "arches": {"x86_64": {"packages": packages, "images": images}}}},
        "deliverables": [
            {"key": {"kind": "repository", "variant": "Server", "arch": "x86_64"}, "path": "Server/x86_64/os",
             "input": Digest::of("input"), "size": 1_000, "reused_from": null},
            {"key": {"kind": "source", "variant": "Server"}, "path": "Server/source/tree",
             "input": Digest::of("source"), "size": 1_000, "reused_from": earlier},
        ],
    })
}
