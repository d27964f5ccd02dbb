#!/usr/bin/env bash
# Every test there is: those in Rust, and clients nobody here wrote against the running pair.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/sections.sh

section "tools" scripts/tools.sh
# With all targets at once nothing is compiled twice: the tests and the programs share every dependency.
section "build" cargo build --workspace --all-targets
section "tests" cargo test --workspace --no-fail-fast
export PAIR_BIN=${CARGO_TARGET_DIR:-target}/debug
section "make run" scripts/test-run.sh
section "bench" scripts/test-bench.sh
section "clients" scripts/test-clients.sh
