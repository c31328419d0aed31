//! What others could read.

use std::fs;

use super::load;

#[test]
fn what_others_could_read_is_named_and_starts_all_the_same() {
    use std::os::unix::fs::PermissionsExt as _;

    let exposed = |changes: &[(&str, &str)], mode: u32| {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("maro.toml");
        fs::write(&file, "JIRA_WEBHOOK_SECRET = \"s3cret\"\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let exposures = load(changes, "").unwrap().exposures_with(&file);
        exposures.into_iter().map(|exposure| exposure.what).collect::<Vec<_>>()
    };
    assert_eq!(exposed(&[], 0o640), [""; 0]);
    for (changes, mode, named) in [
        (&[][..], 0o644, "maro.toml"),
        (&[("JIRA_BASE_URL", "http://jira.corp.example")], 0o600, "JIRA_BASE_URL"),
        (&[("SLACK_API_URL", "http://10.0.0.1/api")], 0o600, "SLACK_API_URL"),
        (&[("DATABASE_URL", "postgres://maro:p4ssword@db/maro")], 0o600, "DATABASE_URL"),
    ] {
        let [what] = &exposed(changes, mode)[..] else { panic!("{changes:?}") };
        assert!(what.contains(named) && what.ends_with('.') && !what.contains("p4ssword"), "{what}");
    }
    for url in ["http://localhost:8080", "http://127.0.0.2", "http://[::1]", "http://jira.localhost"] {
        assert_eq!(exposed(&[("JIRA_BASE_URL", url)], 0o600), [""; 0], "{url}");
    }
}
