//! `/api/v1/builds`; a build is named by its number or its NVR.

pub(super) mod list;

pub(super) mod show;

pub(super) mod log;

pub(super) mod facets;

pub(super) mod changes;

pub(super) mod buildroot;

pub(super) mod results;

pub(super) mod gate;
