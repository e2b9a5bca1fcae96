//! The only clock. `at` is always the wall's; `as_at` is the plan's time, which a rehearsal makes up.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::machine::event::ClockKind;
use crate::machine::state::Now;
use crate::machine::time::Time;
use crate::preview;

/// The wall clock, and the plan's time beside it.
#[derive(Debug, Clone)]
pub struct Clock {
    made_up: Option<Arc<Mutex<Timestamp>>>,
}

/// When databases are looked at: at the plan's time, now.
impl From<&Clock> for preview::Moment {
    fn from(clock: &Clock) -> preview::Moment {
        preview::Moment {
            as_at: clock.as_at().moment(),
            clock: clock.kind(),
        }
    }
}

impl Clock {
    /// The plan's time is the wall's.
    #[must_use]
    pub fn real() -> Clock {
        Clock { made_up: None }
    }

    /// A rehearsal: the plan's time stands at `moment` until it is moved.
    #[must_use]
    pub fn made_up(moment: Timestamp) -> Clock {
        Clock {
            made_up: Some(Arc::new(Mutex::new(moment))),
        }
    }

    /// Real or made up.
    #[must_use]
    pub fn kind(&self) -> ClockKind {
        if self.made_up.is_some() {
            ClockKind::MadeUp
        } else {
            ClockKind::Real
        }
    }

    /// The wall's time.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks for the time"
    )]
    pub fn now(&self) -> Time {
        Time::new(Timestamp::now())
    }

    /// The plan's time.
    #[must_use]
    pub fn as_at(&self) -> Time {
        match &self.made_up {
            None => self.now(),
            Some(moment) => Time::new(*moment.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Both times of one moment: under a real clock they are one reading.
    #[must_use]
    pub fn both(&self) -> Now {
        let at = self.now();
        match self.kind() {
            ClockKind::Real => Now::real(at),
            ClockKind::MadeUp => Now {
                at,
                as_at: self.as_at(),
            },
        }
    }

    /// Moves a made-up time forward; a real clock and an earlier moment change nothing.
    pub fn jump(&self, to: Timestamp) {
        if let Some(moment) = &self.made_up {
            let mut moment = moment.lock().unwrap_or_else(PoisonError::into_inner);
            *moment = to.max(*moment);
        }
    }
}
