//! Images made of packages, without a Containerfile.

use std::collections::BTreeMap;
use std::fs;

use adapters::image::{self, OwnKind};
use model::facet::Facet;
use model::image::ImageConfig;

use crate::fixtures::{BASE, read};
use crate::images::{Gallery, nevras, over, paths, programs};

#[tokio::test]
async fn packages_and_programs_become_an_image_and_others_stand_on_it() {
    let gallery = Gallery::new(101).await;
    let mut stage = programs("sh cat");
    stage.packages.clone_from(&gallery.base);
    let mut request = gallery.request("ground", vec![stage]);
    request.config = ImageConfig {
        entrypoint: vec!["/usr/bin/cat".to_owned(), "it's \"$x\"".to_owned()],
        cmd: vec!["a b".to_owned(), "c'd\"e$f\\g;h".to_owned(), String::new()],
        env: BTreeMap::from([("A".to_owned(), "b, $c \"d\"".to_owned())]),
        labels: BTreeMap::from([("org.example.x".to_owned(), "y=z, 'w'".to_owned())]),
        workdir: Some("/srv".to_owned()),
        user: Some("7".to_owned()),
    };
    let ground = gallery.built(request.clone()).await;
    assert_eq!(nevras(&ground), ["base-1.0-1.f44.x86_64"]);
    assert_eq!(ground.packages.len(), 2, "the stand-in for the toolchain is installed");
    assert_eq!(ground.layers.len(), 1);
    assert!(!ground.duration.is_zero());
    let layout = image::read_layout(&ground.oci).unwrap();
    assert_eq!(layout.config.config.entrypoint, request.config.entrypoint);
    assert_eq!(layout.config.config.cmd, request.config.cmd);
    assert_eq!((layout.tag.as_deref(), layout.digest), (Some("1-1.f44"), ground.digest));
    assert_eq!(image::collect(&request.output).unwrap(), Some(ground.clone()));
    let own = |path: &str| ground.files.iter().any(|file| file.path == path);
    assert!(own("/usr/bin/cat") && own("/usr/bin/sh"), "{:?}", ground.files);
    assert!(!own("/usr/lib64/libbase.so.1") && !own("/usr/lib/sysimage/rpm/rpmdb.sqlite"));

    request.output = gallery.bench.path("ground-again");
    let again = gallery.built(request).await;
    assert_eq!(again.digest, ground.digest, "the same tree, the same digest");

    let request = gallery.request("layered", vec![over(&ground, &gallery.user)]);
    let layered = gallery.built(request).await;
    assert_eq!(nevras(&layered), ["base-1.0-1.f44.x86_64", "user-2.0-1.f44.x86_64"]);
    assert_eq!(layered.layers[0], ground.layers[0]);
    let added = paths(&layered, 1);
    assert!(added.contains(&"usr/bin/user".to_owned()), "{added:?}");
    let old = |path: &String| path.contains("libbase") || path.contains("libc.so");
    assert!(!added.iter().any(old), "{added:?}");
    let config = image::read_layout(&layered.oci).unwrap().config.config;
    assert_eq!(config.working_dir, "/srv", "what is not said is the parent's");
    // Everything that is not a package's came with the parent.
    assert_eq!(layered.own_facets(), ground.own_facets());
    assert!(ground.own_facets()[&Facet::Content].iter().any(|line| line.contains("/usr/bin/cat")));
}

#[tokio::test]
async fn packages_that_do_not_fit_are_told_from_a_broken_recipe() {
    let gallery = Gallery::new(102).await;
    let mut stage = programs("sh");
    stage.packages.clone_from(&gallery.user);
    let request = gallery.request("user", vec![stage]);
    let output = request.output.clone();
    assert_eq!(
        gallery.refused(request).await,
        "rpm could not install the image's packages: libbase.so.1()(64bit) is needed by \
         user-2.0-1.f44.x86_64"
    );
    assert!(!output.exists());
    let refused = gallery.refused(gallery.request("none", vec![programs("no-such-program")])).await;
    assert!(refused.contains("the host has no program named no-such-program"), "{refused}");

    // A script of a package runs with devices and processes, and leaves the folders as they were.
    let script =
        "%post\necho hidden >/dev/null && [ -r /proc/self/status ] && echo seen >/seen\n%files\n";
    let spec = BASE.replace("%files\n", script);
    let scripted = gallery.bench.built(gallery.bench.request("scripted", &spec, &[])).await.rpms;
    let mut stage = programs("sh");
    stage.packages = scripted;
    let image = gallery.built(gallery.request("scripted", vec![stage])).await;
    let own = |path: &str| image.files.iter().find(|file| file.path == path);
    assert!(matches!(own("/seen").unwrap().kind, OwnKind::File { .. }));
    let in_devices = |path: &String| path.starts_with("dev/") || path.starts_with("proc/");
    let left: Vec<String> = paths(&image, 0).into_iter().filter(in_devices).collect();
    assert_eq!(left, ["dev/", "proc/"]);
}

#[tokio::test]
async fn a_damaged_image_is_not_believed() {
    let gallery = Gallery::empty(103).await;
    let image = gallery.built(gallery.request("ground", vec![programs("cat")])).await;
    let blob = image.oci.join("blobs/sha256").join(image.layers[0].digest.to_string());
    let whole = fs::read(&blob).unwrap();
    fs::write(&blob, &whole[1..]).unwrap();
    let request = gallery.request("layered", vec![over(&image, &[])]);
    let refused = gallery.refused(request.clone()).await;
    let expected = format!("blobs/sha256/{} of the image has ", image.layers[0].digest);
    assert!(refused.contains(&expected), "{refused}");
    fs::write(&blob, &whole).unwrap();
    gallery.built(request.clone()).await;
    // What is built already is not built again, unless its record is gone.
    fs::write(&request.log, "untouched").unwrap();
    gallery.built(request.clone()).await;
    assert_eq!(read(&request.log), "untouched");
}
