//! The command line as people type it. One meaning per flag everywhere.
//!
//! Not here: what the commands do (one file each beside this one).

use std::path::PathBuf;

use crate::demo::schema::Engine;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Carry out the transfer of a council-housing service
#[derive(Debug, Parser)]
#[command(
    name = "handover",
    version,
    arg_required_else_help = true,
    max_term_width = 100,
    before_help = "\
Examples:
  handover demo                                   a made-up transfer from start to finish
  handover preview plans/east-kent-2020 --out ekh.preview"
)]
pub struct Cli {
    /// What to do
    #[command(subcommand)]
    pub command: Command,
    /// Flags that every command takes
    #[command(flatten)]
    pub global: Global,
}

/// Flags that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Everywhere")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Global {
    /// Print data as JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// No colour, no box drawing, no redrawing: sentences
    #[arg(long, global = true)]
    pub plain: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    pub color: Colour,
    /// Never ask: a needed answer is an error that names the flag
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Only say what went wrong
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more on stderr; twice for even more
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Settings file, instead of handover.toml in the plan folder
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How diagnostics on stderr look
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORM")]
    pub log_format: LogFormat,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    /// On a terminal, unless `NO_COLOR` is set or TERM is dumb
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How diagnostics on stderr look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Text,
    /// One JSON object a line
    Jsonl,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a made-up transfer from start to finish
    Demo(Demo),
    /// Start a plan folder from a template
    New(New),
    /// Find mistakes in a plan without changing anything
    Check(Check),
    /// Show what would happen, when, and what cannot be undone
    Preview(Preview),
    /// Carry out a signed preview, or carry on from where a run rests
    Run(Run),
    /// Show where a run has got to and who it is waiting for
    Status(Status),
    /// Record a decision, an answer or evidence
    Approve(Approve),
    /// Undo a run back to a checkpoint
    Rollback(Rollback),
    /// Show a past run as it looked at any moment
    Replay(Replay),
    /// Prove a log is complete and the data agrees with it
    Verify(Verify),
    /// Write files for auditors
    Export(Export),
    /// Explain an error, a kind of step or a plan field
    Explain(Explain),
    /// Export, then remove what we keep in the organisations' databases
    Close(Close),
    /// Make, show or destroy keys: of a log, of a witness, of a run
    #[command(subcommand)]
    Key(Key),
    /// Let others sign what they have seen of a step log
    #[command(subcommand)]
    Witness(Witness),
    /// Time-stamps over seals, by file drop
    #[command(subcommand)]
    Anchor(Anchor),
    /// Print the JSON Schema of plans for editors
    #[command(hide = true)]
    Schema,
    /// Print completions for a shell
    #[command(hide = true)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    #[command(hide = true)]
    Man,
}

/// `demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Where to put it
    #[arg(default_value = "handover-demo")]
    pub dir: PathBuf,
    /// Which plan
    #[arg(long, default_value = "east-kent-2020")]
    pub plan: String,
    /// Where the databases stand: files, or a server that the demo starts for itself
    #[arg(long, value_enum, default_value_t = Engine::Sqlite)]
    pub engine: Engine,
    /// How many homes; the default is the plan's own number
    #[arg(long, value_parser = clap::value_parser!(u64).range(20..=200_000))]
    pub homes: Option<u64>,
    /// How many rent years
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=10))]
    pub years: u64,
    /// Which invented world
    #[arg(long, default_value_t = 2020)]
    pub seed: u64,
    /// Which step breaks in the story, or `none`; the default is the plan's own
    #[arg(long = "break", value_name = "STEP|none")]
    pub breaks: Option<String>,
}

/// `new`
#[derive(Debug, Args)]
pub struct New {
    /// The folder to make; its name becomes the plan's
    pub name: PathBuf,
    /// Which way the service moves
    #[arg(long, value_enum, default_value_t = Direction::AlmoToCouncils)]
    pub from: Direction,
}

/// Which way a service moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Direction {
    /// One ALMO to several councils
    AlmoToCouncils,
    /// An ALMO back to its council
    AlmoToCouncil,
    /// A council to a new ALMO
    CouncilToAlmo,
}

