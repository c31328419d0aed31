//! What is remembered about plugins. Each claim runs on SQLite and on PostgreSQL.

use std::sync::Arc;

use maro_domain::author::Author;
use maro_store::plugin_switches::{PluginSwitches, RollBack, Switch};

use crate::support::given::{Given, at, author, channel, on_both_databases, user};

on_both_databases! {
    a_plugin_is_off_until_it_is_switched_on,
    it_stays_with_who_switched_it_off_first,
    who_switched_it_stays_on_record,
    of_many_who_switch_it_off_one_does,
    another_replica_sees_the_switches,
    the_latest_roll_back_of_a_plugin_holds,
    a_roll_back_ends_with_its_file_or_where_somebody_undoes_it,
    hostile_names_come_back_as_they_were,
    a_switch_that_makes_no_sense_hides_no_other,
}

/// The names of those that are switched off.
async fn off(switches: &dyn PluginSwitches) -> Vec<String> {
    switches.disabled().await.unwrap().into_iter().map(|switch| switch.plugin).collect()
}

async fn a_plugin_is_off_until_it_is_switched_on(given: &Given) {
    let switches = &given.plugin_switches;
    assert_eq!(off(&**switches).await, [""; 0]);
    assert!(!switches.enable("track", &author("C1", "U1"), at(0)).await.unwrap());
    assert!(switches.disable("track", &author("C1", "U1"), at(1)).await.unwrap());
    assert!(switches.disable("assign", &author("C1", "U2"), at(2)).await.unwrap());
    let track = Switch { plugin: "track".to_owned(), disabled_by: user("U1"), disabled_at: at(1) };
    let assign = Switch { plugin: "assign".to_owned(), disabled_by: user("U2"), disabled_at: at(2) };
    assert_eq!(switches.disabled().await.unwrap(), [assign.clone(), track]);
    assert!(switches.enable("track", &author("C1", "U2"), at(3)).await.unwrap());
    assert!(!switches.enable("track", &author("C1", "U2"), at(4)).await.unwrap());
    assert_eq!(switches.disabled().await.unwrap(), [assign]);
}

async fn a_roll_back_ends_with_its_file_or_where_somebody_undoes_it(given: &Given) {
    let switches = &given.plugin_switches;
    let row = |plugin: &str, file: &str, kept: &str| RollBack {
        plugin: plugin.to_owned(),
        file_content: file.to_owned(),
        kept_content: kept.to_owned(),
    };
    assert!(!switches.run_file("track", &author("C1", "U1"), at(0)).await.unwrap());
    for row in [row("track", "b", "a"), row("assign", "y", "x")] {
        switches.roll_back(&row, &author("C1", "U1"), at(1)).await.unwrap();
    }
    // It was made anew since the file changed.
    switches.lift_roll_back("track", "a").await.unwrap();
    assert_eq!(switches.rolled_back().await.unwrap(), [row("assign", "y", "x"), row("track", "b", "a")]);
    assert!(switches.run_file("track", &author("C1", "U2"), at(2)).await.unwrap());
    assert!(!switches.run_file("track", &author("C1", "U3"), at(3)).await.unwrap());
    assert_eq!(switches.rolled_back().await.unwrap(), [row("assign", "y", "x"), row("track", "b", "b")]);
    let noted = "SELECT user_id || ' ' || subject FROM audit_log WHERE action = 'plugin reload'";
    assert_eq!(given.query(noted).await, ["U2 track"]);
    for plugin in ["track", "track", "assign"] {
        switches.lift_roll_back(plugin, if plugin == "track" { "b" } else { "y" }).await.unwrap();
    }
    assert_eq!(switches.rolled_back().await.unwrap(), []);
    switches.roll_back(&row("track", "b", "a"), &author("C1", "U1"), at(4)).await.unwrap();
    assert_eq!(switches.rolled_back().await.unwrap(), [row("track", "b", "a")]);
}

