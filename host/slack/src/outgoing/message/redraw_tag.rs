//! Which command redraws a message, as the ids of its blocks say it: a button may change what the message shows.

use crate::{sealed::Sealer, view::plain_text::length};

/// What starts it in a block's id, after the block's number.
const MARK: &str = "redraw";

/// What a seal is for.
const PURPOSE: &str = "redraw";

/// The longest id of a block, and room in it for the block's number.
const MAX_LENGTH: usize = 255 - 4;

/// The end of the ids of a message's blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redrawing(String);

impl Redrawing {
    /// `None` for a command that is too long for an id.
    pub(crate) fn new(command: &str, sealer: &Sealer) -> Option<Self> {
        let tag = sealer.tag(PURPOSE, &[command]);
        let end = format!("{MARK}:{tag}:{command}");
        (length(&end) <= MAX_LENGTH).then_some(Self(end))
    }

    pub(crate) fn block_id(&self, number: usize) -> String {
        format!("{number}:{}", self.0)
    }
}

/// The command in a block's id, if its seal is whole.
pub(crate) fn command<'a>(block_id: &'a str, sealer: &Sealer) -> Option<&'a str> {
    let mut parts = block_id.splitn(4, ':');
    let (_number, mark, tag, command) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (mark == MARK && sealer.is_tag(PURPOSE, &[command], tag)).then_some(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_process::secret::Secret;

    #[test]
    fn a_command_comes_back_only_as_it_was_sealed() {
        let sealer = Sealer::new(&Secret::new("secret"));
        let id = Redrawing::new("tracked find a:b 2", &sealer).unwrap().block_id(12);
        assert_eq!(command(&id, &sealer), Some("tracked find a:b 2"));
        assert_eq!(command(&id.replace("tracked", "untrack"), &sealer), None);
        assert_eq!(command(&id, &Sealer::new(&Secret::new("another"))), None);
        for other in ["", "b1", "1:redraw", "1:redraw::tracked"] {
            assert_eq!(command(other, &sealer), None);
        }
        assert_eq!(Redrawing::new(&"x".repeat(250), &sealer), None);
    }
}