/// `check`
#[derive(Debug, Args)]
pub struct Check {
    /// Plan folder, or its plan.toml
    #[arg(default_value = ".")]
    pub plan: PathBuf,
    /// Read the papers only, no database
    #[arg(long)]
    pub offline: bool,
    /// Write rows that may be one, and nobody has decided about, to a new file of decisions
    #[arg(long, value_name = "FILE", conflicts_with = "offline")]
    pub propose: Option<PathBuf>,
    /// Treat warnings as errors
    #[arg(long, value_name = "WHAT", value_parser = ["warnings"])]
    pub deny: Option<String>,
}

/// How much of a preview to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Depth {
    /// One page to decide on
    Brief,
    /// The table of steps
    Steps,
    /// Rows by dataset and reason
    Rows,
}

/// `preview`
#[derive(Debug, Args)]
pub struct Preview {
    /// Plan folder, or a run
    #[arg(default_value = ".", value_name = "PLAN|RUN")]
    pub what: String,
    /// Save the preview, to be signed and run
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// How much to print
    #[arg(long, value_enum, default_value_t = Depth::Brief)]
    pub depth: Depth,
    /// Preview a change of the plan in mid-run
    #[arg(long)]
    pub amend: bool,
}

/// `run`
#[derive(Debug, Args)]
pub struct Run {
    /// Plan folder, or a run to carry on
    #[arg(default_value = ".", value_name = "PLAN|RUN")]
    pub what: String,
    /// The signed preview (a new run) or signed amendment (a run in hand)
    #[arg(long, value_name = "FILE")]
    pub signed: Option<PathBuf>,
    /// A made-up clock that jumps over waits; only for made-up databases
    #[arg(long)]
    pub rehearsal: bool,
    /// Stop when this step has finished
    #[arg(long, value_name = "STEP")]
    pub until: Option<String>,
    /// Stay while the run waits, and go on when it may
    #[arg(long)]
    pub wait: bool,
    /// Try this failed or refused step again
    #[arg(long, value_name = "STEP")]
    pub retry: Vec<String>,
    /// Who asks for the retry: ROLE, ROLE@ORGANISATION or a person's code
    #[arg(long = "as", value_name = "WHO", requires = "retry")]
    pub who: Option<String>,
}

/// `status`
#[derive(Debug, Args)]
pub struct Status {
    /// A run, by any unique prefix; the only or newest one if absent
    pub run: Option<String>,
    /// Only what failed
    #[arg(long)]
    pub failed: bool,
    /// Exit with the run's own code instead of 0
    #[arg(long)]
    pub exit_status: bool,
}

/// `approve`
#[derive(Debug, Args)]
pub struct Approve {
    /// A preview file, or a run
    #[arg(value_name = "FILE|RUN")]
    pub what: String,
    /// The step that waits for the decision
    pub step: Option<String>,
    /// Who decides: ROLE, ROLE@ORGANISATION or a person's code
    #[arg(long = "as", value_name = "WHO")]
    pub who: String,
    /// Why, in their words (kept beside the run, not in the log)
    #[arg(long, required_unless_present = "statement")]
    pub reason: Option<String>,
    /// A file that proves it
    #[arg(long, value_name = "FILE")]
    pub evidence: Option<PathBuf>,
    /// Say no
    #[arg(long)]
    pub refuse: bool,
    /// Take an earlier decision back
    #[arg(long, conflicts_with = "refuse")]
    pub revoke: bool,
    /// Attest that a step was undone by hand
    #[arg(long, conflicts_with_all = ["refuse", "revoke"])]
    pub undone: bool,
    /// Sign with this key file (Ed25519, as `ssh-keygen` writes it, without a passphrase)
    #[arg(long, value_name = "FILE", conflicts_with_all = ["statement", "signature", "undone"])]
    pub key: Option<PathBuf>,
    /// Write what is to be signed to this file; with --signature, the file that was signed
    #[arg(long, value_name = "FILE", conflicts_with = "undone")]
    pub statement: Option<PathBuf>,
    /// The signature that `ssh-keygen -Y sign` made
    #[arg(long, value_name = "FILE", requires = "statement")]
    pub signature: Option<PathBuf>,
    /// For how many days what is signed counts
    #[arg(long, value_name = "DAYS", default_value_t = crate::run::approvals::DAYS, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
}

