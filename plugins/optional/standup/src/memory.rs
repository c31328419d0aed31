//! What the standup remembers: the statuses of today, and of the day before.

/// A team meets at about the same time each day, not exactly a day later.
const DAY_SECONDS: u64 = 16 * 3600;

/// The longest part of what is stored, in bytes: both days and the time fit into one value of the host's storage.
const MAX_DAY: usize = 30_000;

/// The longest status that is remembered, in characters.
const MAX_STATUS: usize = 60;

/// Keys and their statuses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Statuses(Vec<(String, String)>);

/// The first line is when today began, then come lines of `T KEY status` and `Y KEY status`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Memory {
    since: u64,
    today: Option<Statuses>,
    yesterday: Option<Statuses>,
}

impl Statuses {
    /// As many as there is room for.
    pub(crate) fn of<'a>(rows: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut bytes = 0;
        let pairs = rows.map(|(key, status)| {
            let status: String = status.chars().filter(|letter| *letter != '\n').take(MAX_STATUS).collect();
            (key.to_owned(), status)
        });
        Self(
            pairs
                .take_while(|(key, status)| {
                    bytes += key.len() + status.len() + 4;
                    bytes <= MAX_DAY
                })
                .collect(),
        )
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, status)| status.as_str())
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }
}

impl Memory {
    /// What [`Memory::to_text`] wrote. Anything else is nothing remembered.
    pub(crate) fn parse(text: &str) -> Self {
        let mut lines = text.lines();
        let Some(Ok(since)) = lines.next().map(str::parse) else { return Self::default() };
        let (mut today, mut yesterday) = (Vec::new(), None);
        for line in lines {
            let mut parts = line.splitn(3, ' ');
            let (day, Some(key), status) = (parts.next(), parts.next(), parts.next().unwrap_or_default())
            else {
                // `Y` alone: there was a yesterday, whatever was tracked then.
                yesterday.get_or_insert_with(Vec::new);
                continue;
            };
            let pair = (key.to_owned(), status.to_owned());
            match day {
                Some("T") => today.push(pair),
                _ => yesterday.get_or_insert_with(Vec::new).push(pair),
            }
        }
        Self { since, today: Some(Statuses(today)), yesterday: yesterday.map(Statuses) }
    }

    pub(crate) fn to_text(&self) -> String {
        let mut lines = vec![self.since.to_string()];
        let days = [("T", &self.today), ("Y", &self.yesterday)];
        for (day, Statuses(pairs)) in
            days.into_iter().filter_map(|(day, statuses)| Some((day, statuses.as_ref()?)))
        {
            if day == "Y" {
                lines.push("Y".to_owned());
            }
            lines.extend(pairs.iter().map(|(key, status)| [day, " ", key, " ", status].concat()));
        }
        lines.join("\n")
    }

    /// Today's statuses become yesterday's once they are old enough.
    pub(crate) fn followed_by(self, statuses: Statuses, now: u64) -> Self {
        let is_new_day = self.today.is_some() && now.saturating_sub(self.since) >= DAY_SECONDS;
        match self.today {
            Some(today) if is_new_day => Self { since: now, today: Some(statuses), yesterday: Some(today) },
            None => Self { since: now, today: Some(statuses), yesterday: None },
            Some(_) => self,
        }
    }

    pub(crate) fn yesterday(&self) -> Option<&Statuses> {
        self.yesterday.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3600;

    fn statuses(pairs: &[(&'static str, &'static str)]) -> Statuses {
        Statuses::of(pairs.iter().copied())
    }

    #[test]
    fn today_becomes_yesterday_once_a_day() {
        let (monday, tuesday) = (statuses(&[("A-1", "Open")]), statuses(&[("A-1", "In Progress")]));
        let memory = Memory::default().followed_by(monday.clone(), DAY);
        assert_eq!(memory.yesterday(), None);
        // Asked twice the same day, it's still the first answer that counts.
        let memory = memory.followed_by(tuesday.clone(), DAY + 3600);
        assert_eq!(memory.yesterday(), None);
        let memory = memory.followed_by(tuesday.clone(), 2 * DAY);
        assert_eq!(memory.yesterday(), Some(&monday));
        let memory = memory.followed_by(monday, 3 * DAY);
        assert_eq!(memory.yesterday(), Some(&tuesday));
    }

    #[test]
    fn what_is_written_is_read() {
        let day = statuses(&[("A-1", "In Progress"), ("A-2", "")]);
        let first = Memory::default().followed_by(day.clone(), DAY);
        let later = first.clone().followed_by(Statuses::default(), 2 * DAY).followed_by(day, 3 * DAY);
        for memory in [first, later] {
            assert_eq!(Memory::parse(&memory.to_text()), memory);
        }
        for other in ["", "nonsense", "{\"today\":{}}"] {
            assert_eq!(Memory::parse(other), Memory::default());
        }
    }

    #[test]
    fn what_is_remembered_fits_into_the_storage() {
        let keys: Vec<String> = (0..5_000).map(|number| ["LONGKEY-", &number.to_string()].concat()).collect();
        let many = Statuses::of(keys.iter().map(|key| (key.as_str(), "Waiting for\nsomebody")));
        let memory = Memory::default().followed_by(many.clone(), 0).followed_by(many, DAY);
        assert!(memory.to_text().len() <= 64 * 1024, "{}", memory.to_text().len());
        assert_eq!(memory.yesterday().unwrap().get("LONGKEY-7"), Some("Waiting forsomebody"));
    }
}
