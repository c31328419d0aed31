//! What plugins know people by: an id that is another in each plugin, and leads nobody to the person.

use sha2::{Digest as _, Sha256};
use tokio::sync::OnceCell;

use maro_domain::{author::Author, caller::Caller};
use maro_process::clock::Clock;
use maro_store::{
    audit::{Entry, Noted},
    database::error::DatabaseError,
    plugin_storage::{Change, Condition, Owner, PluginStorage, Quota, Space},
};

/// Where the key is kept: no plugin can have this name.
const KEEPER: &str = "*";
const KEY: &str = "caller key";

/// The key of all ids. It is drawn once, and kept in the database for all replicas.
#[derive(Debug, Default)]
pub struct CallerIds(OnceCell<String>);

impl CallerIds {
    /// The id of a person in a plugin.
    ///
    /// # Errors
    /// The key isn't known yet, and the database doesn't answer.
    pub(crate) async fn of(
        &self,
        plugin: &str,
        caller: &Caller,
        storage: &dyn PluginStorage,
        clock: &Clock,
    ) -> Result<String, DatabaseError> {
        let key = self.0.get_or_try_init(|| find_key(storage, caller, clock)).await?;
        let team = caller.foreign_team.as_ref().map_or("", |team| team.as_str());
        let mut hash = Sha256::new();
        // None of these has a line break.
        for part in [key, plugin, team, caller.user.as_str()] {
            hash.update(part.as_bytes());
            hash.update(b"\n");
        }
        let mut id = hex::encode(hash.finalize());
        id.truncate(32);
        Ok(id)
    }
}

async fn find_key(
    storage: &dyn PluginStorage,
    caller: &Caller,
    clock: &Clock,
) -> Result<String, DatabaseError> {
    let space = Space { plugin: KEEPER, owner: Owner::Plugin, now: clock.now() };
    if let Some(key) = storage.get(space, KEY).await? {
        return Ok(key);
    }
    let drawn = hex::encode(rand::random::<[u8; 32]>());
    let change = Change { key: KEY, condition: Condition::Is(None), new: Some(&drawn), expires_at: None };
    let quota = Quota { keys: 1, bytes: 1_024, plugin_bytes: 1_024 };
    let author = Author::host(&caller.channel, &caller.user);
    let entry = Entry { action: "storage set", subject: KEY, outcome: "done" };
    let noted = Noted { author: &author, entry, at: clock.now() };
    storage.change(space, change, quota, noted).await?;
    // Another replica may have been first.
    Ok(storage.get(space, KEY).await?.unwrap_or(drawn))
}