/// What an undo does with rows that changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Changed {
    /// Undo nothing of that step until a person decides
    Refuse,
    /// Leave them and report them
    Skip,
    /// Undo them too and report them
    Force,
}

/// `rollback`
#[derive(Debug, Args)]
pub struct Rollback {
    /// A run
    pub run: Option<String>,
    /// Back to this checkpoint (`c4`) or to just before this step; before everything if absent
    #[arg(long, value_name = "CHECKPOINT|STEP")]
    pub to: Option<String>,
    /// Only show what would be undone
    #[arg(long)]
    pub preview: bool,
    /// Save the preview of the rollback, to be signed
    #[arg(long, value_name = "FILE", requires = "preview")]
    pub out: Option<PathBuf>,
    /// The signed preview of the rollback
    #[arg(long, value_name = "FILE")]
    pub signed: Option<PathBuf>,
    /// Rows that somebody changed since
    #[arg(long, value_enum, default_value_t = Changed::Refuse)]
    pub changed: Changed,
    /// The plan's short name, typed to confirm
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// `replay`
#[derive(Debug, Args)]
pub struct Replay {
    /// A run, or a folder that `export --as log` or `--as pack` wrote
    #[arg(value_name = "RUN|LOG|PACK")]
    pub what: String,
    /// As it looked after this entry or at this moment
    #[arg(long, value_name = "SEQ|TIME")]
    pub at: Option<String>,
    /// Only this step
    #[arg(long)]
    pub step: Option<String>,
}

/// `verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// A run, a folder that `export --as log` or `--as pack` wrote, or one entry's proof (`5.tlog-proof`)
    #[arg(value_name = "RUN|LOG|PACK|PROOF")]
    pub what: String,
    /// The log's key, from the minute that approved the plan (or a file with it)
    #[arg(long, value_name = "VKEY|FILE")]
    pub key: Option<String>,
    /// Which witnesses to believe and how many of them (a tlog-policy file)
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Whose signature is whose (an `allowed_signers` file)
    #[arg(long, value_name = "FILE")]
    pub signers: Option<PathBuf>,
    /// A seal, a request or an entry's proof that was kept elsewhere: by a witness, in a minute
    #[arg(long = "seal", value_name = "FILE")]
    pub seals: Vec<PathBuf>,
    /// A digest that was noted down outside: of the log's last line, or of the pack's list of files
    #[arg(long, value_name = "SHA256")]
    pub noted: Option<String>,
    /// The restricted annex, to be held against the log
    #[arg(long, value_name = "FOLDER")]
    pub annex: Option<PathBuf>,
    /// A time-stamp over a seal (RFC 3161) that was kept elsewhere
    #[arg(long = "stamp", value_name = "FILE")]
    pub stamps: Vec<PathBuf>,
    /// Also hold the organisations' databases against it (runs only)
    #[arg(long)]
    pub against_live: bool,
    /// Only what this step wrote, by its name in the plan
    #[arg(long, value_name = "STEP", requires = "against_live")]
    pub step: Option<String>,
    /// Show keys and values of rows that differ: personal data, for those who may see them
    #[arg(long, requires = "against_live")]
    pub show_values: bool,
}

/// What `export` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportForm {
    /// The step log and the papers it names, for an auditor
    Log,
    /// The run's state as JSON
    Json,
    /// The graph of the plan, for wikis
    Mermaid,
    /// Whose keys count, as `ssh-keygen -Y verify` reads it (`allowed_signers`)
    Signers,
    /// Control totals with their signers, for those who answer for the money: text, JSON and CSV
    Reconciliation,
    /// Everything an auditor needs, in a folder that explains itself
    Pack,
    /// Names, reasons and what people handed in, for those who may read them
    Annex,
    /// The log for process mining: OCEL 2.0, JSON
    Ocel,
    /// The log for process mining: XES
    Xes,
    /// The log as a table
    Csv,
    /// Copies and checks for a catalogue of data: `OpenLineage` events, one a line
    #[value(name = "openlineage")]
    OpenLineage,
}

