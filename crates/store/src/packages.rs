//! Packages by name: from which artifacts one was built, and which images and composes carry which version of it.
//!
//! What is in a build stands in its large sets; here is what is asked for by name.

use std::collections::BTreeSet;

use model::artifact::ArtifactKey;
use model::build::{Build, BuildOutput, Product};
use model::compose::ComposeOutput;
use model::digest::Digest;
use model::version::Evr;

use crate::connection::{Conn, Tx};
use crate::error::Result;
use crate::row::Row;
use crate::value::{Value, args};
use crate::{artifacts, sets};

/// What an image or a compose carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    /// A package.
    Package,
    /// An image.
    Image,
}

impl Carried {
    fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Image => "image",
        }
    }
}

/// One version of a package or an image, in a build of an image or a compose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// The image or the compose.
    pub artifact: ArtifactKey,
    /// The public number of its build.
    pub build: i64,
    /// The architecture of what it carries.
    pub arch: String,
    /// The version of what it carries.
    pub evr: Evr,
}

/// Remembers what a build made or carries, from the large set that holds its outputs.
pub(crate) async fn remember(tx: &mut Tx, build: &Build, output: Digest) -> Result<()> {
    let output: Option<BuildOutput> = sets::get_json(tx, output).await?;
    match output.map(|output| output.product) {
        Some(Product::Packages(made)) => {
            let names: BTreeSet<&str> =
                made.packages.iter().map(|package| package.nevra.name.as_str()).collect();
            remember_made(tx, build, names).await
        }
        Some(Product::Image(image)) => {
            let row = |nevra: &model::version::Nevra| {
                (Carried::Package, nevra.name.clone(), nevra.arch.clone(), nevra.evr.clone())
            };
            let rows = image.contents.iter().map(|package| row(&package.nevra)).collect();
            remember_carried(tx, build, rows).await
        }
        Some(Product::Compose(compose)) => remember_carried(tx, build, contents(&compose)).await,
        None => Ok(()),
    }
}

async fn remember_made(tx: &mut Tx, build: &Build, names: BTreeSet<&str>) -> Result<()> {
    let id = artifacts::ensure(tx, &build.artifact).await?;
    let values: Vec<Value> = names.into_iter().flat_map(|name| args![name, id]).collect();
    let sql = "INSERT INTO built_packages (name, artifact) VALUES {} ON CONFLICT DO NOTHING";
    tx.insert_rows(sql, 2, values).await
}

type Row4 = (Carried, String, String, Evr);

fn contents(compose: &ComposeOutput) -> Vec<Row4> {
    let mut rows = Vec::new();
    for (arch, composed) in compose.variants.values().flat_map(|variant| &variant.arches) {
        let package = |nevra: &model::version::Nevra| {
            (Carried::Package, nevra.name.clone(), nevra.arch.clone(), nevra.evr.clone())
        };
        rows.extend(composed.packages.iter().map(|found| package(&found.nevra)));
        rows.extend(composed.images.iter().map(|image| {
            (Carried::Image, image.name.to_string(), arch.to_string(), image.nvr.evr.clone())
        }));
    }
    rows
}

/// Keeps what is carried by this build, and forgets what builds before the published one carried.
async fn remember_carried(tx: &mut Tx, build: &Build, rows: Vec<Row4>) -> Result<()> {
    let id = artifacts::ensure(tx, &build.artifact).await?;
    let sql = "DELETE FROM carried WHERE artifact = $1 AND build < \
               (SELECT b.number FROM published p JOIN builds b ON b.id = p.build \
               WHERE p.artifact = $1)";
    tx.execute(sql, args![id]).await?;
    let mut values = Vec::with_capacity(rows.len() * 7);
    for (what, name, arch, evr) in rows {
        values.extend(args![what.as_str(), name, id, build.number, arch]);
        values.extend(args![evr.to_string(), evr.sort_key()]);
    }
    let sql = "INSERT INTO carried (what, name, artifact, build, arch, evr, evr_key) VALUES {} \
               ON CONFLICT DO NOTHING";
    tx.insert_rows(sql, 7, values).await
}

/// The artifacts that a package of this name was built from, sorted.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn makers(conn: &mut Conn, name: &str) -> Result<Vec<ArtifactKey>> {
    let sql = "SELECT p.artifact, a.kind, a.name, a.branch FROM built_packages p \
               JOIN artifacts a ON a.id = p.artifact WHERE p.name = $1 \
               ORDER BY a.name, a.kind, a.branch";
    let rows = conn.rows("built_packages", sql, args![name]).await?;
    let decode = |mut row: Row| {
        let _artifact: i64 = row.take()?;
        row.artifact()
    };
    rows.into_iter().map(decode).collect()
}

/// Which images and composes carry which versions of a package or an image, in their published and in newer builds.
///
/// # Errors
/// [`crate::Error::Unavailable`] or [`crate::Error::Inconsistent`].
pub async fn carriers(conn: &mut Conn, what: Carried, name: &str) -> Result<Vec<Carrier>> {
    let sql = "SELECT c.name, a.kind, a.name, a.branch, c.build, c.arch, c.evr FROM carried c \
               JOIN artifacts a ON a.id = c.artifact WHERE c.what = $1 AND c.name = $2 \
               ORDER BY a.name, a.kind, a.branch, c.build, c.arch, c.evr_key";
    let rows = conn.rows("carried", sql, args![what.as_str(), name]).await?;
    let decode = |mut row: Row| {
        let _name: String = row.take()?;
        let artifact = row.artifact()?;
        Ok(Carrier { artifact, build: row.take()?, arch: row.take()?, evr: row.parse()? })
    };
    rows.into_iter().map(decode).collect()
}
