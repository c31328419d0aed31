//! A plugin called a capability that it may not use here. To people, a grant is a permission of the command.

/// Its operator didn't grant it.
pub fn missing(grant: &str) -> String {
    format!("This command doesn't have the {grant} permission. Your MARO admin can grant it.")
}

/// It may use it in other channels.
pub fn not_in_channel(grant: &str) -> String {
    format!("This command can't use the {grant} permission in this channel.")
}

/// It may use it for administrators.
pub fn admins_only(grant: &str) -> String {
    format!("Only MARO admins can use the {grant} permission through this command.")
}

/// It may use it for other projects.
pub fn not_for_project(grant: &str, project: &str) -> String {
    format!("This command can't use the {grant} permission in the {project} project.")
}

/// The host isn't on its list.
pub fn not_for_host(host: &str) -> String {
    format!("This command isn't allowed to contact {host}.")
}

/// The host is on its list, but lies on this machine or in a private network.
pub fn not_for_private_host(host: &str) -> String {
    format!(
        "{host} is on a private network, which this command isn't allowed to contact. Your MARO admin can allow it."
    )
}

/// The plugin names a secret that its operator hasn't set.
pub fn no_secret(secret: &str) -> String {
    format!("This command needs the secret {secret}, which isn't set. Your MARO admin can set it.")
}

/// The operator ties the secret to other hosts.
pub fn secret_not_for_host(secret: &str, host: &str) -> String {
    format!("This command isn't allowed to send the secret {secret} to {host}.")
}

/// An administrator pressed a button for it.
pub fn admins_typing(typed: &str) -> String {
    format!("This can't be done with a button. An admin needs to type {typed}.")
}
