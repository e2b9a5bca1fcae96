//! Asking a `PostgreSQL` server for what tells the rows of a table that are there now from later ones; none
//! where it cannot be trusted, or will not say.
//!
//! What could make a number in a row lie, and what is asked against it:
//!
//! - another server, or this one restored, promoted, restarted or restarted by itself after a crash (commits
//!   that were not yet on disk may be lost, and numbers given again): its system identifier, its timeline, when
//!   it started, when its statistics were last set back, which a crash does; a standby is never trusted;
//! - another database, table or file (`TRUNCATE`, `VACUUM FULL`, a rewrite): their numbers;
//! - rows that come from elsewhere (views, partitions, heirs, other storages), rows that a policy hides: not
//!   trusted;
//! - values that change without their row: types whose values are names of other things are not trusted,
//!   words of an enumeration and the value that an added column has in old rows are part of the place.
//!
//! Not here: when two of them may be held against each other (`orgdb::horizon`).

use rusqlite::types::ValueRef;

use super::Session;
use crate::orgdb::horizon::Horizon;
use crate::orgdb::link::Flow;
use crate::orgdb::{DbTrouble, Ident, Sql, Value};
use crate::plan::digest::Digest;

/// The two ends of the snapshot, then what tells server, database, table and file.
const PLACE: &str = "SELECT CAST(pg_snapshot_xmin(now.snapshot) AS text), CAST(pg_snapshot_xmax(now.snapshot) AS text),
  concat_ws(' ', s.system_identifier, k.timeline_id, extract(epoch FROM pg_postmaster_start_time()),
    extract(epoch FROM a.stats_reset), d.oid, c.oid, pg_relation_filenode(c.oid))
  FROM (SELECT pg_current_snapshot() AS snapshot) AS now, pg_control_system() AS s, pg_control_checkpoint() AS k,
    pg_catalog.pg_stat_archiver AS a, pg_catalog.pg_database AS d, pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_am AS m ON m.oid = c.relam
  WHERE d.datname = current_database() AND c.oid = to_regclass(?1) AND NOT pg_is_in_recovery()
  AND c.relkind = 'r' AND c.relpersistence = 'p' AND m.amname = 'heap'
  AND NOT c.relhassubclass AND NOT c.relrowsecurity";

/// Of each column its name, whether its values stand in its rows, and what they would be told by.
const COLUMNS: &str = "SELECT a.attname,
  CASE WHEN b.typtype = 'e' OR (b.typnamespace = CAST('pg_catalog' AS regnamespace) AND b.typname IN ('bool', 'int2',
    'int4', 'int8', 'numeric', 'float4', 'float8', 'text', 'varchar', 'bpchar', 'char', 'name', 'date', 'time', 'timetz',
    'timestamp', 'timestamptz', 'interval', 'uuid', 'json', 'jsonb', 'bytea', 'bit', 'varbit', 'inet', 'cidr', 'macaddr',
    'xml')) THEN CASE WHEN a.attgenerated IN ('', 's') THEN 1 ELSE 0 END ELSE 0 END,
  concat_ws(' ', a.attnum, a.atttypid, a.atttypmod, a.attcollation, CAST(a.attmissingval AS text),
    (SELECT string_agg(concat_ws(' ', e.oid, e.enumlabel), ',' ORDER BY e.enumsortorder)
     FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = b.oid))
  FROM pg_catalog.pg_attribute AS a JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  JOIN pg_catalog.pg_type AS b ON b.oid = CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid END
  WHERE a.attrelid = to_regclass(?1) AND NOT a.attisdropped";

impl Session {
    /// The horizon of these columns of a table at the look that is open.
    pub(in crate::orgdb) fn horizon(
        &self,
        table: &str,
        columns: &[String],
    ) -> Result<Option<Horizon>, DbTrouble> {
        use std::fmt::Write as _;
        let Some([floor, ceiling, mut place]) = self.place(table)? else {
            return Ok(None);
        };
        let known = self.columns_told(table)?;
        for name in columns {
            let found = known.iter().find(|[known, ..]| known == name);
            match found {
                Some([name, sound, told]) if sound == "1" => {
                    let _ = write!(place, "\n{name:?} {told:?}");
                }
                _ => return Ok(None),
            }
        }
        let number = |text: String| text.parse().map_err(|_| DbTrouble::Damaged);
        Ok(Some(Horizon {
            place: Digest::of(place.as_bytes()),
            floor: number(floor)?,
            ceiling: number(ceiling)?,
        }))
    }

    fn place(&self, table: &str) -> Result<Option<[String; 3]>, DbTrouble> {
        Ok(self.three(PLACE, table)?.into_iter().next())
    }

    fn columns_told(&self, table: &str) -> Result<Vec<[String; 3]>, DbTrouble> {
        self.three(COLUMNS, table)
    }

    /// Rows of three values, as text.
    fn three(&self, query: &'static str, table: &str) -> Result<Vec<[String; 3]>, DbTrouble> {
        let table = Ident::new(table).to_string();
        let mut found = Vec::new();
        let values = [ValueRef::Text(table.as_bytes())];
        self.each(&Sql::new(query), &values, &mut |row| {
            found.push([0, 1, 2].map(|at| match Value::of(row.get(at)) {
                Value::Int(number) => number.to_string(),
                other => other.into_text(),
            }));
            Ok(Flow::Continue(()))
        })?;
        Ok(found)
    }
}
