//! The options that say what is installed first, and how questions are answered.

use std::path::PathBuf;

use server::dependencies::question::{Asked, BuildGroup, Preferences};

use crate::failure::Failure;

/// What a question is asked with.
#[derive(clap::Args, Debug)]
pub(crate) struct Asking {
    /// A file of package names, one a line, that are installed first
    #[arg(long, value_name = "FILE")]
    build_group: Option<PathBuf>,
    /// The BuildRequires of this source, by name or NEVRA
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Install what is recommended, too
    #[arg(long)]
    weak: bool,
    /// Decide the build group on its own first, as mock does
    #[arg(long, requires = "build_group")]
    two_phase: bool,
    /// Leave out the packages of this name; may be given more than once
    #[arg(long, value_name = "NAME")]
    exclude: Vec<String>,
    /// Take the packages of this name before all others that would do; may be given more than once
    #[arg(long, value_name = "NAME")]
    favour: Vec<String>,
    /// Allow no other package of its name than this; may be given more than once
    #[arg(long, value_name = "NEVRA")]
    lock: Vec<String>,
}

impl Asking {
    /// The question with these wishes.
    pub(crate) fn asked(&self, wishes: &[String]) -> Result<Asked, Failure> {
        Ok(Asked {
            always: Vec::new(),
            group: BuildGroup::read(self.build_group.as_deref())?,
            wishes: wishes.to_vec(),
            source: self.source.clone(),
            preferences: Preferences {
                weak: self.weak,
                two_phase: self.two_phase,
                exclude: self.exclude.clone(),
                favour: self.favour.clone(),
                lock: self.lock.clone(),
            },
        })
    }

    /// Whether anything is installed by this alone.
    pub(crate) fn asks(&self) -> bool {
        self.build_group.is_some() || self.source.is_some()
    }
}
