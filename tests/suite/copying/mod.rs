//! Tests of copying.