async fn the_latest_roll_back_of_a_plugin_holds(given: &Given) {
    let switches = &given.plugin_switches;
    assert_eq!(switches.rolled_back().await.unwrap(), []);
    let roll_back = |plugin: &str, file: &str, kept: &str| RollBack {
        plugin: plugin.to_owned(),
        file_content: file.to_owned(),
        kept_content: kept.to_owned(),
    };
    for (number, row) in
        [roll_back("track", "b", "a"), roll_back("assign", "y", "x"), roll_back("track", "c", "b")]
            .iter()
            .enumerate()
    {
        switches.roll_back(row, &author("C1", "U1"), at(number as i64)).await.unwrap();
    }
    let replica = given.replica().await;
    let expected = [roll_back("assign", "y", "x"), roll_back("track", "c", "b")];
    assert_eq!(replica.plugin_switches.rolled_back().await.unwrap(), expected);
    let noted =
        given.query("SELECT subject FROM audit_log WHERE action = 'plugin rollback' ORDER BY id").await;
    assert_eq!(noted, ["track", "assign", "track"]);
}

async fn it_stays_with_who_switched_it_off_first(given: &Given) {
    let switches = &given.plugin_switches;
    assert!(switches.disable("track", &author("C1", "U1"), at(1)).await.unwrap());
    assert!(!switches.disable("track", &author("C1", "U2"), at(2)).await.unwrap());
    assert_eq!(switches.disabled().await.unwrap()[0].disabled_by, user("U1"));
    switches.enable("track", &author("C1", "U1"), at(3)).await.unwrap();
    assert!(switches.disable("track", &author("C1", "U2"), at(4)).await.unwrap());
    let switch = switches.disabled().await.unwrap().remove(0);
    assert_eq!((switch.disabled_by, switch.disabled_at), (user("U2"), at(4)));
}

async fn who_switched_it_stays_on_record(given: &Given) {
    let switches = &given.plugin_switches;
    switches.disable("track", &author("C1", "U1"), at(1)).await.unwrap();
    switches.enable("track", &author("C1", "U2"), at(2)).await.unwrap();
    let row = "SELECT disabled_by || ' ' || enabled_by FROM plugin_switches";
    assert_eq!(given.query(row).await, ["U1 U2"]);
    switches.disable("track", &author("C1", "U3"), at(3)).await.unwrap();
    let row = "SELECT disabled_by || ' ' || coalesce(enabled_by, '-') FROM plugin_switches";
    assert_eq!(given.query(row).await, ["U3 -"]);
}

async fn of_many_who_switch_it_off_one_does(given: &Given) {
    let switches = &given.plugin_switches;
    let calls = (0..12).map(|number| {
        let switches = Arc::clone(switches);
        tokio::spawn(async move {
            switches
                .disable("track", &Author::host(&channel("C1"), &user(&format!("U{number}"))), at(0))
                .await
                .unwrap()
        })
    });
    let changes = futures_util::future::join_all(calls).await;
    assert_eq!(changes.into_iter().filter(|changed| *changed.as_ref().unwrap()).count(), 1);
}

async fn another_replica_sees_the_switches(given: &Given) {
    let replica = given.replica().await;
    let (ours, theirs) = (&given.plugin_switches, &replica.plugin_switches);
    ours.disable("track", &author("C1", "U1"), at(0)).await.unwrap();
    assert_eq!(off(&**theirs).await, ["track"]);
    theirs.enable("track", &author("C1", "U2"), at(1)).await.unwrap();
    assert_eq!(off(&**ours).await, [""; 0]);
    replica.close().await;
}

async fn hostile_names_come_back_as_they_were(given: &Given) {
    let switches = &given.plugin_switches;
    for name in ["'); DROP TABLE plugin_switches; --", r#"" \ $1 ?1"#, "👩‍👩‍👧 \u{feff}", "null", "12", ""]
    {
        assert!(switches.disable(name, &author("C1", "U1"), at(0)).await.unwrap());
        assert_eq!(off(&**switches).await, [name]);
        assert!(switches.enable(name, &author("C1", "U1"), at(0)).await.unwrap());
    }
}

async fn a_switch_that_makes_no_sense_hides_no_other(given: &Given) {
    let switches = &given.plugin_switches;
    switches.disable("good", &author("C1", "U1"), at(0)).await.unwrap();
    given
        .execute(
            "INSERT INTO plugin_switches (plugin_name, disabled_by, disabled_at) \
             VALUES ('bad', 'nobody', '2026-01-31T09:30:00.000000Z')",
        )
        .await;
    assert_eq!(off(&**switches).await, ["good"]);
}
