#!/usr/bin/env bash
# Writes the pages that follow from the code. Tests (tests/tests/contract/{configuration,callers}.rs) fail where they differ.
set -euo pipefail
cd "$(dirname "$0")/.."

page=$(cargo run --quiet --package acquaint-tests --example configuration)
printf '%s\n' "$page" >docs/configuration.md
ACQUAINT_WRITE_DOCS=1 cargo test --quiet --package acquaint-tests --test contract the_page_shows >/dev/null
echo "written: docs/configuration.md docs/callers.md"