/// `export`
#[derive(Debug, Args)]
pub struct Export {
    /// A run; for a reconciliation or a view of the log, an exported log or a pack will do
    pub run: Option<String>,
    /// What to write
    #[arg(long = "as", value_enum, default_value_t = ExportForm::Log)]
    pub form: ExportForm,
    /// Only this entry, with the proof that it stands in the sealed log
    #[arg(long, value_name = "SEQ", conflicts_with = "form")]
    pub entry: Option<u64>,
    /// Where to (a new folder for a log, a reconciliation, a pack or an annex; a file otherwise, `-` for stdout)
    #[arg(long, value_name = "PATH")]
    pub to: PathBuf,
}

/// `explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// `HO310`, `data-copy`, `on-failure` …
    pub what: Option<String>,
}

/// `close`
#[derive(Debug, Args)]
pub struct Close {
    /// A run
    pub run: Option<String>,
    /// Where to export the log first
    #[arg(long, value_name = "FOLDER")]
    pub to: PathBuf,
    /// The plan's short name, typed to confirm
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// `key`
#[derive(Debug, Subcommand)]
pub enum Key {
    /// Make the key that will seal the next run's log; or a witness's key
    New {
        /// Plan folder
        #[arg(conflicts_with_all = ["witness", "to"])]
        plan: Option<String>,
        /// Make the key of a witness of this name, such as `audit.example`
        #[arg(long, value_name = "NAME", requires = "to")]
        witness: Option<String>,
        /// The new file for the witness's key
        #[arg(long, value_name = "FILE", requires = "witness")]
        to: Option<PathBuf>,
    },
    /// Show what others check with: the words for the minute, or a witness's verifier key
    Show {
        /// Plan folder, or a run
        #[arg(value_name = "PLAN|RUN")]
        what: Option<String>,
        /// A witness's key file
        #[arg(long, value_name = "FILE", conflicts_with = "what")]
        witness: Option<PathBuf>,
    },
    /// Destroy the key of a closed run: undo and row verification end
    Destroy {
        /// A run
        run: Option<String>,
        /// The plan's short name, typed to confirm
        #[arg(long, value_name = "NAME")]
        confirm: Option<String>,
    },
}

/// `witness`
#[derive(Debug, Subcommand)]
pub enum Witness {
    /// Write what to send to witnesses: the newest seal, and the proof that it goes on from their last
    Request {
        /// A run
        run: Option<String>,
        /// Only this witness
        #[arg(long, value_name = "NAME")]
        witness: Option<String>,
        /// How many entries the witness signed last, where it says so
        #[arg(long, value_name = "ENTRIES")]
        from: Option<u64>,
        /// The folder to write to
        #[arg(long, value_name = "FOLDER", default_value = ".")]
        to: PathBuf,
    },
    /// On the witness's machine: check a request and sign it
    Sign {
        /// The request
        file: PathBuf,
        /// The witness's key; what it signed last is kept beside it
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The log's verifier key, from the committee's minute; needed the first time
        #[arg(long, value_name = "VKEY")]
        log: Option<String>,
        /// Where to write the answer
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
    },
    /// Take in what a witness signed
    Add {
        /// A run
        run: String,
        /// The witness's answer
        file: PathBuf,
    },
}

/// `anchor`
#[derive(Debug, Subcommand)]
pub enum Anchor {
    /// Write the newest seal as a file, to be stamped by an authority
    Request {
        /// A run
        run: Option<String>,
        /// The file to write
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Take in a time-stamp over a seal of the run
    Add {
        /// A run
        run: String,
        /// The authority's answer (RFC 3161)
        file: PathBuf,
    },
}
