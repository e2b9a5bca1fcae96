//! Bank holidays of England and Wales, 2010 to 2028: a shipped table, so that a plan reads the same on
//! every machine and in every year.
//!
//! The rule of the Banking and Financial Dealings Act 1971 with the days moved or added by royal
//! proclamation: the royal wedding (2011), the Diamond Jubilee (2012), VE Day (2020), the Platinum
//! Jubilee and the State Funeral (2022), the Coronation (2023). Days still to come may change.
//! Not here: what a deadline on such a day means (`plan`).

use jiff::civil::Date;

/// First and last year of the table.
pub const YEARS: (i16, i16) = (2010, 2028);

/// Whether the table knows that day's year.
#[must_use]
pub fn covers(day: Date) -> bool {
    (YEARS.0..=YEARS.1).contains(&day.year())
}

/// What the bank holiday on that day is called, where it is one.
#[must_use]
pub fn name(day: Date) -> Option<&'static str> {
    let key = (day.year(), day.month(), day.day());
    let found = TABLE.binary_search_by_key(&key, |&(year, month, day, _)| (year, month, day));
    found.ok().map(|at| TABLE[at].3)
}

const NEW_YEAR: &str = "New Year's Day";
const GOOD_FRIDAY: &str = "Good Friday";
const EASTER: &str = "Easter Monday";
const EARLY_MAY: &str = "the early May bank holiday";
const SPRING: &str = "the spring bank holiday";
const SUMMER: &str = "the summer bank holiday";
const CHRISTMAS: &str = "Christmas Day";
const BOXING: &str = "Boxing Day";

