//! The demo's invented people: whatever a run waits for, somebody who may says it. They go the same
//! way as real ones: a claim, a word, a statement beside the run.
//!
//! Not here: signing previews (`story`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::OpenFlags;

use crate::machine::event::Waiting;
use crate::machine::rests::{Awaited, AwaitedWhat};
use crate::machine::time::Time;
use crate::plan::model::{Code, ContractNovation, Plan, Seat, StepSpec};
use crate::plan::outline::{Holder, StepId};
use crate::run::decisions::{self, Meaning, Word};
use crate::run::{Clock, Session, Site, Who, approvals};
use crate::signature::Proof;

use super::keys::Keys;
use super::story::StoryFault;

/// Says every word that the run waits for, once; how many were said.
///
/// # Errors
/// When a word is not taken.
pub async fn answer(
    site: Site,
    clock: &Clock,
    registers: Option<&Registers>,
    keys: Option<&Keys>,
) -> Result<(Site, usize), StoryFault> {
    let wanted = words(&site, clock.as_at(), registers)?;
    if wanted.is_empty() {
        return Ok((site, 0));
    }
    let mut session = Session::claim(site, Vec::new(), clock.clone(), Box::new(|_, _| {})).await?;
    let mut said = Ok(());
    for wanted in &wanted {
        said = say(&mut session, wanted, keys).await;
        if said.is_err() {
            break;
        }
    }
    let site = session.release().await?;
    said?;
    Ok((site, wanted.len()))
}

async fn say(
    session: &mut Session<'_>,
    wanted: &Wanted,
    keys: Option<&Keys>,
) -> Result<(), StoryFault> {
    let proof = match keys.filter(|_| wanted.decides) {
        Some(keys) => Some(signed(session, wanted, keys).await?),
        None => None,
    };
    let word = Word {
        who: wanted.who.clone(),
        means: Meaning::Yes,
        reason: wanted.reason,
        evidence: wanted.evidence.as_deref(),
        reading: None,
        proof: proof.as_ref(),
    };
    Ok(decisions::take(session, &wanted.step, &word).await?)
}

/// The decision as somebody signs it with their invented key.
async fn signed(
    session: &mut Session<'_>,
    wanted: &Wanted,
    keys: &Keys,
) -> Result<Proof, StoryFault> {
    let window = approvals::window(session.now().at.moment(), approvals::DAYS)?;
    let who = (&wanted.who, Meaning::Yes);
    let statement =
        approvals::statement(&mut session.site, &wanted.step, who, (None, None), window).await?;
    Ok(Proof::made(&statement, &keys.of(&wanted.who.person)?))
}

struct Wanted {
    /// A decision, rather than an answer.
    decides: bool,
    step: StepId,
    who: Who,
    reason: &'static str,
    evidence: Option<Vec<u8>>,
}

fn words(
    site: &Site,
    as_at: Time,
    registers: Option<&Registers>,
) -> Result<Vec<Wanted>, StoryFault> {
    let Some(plan) = site.plan() else {
        return Ok(Vec::new());
    };
    let mut wanted = Vec::new();
    for Awaited { step, what, .. } in site.run.waiting() {
        let Some(step) = step else { continue };
        match what {
            AwaitedWhat::Decisions(seats) => {
                let mut taken = deciders(site, &step);
                taken.insert(plan.author.clone());
                for who in fill(plan, &seats, as_at, taken) {
                    let reason = "the papers were read and are in order";
                    wanted.push(Wanted {
                        decides: true,
                        step: step.clone(),
                        who,
                        reason,
                        evidence: None,
                    });
                }
            }
            AwaitedWhat::Hold(Waiting::Person { seat }) => {
                for who in fill(plan, &[seat], as_at, BTreeSet::new()) {
                    let reason = "done, and filed";
                    let evidence = Some(
                        format!(
                            "{step}: done, see the file
"
                        )
                        .into_bytes(),
                    );
                    wanted.push(Wanted {
                        decides: false,
                        step: step.clone(),
                        who,
                        reason,
                        evidence,
                    });
                }
            }
            AwaitedWhat::Hold(Waiting::Evidence { seat, .. }) => {
                let novation = plan.step(&step).and_then(|step| match &step.does {
                    StepSpec::ContractNovation(novation) => Some(novation),
                    _ => None,
                });
                let evidence = registers
                    .zip(novation)
                    .map(|(registers, novation)| registers.deeds(novation, as_at))
                    .transpose()?;
                for who in fill(plan, &[seat], as_at, BTreeSet::new()) {
                    let reason = "the deeds came back signed by all three";
                    let evidence = evidence.clone();
                    wanted.push(Wanted {
                        decides: false,
                        step: step.clone(),
                        who,
                        reason,
                        evidence,
                    });
                }
            }
            AwaitedWhat::Hold(Waiting::Date { .. } | Waiting::Seal { .. })
            | AwaitedWhat::Mend
            | AwaitedWhat::ByHand(_) => {}
        }
    }
    Ok(wanted)
}

