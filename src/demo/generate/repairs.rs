//! Repairs: the tables `rmreqst`, `rmworder` and `rmtask`.
//!
//! Not here: certificates (`safety`).

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday, date};
use rusqlite::Connection;

use super::MakeError;
use super::dice::Dice;
use super::homes::{Home, Stock};
use super::part::Part;
use super::table::Table;
use super::truth::{Books, Fate, Owner};
use super::words::PROBLEMS;

const RMREQST: [&str; 11] = [
    "rq_ref",
    "prop_ref",
    "rq_date",
    "rq_date_due",
    "rq_problem",
    "rq_priority",
    "rq_status",
    "sus_haz",
    "rq_name",
    "rq_phone",
    "rmreqst_sid",
];
const RMWORDER: [&str; 12] = [
    "wo_ref",
    "rq_ref",
    "prop_ref",
    "created",
    "date_due",
    "completed",
    "wo_status",
    "sup_ref",
    "act_cost",
    "est_cost",
    "u_priority",
    "rmworder_sid",
];
const RMTASK: [&str; 12] = [
    "task_ref",
    "wo_ref",
    "rq_ref",
    "prop_ref",
    "task_no",
    "job_code",
    "est_units",
    "est_cost",
    "act_cost",
    "task_status",
    "created",
    "rmtask_sid",
];

/// Requests of 1,000 homes in one year and a half.
const PER_THOUSAND: u64 = 4_120;

struct Repairs<'c, 'b> {
    request: Table<'c>,
    order: Table<'c>,
    task: Table<'c>,
    tasks: u32,
    handover: Date,
    dice: Dice,
    books: &'b mut Books,
}

/// Writes all three tables.
pub(super) fn write(
    connection: &Connection,
    part: &Part,
    stock: &Stock,
    books: &mut Books,
) -> Result<(), MakeError> {
    let progress = part.progress.as_ref();
    let mut repairs = Repairs {
        request: Table::new(connection, "rmreqst", &RMREQST, progress)?,
        order: Table::new(connection, "rmworder", &RMWORDER, progress)?,
        task: Table::new(connection, "rmtask", &RMTASK, progress)?,
        tasks: 0,
        handover: part.world.handover(),
        dice: Dice::new(part.seed, "repairs"),
        books,
    };
    let homes: Vec<&Home> = stock.homes.iter().filter(|home| home.lived_in()).collect();
    let count = u64::from(part.homes) * PER_THOUSAND / 1000;
    for number in 0..u32::try_from(count).unwrap_or(u32::MAX) {
        let home = repairs.dice.pick(&homes);
        repairs.request(home, number)?;
        if number % 20 != 7 {
            repairs.order(home, number)?;
        }
    }
    repairs.orphan_tasks(&homes)
}

/// The hour that the clocks leave out, in the spring before `handover`.
fn spring_gap(handover: Date) -> Date {
    let spring = |year| date(year, 3, 1).nth_weekday_of_month(-1, Weekday::Sunday);
    match spring(handover.year()) {
        Ok(day) if day < handover => day,
        _ => spring(handover.year() - 1).unwrap_or(handover),
    }
}

impl Repairs<'_, '_> {
    fn request(&mut self, home: &Home, number: u32) -> Result<(), MakeError> {
        let day = self
            .handover
            .saturating_sub(self.dice.between(1, 540).days());
        let emergency = self.dice.chance(90);
        let impossible = number % 1_500 == 100;
        let hazard = number % 61 == 5 && !impossible;
        let t = &mut self.request;
        t.padded(format_args!("{number:08}"), 8)
            .padded(home.reference(), 12);
        match number % 997 {
            _ if impossible => {
                self.books.mess("impossible date");
                t.text("31/02/2020 10:00")
            }
            50 => {
                self.books.mess("local time in the spring gap");
                t.shown(format_args!("{} 01:30:00", spring_gap(self.handover)))
            }
            _ => t.shown(format_args!(
                "{day} {:02}:{:02}:00",
                7 + self.dice.below(13),
                self.dice.below(60)
            )),
        };
        t.shown(format_args!("{} 17:00:00", day.saturating_add(28.days())));
        bind_problem(t, number, self.books);
        t.text(if emergency {
            "E"
        } else {
            ["U", "R", "R", "P"][number as usize % 4]
        });
        t.text(["COM", "COM", "COM", "OPN", "CAN"][number as usize % 5])
            .int(hazard);
        t.text("A tenant").null().int(number + 1).done()?;
        let kept = if impossible {
            Fate::Rejected("moment reported_at")
        } else {
            Fate::Copied
        };
        let case = if hazard {
            Fate::Copied
        } else {
            Fate::Filtered("no hazard")
        };
        self.books.row(
            "rmreqst",
            home.owner,
            &[("repair_request", kept), ("hazard_case", case)],
        );
        Ok(())
    }

