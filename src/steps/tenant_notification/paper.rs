//! What one letter says: the template with its fields filled, the address where it belongs.
//!
//! In: a reference, a recipient, the decision for them. Out: the whole text of a file.
//!
//! Not here: filling and escaping (`notify::template`), writing (`desk`).

use std::collections::BTreeMap;

use crate::notify::{Decision, Recipient, Template};
use crate::plan::model::{Code, OrgKind, TenantNotification};
use crate::steps::Look;

/// What a template may say about the recipient and the transfer.
pub(super) const FIELDS: [&str; 22] = [
    "name",
    "title",
    "forename",
    "surname",
    "address",
    "address_line_1",
    "address_line_2",
    "address_line_3",
    "address_line_4",
    "address_line_5",
    "address_line_6",
    "address_line_7",
    "postcode",
    "tenancy_ref",
    "reference",
    "council",
    "almo",
    "landlord",
    "old_manager",
    "new_manager",
    "handover",
    "date",
];

/// A step's letter paper.
pub(super) struct Paper<'a> {
    look: &'a Look,
    step: &'a TenantNotification,
    template: Template,
}

impl<'a> Paper<'a> {
    pub(super) fn new(look: &'a Look, step: &'a TenantNotification) -> Paper<'a> {
        Paper {
            look,
            step,
            template: Template::new(&step.text),
        }
    }

    /// The whole file, where there is something to write. An address that the template does not
    /// place stands above the letter.
    pub(super) fn text(
        &self,
        reference: &str,
        who: &Recipient,
        decision: &Decision,
    ) -> Option<String> {
        let fields = self.template.fields();
        let placed = fields.iter().any(|field| field.starts_with("address"));
        let (values, head) = match decision {
            Decision::Letter { to, address, .. } => {
                let lines: Vec<&str> = std::iter::once(to.as_str())
                    .chain(address.lines.iter().map(String::as_str))
                    .collect();
                let mut values = self.values(reference, who, to);
                values.insert("address", lines[1..].join(", "));
                values.insert("postcode", address.postcode.clone());
                values.extend(numbered(&lines, &fields));
                let head = format!("{}\n{}\n\n", lines.join("\n"), address.postcode);
                (values, if placed { String::new() } else { head })
            }
            Decision::Email { to, address } => {
                let values = self.values(reference, who, to);
                (values, format!("{to}\n{address}\n\n"))
            }
            Decision::ByHand(_) | Decision::Nothing(_) => return None,
        };
        Some(head + &self.template.render(&values))
    }

    fn values(&self, reference: &str, who: &Recipient, to: &str) -> BTreeMap<&'static str, String> {
        let plan = &self.look.plan;
        let orgs = [&self.step.source, &self.step.target];
        let kind = |kind: OrgKind| {
            let is = |code: &&&Code| plan.orgs.get(&***code).is_some_and(|org| org.kind == kind);
            let org = orgs.iter().find(is);
            org.map_or("", |code| plan.org_name(code)).to_owned()
        };
        let day = |moment: jiff::Timestamp| {
            let zoned = moment.to_zoned(plan.timezone.clone());
            zoned.strftime("%-d %B %Y").to_string()
        };
        BTreeMap::from([
            ("name", to.to_owned()),
            ("title", who.title.clone()),
            ("forename", who.forename.clone()),
            ("surname", who.surname.clone()),
            ("tenancy_ref", who.tenancy_ref.clone()),
            ("reference", reference.to_owned()),
            ("council", kind(OrgKind::Council)),
            ("almo", kind(OrgKind::Almo)),
            ("landlord", kind(OrgKind::Council)),
            ("old_manager", plan.org_name(&self.step.source).to_owned()),
            ("new_manager", plan.org_name(&self.step.target).to_owned()),
            ("handover", day(plan.handover)),
            ("date", day(self.look.as_at)),
        ])
    }
}

/// `address_line_1` and so on: the name and the lines, as many as the template has room for; what is
/// beyond its last one stands on the last one, so that no part of an address is lost.
fn numbered(lines: &[&str], fields: &[&str]) -> Vec<(&'static str, String)> {
    let all = FIELDS
        .iter()
        .filter(|field| field.starts_with("address_line_"));
    let all: Vec<&'static str> = all.copied().collect();
    let last = all
        .iter()
        .rposition(|field| fields.contains(field))
        .unwrap_or(all.len() - 1);
    let values = all.iter().take(last + 1).enumerate().map(|(at, field)| {
        let value = if at == last {
            lines.get(at..).unwrap_or_default().join(", ")
        } else {
            lines.get(at).copied().unwrap_or_default().to_owned()
        };
        (*field, value)
    });
    values.collect()
}
