//! Every public query of the store on SQLite and on a real PostgreSQL, with the same expectations.

// `cfg(test)` holds for all of it; it tells clippy that this is test code.

#[cfg(test)]
mod fixture;

#[cfg(test)]
mod ledger;
#[cfg(test)]
mod repository;
#[cfg(test)]
mod work;

#[cfg(test)]
mod gates;
#[cfg(test)]
mod notices;
#[cfg(test)]
mod retention;
#[cfg(test)]
mod shadow;

#[cfg(test)]
mod following;
#[cfg(test)]
mod listings;
#[cfg(test)]
mod pages;

#[cfg(test)]
mod bad_days;
#[cfg(test)]
mod races;
#[cfg(test)]
mod schema;