    fn order(&mut self, home: &Home, number: u32) -> Result<(), MakeError> {
        let cost = self.dice.between(1_850, 48_000);
        let created = self
            .handover
            .saturating_sub(self.dice.between(1, 520).days());
        let planned = number % 37 == 3;
        let t = &mut self.order;
        t.padded(format_args!("{:09}", number + 1), 10);
        if planned {
            t.null()
        } else {
            t.padded(format_args!("{number:08}"), 8)
        };
        t.padded(home.reference(), 12)
            .shown(format_args!("{created} 09:15:00"));
        t.shown(created.saturating_add(28.days()));
        match number % 6 {
            0 => t.text("1900-01-01"),
            1 => t.null(),
            _ => t.shown(created.saturating_add(9.days())),
        };
        t.text(["200", "200", "300", "700", "900"][number as usize % 5]);
        t.padded(format_args!("SUP{:03}", number % 12), 12)
            .money(cost)
            .money(cost + 500);
        t.text("R").int(number + 1).done()?;
        self.books
            .row("rmworder", home.owner, &[("work_order", Fate::Copied)]);
        self.books.pence(home.owner, "work_order", "cost", cost);
        for line in 1..=1 + u32::from(number % 5 < 2) {
            let order = format!("{:09}", number + 1);
            self.task(home, &order, line, cost / i64::from(line + 1), Fate::Copied)?;
        }
        Ok(())
    }

    fn task(
        &mut self,
        home: &Home,
        order: &str,
        line: u32,
        cost: i64,
        fate: Fate,
    ) -> Result<(), MakeError> {
        self.tasks += 1;
        let units = 100 + i64::from(self.tasks % 4) * 25;
        let t = &mut self.task;
        // here the keys stand without their padding: the types of keys drift in old systems
        t.int(self.tasks)
            .text(order)
            .null()
            .shown(home.reference())
            .int(line);
        t.shown(format_args!("{:06}", 200_000 + self.tasks % 900))
            .money(units)
            .money(cost);
        t.money(cost)
            .text("COM")
            .text("2020-01-06 09:20:00")
            .int(self.tasks)
            .done()?;
        self.books
            .row("rmtask", home.owner, &[("work_order_line", fate)]);
        if fate == Fate::Copied {
            self.books
                .pence(home.owner, "work_order_line", "cost", cost);
        }
        Ok(())
    }

    /// Lines of works orders that are not there; the homes are.
    fn orphan_tasks(&mut self, homes: &[&Home]) -> Result<(), MakeError> {
        let home = homes
            .iter()
            .find(|home| matches!(home.owner, Owner::Target(_)));
        for line in 1..=4 {
            if let Some(home) = home {
                self.task(
                    home,
                    "999999999",
                    line,
                    999,
                    Fate::Rejected("lookup work_order_id"),
                )?;
                self.books.mess("orphan works order line");
            }
        }
        Ok(())
    }
}

fn bind_problem(t: &mut Table<'_>, number: u32, books: &mut Books) {
    match number % 199 {
        11 => {
            books.mess("windows-1252 bytes");
            t.bytes(b"Neighbour\x92s leak, quoted \xa385.00 \x96 please call");
        }
        23 => {
            books.mess("newlines and tabs");
            t.text("No heating.\r\nBaby in house.\n\tSecond call");
        }
        37 => {
            books.mess("nul in text");
            t.text("Cut off in mid\0sentence");
        }
        53 => {
            books.mess("utf-8 encoded twice");
            t.text("The tenantâ€™s cafÃ© sign fell");
        }
        71 => {
            books.mess("null form N/A");
            t.text("N/A");
        }
        _ => {
            t.text(PROBLEMS[number as usize % PROBLEMS.len()]);
        }
    }
}
