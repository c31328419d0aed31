//! The rows of a list, as PostgreSQL returns them.

/// The rows of `page` as one JSON text, each with its columns in the order of `StoredIssue`. Jira was last asked
/// about an issue when it was asked for one of its rows, or for all.
macro_rules! listed {
    () => {
        listed!(
            "(extract(epoch FROM greatest(last_synced_at, (
                SELECT asked_at FROM issue_freshness AS known WHERE known.issue_key = page.issue_key
                    AND known.team_id = page.team_id AND known.site_id = page.site_id))) * 1000000)::bigint"
        )
    };
    ($last_asked:literal) => {
        concat!(
            "coalesce(json_agg(json_build_array(issue_key, issue_id,
            (extract(epoch FROM tracked_at) * 1000000)::bigint, tracked_by, source, ",
            $last_asked,
            ", last_jira_status, last_jira_summary, has_security_level::int, last_jira_category, former_key)),
            '[]')"
        )
    };
}

pub(super) use listed;
