//! The second run of a copy that was killed half-way (SIGKILL, in a process of its own), against its share
//! of a whole copy's time: all that had not been durable yet. Where nobody froze the source, what was read
//! before the kill is held against it again: the time of one hashed read of that is allowed for it, of the target,
//! which holds the same. `PostgreSQL` may tell by a count of each chunk that nothing has changed.
//!
//! Not here: what is right after a kill (the tests say that).

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use handover::copy::load::{Load, chunk_rows};
use handover::copy::verify;
use handover::orgdb::{Address, OrgReader, Sql};

use super::{Engine, Stand, money, runtime};
use crate::measure::{Bar, Ratio, asked_for, median, timed};
use crate::rows::{self, deed};

/// The word by which this bench starts itself to be killed.
pub(crate) const CHILD: &str = "copy-until-killed";

/// Copies in this process, and tells of each chunk on a line of its own how many rows are durable by now.
pub(crate) fn child(source: &str, target: &str, mut tell: impl FnMut(u64) + Send) {
    let place = std::path::Path::new("/");
    let [from, to] = [source, target].map(|url| Address::parse(url, place).unwrap());
    let load = rows::unmapped(&money(), chunk_rows(to.dialect()));
    let mut durable = 0;
    rows::copied(&from, &to, load, |effect| {
        durable += effect.rows;
        tell(durable);
    });
}

/// With the source frozen and not, from file to file and between servers.
pub(crate) fn resumed(quick: bool) -> Vec<Ratio> {
    let (rounds, rows) = if quick { (3, 500_000) } else { (5, 4_000_000) };
    let stand = Stand::new(rows);
    let lines = [
        (
            Engine::Postgres,
            true,
            "PostgreSQL, killed half-way, source frozen : what remained",
        ),
        (
            Engine::Postgres,
            false,
            "PostgreSQL, the same, not frozen : what remained, a hashed read",
        ),
        (
            Engine::Sqlite,
            true,
            "SQLite, killed half-way, source frozen : what remained",
        ),
        (
            Engine::Sqlite,
            false,
            "SQLite, the same, not frozen : what remained, a hashed read",
        ),
    ];
    let line = |(engine, frozen, what): (Engine, bool, &'static str)| {
        let rounds: Vec<Round> = (0..=rounds)
            .map(|_| stand.killed_and_resumed(engine, frozen))
            .skip(1)
            .collect();
        let middle = |of: fn(&Round) -> Duration| {
            median(rounds.iter().map(of).collect(), Duration::cmp).as_secs_f64()
        };
        let ratio = |round: &Round| round.second.as_secs_f64() / round.floor().as_secs_f64();
        Ratio {
            what,
            value: median(rounds.iter().map(ratio).collect(), f64::total_cmp),
            bar: Bar::AtMost(1.05),
            detail: format!(
                "{:.2} s : {:.2} s",
                middle(|round| round.second),
                middle(Round::floor)
            ),
        }
    };
    let asked = lines.into_iter().filter(|(_, _, what)| asked_for(what));
    asked.map(line).collect()
}

struct Round {
    /// A copy from the beginning to the end.
    whole: Duration,
    /// Reading and digesting all that it had copied, where that is due.
    hashed: Duration,
    /// The second run.
    second: Duration,
    /// The share of the rows that were durable when the first was killed.
    durable: f64,
}

impl Round {
    fn floor(&self) -> Duration {
        self.whole.mul_f64(1.0 - self.durable) + self.hashed.mul_f64(self.durable)
    }
}

impl Stand {
    fn killed_and_resumed(&self, engine: Engine, frozen: bool) -> Round {
        self.empty(engine);
        let whole = timed(|| self.ours(engine, engine)).1;
        let hashed = if frozen {
            Duration::ZERO
        } else {
            self.read_and_digested(engine)
        };
        self.empty(engine);
        self.killed_half_way(engine);
        let [from, to] = ["source", "target"].map(|name| self.address(engine, name));
        let what = Load {
            frozen,
            ..rows::unmapped(&money(), chunk_rows(to.dialect()))
        };
        let durable = self.durable(engine);
        let (loaded, second) = timed(|| rows::copied_by(2, &from, &to, what, |_| {}));
        assert_eq!(loaded.datasets["ledger"].copied, self.rows as u64);
        assert!((0.5..1.0).contains(&durable), "{durable} was durable");
        Round {
            whole,
            hashed,
            second,
            durable,
        }
    }

    fn read_and_digested(&self, engine: Engine) -> Duration {
        let address = self.address(engine, "target");
        runtime().block_on(async {
            let reader = OrgReader::open("dover", &address).await.unwrap();
            let start = Instant::now();
            let seen = verify::digests(&reader, &deed()).await.unwrap();
            assert_eq!(seen.rows, self.rows as u64);
            start.elapsed()
        })
    }

    /// The share of the rows that stand in the target.
    fn durable(&self, engine: Engine) -> f64 {
        let address = self.address(engine, "target");
        let count = Sql::new("SELECT count(*) FROM ledger");
        let rows = runtime().block_on(async {
            let reader = OrgReader::open("dover", &address).await.unwrap();
            let row = reader
                .with(move |link| link.row(&count, &[]))
                .await
                .unwrap();
            row.unwrap()[0].count()
        });
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = rows as f64 / self.rows as f64;
        share
    }

    /// Begins a copy in a process of its own and kills it once half of the rows are durable.
    fn killed_half_way(&self, engine: Engine) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(CHILD)
            .args(["source", "target"].map(|name| self.url(engine, name)))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = BufReader::new(child.stdout.take().unwrap());
        let half = (self.rows / 2) as u64;
        told.lines()
            .map(|line| line.unwrap().parse::<u64>().unwrap())
            .find(|durable| *durable >= half)
            .unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
