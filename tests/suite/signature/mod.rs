//! Approvals that can be checked without us: held against OpenSSH's own tools, against damage, and played
//! through the real binary.

mod amending;
mod beginning;
mod checked;
mod desk;
mod flow;
mod hostile;
mod keygen;
mod signers;
mod statements;
