//! Changes of stored values whose answers are lost.

use jiff::Timestamp;
use maro_store::{
    database::error::DatabaseError,
    plugin_storage::{Change, Changed, Condition, Owner, Quota, Space},
};

use crate::support::given::{Given, author, noted};

const MUCH: Quota = Quota { keys: 1_000, bytes: 1 << 20, plugin_bytes: 16 << 20 };

const SPACE: Space<'_> = Space { plugin: "p", owner: Owner::Plugin, now: Timestamp::UNIX_EPOCH };

fn set<'a>(value: &'a str) -> Change<'a> {
    Change { key: "k", condition: Condition::Any, new: Some(value), expires_at: None }
}

async fn value(given: &Given) -> Option<String> {
    given.plugin_storage.get(SPACE, "k").await.unwrap()
}

#[tokio::test]
async fn a_value_is_set_again_until_it_is_known_to_be_there() {
    let Some((given, route)) = Given::on_lossy_postgres().await else { return };
    route.lose_answers_to("COMMIT", 2);
    let changed =
        given.plugin_storage.change(SPACE, set("one"), MUCH, noted(&author("C1", "U1"))).await.unwrap();
    assert_eq!(changed, Changed::Yes { had_value: true }, "the first attempt set it");
    route.lose_answers_to("COMMIT", 3);
    let error =
        given.plugin_storage.change(SPACE, set("two"), MUCH, noted(&author("C1", "U1"))).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
    assert_eq!(value(&given).await.as_deref(), Some("two"));
    given.close().await;
}

#[tokio::test]
async fn a_swap_is_not_tried_again() {
    let Some((given, route)) = Given::on_lossy_postgres().await else { return };
    given.plugin_storage.change(SPACE, set("one"), MUCH, noted(&author("C1", "U1"))).await.unwrap();
    route.lose_answers_to("COMMIT", 1);
    let swap = Change { key: "k", condition: Condition::Is(Some("one")), new: Some("two"), expires_at: None };
    let error = given.plugin_storage.change(SPACE, swap, MUCH, noted(&author("C1", "U1"))).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
    assert_eq!(value(&given).await.as_deref(), Some("two"));
    given.close().await;
}
