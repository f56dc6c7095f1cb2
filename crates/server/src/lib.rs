//! What runs: the reconcilers, the HTTP API, and the ways to open a store without a server.
