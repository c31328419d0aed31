//! What plugins keep, on both databases.

mod conformance;
