#!/usr/bin/env bash
# Formatting, lints and the contracts; nothing is changed.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/sections.sh

section "tools" scripts/tools.sh buf
section "format" cargo fmt --all --check
section "contracts" .tools/bin/buf lint
section "contracts' format" .tools/bin/buf format -d --exit-code
section "containers" python3 scripts/check-containers.py
# Where clippy's driver compiles the workspace anyhow (.ci/run), to compile it is to lint it.
case ${RUSTC_WORKSPACE_WRAPPER:-} in
  *clippy-driver) section "lints" cargo build --workspace --all-targets ;;
  *) section "lints" cargo clippy --workspace --all-targets -- -D warnings ;;
esac
