#!/usr/bin/env bash
# Builds the pair and the bench as they are released, and measures; arguments go to the bench (--help names them).
#
# Deliberately absent: figures to hold it against; docs/performance.md has them.
set -euo pipefail
cd "$(dirname "$0")/.."

# By name: another member of the workspace would build crash points into the services.
cargo build --release -p invitation-service -p connection-service -p acquaint-bench
exec "${CARGO_TARGET_DIR:-target}/release/acquaint-bench" "$@"
