//! Money, counts, dates and lengths of time as people read them.
//!
//! Not here: sentences, how dates are written (`calendar::dates`, for every room).

pub use crate::calendar::dates::{Dates, span};

/// Pence as pounds: `£1,978,725.73`, `-£5.00`.
#[must_use]
pub fn money(pence: i128) -> String {
    let sign = if pence < 0 { "-" } else { "" };
    let whole = pence.unsigned_abs();
    format!("{sign}£{}.{:02}", grouped(whole / 100), whole % 100)
}

/// A count with separators: `17,000`.
#[must_use]
pub fn count(number: u64) -> String {
    grouped(number.into())
}

/// A count and its noun: `1 home`, `17,000 homes`.
#[must_use]
pub fn many(number: u64, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{} {more}", count(number)),
    }
}

/// Many as `usize`, for lengths.
#[must_use]
pub fn some(number: usize, one: &str, more: &str) -> String {
    many(u64::try_from(number).unwrap_or(u64::MAX), one, more)
}

fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// How long a step took, in five columns: `   2s`, `39m08`, `3h57m`.
#[must_use]
pub fn took(seconds: u64) -> String {
    let text = match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    };
    format!("{text:>5}")
}

/// Words joined as people list things: `a, b and c`.
#[must_use]
pub fn listed<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [head @ .., last] => {
            let head: Vec<&str> = head.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", head.join(", "), last.as_ref())
        }
    }
}
