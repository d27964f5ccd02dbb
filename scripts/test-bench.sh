#!/usr/bin/env bash
# That the bench measures: every kind of call is made and answered as it should be, for a moment each, and two reports can be compared.
#
# PAIR_BIN names the folder of the binaries. Deliberately absent: any look at the figures; machines differ.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${PAIR_BIN:=${CARGO_TARGET_DIR:-target}/debug}"
scratch=$(mktemp -d)
# Root's PostgreSQL runs as another user.
chmod 755 "$scratch"
trap 'rm -rf "$scratch"' EXIT
bench=$PAIR_BIN/acquaint-bench

"$bench" --data "$scratch" --stored 30000 --in-flight 16 --warm-up 0.1 --seconds 0.3 --json "$scratch/report.json"
# The bench fails when a call does; here each kind must have been compared with itself.
"$bench" --compare "$scratch/report.json" "$scratch/report.json" >"$scratch/compared"
kinds=$("$bench" --help | sed -n 's/^ *- \([a-z-]*\):.*/\1/p')
[[ $kinds ]]
for kind in $kinds; do
  grep -q "| 30000 | $kind | 16 |.*| 1.00 |$" "$scratch/compared" || {
    echo "$kind was not measured" >&2
    exit 1
  }
done
echo "every kind of call was measured"

"$bench" --data "$scratch" --postgres --stored 30000 --in-flight 16 --warm-up 0.1 --seconds 0.3 --kinds list,send,accept |
  tee "$scratch/on-postgres"
grep -q "| PostgreSQL µs |" "$scratch/on-postgres"
echo "calls were measured on PostgreSQL"
