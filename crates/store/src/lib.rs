//! What Millstream remembers, in SQLite or PostgreSQL.
