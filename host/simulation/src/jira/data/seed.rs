//! The realistic project that the simulated site starts with: SCRUM-101 to SCRUM-150.

use crate::jira::data::issue::IssueType;

pub(crate) const PROJECT: &str = "SCRUM";

/// The number of the first issue. The others follow.
pub(crate) const FIRST_NUMBER: u64 = 101;

const OPEN: &str = "Open";
const IN_PROGRESS: &str = "In Progress";
const IN_REVIEW: &str = "In Review";
const DONE: &str = "Done";

/// Type, summary and status of each issue.
pub(crate) const ISSUES: [(IssueType, &str, &str); 50] = [
    (IssueType::Epic, "Customer accounts", IN_PROGRESS),
    (IssueType::Story, "Sign-up form", DONE),
    (IssueType::Story, "E-mail confirmation", DONE),
    (IssueType::Story, "Password reset by e-mail", IN_REVIEW),
    (IssueType::Story, "Profile page", IN_PROGRESS),
    (IssueType::Story, "Upload a profile picture", OPEN),
    (IssueType::Bug, "Sign-up accepts an address without a domain", DONE),
    (IssueType::Task, "Choose an e-mail provider", DONE),
    (IssueType::Task, "Set up the staging environment", DONE),
    (IssueType::Bug, "Staging shows production banners", DONE),
    (IssueType::Story, "Delete my account", OPEN),
    (IssueType::Task, "Privacy review of stored profile data", IN_REVIEW),
    (IssueType::Story, "Export my data", OPEN),
    (IssueType::Bug, "Profile page is blank in Safari 16", IN_PROGRESS),
    (IssueType::Task, "Upgrade the web framework", DONE),
    (IssueType::Task, "Remove unused feature flags", OPEN),
    (IssueType::Bug, "Time zone of the last login is wrong", OPEN),
    (IssueType::Story, "Remember me on this device", IN_REVIEW),
    (IssueType::Task, "Load test of the login page", OPEN),
    (IssueType::Bug, "Double click creates two accounts", DONE),
    (IssueType::Story, "Sign in with Google", IN_PROGRESS),
    (IssueType::Story, "Sign in with a passkey", OPEN),
    (IssueType::Story, "User authentication flow", OPEN),
    (IssueType::Task, "Database migration", IN_PROGRESS),
    (IssueType::Task, "API documentation", DONE),
    (IssueType::Story, "Rate limit for login attempts", IN_REVIEW),
    (IssueType::Bug, "Search ignores umlauts", OPEN),
    (IssueType::Task, "Rotate the signing keys", OPEN),
    (IssueType::Story, "Notification settings", OPEN),
    (IssueType::Bug, "Notification e-mails arrive twice", IN_PROGRESS),
    (IssueType::Task, "Alert when the job queue grows", DONE),
    (IssueType::Story, "Dark mode", IN_PROGRESS),
    (IssueType::Bug, "Checkout button is cut off on small screens", DONE),
    (IssueType::Story, "Save a cart for later", OPEN),
    (IssueType::Task, "Move images to object storage", IN_PROGRESS),
    (IssueType::Bug, "Old images answer 403 after the move", OPEN),
    (IssueType::Story, "Order history", IN_REVIEW),
    (IssueType::Story, "Invoice as PDF", OPEN),
    (IssueType::Bug, "Invoice shows VAT of the wrong country", OPEN),
    (IssueType::Task, "Backups: rehearse a restore", OPEN),
    (IssueType::Task, "Error budget for the public API", DONE),
    (IssueType::Story, "Public API: list orders", IN_PROGRESS),
    (IssueType::Story, "Public API: webhooks", OPEN),
    (IssueType::Bug, "API answers 500 for an empty page", DONE),
    (IssueType::Task, "Deprecate API version 1", OPEN),
    (IssueType::Story, "Admin: search customers", DONE),
    (IssueType::Story, "Admin: merge two accounts", OPEN),
    (IssueType::Bug, "Admin session never expires", IN_REVIEW),
    (IssueType::Task, "Accessibility audit", OPEN),
    (IssueType::Task, "Retrospective follow-ups", OPEN),
];

/// The assignees of the issues, in turn.
pub(crate) const ASSIGNEES: [Option<&str>; 4] =
    [None, Some("Ada Lovelace"), Some("Grace Hopper"), Some("Edsger Dijkstra")];

/// The teams of a large company, each with its part of a project key.
pub(crate) const TEAMS: [(&str, &str); 20] = [
    ("ACC", "Accounts"),
    ("BIL", "Billing"),
    ("CAT", "Catalogue"),
    ("CHK", "Checkout"),
    ("CRM", "Customer care"),
    ("DAT", "Data platform"),
    ("FRA", "Fraud"),
    ("IDM", "Identity"),
    ("INV", "Inventory"),
    ("LEG", "Legal"),
    ("LOG", "Logistics"),
    ("MKT", "Marketing"),
    ("MOB", "Mobile"),
    ("PAR", "Partners"),
    ("PAY", "Payments"),
    ("PRC", "Pricing"),
    ("REC", "Recommendations"),
    ("SEA", "Search"),
    ("SEC", "Security"),
    ("WAR", "Warehouse"),
];

/// The topics of each team's projects, each with its part of a project key.
pub(crate) const AREAS: [(&str, &str); 15] = [
    ("AN", "analytics"),
    ("AP", "API"),
    ("AU", "automation"),
    ("BE", "backend"),
    ("CI", "pipelines"),
    ("DO", "documentation"),
    ("EX", "experiments"),
    ("FE", "frontend"),
    ("IN", "infrastructure"),
    ("MI", "migration"),
    ("QA", "quality"),
    ("RD", "research"),
    ("SU", "support"),
    ("TO", "tooling"),
    ("UX", "design"),
];
