//! What goes into a compose: the packages and images of its variants, each with its build.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ComposedImage, ComposedPackage, ComposedVariant, VariantId};
use crate::id::BuildId;

/// What goes into a compose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeInputs {
    /// The variants.
    pub variants: BTreeMap<VariantId, ComposedVariant>,
}

impl ComposeInputs {
    /// The packages of all variants; one may come more than once.
    pub fn packages(&self) -> impl Iterator<Item = &ComposedPackage> {
        let arches = self.variants.values().flat_map(|variant| variant.arches.values());
        arches.flat_map(|arch| &arch.packages)
    }

    /// The images of all variants; one may come more than once.
    pub fn images(&self) -> impl Iterator<Item = &ComposedImage> {
        let arches = self.variants.values().flat_map(|variant| variant.arches.values());
        arches.flat_map(|arch| &arch.images)
    }

    /// The builds that go in; one may come more than once.
    pub fn builds(&self) -> impl Iterator<Item = BuildId> {
        let packages = self.packages().map(|package| package.build);
        packages.chain(self.images().map(|image| image.build))
    }
}
