#!/usr/bin/env bash
# Builds the pair and the bench as they are released, and measures; arguments go to the bench (--help names them). Without any it measures
# embedded stores and then, at the smaller size, PostgreSQL.
#
# Deliberately absent: figures to hold it against; docs/performance.md has them.
set -euo pipefail
cd "$(dirname "$0")/.."

# By name: another member of the workspace would build crash points into the services.
cargo build --release -p invitation-service -p connection-service -p acquaint-bench
bench=${CARGO_TARGET_DIR:-target}/release/acquaint-bench
if (($#)); then
  exec "$bench" "$@"
fi
"$bench"
exec "$bench" --postgres --stored 100000
