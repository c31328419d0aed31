//! Bindings without this crate, as the guide has authors make them.

#![expect(unsafe_code, reason = "bindings speak the component model's ABI")]

wit_bindgen::generate!({
    inline: "
        package third:party;

        world subcommand {
            import maro:plugin/tracker@0.2.0;
            export maro:plugin/command@0.2.0;
        }
    ",
    path: "../../wit",
    world: "third:party/subcommand",
    generate_all,
});

use exports::maro::plugin::command::{Description, Guest, Reply, RunError};

struct Count;

impl Guest for Count {
    fn describe() -> Description {
        Description {
            name: "count".to_owned(),
            version: "1".to_owned(),
            summary: "Count".to_owned(),
            usage: String::new(),
        }
    }

    fn run(_arguments: String) -> Result<Reply, RunError> {
        Err(RunError::Failed("There is no host.".to_owned()))
    }
}

export!(Count);

#[test]
fn the_guide_names_what_the_bindings_need() {
    let guide = include_str!("../../README.md");
    assert!(
        guide.contains("`wit_bindgen::generate!({ path: \"wit\", world: \"subcommand\", generate_all })`")
    );
    assert_eq!(Count::describe().name, "count");
    assert!(matches!(Count::run(String::new()), Err(RunError::Failed(_))));
}
