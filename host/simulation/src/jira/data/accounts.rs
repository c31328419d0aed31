//! The accounts of people on the simulated site.

/// The names of those who can work on any issue.
pub(crate) const PEOPLE: [&str; 4] = ["Ada Lovelace", "Barbara Liskov", "Edsger Dijkstra", "Grace Hopper"];

/// Somebody to whom nothing can be assigned.
pub(crate) const ONLOOKER: &str = "Kathleen Booth";

/// The id of somebody's account. On Data Center, their user name.
pub(crate) fn id(name: &str) -> String {
    name.to_lowercase().replace(' ', "-")
}

/// Whether the name, or a word in it, starts with what was typed.
pub(crate) fn fits(name: &str, typed: &str) -> bool {
    let (name, typed) = (name.to_lowercase(), typed.to_lowercase());
    name.starts_with(&typed) || name.split(' ').any(|word| word.starts_with(&typed))
}