/// Year, month, day, name; in the order of time.
#[rustfmt::skip]
const TABLE: &[(i16, i8, i8, &str)] = &[
    (2010, 1, 1, NEW_YEAR), (2010, 4, 2, GOOD_FRIDAY), (2010, 4, 5, EASTER),
    (2010, 5, 3, EARLY_MAY), (2010, 5, 31, SPRING), (2010, 8, 30, SUMMER),
    (2010, 12, 27, CHRISTMAS), (2010, 12, 28, BOXING),
    (2011, 1, 3, NEW_YEAR), (2011, 4, 22, GOOD_FRIDAY), (2011, 4, 25, EASTER),
    (2011, 4, 29, "the royal wedding bank holiday"), (2011, 5, 2, EARLY_MAY), (2011, 5, 30, SPRING),
    (2011, 8, 29, SUMMER), (2011, 12, 26, BOXING), (2011, 12, 27, CHRISTMAS),
    (2012, 1, 2, NEW_YEAR), (2012, 4, 6, GOOD_FRIDAY), (2012, 4, 9, EASTER),
    (2012, 5, 7, EARLY_MAY), (2012, 6, 4, SPRING), (2012, 6, 5, "the Diamond Jubilee bank holiday"),
    (2012, 8, 27, SUMMER), (2012, 12, 25, CHRISTMAS), (2012, 12, 26, BOXING),
    (2013, 1, 1, NEW_YEAR), (2013, 3, 29, GOOD_FRIDAY), (2013, 4, 1, EASTER),
    (2013, 5, 6, EARLY_MAY), (2013, 5, 27, SPRING), (2013, 8, 26, SUMMER),
    (2013, 12, 25, CHRISTMAS), (2013, 12, 26, BOXING),
    (2014, 1, 1, NEW_YEAR), (2014, 4, 18, GOOD_FRIDAY), (2014, 4, 21, EASTER),
    (2014, 5, 5, EARLY_MAY), (2014, 5, 26, SPRING), (2014, 8, 25, SUMMER),
    (2014, 12, 25, CHRISTMAS), (2014, 12, 26, BOXING),
    (2015, 1, 1, NEW_YEAR), (2015, 4, 3, GOOD_FRIDAY), (2015, 4, 6, EASTER),
    (2015, 5, 4, EARLY_MAY), (2015, 5, 25, SPRING), (2015, 8, 31, SUMMER),
    (2015, 12, 25, CHRISTMAS), (2015, 12, 28, BOXING),
    (2016, 1, 1, NEW_YEAR), (2016, 3, 25, GOOD_FRIDAY), (2016, 3, 28, EASTER),
    (2016, 5, 2, EARLY_MAY), (2016, 5, 30, SPRING), (2016, 8, 29, SUMMER), (2016, 12, 26, BOXING),
    (2016, 12, 27, CHRISTMAS),
    (2017, 1, 2, NEW_YEAR), (2017, 4, 14, GOOD_FRIDAY), (2017, 4, 17, EASTER),
    (2017, 5, 1, EARLY_MAY), (2017, 5, 29, SPRING), (2017, 8, 28, SUMMER),
    (2017, 12, 25, CHRISTMAS), (2017, 12, 26, BOXING),
    (2018, 1, 1, NEW_YEAR), (2018, 3, 30, GOOD_FRIDAY), (2018, 4, 2, EASTER),
    (2018, 5, 7, EARLY_MAY), (2018, 5, 28, SPRING), (2018, 8, 27, SUMMER),
    (2018, 12, 25, CHRISTMAS), (2018, 12, 26, BOXING),
    (2019, 1, 1, NEW_YEAR), (2019, 4, 19, GOOD_FRIDAY), (2019, 4, 22, EASTER),
    (2019, 5, 6, EARLY_MAY), (2019, 5, 27, SPRING), (2019, 8, 26, SUMMER),
    (2019, 12, 25, CHRISTMAS), (2019, 12, 26, BOXING),
    (2020, 1, 1, NEW_YEAR), (2020, 4, 10, GOOD_FRIDAY), (2020, 4, 13, EASTER),
    (2020, 5, 8, "the early May bank holiday (VE Day)"), (2020, 5, 25, SPRING),
    (2020, 8, 31, SUMMER), (2020, 12, 25, CHRISTMAS), (2020, 12, 28, BOXING),
    (2021, 1, 1, NEW_YEAR), (2021, 4, 2, GOOD_FRIDAY), (2021, 4, 5, EASTER),
    (2021, 5, 3, EARLY_MAY), (2021, 5, 31, SPRING), (2021, 8, 30, SUMMER),
    (2021, 12, 27, CHRISTMAS), (2021, 12, 28, BOXING),
    (2022, 1, 3, NEW_YEAR), (2022, 4, 15, GOOD_FRIDAY), (2022, 4, 18, EASTER),
    (2022, 5, 2, EARLY_MAY), (2022, 6, 2, SPRING),
    (2022, 6, 3, "the Platinum Jubilee bank holiday"), (2022, 8, 29, SUMMER),
    (2022, 9, 19, "the bank holiday for the State Funeral"), (2022, 12, 26, BOXING),
    (2022, 12, 27, CHRISTMAS),
    (2023, 1, 2, NEW_YEAR), (2023, 4, 7, GOOD_FRIDAY), (2023, 4, 10, EASTER),
    (2023, 5, 1, EARLY_MAY), (2023, 5, 8, "the bank holiday for the Coronation"),
    (2023, 5, 29, SPRING), (2023, 8, 28, SUMMER), (2023, 12, 25, CHRISTMAS), (2023, 12, 26, BOXING),
    (2024, 1, 1, NEW_YEAR), (2024, 3, 29, GOOD_FRIDAY), (2024, 4, 1, EASTER),
    (2024, 5, 6, EARLY_MAY), (2024, 5, 27, SPRING), (2024, 8, 26, SUMMER),
    (2024, 12, 25, CHRISTMAS), (2024, 12, 26, BOXING),
    (2025, 1, 1, NEW_YEAR), (2025, 4, 18, GOOD_FRIDAY), (2025, 4, 21, EASTER),
    (2025, 5, 5, EARLY_MAY), (2025, 5, 26, SPRING), (2025, 8, 25, SUMMER),
    (2025, 12, 25, CHRISTMAS), (2025, 12, 26, BOXING),
    (2026, 1, 1, NEW_YEAR), (2026, 4, 3, GOOD_FRIDAY), (2026, 4, 6, EASTER),
    (2026, 5, 4, EARLY_MAY), (2026, 5, 25, SPRING), (2026, 8, 31, SUMMER),
    (2026, 12, 25, CHRISTMAS), (2026, 12, 28, BOXING),
    (2027, 1, 1, NEW_YEAR), (2027, 3, 26, GOOD_FRIDAY), (2027, 3, 29, EASTER),
    (2027, 5, 3, EARLY_MAY), (2027, 5, 31, SPRING), (2027, 8, 30, SUMMER),
    (2027, 12, 27, CHRISTMAS), (2027, 12, 28, BOXING),
    (2028, 1, 3, NEW_YEAR), (2028, 4, 14, GOOD_FRIDAY), (2028, 4, 17, EASTER),
    (2028, 5, 1, EARLY_MAY), (2028, 5, 29, SPRING), (2028, 8, 28, SUMMER),
    (2028, 12, 25, CHRISTMAS), (2028, 12, 26, BOXING),
];
