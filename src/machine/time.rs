//! Moments as the step log writes them: RFC 3339, UTC, exactly three decimals and `Z`, so that the
//! order of texts is the order of time.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC, cut to the millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(Timestamp);

impl Time {
    /// Cuts `moment` to the millisecond.
    #[must_use]
    pub fn new(moment: Timestamp) -> Time {
        let whole = Timestamp::from_millisecond(moment.as_millisecond());
        Time(whole.unwrap_or(moment))
    }

    /// The moment itself.
    #[must_use]
    pub fn moment(self) -> Timestamp {
        self.0
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let moment: Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        if in_shape(text.as_bytes()) {
            Ok(Time::new(moment))
        } else {
            Err(serde::de::Error::custom(
                "a time has three decimals and ends in Z",
            ))
        }
    }
}

/// `dddd-dd-ddTdd:dd:dd.dddZ` and no leap second: with these, only one text gives one moment.
fn in_shape(text: &[u8]) -> bool {
    const SHAPE: &[u8; 24] = b"0000-00-00T00:00:00.000Z";
    let fits = |(byte, shape): (&u8, &u8)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == shape,
    };
    text.len() == SHAPE.len() && text.iter().zip(SHAPE).all(fits) && &text[17..19] != b"60"
}
