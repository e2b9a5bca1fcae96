//! Style and layering as ordinary tests.
