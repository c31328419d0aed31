//! Components that no compiler of plugins makes: hand-made guests, bombs, damaged files. Each is refused or
//! served within its limits, and the other plugins answer.

use std::fs;

use crate::{
    bot::TestBot,
    built_components::{PluginsFolder, shipped},
    handwritten_components::Guest,
};

/// Little of everything.
const MANIFEST: &[u8] = b"[limits]\nmemory-mib = 8\ncpu-ms = 100\nwall-ms = 60000";

/// What a file needs to be looked at any further.
const COMMAND: &str = r#"(instance $command) (export "maro:plugin/command@0.2.0" (instance $command))"#;

async fn bot_with(component: &[u8]) -> TestBot {
    let plugins = PluginsFolder::shipped().with_file("wat.wasm", component).with_file("wat.toml", MANIFEST);
    TestBot::with_plugins(plugins).await
}

/// Why the guest's file is refused, while others are served.
async fn refusal(component: &[u8]) -> String {
    let bot = bot_with(component).await;
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    let plugins = bot.bot().registry().plugins();
    let [refusal] = &*plugins.refused else { panic!("it is served") };
    refusal.reason.to_string()
}

/// The fault of the guest's run, while others are served, also after a second run.
async fn fault(guest: Guest<'_>) -> String {
    let bot = bot_with(&guest.component()).await;
    for _ in 0..2 {
        let shown = bot.say("/maro wat arguments").await;
        assert!(shown.contains("crashed"), "{shown}");
        assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    }
    let plugins = bot.bot().registry().plugins();
    plugins.get("wat").unwrap().last_fault().unwrap().fault
}

fn text(component: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {component} {COMMAND})")).unwrap()
}

#[tokio::test]
async fn a_guest_written_by_hand_is_served() {
    let bot = bot_with(&Guest::default().component()).await;
    assert_eq!(bot.say("/maro wat").await, "done");
}

#[tokio::test]
async fn growth_ends_at_the_limit() {
    let growing = |what: &str| format!("(loop $again (drop ({what})) (br $again))");
    let memory = growing("memory.grow (i32.const 16)");
    let fault_of = |run| fault(Guest { run, ..Guest::default() });
    assert_eq!(fault_of(&memory).await, "it asked for more than its limit of 8 MiB of memory (`memory-mib`)");
    let table = growing("table.grow $table (ref.null func) (i32.const 10000)");
    let guest = Guest { items: "(table $table 1 funcref)", run: &table, ..Guest::default() };
    assert_eq!(fault(guest).await, "it asked for a larger table than a plugin can have");
    let stack = Guest { items: "(func $deep (call $deep))", run: "(call $deep)", ..Guest::default() };
    assert_eq!(fault(stack).await, "it crashed: it ran out of stack (wasm trap: call stack exhausted)");
}

#[tokio::test]
async fn a_failure_has_a_sentence_and_no_more_than_a_reply_may_have() {
    let bot = bot_with(&Guest { sentence: (515, 3), ..Guest::default() }.component()).await;
    assert_eq!(bot.say("/maro wat").await, "/maro wat failed without giving a reason.");
    let long = fault(Guest { sentence: (1_024, 65 * 1_024), ..Guest::default() }).await;
    assert_eq!(long, "its reply has over 64 KiB of text (`reply-kib`)");
}

