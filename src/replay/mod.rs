//! The room `replay`.
