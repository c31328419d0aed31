//! Which replica tells what. Each claim runs on SQLite and on PostgreSQL.

use maro_store::claimed_notices::NoticeClaims;

use crate::support::given::{Given, at, on_both_databases};

on_both_databases! {
    a_notice_is_told_by_one,
    hostile_names_are_told_apart,
}

async fn a_notice_is_told_by_one(given: &Given) {
    let replica = given.replica().await;
    let (ours, theirs) = (&given.claimed_notices, &replica.claimed_notices);
    let claim = async |claims: &dyn NoticeClaims, file: &str, content: &str, now: i64| {
        claims.claim(file, content, at(now), at(now - 60)).await.unwrap()
    };
    assert!(claim(&**ours, "a.wasm", "one", 100).await);
    assert!(!claim(&**theirs, "a.wasm", "one", 101).await);
    assert!(claim(&**theirs, "b.wasm", "one", 101).await, "another file");
    assert!(claim(&**theirs, "a.wasm", "two", 102).await, "another content");
    assert!(!claim(&**ours, "a.wasm", "two", 162).await);
    assert!(claim(&**ours, "a.wasm", "two", 163).await, "long ago");
    // Who couldn't tell anybody gives it back, unless somebody has told since.
    ours.release("a.wasm", at(102)).await.unwrap();
    assert!(!claim(&**theirs, "a.wasm", "two", 164).await);
    ours.release("a.wasm", at(163)).await.unwrap();
    assert!(claim(&**theirs, "a.wasm", "two", 164).await);
    assert!(!claim(&**theirs, "b.wasm", "one", 104).await, "another file's stays");
    replica.close().await;
}

async fn hostile_names_are_told_apart(given: &Given) {
    for name in ["'); DROP TABLE plugin_refusals; --", r#"" \ $1 ?1"#, "👩‍👩‍👧 \u{feff}", "null", "12", ""]
    {
        assert!(given.claimed_notices.claim(name, name, at(0), at(0)).await.unwrap());
        assert!(!given.claimed_notices.claim(name, name, at(0), at(0)).await.unwrap());
    }
}
