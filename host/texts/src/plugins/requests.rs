//! A plugin asked a capability for something impossible. The person and the plugin's author read it.

use std::fmt::Display;

fn invalid(reason: &str) -> String {
    format!("This command made an invalid request: {reason}.")
}

pub fn too_many_keys(max: usize) -> String {
    invalid(&format!("it sent more than {max} keys in one call"))
}

pub fn not_a_key() -> String {
    invalid("it sent text that isn't an issue key")
}

pub fn query_too_long(max_length: usize) -> String {
    invalid(&format!("its search is longer than {max_length} characters"))
}

pub fn page_size(wanted: u32, max: u32) -> String {
    invalid(&format!("it asked for {wanted} issues in one page, which can have 1 to {max}"))
}

pub fn unknown_page() -> String {
    invalid("it asked for a page that doesn't belong to any search")
}

pub fn comment_length(max_length: usize) -> String {
    invalid(&format!("a comment must have 1 to {max_length} characters"))
}

pub fn not_an_account() -> String {
    invalid("it sent text that isn't an account ID")
}

pub fn name_too_long(max_length: usize) -> String {
    invalid(&format!("it searched for a name of more than {max_length} characters"))
}

pub fn no_project() -> String {
    invalid("it named no project for a new issue, and JIRA_DEFAULT_PROJECT isn't set")
}

pub fn too_many_issues(max: u32) -> String {
    invalid(&format!("it asked for more than {max} new issues in one command"))
}

pub fn summary_length(max_length: usize) -> String {
    invalid(&format!("a summary must be one line of 1 to {max_length} characters"))
}

pub fn description_too_long(max_length: usize) -> String {
    invalid(&format!("a description can have up to {max_length} characters"))
}

pub fn row_count(max: u32) -> String {
    invalid(&format!("it can ask for 1 to {max} tracked issues at a time"))
}

pub fn fields(max: usize) -> String {
    invalid(&format!("it asked for more than {max} fields, or used an invalid field ID"))
}

pub fn storage_lifetime(max_seconds: i64) -> String {
    invalid(&format!("a stored value can expire after 1 to {max_seconds} seconds"))
}

pub fn not_a_stored_number() -> String {
    invalid("it added to a stored value that isn't a whole number, or the sum is too large")
}

pub fn storage_key_length(max_bytes: usize) -> String {
    invalid(&format!("a storage key must have 1 to {max_bytes} bytes"))
}

pub fn stored_value_too_large(max_kib: usize) -> String {
    invalid(&format!("a stored value can have up to {max_kib} KiB"))
}

pub fn too_many_requests(max: u32) -> String {
    invalid(&format!("it sent more than {max} HTTP requests in one command"))
}

pub fn unknown_method() -> String {
    invalid("it used an unknown HTTP method")
}

pub fn body_too_large(max_kib: usize) -> String {
    invalid(&format!("the body of its HTTP request is over {max_kib} KiB"))
}

pub fn url_too_long(max_kib: usize) -> String {
    invalid(&format!("its URL is over {max_kib} KiB"))
}

pub fn not_a_url() -> String {
    invalid("it sent text that isn't a URL")
}

pub fn not_https() -> String {
    invalid("its URL doesn't start with https://")
}

pub fn url_with_credentials() -> String {
    invalid("its URL has a user name or a password")
}

pub fn url_without_host_name() -> String {
    invalid("its URL has an IP address instead of a host name")
}

pub fn too_many_headers(max: usize) -> String {
    invalid(&format!("its HTTP request has more than {max} headers"))
}

pub fn headers_too_large(max_kib: usize) -> String {
    invalid(&format!("the headers of its HTTP request are over {max_kib} KiB"))
}

pub fn header_name() -> String {
    invalid("its HTTP request has a header with an invalid name")
}

pub fn reserved_header(name: impl Display) -> String {
    invalid(&format!("its HTTP request sets the header {name}, which only MARO can set"))
}

pub fn header_value(name: impl Display) -> String {
    invalid(&format!("its HTTP request has an invalid value in the header {name}"))
}
