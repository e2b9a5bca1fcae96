//! Speed as ratios to a bare floor, measured in the same run on the same machine: figures that mean
//! the same on a laptop and on a server. `cargo bench --bench ratios`, or with `-- --quick`.
//!
//! Prints one table. A ratio that misses its bar is marked, and the exit code is then 1. Words select
//! groups: `-- fold` measures folding and resuming only; `-- servers --only 'MariaDB to'` the lines of a
//! group whose names contain that.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]
#![expect(clippy::unwrap_used, reason = "a bench stops where it fails")]

mod catching;
mod copy;
mod journal;
mod measure;
mod rows;
mod servers;

use std::process::ExitCode;

use measure::Ratio;

/// Measures one group of ratios; true: quickly.
type Group = fn(bool) -> Vec<Ratio>;

const GROUPS: [(&str, Group); 12] = [
    ("commit", journal::durable),
    ("fold", journal::folded),
    ("copy", copy::unmapped),
    ("map", copy::mapped),
    ("memory", copy::memory),
    ("servers", servers::routes),
    ("after", servers::afterwards),
    ("resumed", servers::resumed::resumed),
    ("indexed", servers::indexed),
    ("whole", servers::whole::whole),
    ("others", servers::others),
    ("catching", catching::caught_up),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, source, target] = arguments.as_slice()
        && word == copy::CHILD
    {
        println!("{}", copy::child(source, target));
        return ExitCode::SUCCESS;
    }
    if let [word, source, target] = arguments.as_slice()
        && word == servers::resumed::CHILD
    {
        servers::resumed::child(source, target, |durable| println!("{durable}"));
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let words = arguments.iter().take_while(|word| *word != "--only");
    let wanted: Vec<&String> = words.filter(|word| !word.starts_with("--")).collect();
    let ratios: Vec<Ratio> = GROUPS
        .iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|word| word == name))
        .flat_map(|(_, measure)| measure(quick))
        .collect();
    print(&ratios);
    let missed = ratios.iter().any(|ratio| !ratio.bar.holds(ratio.value));
    ExitCode::from(u8::from(missed))
}

fn print(ratios: &[Ratio]) {
    let width = ratios
        .iter()
        .map(|ratio| ratio.what.len())
        .max()
        .unwrap_or(0);
    println!("{:width$}  {:>6}  {:8}", "", "ratio", "bar");
    for ratio in ratios {
        let Ratio {
            what,
            value,
            bar,
            detail,
        } = ratio;
        let missed = if bar.holds(*value) { "" } else { "  MISSED" };
        println!(
            "{what:width$}  {value:>6.2}  {:8}  {detail}{missed}",
            bar.to_string()
        );
    }
}
