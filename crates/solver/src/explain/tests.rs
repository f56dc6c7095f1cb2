//! Reasons for and against, text in, text out.
