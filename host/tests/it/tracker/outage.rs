//! Databases that go away and come back while the bot runs.
