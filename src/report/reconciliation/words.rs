//! What control totals are called by people who do not know the tables: those of the reference schema
//! by words of ours, every other by its own name.
//!
//! Not here: the numbers.

use crate::machine::total::Total;

/// Totals that a decision maker looks for, in the order in which they look.
const HEADLINES: [&str; 8] = [
    "asset",
    "tenancy",
    "account",
    "account.balance",
    "transaction",
    "transaction.amount",
    "direct_debit",
    "direct_debit.amount",
];

/// Target tables and money columns.
const NAMES: &[(&str, &str)] = &[
    ("account", "Rent and other accounts"),
    ("account.balance", "Balances on accounts"),
    ("asset", "Homes and other property"),
    ("asset_address", "Addresses"),
    ("asset_management", "Who manages which home"),
    ("case", "Arrears, court and complaint cases"),
    ("case.amount", "Amounts of arrears cases"),
    ("case.start_balance", "Balances as cases began"),
    ("certificate", "Safety certificates"),
    ("charge", "Rents and service charges"),
    ("charge.value", "Weekly rents and charges"),
    ("contact_point", "Ways to reach people"),
    ("direct_debit", "Direct Debits"),
    ("direct_debit.amount", "Direct Debit collections"),
    ("direct_debit.total_due", "Direct Debit totals due"),
    ("lease", "Leases"),
    ("lease.ground_rent", "Ground rents"),
    ("person", "People"),
    ("tenancy", "Tenancies"),
    ("tenancy_party", "Tenants named in tenancies"),
    ("transaction", "Ledger lines"),
    ("transaction.amount", "Ledger amounts"),
    ("work_order.cost", "Costs of repairs"),
];

/// Codes of the reference schema.
const CODES: &[(&str, &str)] = &[
    ("fta", "former tenants"),
    ("dwelling", "homes"),
    ("garage", "garages"),
    ("service_charge", "service charges"),
    ("none", "without a code"),
];

/// Where a total stands among the headlines; behind them where it is none.
pub(super) fn rank(of: &str) -> usize {
    let place = HEADLINES.iter().position(|name| *name == of);
    place.unwrap_or(HEADLINES.len())
}

/// A total's name for people.
pub(super) fn words(total: &Total) -> String {
    match &total.part {
        Some(part) => {
            let code = part.split_once('=').map_or(part.as_str(), |(_, code)| code);
            format!("  {}", found(CODES, code).unwrap_or_else(|| plain(code)))
        }
        None => of_table(&total.of),
    }
}

/// What a target table or money column is called.
pub(super) fn of_table(name: &str) -> String {
    found(NAMES, name).unwrap_or_else(|| capital(&plain(name)))
}

/// What money above or below zero is called: of an account it is owed, or in credit.
pub(super) fn side(total: &Total, part: &str) -> String {
    match (total.of.as_str(), part) {
        ("account.balance", "above zero") => "  in arrears".to_owned(),
        ("account.balance", _) => "  in credit".to_owned(),
        ("transaction.amount", "above zero") => "  debits".to_owned(),
        ("transaction.amount", _) => "  credits".to_owned(),
        _ => format!("  {part}"),
    }
}

fn found(names: &[(&str, &str)], name: &str) -> Option<String> {
    let (_, words) = names.iter().find(|(known, _)| *known == name)?;
    Some((*words).to_owned())
}

fn plain(name: &str) -> String {
    name.replace('_', " ").replace('.', ": ")
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