#[tokio::test]
async fn what_a_guest_points_to_is_checked() {
    for sentence in [(u32::MAX - 10, 100), (512, u32::MAX), (200_000, 4), (0, 400 << 20)] {
        let fault = fault(Guest { sentence, ..Guest::default() }).await;
        assert!(fault.starts_with("it crashed: "), "{sentence:?}: {fault}");
    }
    let not_utf8 = Guest { items: r#"(data (i32.const 520) "\ff\fe\fd\fc")"#, ..Guest::default() };
    assert!(fault(not_utf8).await.starts_with("it crashed: "));
    // Out of its memory, anywhere in it, and nowhere.
    for (allocate, is_served) in
        [("(i32.const -8)", false), ("(i32.const 3)", true), ("(unreachable)", false)]
    {
        let guest = Guest { allocate, ..Guest::default() };
        let bot = bot_with(&guest.component()).await;
        let shown = bot.say("/maro wat some arguments to copy").await;
        assert_eq!(shown == "done", is_served, "{allocate}: {shown}");
        assert_eq!(shown.starts_with("/maro wat crashed"), !is_served, "{allocate}: {shown}");
    }
}

#[tokio::test]
async fn a_guest_that_misbehaves_at_its_start_is_refused() {
    for (guest, expected) in [
        (
            Guest { describe: "(loop $again (br $again))", ..Guest::default() },
            "it used more than its limit of 100 ms of processor time (`cpu-ms`)",
        ),
        (Guest { describe: "(unreachable)", ..Guest::default() }, "it couldn't describe itself: it crashed"),
        (
            Guest { items: "(func $f (loop $again (br $again))) (start $f)", ..Guest::default() },
            "it used more than its limit of 100 ms of processor time (`cpu-ms`)",
        ),
        (Guest { name: (u32::MAX - 4, 9), ..Guest::default() }, "it couldn't describe itself: it crashed"),
        (Guest { name: (512, 100_000), ..Guest::default() }, "its description of itself is invalid"),
        (Guest { name: (512, 0), ..Guest::default() }, "its description of itself is invalid"),
        (
            Guest { items: "(memory 65536)", ..Guest::default() },
            "its memory starts at 4096 MiB, but this host allows 256 MiB at most",
        ),
        (
            Guest { items: "(table 4000000 funcref)", ..Guest::default() },
            "its table starts with 4000000 elements, but this host allows 50000 at most",
        ),
    ] {
        let reason = refusal(&guest.component()).await;
        assert!(reason.contains(expected), "{reason:?} does not contain {expected:?}");
    }
}

#[tokio::test]
async fn a_guest_that_calls_out_while_it_is_written_to_is_stopped() {
    // The host asks for memory to write the arguments into, and the guest calls the host meanwhile.
    let guest = Guest {
        imports: r#"(import "maro:plugin/log@0.2.0" "log" (func $log (param i32 i32 i32)))"#,
        allocate: "(call $log (i32.const 1) (i32.const 512) (i32.const 3)) (i32.const 4096)",
        ..Guest::default()
    };
    assert!(fault(guest).await.contains("cannot leave component instance"));
}

#[tokio::test]
async fn an_interface_of_wasi_that_is_not_there_ends_the_command_that_calls_it() {
    let world = "package wasi:http@0.2.10; interface types { resource fields { constructor(); } }";
    let imports = r#"(import "wasi:http/types@0.2.10" "[constructor]fields" (func $fields (result i32)))"#;
    let importing = |run| Guest { imports, run, also: Some(world), ..Guest::default() };
    let bot = bot_with(&importing("").component()).await;
    assert_eq!(bot.say("/maro wat").await, "done");
    let warnings = bot.bot().registry().plugins().get("wat").unwrap().warnings().to_vec();
    assert_eq!(
        warnings,
        [
            "it imports wasi:http/types@0.2.10, which this host doesn't offer: a command that calls it will crash"
        ]
    );
    let fault = fault(importing("(drop (call $fields))")).await;
    let expected = "it called [constructor]fields of wasi:http/types@0.2.10, which this host doesn't offer";
    assert!(fault.contains(expected), "{fault}");
}

#[tokio::test]
async fn crowds_of_names_are_refused() {
    let exports: String =
        (0..3_000).map(|number| format!("(export \"a{number}\" (instance $many))")).collect();
    assert_eq!(
        refusal(&text(&format!("(instance $many) {exports}"))).await,
        "it has over 256 imports and exports: a normal plugin build doesn't"
    );
    let imports: String =
        (0..3_000).map(|number| format!("(import \"wasi:a{number}/b@0.2.0\" (instance))")).collect();
    assert_eq!(
        refusal(&text(&imports)).await,
        "it has over 256 imports and exports: a normal plugin build doesn't"
    );
    let functions: String = (0..5_000).map(|number| format!("(export \"f{number}\" (func))")).collect();
    let imports = format!("(import \"wasi:cli/environment@0.2.6\" (instance {functions}))");
    let reason = refusal(&text(&imports)).await;
    assert!(reason.starts_with("it doesn't match this host's interface"), "{reason}");
    // Within the module they are nobody's business but the compiler's.
    let exports: String = (0..5_000).map(|number| format!("(func (export \"f{number}\"))")).collect();
    let bot = bot_with(&Guest { items: &exports, ..Guest::default() }.component()).await;
    assert_eq!(bot.say("/maro wat").await, "done");
}

#[tokio::test]
async fn bombs_of_types_are_refused() {
    let doubled = |first: &str, next: &dyn Fn(usize) -> String, count: usize| {
        let rest: String = (1..count).map(next).collect();
        format!("(type $t0 {first}) {rest}")
    };
    let tuples = doubled(
        "(tuple u8 u8)",
        &|number| format!("(type $t{number} (tuple $t{0} $t{0} $t{0} $t{0}))", number - 1),
        60,
    );
    let lists = doubled("(list u8)", &|number| format!("(type $t{number} (list $t{}))", number - 1), 5_000);
    let instances = doubled(
        "(instance (export \"a\" (func)))",
        &|number| {
            let outer = number - 1;
            let export = |name| format!("(export \"{name}\" (instance (type $o)))");
            format!(
                "(type $t{number} (instance (alias outer 1 $t{outer} (type $o)) {}{}{}{}))",
                export("a"),
                export("b"),
                export("c"),
                export("d")
            )
        },
        40,
    );
    for (name, types) in [("tuples", tuples), ("lists", lists), ("instances", instances)] {
        let reason = refusal(&text(&types)).await;
        assert!(reason.starts_with("it doesn't compile"), "{name}: {reason}");
    }
}

#[tokio::test]
async fn bombs_of_instances_are_refused() {
    let mut chain = "(component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
    for number in 1..50 {
        let before = number - 1;
        chain += &format!(
            "(component $c{number} (alias outer 1 $c{before} (component $c{before}))
                (instance (instantiate $c{before})) (instance (instantiate $c{before})))"
        );
    }
    let bomb = text(&format!("{chain} (instance (instantiate $c49))"));
    assert!(bomb.len() < 4_096);
    assert_eq!(refusal(&bomb).await, "it has too many instances to compile: a normal plugin build doesn't");
}

