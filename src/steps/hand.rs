//! The hand that holds the pen: one step's effects over one or two databases, numbered one after
//! the other, each heard of by the run as soon as it is durable.
//!
//! In: an `Act` and the databases that the step writes to. Out: pens, marks, counts of effects.
//!
//! Not here: the ledger itself (`copy::ledger`), which rows an effect holds (the kinds).

use super::{Act, Fault};
use crate::copy::ledger::{self, Effect, Pen};
use crate::machine::event::StepMarked;
use crate::plan::digest::Digest;
use crate::plan::model::Code;

/// Where a step has got to, and how it goes on.
pub(super) struct Hand<'a> {
    act: &'a Act,
    standing: Vec<(Code, Effect)>,
}

impl<'a> Hand<'a> {
    /// Reads what stands in the ledgers of `orgs` for this generation and tells the run of it again:
    /// a mark may have been lost between its commit and the log.
    pub(super) async fn open(act: &'a Act, orgs: &[&Code]) -> Result<Hand<'a>, Fault> {
        let mut standing = Vec::new();
        for org in orgs {
            let reader = act.look.reader(org)?;
            let deed = &act.deed;
            let effects = ledger::effects(reader, deed.run, &deed.step, deed.generation).await?;
            standing.extend(effects.into_iter().map(|effect| ((*org).clone(), effect)));
        }
        standing.sort_by_key(|(_, effect)| effect.ordinal);
        let mut hand = Hand {
            act,
            standing: Vec::new(),
        };
        for (org, effect) in standing {
            hand.note(org, effect);
        }
        Ok(hand)
    }

    /// A pen for the next effect, which nobody has begun.
    pub(super) async fn pen(&self, org: &Code, kind: &str) -> Result<Pen, Fault> {
        let ordinal = self.next();
        let writer = self.act.writer(org)?;
        let pen = Pen::begin(writer, &self.act.deed, ordinal, kind).await?;
        pen.ok_or_else(|| {
            Fault::broken(
                "HO920",
                org,
                format!(
                    "effect {ordinal} stands in the ledger of `{org}` although nobody began it"
                ),
            )
        })
    }

    /// A pen for effect `ordinal` of a step whose effects have fixed numbers; `None` when it stands.
    pub(super) async fn pen_at(
        &self,
        org: &Code,
        ordinal: u64,
        kind: &str,
    ) -> Result<Option<Pen>, Fault> {
        let writer = self.act.writer(org)?;
        Ok(Pen::begin(writer, &self.act.deed, ordinal, kind).await?)
    }

    /// Makes the effect durable and tells the run.
    pub(super) async fn commit(&mut self, org: &Code, pen: Pen) -> Result<(), Fault> {
        let effect = pen.commit().await?;
        self.note(org.clone(), effect);
        Ok(())
    }

    /// Effects that stand.
    pub(super) fn effects(&self) -> u64 {
        self.standing.len() as u64
    }

    /// Rows that the effects at `org` of that kind wrote in this generation.
    pub(super) fn rows(&self, org: &Code, kind: &str) -> u64 {
        let ours = |(whose, effect): &&(Code, Effect)| whose == org && effect.kind == kind;
        let standing = self.standing.iter().filter(ours);
        standing.map(|(_, effect)| effect.rows).sum()
    }

    /// One root over the effects at `org`, in their order.
    pub(super) fn root(&self, org: &Code) -> Digest {
        let ours = self.standing.iter().filter(|(whose, _)| whose == org);
        let roots: Vec<u8> = ours.flat_map(|(_, effect)| effect.root.0).collect();
        self.act.deed.key.keyed("steps/root/v1", &roots)
    }

    fn next(&self) -> u64 {
        let last = self.standing.iter().map(|(_, effect)| effect.ordinal).max();
        last.unwrap_or(0) + 1
    }

    fn note(&mut self, org: Code, effect: Effect) {
        let before: u64 = self.standing.iter().map(|(_, effect)| effect.rows).sum();
        let mark = StepMarked {
            ordinal: effect.ordinal,
            rows: before + effect.rows,
            root: effect.root,
        };
        // Nobody hears it only when the run is on its way out: the ledger keeps it.
        let _ = self.act.marks.send(mark);
        self.standing.push((org, effect));
    }
}
