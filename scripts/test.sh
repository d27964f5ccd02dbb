#!/usr/bin/env bash
# Every test there is: those in Rust, and clients nobody here wrote against the running pair.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/sections.sh

section "tools" scripts/tools.sh
section "tests" cargo test --workspace
section "make run" scripts/test-run.sh
section "clients" scripts/test-clients.sh
