//! How long something takes, in words.

use std::time::Duration;

/// A waiting time, rounded up.
pub(crate) fn wait(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let minutes = seconds.div_ceil(60);
    match (seconds, minutes) {
        (0 | 1, _) => "a second".to_owned(),
        (2..=90, _) => format!("{seconds} seconds"),
        (_, ..60) => format!("{minutes} minutes"),
        _ => match (count(minutes / 60, "hour"), minutes % 60) {
            (hours, 0) => hours,
            (hours, minutes) => format!("{hours} {}", count(minutes, "minute")),
        },
    }
}

fn count(number: u64, unit: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_said_in_words() {
        for (duration, words) in [
            (Duration::ZERO, "a second"),
            (Duration::from_millis(1_200), "2 seconds"),
            (Duration::from_secs(90), "90 seconds"),
            (Duration::from_secs(91), "2 minutes"),
            (Duration::from_secs(3_540), "59 minutes"),
            (Duration::from_secs(3_541), "1 hour"),
            (Duration::from_secs(3_601), "1 hour 1 minute"),
            (Duration::from_secs(7_500), "2 hours 5 minutes"),
        ] {
            assert_eq!(wait(duration), words);
        }
    }
}
