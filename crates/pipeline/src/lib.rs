//! Every decision Millstream takes, as pure functions from values to values.
