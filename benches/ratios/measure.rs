//! Two ways of doing one thing, measured turn by turn so that a busy machine slows both alike.

use std::fmt;
use std::time::{Duration, Instant};

/// What a ratio must reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bar {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// No bar: good to know.
    Told,
}

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Ratio {
    /// What is compared with what.
    pub(crate) what: &'static str,
    /// The median over the rounds.
    pub(crate) value: f64,
    /// What it must reach.
    pub(crate) bar: Bar,
    /// Absolute figures, for this machine only.
    pub(crate) detail: String,
}

impl Bar {
    /// Whether `value` reaches it.
    pub(crate) fn holds(self, value: f64) -> bool {
        match self {
            Bar::AtLeast(bar) => value >= bar,
            Bar::AtMost(bar) => value <= bar,
            Bar::Told => true,
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bar::AtLeast(bar) => write!(f, ">= {bar}"),
            Bar::AtMost(bar) => write!(f, "<= {bar}"),
            Bar::Told => Ok(()),
        }
    }
}

/// Medians of two ways that took turns.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turns {
    /// The first way.
    pub(crate) ours: Duration,
    /// The second way.
    pub(crate) floor: Duration,
    /// First by second, round by round.
    pub(crate) ratio: f64,
}

/// Whether a line is asked for: all are, but where `--only TEXT` was said.
pub(crate) fn asked_for(what: &str) -> bool {
    let mut arguments = std::env::args().skip_while(|word| word != "--only").skip(1);
    arguments.next().is_none_or(|text| what.contains(&text))
}

/// Lets two ways take turns for `rounds` rounds, after one that does not count.
pub(crate) fn turns(
    rounds: usize,
    mut ours: impl FnMut() -> Duration,
    mut floor: impl FnMut() -> Duration,
) -> Turns {
    ours();
    floor();
    let pairs: Vec<(Duration, Duration)> = (0..rounds).map(|_| (ours(), floor())).collect();
    let ratios = pairs
        .iter()
        .map(|(ours, floor)| ours.as_secs_f64() / floor.as_secs_f64());
    Turns {
        ours: median(pairs.iter().map(|pair| pair.0).collect(), Duration::cmp),
        floor: median(pairs.iter().map(|pair| pair.1).collect(), Duration::cmp),
        ratio: median(ratios.collect(), f64::total_cmp),
    }
}

/// How long `act` takes.
pub(crate) fn timed<T>(act: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let made = act();
    (made, start.elapsed())
}

/// The middle one.
pub(crate) fn median<T: Copy>(
    mut values: Vec<T>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> T {
    values.sort_by(order);
    values[values.len() / 2]
}

/// `count` things in `time`, a second.
pub(crate) fn rate(count: usize, time: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = count as f64 / time.as_secs_f64();
    format!("{rate:.0}/s")
}
