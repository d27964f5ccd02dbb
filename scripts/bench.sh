#!/usr/bin/env bash
# Builds the pair and the bench as they are released, and measures; arguments go to the bench (--help names them).
#
# Deliberately absent: figures to hold it against; docs/performance.md has them.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --bin invitation-service --bin connection-service --bin acquaint-bench
exec "${CARGO_TARGET_DIR:-target}/release/acquaint-bench" "$@"
