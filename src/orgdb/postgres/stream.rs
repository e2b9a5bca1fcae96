//! Long answers with `COPY … TO STDOUT` in the binary form: no message of its own for what each row
//! looks like. `COPY` takes no values, so they are set for the transaction and read back by name.
//!
//! Not here: short answers (`Session::each`), the forms of values (`code`).

use rusqlite::types::ValueRef;

use super::code::Form;
use super::{Known, Session, busy, shown, told};
use crate::orgdb::link::{Flow, See};
use crate::orgdb::row::Fields;
use crate::orgdb::{DbTrouble, Row, Sql, dialect};
use crate::plan::digest::push_hex;
use crate::sql;

/// Signature, flags and the length of an extension that nobody has.
const HEAD: usize = 19;

impl Session {
    pub(in crate::orgdb) fn stream(
        &self,
        sql: &Sql,
        values: &[ValueRef<'_>],
        see: &mut See<'_>,
    ) -> Result<(), DbTrouble> {
        let known = self.known(sql)?;
        self.set_values(values)?;
        let text = format!(
            "COPY ({}) TO STDOUT WITH (FORMAT binary)",
            with_settings(sql, &known)
        );
        let mut connection = self.connection.try_borrow_mut().map_err(|_| busy())?;
        let begun = self.wait(async { connection.copy_out_raw(&text).await });
        let (mut fields, mut head) = (Fields::default(), HEAD);
        self.each_of(told(begun)?, |message| {
            let skipped = head.min(message.len());
            head -= skipped;
            let mut rest = &message[skipped..];
            while !rest.is_empty()
                && row(&mut rest, &known.columns, &mut fields).ok_or(DbTrouble::Damaged)?
            {
                if see(Row::Fields(&fields))?.is_break() {
                    return Ok(Flow::Break(()));
                }
            }
            Ok(Flow::Continue(()))
        })
    }

    /// Sets them all at once: every answer waits for the server.
    fn set_values(&self, values: &[ValueRef<'_>]) -> Result<(), DbTrouble> {
        if values.is_empty() {
            return Ok(());
        }
        let each =
            (1..=values.len()).map(|at| sql!("set_config('handover.v{}', ?{}, false)", at, at));
        let all = Sql::join(", ", &each.collect::<Vec<Sql>>());
        let settings: Vec<Option<Vec<u8>>> = values.iter().map(as_setting).collect();
        let texts = values.iter().zip(&settings);
        let texts = texts.map(|(value, setting)| setting.as_deref().map_or(*value, ValueRef::Text));
        self.execute(&sql!("SELECT {}", all), &texts.collect::<Vec<_>>())?;
        Ok(())
    }
}

/// A value as the server reads it from a setting, where it is not text.
fn as_setting(value: &ValueRef<'_>) -> Option<Vec<u8>> {
    match value {
        ValueRef::Integer(value) => Some(value.to_string().into_bytes()),
        ValueRef::Blob(bytes) => {
            let mut shown = b"\\x".to_vec();
            push_hex(&mut shown, bytes);
            Some(shown)
        }
        _ => None,
    }
}

/// The statement with its values read from settings, each as the type that the server wants.
fn with_settings(sql: &Sql, known: &Known) -> String {
    let text = dialect::postgres_with(sql.as_str(), |at| {
        let kind = known
            .kinds
            .get(at.saturating_sub(1))
            .map_or("text", String::as_str);
        format!("CAST(current_setting('handover.v{at}') AS {kind})")
    });
    shown(text, &known.declared)
}

/// Reads one row off the front; false at the trailer, none where the bytes are cut short.
fn row(rest: &mut &[u8], columns: &[Form], fields: &mut Fields) -> Option<bool> {
    let count = i16::from_be_bytes(take(rest, 2)?.try_into().ok()?);
    if count < 0 {
        return Some(false);
    }
    fields.clear();
    for form in columns {
        let field = *rest;
        let length = i32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
        match usize::try_from(length) {
            Err(_) => fields.null(),
            Ok(length) => form.read(take(rest, length)?, fields)?,
        }
        fields.keep(&field[..field.len() - rest.len()]);
    }
    Some(true)
}

fn take<'b>(rest: &mut &'b [u8], count: usize) -> Option<&'b [u8]> {
    let (taken, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(taken)
}