/// People who have decided at a gate already: each fills one seat only.
fn deciders(site: &Site, step: &StepId) -> BTreeSet<Code> {
    use crate::machine::event::{Actor, On};
    let about = On::Gate { step: step.clone() };
    let counts = site
        .run
        .decisions()
        .filter(|(_, decided)| decided.on == about && !decided.void);
    counts
        .filter_map(|(_, decided)| match &decided.actor {
            Actor::Person { person, .. } => Some(person.clone()),
            Actor::Executor => None,
        })
        .collect()
}

/// One person per seat who may fill it, each person once, none of those in `taken` (deciders are never
/// the author; whoever only does a task may be).
pub(super) fn fill(
    plan: &Plan,
    seats: &[Seat],
    as_at: Time,
    mut taken: BTreeSet<Code>,
) -> Vec<Who> {
    let mut filled = Vec::new();
    for seat in seats {
        let fits = |holder: &&Holder| {
            holder.role == seat.role
                && seat.org.as_ref().is_none_or(|org| holder.org == *org)
                && holder.in_post(as_at.moment())
                && !taken.contains(&holder.person)
        };
        if let Some(holder) = plan.outline.holders.iter().find(fits) {
            taken.insert(holder.person.clone());
            filled.push(Who {
                person: holder.person.clone(),
                role: holder.role.clone(),
                org: holder.org.clone(),
            });
        }
    }
    filled
}

/// The contract registers of made-up sources, out of which solicitors hand in deeds.
#[derive(Debug, Clone)]
pub struct Registers {
    /// The folder with the sources' databases, named after their codes.
    pub data: PathBuf,
    /// The code of each target in the registers.
    pub owners: BTreeMap<String, String>,
}

impl Registers {
    /// Signature dates for every contract that the step novates: what a solicitor hands in.
    fn deeds(&self, novation: &ContractNovation, as_at: Time) -> Result<Vec<u8>, StoryFault> {
        let day = as_at.moment().to_zoned(jiff::tz::TimeZone::UTC).date();
        let owner = novation.split.as_ref();
        let owner = owner.and_then(|_| self.owners.get(&*novation.target));
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let source = self.data.join(format!("{}.db", novation.source));
        let db = rusqlite::Connection::open_with_flags(source, flags)?;
        let mut query = db.prepare(
            "SELECT rtrim(con_ref) FROM contract WHERE route = 'NOV'
             AND (?1 IS NULL OR rtrim(for_org) = ?1) ORDER BY con_ref",
        )?;
        let refs: Vec<String> = query
            .query_map([owner], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        written(&refs, day)
    }
}

fn written(refs: &[String], day: jiff::civil::Date) -> Result<Vec<u8>, StoryFault> {
    let day = day.to_string();
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record([
        "contract_ref",
        "signed_outgoing",
        "signed_incoming",
        "signed_supplier",
    ])?;
    for reference in refs {
        csv.write_record([reference, &day, &day, &day])?;
    }
    csv.into_inner()
        .map_err(|fault| StoryFault::Csv(fault.into_error().into()))
}
