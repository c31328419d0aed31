//! The functions of each capability, by which a scope can be narrowed further.

use crate::policy::grants::Grant;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function {
    pub grant: Grant,
    /// Its name in the WIT interface.
    pub name: &'static str,
    /// Whether it can change something.
    pub changes: bool,
}

impl Function {
    pub const GET_ISSUES: Self = reading(Grant::Jira, "get-issues");
    pub const LOOK_UP: Self = reading(Grant::Jira, "look-up");
    pub const SITE: Self = reading(Grant::Jira, "site");
    pub const READ: Self = reading(Grant::Jira, "read");
    pub const SEARCH: Self = reading(Grant::Jira, "search");
    pub const COMMENT: Self = writing(Grant::JiraEdit, "comment");
    pub const LIST_TRANSITIONS: Self = reading(Grant::JiraEdit, "list-transitions");
    pub const TRANSITION: Self = writing(Grant::JiraEdit, "transition");
    pub const FIND_ASSIGNABLE: Self = reading(Grant::JiraEdit, "find-assignable");
    pub const ASSIGN: Self = writing(Grant::JiraEdit, "assign");
    pub const CREATE: Self = writing(Grant::JiraEdit, "create");
    pub const LIST_TRACKED: Self = reading(Grant::Tracker, "list-tracked");
    pub const LIST_DETAILS: Self = reading(Grant::Tracker, "list-details");
    pub const LIST_FILTERED: Self = reading(Grant::Tracker, "list-filtered");
    pub const COUNT_TRACKED: Self = reading(Grant::Tracker, "count-tracked");
    pub const IS_TRACKED: Self = reading(Grant::Tracker, "is-tracked");
    pub const TRACK: Self = writing(Grant::TrackerEdit, "track");
    pub const UNTRACK: Self = writing(Grant::TrackerEdit, "untrack");
    pub const GET_VALUE: Self = reading(Grant::Storage, "get");
    pub const LIST_KEYS: Self = reading(Grant::Storage, "list-keys");
    pub const SET_VALUE: Self = writing(Grant::Storage, "set");
    pub const SET_EXPIRING: Self = writing(Grant::Storage, "set-expiring");
    pub const ADD: Self = writing(Grant::Storage, "add");
    pub const DELETE_VALUE: Self = writing(Grant::Storage, "delete");
    pub const SWAP: Self = writing(Grant::Storage, "swap");
    pub const GET_SETTING: Self = reading(Grant::Settings, "get");
    pub const ALL_SETTINGS: Self = reading(Grant::Settings, "all");
    pub const NOW: Self = reading(Grant::Clock, "now");
    pub const CALLER_ID: Self = reading(Grant::Caller, "id");
    pub const IS_ADMIN: Self = reading(Grant::Caller, "is-admin");
    pub const TIME_ZONE: Self = reading(Grant::Caller, "time-zone");
    /// `send` with a method that only reads: GET or HEAD.
    pub const SEND_READING: Self = reading(Grant::Http, "send");
    /// `send` with any other method.
    pub const SEND_WRITING: Self = writing(Grant::Http, "send");

    pub const ALL: [Self; 33] = [
        Self::GET_ISSUES,
        Self::LOOK_UP,
        Self::SITE,
        Self::READ,
        Self::SEARCH,
        Self::COMMENT,
        Self::LIST_TRANSITIONS,
        Self::TRANSITION,
        Self::FIND_ASSIGNABLE,
        Self::ASSIGN,
        Self::CREATE,
        Self::LIST_TRACKED,
        Self::LIST_DETAILS,
        Self::LIST_FILTERED,
        Self::COUNT_TRACKED,
        Self::IS_TRACKED,
        Self::TRACK,
        Self::UNTRACK,
        Self::GET_VALUE,
        Self::LIST_KEYS,
        Self::SET_VALUE,
        Self::SET_EXPIRING,
        Self::ADD,
        Self::DELETE_VALUE,
        Self::SWAP,
        Self::GET_SETTING,
        Self::ALL_SETTINGS,
        Self::NOW,
        Self::CALLER_ID,
        Self::IS_ADMIN,
        Self::TIME_ZONE,
        Self::SEND_READING,
        Self::SEND_WRITING,
    ];

    /// The functions of one capability.
    pub fn of(grant: Grant) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |function| function.grant == grant)
    }
}

const fn reading(grant: Grant, name: &'static str) -> Function {
    Function { grant, name, changes: false }
}

const fn writing(grant: Grant, name: &'static str) -> Function {
    Function { grant, name, changes: true }
}
