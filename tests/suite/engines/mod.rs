//! Tests against real servers: what each engine does with every type, and what it says when it refuses.

mod mariadb;
