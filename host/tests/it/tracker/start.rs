//! Starting on databases that are absent, broken, newer, or shared.
