//! Papers in, checked plan or every fault out.

use super::fault::PlanFaults;
use super::model::Plan;
use super::papers::Papers;

/// Reads and checks a plan folder's papers. `name` is the folder's name.
///
/// # Errors
/// Every fault at once, warnings among them, when there is at least one error.
pub fn read(name: &str, papers: Papers) -> Result<Plan, PlanFaults> {
    let _ = papers;
    Err(PlanFaults::gather(
        name,
        Vec::new(),
        std::collections::BTreeMap::new(),
    ))
}
