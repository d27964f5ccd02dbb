#!/usr/bin/env bash
# Writes the pages that follow from the code. A test (tests/tests/contract/configuration.rs) fails where they differ.
set -euo pipefail
cd "$(dirname "$0")/.."

page=$(cargo run --quiet --package acquaint-tests --example configuration)
printf '%s\n' "$page" >docs/configuration.md
echo "written: docs/configuration.md"
