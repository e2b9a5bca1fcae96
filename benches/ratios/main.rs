//! Speed as ratios to a bare floor, measured in the same run on the same machine: figures that mean
//! the same on a laptop and on a server. `cargo bench --bench ratios`, or with `-- --quick`.
//!
//! Prints one table. A ratio that misses its bar is marked, and the exit code is then 1.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::unwrap_used, reason = "a bench stops where it fails")]

mod journal;
mod measure;

use std::process::ExitCode;

use measure::Ratio;

fn main() -> ExitCode {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let ratios: Vec<Ratio> = journal::ratios(quick);
    let width = ratios
        .iter()
        .map(|ratio| ratio.what.len())
        .max()
        .unwrap_or(0);
    println!("{:width$}  {:>6}  {:8}", "", "ratio", "bar");
    for ratio in &ratios {
        let Ratio {
            what,
            value,
            bar,
            detail,
        } = ratio;
        let missed = if bar.holds(*value) { "" } else { "  MISSED" };
        println!("{what:width$}  {value:>6.2}  {bar:8}  {detail}{missed}");
    }
    let missed = ratios.iter().any(|ratio| !ratio.bar.holds(ratio.value));
    ExitCode::from(u8::from(missed))
}
