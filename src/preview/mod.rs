//! The room `preview`.
