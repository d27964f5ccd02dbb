#!/usr/bin/env bash
# Measures what attacks cost those who mean well: builds connection-service and the attacker as they are released, and runs them turn by turn.
#
# scripts/attack.sh [KIND…]: these kinds of attack, such as RapidReset or everything; all of them where none is named. SECONDS_EACH (10) is how
# long a turn takes, TURNS (3) how many there are of each. Deliberately absent: a verdict.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release -p connection-service --bin connection-service
cargo build --release -p acquaint-tests --bin attack
target="${CARGO_TARGET_DIR:-target}/release"
exec "$target/attack" "$target/connection-service" "${SECONDS_EACH:-10}" "${TURNS:-3}" "$@"
