//! The OpenAPI schemas of what is written as one text. The other types derive theirs.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::artifact::{ArtifactKey, ArtifactName, BranchName, CommitId};
use crate::compose::{ArchName, ComposeId, ReleaseShort, ReleaseVersion, VariantId};
use crate::digest::Digest;
use crate::id::{BuildId, EventId, HoldId, OutboxId, PlanId, ResultId, TestRunId, WaiverId};
use crate::rule::{Hours, RuleId};
use crate::version::{Evr, Nevra, Nvr};

macro_rules! texts {
    ($($type:ident: $description:literal, $pattern:literal, $example:literal;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .pattern(Some($pattern))
                    .examples([serde_json::Value::from($example)])
                    .into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )*};
}

texts! {
    ArtifactName: "The name of an artifact, as of an RPM package.",
        r"^[A-Za-z0-9_][A-Za-z0-9._+-]{0,254}$", "zlib";
    BranchName: "The name of a dist-git branch.",
        r"^[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$", "f44";
    CommitId: "A git commit.",
        r"^([0-9a-f]{40}|[0-9a-f]{64})$", "3f2c1d0b9a8e7f6d5c4b3a29181716151413121f";
    ArtifactKey: "The identity of an artifact: kind, name and branch.",
        r"^(rpms|containers|composes)/[A-Za-z0-9_][A-Za-z0-9._+-]*#[A-Za-z0-9_][A-Za-z0-9._+-]*(/[A-Za-z0-9_][A-Za-z0-9._+-]*)*$", "rpms/zlib#f44";
    ComposeId: "The id of a compose, as productmd writes it.",
        r"^[A-Za-z].*-[0-9]{8}.*$", "Almanac-44-20260701.n.0";
    ReleaseShort: "The short name of a release.",
        r"^[A-Za-z][A-Za-z0-9-]*$", "Almanac";
    ReleaseVersion: "The version of a release.",
        r"^[A-Za-z0-9][A-Za-z0-9._]*$", "44";
    VariantId: "The id of a variant.",
        r"^[A-Za-z0-9]{1,64}$", "Server";
    ArchName: "An architecture.",
        r"^[A-Za-z0-9_]+$", "x86_64";
    RuleId: "The id of a rule, which is the name of its file.",
        r"^[a-z0-9]+(-[a-z0-9]+)*$", "packages-follow";
    Hours: "Hours of the day, in UTC unless a zone is written.",
        r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}( [+-][0-9]{2}:[0-9]{2})?$", "22:00-06:00";
    Digest: "A SHA-256 digest.",
        r"^[0-9a-f]{64}$", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    Evr: "Epoch, version and release.",
        r"^([0-9]{1,9}:)?[!-,.-9;-~]+(-[!-~]+)?$", "1.3-1.f44";
    Nvr: "Name, version and release of a source package.",
        r"^.+-[^-]+-[^-]+$", "zlib-1.3-1.f44";
    Nevra: "Name, epoch, version, release and architecture of a package.",
        r"^.+-[^-]+-[^-]+\.[^.]+$", "zlib-devel-1.3-1.f44.x86_64";
}

macro_rules! ids {
    ($($type:ident: $description:literal;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .description(Some($description))
                    .format(Some(SchemaFormat::Custom("uuid".to_owned())))
                    .into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($type))
            }
        }
    )*};
}

ids! {
    EventId: "The id of an event.";
    PlanId: "The id of a plan.";
    BuildId: "The id of a build.";
    TestRunId: "The id of a run of tests.";
    ResultId: "The id of a result.";
    WaiverId: "The id of a waiver or a sign-off.";
    HoldId: "The id of a freeze or a hold.";
    OutboxId: "The id of a message that waits to leave.";
}
