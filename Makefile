# The ways in. `make` alone lists them; each does all it needs on a fresh Debian 12 with Rust.
#
# Everything is built by cargo, which also decides where: CARGO_TARGET_DIR is respected.

# Where `make demo` keeps its distribution, its repository and its database.
MILLSTREAM_DEMO ?= demo-data
# How often `make kill-test` kills the server.
MILLSTREAM_KILL_ROUNDS ?= 50
# How many of these rounds run at once.
MILLSTREAM_KILL_LANES ?= 2

.PHONY: help demo test kill-test bench packages

help: ## Lists the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

demo: packages ## Pushes commits to an example distribution and shows how they travel
	cargo build --release --package millstream
	scripts/empty-folder '$(MILLSTREAM_DEMO)'
	cargo run --quiet --release --package millstream -- \
		demo --distribution examples/distribution --data '$(MILLSTREAM_DEMO)' \
		--python "$$(scripts/python-venv "$${CARGO_TARGET_DIR:-target}/compose-readers")"

test: packages ## Checks everything: style, lints, documentation, every test
	cargo xtask ci

kill-test: packages ## Kills the server again and again and compares the end with an undisturbed run
	MILLSTREAM_KILL_ROUNDS='$(MILLSTREAM_KILL_ROUNDS)' MILLSTREAM_KILL_LANES='$(MILLSTREAM_KILL_LANES)' \
		cargo test --package millstream --test kill -- --nocapture

bench: packages ## Measures; what the figures mean stands in docs/performance.md
	cargo bench --workspace --bench '*'

packages: ## Installs the Debian packages that are missing (as root or through sudo)
	scripts/packages
