//! What `maro plugin run` tells an author of a new plugin in Rust who comes to a limit, or lacks something.

use std::fs;

use crate::plugin_kit::{complaint, maro, said};

/// Each command is one way to come to a limit.
const SOURCE: &str = r#"
use maro_plugin::{Description, Plugin, Reply, RunError, http, register, reply, spans};

struct Limits;

impl Plugin for Limits {
    fn describe() -> Description {
        Description { name: "limits", version: "1", summary: "Come to a limit", usage: "" }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let (what, number) = arguments.split_once(' ').unwrap_or((arguments, "0"));
        let number: usize = number.parse().unwrap_or_default();
        Ok(match what {
            "deep" => Reply::to_caller().paragraph(spans![sum_below(number).to_string()]),
            "buttons" => Reply::to_caller().buttons((0..number).map(|at| reply::button(at.to_string(), "limits"))),
            _ => {
                let url = "https://api.example.com/";
                http::get(url).header("authorization", "Bearer ${secret:rota-token}").send()?;
                Reply::to_caller().paragraph(spans!["sent"])
            }
        })
    }
}

/// Takes 256 bytes of the stack for each.
#[inline(never)]
fn sum_below(number: usize) -> usize {
    let kept = std::hint::black_box([number; 64]);
    if number == 0 { 0 } else { sum_below(number - 1) + kept[number % 64] }
}

register!(Limits);
"#;

#[test]
fn limits_and_what_is_missing_are_named() {
    let folder = tempfile::tempdir().unwrap();
    said(folder.path(), &["plugin", "new", "limits", "--with", "http"]);
    let project = folder.path().join("limits");
    fs::write(project.join("src/lib.rs"), SOURCE).unwrap();
    let run = |command: &[&str]| {
        let output = maro(folder.path(), &[&["plugin", "run", "limits"], command].concat());
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    // A stack of 64 KiB ends after 250.
    let shown = run(&["deep 2000", "deep 8000", "deep 200000", "buttons 3", "buttons 26"]);
    assert!(shown.contains("/maro limits deep 2000\n\n2001000\n"), "{shown}");
    assert_eq!(
        shown.matches("✗ It ran out of stack in `maro_plugin_limits::sum_below`: let ").count(),
        2,
        "{shown}"
    );
    assert!(shown.contains("/maro limits buttons 3\n\nChoose:\n[0 → /maro limits] [1 → "), "{shown}");
    assert_eq!(
        shown.matches("✗ 1 of 26 buttons isn't shown: Slack shows 25 in one row.").count(),
        1,
        "{shown}"
    );

    let answers = folder.path().join("answers.toml");
    fs::write(&answers, "[[answers]]\nurl = \"https://api.example.com/\"\nbody = \"\"\n").unwrap();
    let send = ["--http", answers.to_str().unwrap(), "send"];
    let shown = run(&send);
    let cure = "[secrets]\nrota-token = { value = \"a-made-up-secret\", hosts = [\"api.example.com\"] }";
    assert!(shown.contains("✗ plugin.toml has no secret rota-token. ") && shown.contains(cure), "{shown}");
    let manifest = fs::read_to_string(project.join("plugin.toml")).unwrap();
    fs::write(project.join("plugin.toml"), format!("{manifest}\n{cure}\n")).unwrap();
    assert!(run(&send).contains("\n\nsent\n"));
    fs::write(
        project.join("plugin.toml"),
        format!("{manifest}\n{}\n", cure.replace("a-made-up-secret", "x")),
    )
    .unwrap();
    let line = manifest.lines().count() + 3;
    let told = complaint(folder.path(), &["plugin", "run", "limits"]);
    assert!(told.contains(&format!("plugin.toml: line {line}: the value of a secret must have ")), "{told}");
}
