//! The codec of lines until `machine::line` lands; then this folder goes.
#[allow(
    dead_code,
    unreachable_pub,
    reason = "goes as soon as `machine::line` stands"
)]
pub(super) mod canonical;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "goes as soon as `machine::line` stands"
)]
pub(super) mod line;
