//! The app's Home tab.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::json;

use crate::{
    view::home::HomeView,
    web_api::{SlackWebApi, calling::Method, error::ApiError},
};
use maro_domain::ids::UserId;

/// Showing the same again does no harm.
const PUBLISH_VIEW: Method =
    Method { name: "views.publish", deadline: Duration::from_secs(10), repeatable: true };

impl SlackWebApi {
    /// Shows this in a person's Home tab, in the place of whatever was there.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::Refused`] with `not_enabled` if the app has no Home tab.
    pub async fn publish_home(&self, user: &UserId, home: &HomeView) -> Result<(), ApiError> {
        let request = json!({ "user_id": user.as_str(), "view": home.to_json() });
        self.caller.post::<IgnoredAny>(PUBLISH_VIEW, &request).await.map(drop)
    }
}