#[tokio::test]
async fn bombs_of_data_are_refused() {
    let data = "x".repeat(3 * 1024 * 1024);
    let module = format!("(core module $m (memory 64) (data (i32.const 0) \"{data}\"))");
    let component = text(&format!("{module} {}", "(core instance (instantiate $m))".repeat(30)));
    let expected = "it has too many repeated parts to compile: a normal plugin build doesn't";
    assert_eq!(refusal(&component).await, expected);
}

#[tokio::test]
async fn bombs_of_code_are_compiled_or_refused_for_their_size() {
    let locals = format!("(func (local {}))", "i64 ".repeat(49_000));
    let blocks = format!("(func {}{})", "(block ".repeat(2_000), ")".repeat(2_000));
    let table = format!("(func (param i32) (block (br_table {} (local.get 0))))", "0 ".repeat(60_000));
    let many = "(func (param i32) (result i32) (local.get 0))".repeat(20_000);
    for (bomb, items) in [("locals", locals), ("blocks", blocks), ("table", table), ("many", many)] {
        let bot = bot_with(&Guest { items: &items, ..Guest::default() }.component()).await;
        let refused: Vec<_> =
            bot.bot().registry().plugins().refused.iter().map(|refusal| refusal.reason.to_string()).collect();
        match &*refused {
            [] => assert_eq!(bot.say("/maro wat").await, "done", "{bomb}"),
            [reason] => {
                assert!(reason.contains("compile") && !reason.contains("doesn't compile"), "{bomb}: {reason}")
            }
            more => panic!("{bomb}: {more:?}"),
        }
        assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
    }
}

#[tokio::test]
async fn a_damaged_component_is_refused_or_served_and_never_more() {
    let whole = fs::read(shipped().join("tracked.wasm")).unwrap();
    let bot =
        TestBot::with_settings(PluginsFolder::shipped(), |config| config.plugins.cache_dir = None).await;
    let file = bot.plugins_folder().join("tracked.wasm");
    let mut state = 0x5eed_u64;
    let mut random = |below: usize| {
        // Knuth's constants: any sequence will do, the same one every time.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..40 {
        let mut damaged = whole.clone();
        if round % 4 == 0 {
            damaged.truncate(random(whole.len()));
        } else {
            // Mostly in front, where the structure is.
            let end = if round % 2 == 0 { 2_000 } else { whole.len() };
            damaged[random(end)] ^= 1 << random(8);
        }
        fs::write(&file, damaged).unwrap();
        let shown = bot.say("/maro plugins reload").await;
        assert!(shown.contains("tracked"), "{shown}");
        for typed in ["/maro tracked", "/maro tracked 2 x"] {
            assert!(!bot.say(typed).await.is_empty(), "round {round}");
        }
    }
    fs::write(&file, whole).unwrap();
    bot.say("/maro plugins reload").await;
    assert!(bot.say("/maro tracked").await.starts_with("No Jira issues are tracked"));
}
