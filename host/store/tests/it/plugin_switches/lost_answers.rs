//! Switches whose answers are lost.

use maro_store::database::error::DatabaseError;

use crate::support::given::{Given, at, author};

#[tokio::test]
async fn a_plugin_that_was_turned_off_without_word_of_it_is_uncertain() {
    let Some((given, route)) = Given::on_lossy_postgres().await else { return };
    route.lose_answers_to("ULOST", 1);
    let error = given.plugin_switches.disable("track", &author("C1", "ULOST"), at(0)).await.unwrap_err();
    assert!(matches!(error, DatabaseError::Uncertain(_)), "{error:?}");
    assert_eq!(given.plugin_switches.disabled().await.unwrap()[0].plugin, "track");
    assert!(!given.plugin_switches.disable("track", &author("C1", "U1"), at(1)).await.unwrap());
    given.close().await;
}
