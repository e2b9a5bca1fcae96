//! What people see while a run is driven: on a terminal a line per outcome above a moving block, in a
//! pipe one line per event and a still-working line every half minute.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::output::Output;
use crate::machine::event::{ClockKind, Entry, Event};
use crate::plan::model::Plan;
use crate::plan::outline::StepId;
use crate::report::progress::{Progress as Rows, Teller};
use crate::run::Site;
use crate::run::begin::clock_kind;
use crate::run::session::Watch;

/// How long a pipe may stay silent.
const STILL_WORKING: Duration = Duration::from_secs(30);

/// Watches a run for people.
#[derive(Clone)]
pub(super) struct Progress {
    shown: Arc<Mutex<Shown>>,
}

struct Shown {
    teller: Teller,
    output: Output,
    bars: MultiProgress,
    running: BTreeMap<StepId, ProgressBar>,
    rows: BTreeMap<StepId, Rows>,
    still: Option<tokio::task::JoinHandle<()>>,
}

impl Progress {
    /// Of a run that is read already.
    pub(super) fn new(site: &Site, output: &Output) -> Progress {
        let plan = site
            .plan()
            .cloned()
            .unwrap_or_else(|| unreachable!("a folded run has a plan"));
        let teller = Teller::new(&plan, clock_kind(site)).after(site.run.finishes());
        Progress::with(teller, output)
    }

    /// Of a run that is about to begin.
    pub(super) fn of_plan(plan: &Plan, clock: ClockKind, output: &Output) -> Progress {
        Progress::with(Teller::new(plan, clock), output)
    }

    fn with(teller: Teller, output: &Output) -> Progress {
        if let Some(banner) = teller.banner().filter(|_| !output.json) {
            output.say(banner);
        }
        let shown = Arc::new(Mutex::new(Shown {
            teller,
            output: output.clone(),
            bars: MultiProgress::new(),
            running: BTreeMap::new(),
            rows: BTreeMap::new(),
            still: None,
        }));
        let told = Arc::clone(&shown);
        let speaks = !output.live && !output.json && !output.quiet;
        let still = speaks.then(|| tokio::spawn(still_working(told)));
        lock(&shown).still = still;
        Progress { shown }
    }

    /// The watcher to drive with.
    pub(super) fn watch(&self) -> Watch<'static> {
        let shown = Arc::clone(&self.shown);
        Box::new(move |entry, _| lock(&shown).hear(entry))
    }

    /// Clears the moving block.
    pub(super) fn end(&self) {
        let mut shown = lock(&self.shown);
        if let Some(still) = shown.still.take() {
            still.abort();
        }
        for bar in std::mem::take(&mut shown.running).into_values() {
            bar.finish_and_clear();
        }
    }
}

fn lock(shown: &Mutex<Shown>) -> std::sync::MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn still_working(shown: Arc<Mutex<Shown>>) {
    loop {
        tokio::time::sleep(STILL_WORKING).await;
        let shown = lock(&shown);
        for rows in shown.rows.values() {
            shown
                .output
                .say(&format!("still working: {}", rows.words()));
        }
    }
}

impl Shown {
    fn hear(&mut self, entry: &Entry) {
        self.count(entry);
        if self.output.json || self.output.quiet {
            return;
        }
        if !self.output.live {
            if let Some(line) = self.teller.line(entry) {
                self.output.say(&line);
            }
            return;
        }
        if let Some(line) = self.teller.terminal(entry, self.output.manner()) {
            let output = &self.output;
            self.bars.suspend(|| output.say(&line));
        }
        self.redraw(entry);
    }

    /// Keeps how many rows each running step has done.
    fn count(&mut self, entry: &Entry) {
        let Some(about) = &entry.about else { return };
        match &entry.event {
            Event::StepStarted(_) | Event::UndoStarted(_) => {
                let rows = Rows {
                    step: about.step.clone(),
                    rows_done: 0,
                    rows_total: None,
                    seconds: 0,
                };
                self.rows.insert(about.step.clone(), rows);
            }
            Event::StepMarked(mark) => {
                if let Some(rows) = self.rows.get_mut(&about.step) {
                    rows.rows_done = mark.rows;
                }
            }
            _ => {
                self.rows.remove(&about.step);
            }
        }
    }

    fn redraw(&mut self, entry: &Entry) {
        let Some(about) = &entry.about else { return };
        match self.rows.get(&about.step) {
            Some(rows) => {
                let bars = &self.bars;
                let bar = self.running.entry(about.step.clone()).or_insert_with(|| {
                    let bar = bars.add(ProgressBar::new_spinner());
                    if let Ok(style) = ProgressStyle::with_template("  RUN  {msg} {spinner}") {
                        bar.set_style(style);
                    }
                    bar.enable_steady_tick(Duration::from_millis(200));
                    bar
                });
                bar.set_message(rows.words());
            }
            None => {
                if let Some(bar) = self.running.remove(&about.step) {
                    bar.finish_and_clear();
                }
            }
        }
    }
}
