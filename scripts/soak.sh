#!/usr/bin/env bash
# The tests that search, model, race, simulate, kill and take the server away, at full counts; writes what came of it to docs/soak.md.
#
# The counts below may be set to others in the environment. Deliberately absent: tests that have no counts; `make test` runs them all.
set -euo pipefail
cd "$(dirname "$0")/.."

export ACQUAINT_MODEL_CASES=${ACQUAINT_MODEL_CASES:-20000}
export ACQUAINT_RACE_ROUNDS=${ACQUAINT_RACE_ROUNDS:-1000}
export ACQUAINT_SEARCH_DEPTH=${ACQUAINT_SEARCH_DEPTH:-7}
export ACQUAINT_FEED_SEEDS=${ACQUAINT_FEED_SEEDS:-200}
export ACQUAINT_CRASH_RUNS=${ACQUAINT_CRASH_RUNS:-20}
export ACQUAINT_KILLS=${ACQUAINT_KILLS:-200}
export ACQUAINT_OUTAGE_SECONDS=${ACQUAINT_OUTAGE_SECONDS:-30}
export ACQUAINT_RESTARTS=${ACQUAINT_RESTARTS:-30}
export ACQUAINT_FAILOVERS=${ACQUAINT_FAILOVERS:-10}
export ACQUAINT_SIM_SEEDS=${ACQUAINT_SIM_SEEDS:-10000}
export ACQUAINT_LIMITER_CASES=${ACQUAINT_LIMITER_CASES:-10000}
export ACQUAINT_LIMITER_ROUNDS=${ACQUAINT_LIMITER_ROUNDS:-200}
export ACQUAINT_LIMITER_ATTEMPTS=${ACQUAINT_LIMITER_ATTEMPTS:-1000000}
suites=(protocol_search model races limiter feed simulation crash outages)

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
commit=$(git rev-parse HEAD)
[[ -z $(git status --porcelain) ]] || commit="$commit, with changes that are not committed"
began=$(date -u '+%Y-%m-%d %H:%M UTC')
cargo test --workspace --tests --no-run

failed=0
for suite in "${suites[@]}"; do
  echo "soaking: $suite"
  start=$SECONDS status=0
  cargo test --quiet --workspace --test "$suite" -- --show-output >"$scratch/out" 2>&1 || status=$?
  cat "$scratch/out"
  ((status == 0)) || failed=1
  {
    printf '\n## %s: %s in %d s\n\n```text\n' "$suite" "$( ((status)) && echo FAILED || echo passed)" $((SECONDS - start))
    # What was looked at, and the verdict; not the traces of what is found with a rule taken out.
    grep -E '^(test result|[^ ].* worlds within |[^ ].*: \{.*\}$|[a-z-]+: caught by seed |[0-9]+ seeds |cap [0-9]+: sent |.*: [0-9]+ calls, |[0-9]+ bytes a member|.* µs a script)' "$scratch/out" || true
    printf '```\n'
  } >>"$scratch/report"
done

{
  printf '# The last soak\n\nThe searches, models, races, simulations, crashes and outages of [tests/](../tests) at full counts, as "make soak" found them.\n\n'
  printf -- '- commit: %s\n- began: %s\n- duration: %d s\n- machine: %d cores, %s\n' "$commit" "$began" "$SECONDS" "$(nproc)" "$(rustc --version)"
  printf -- '- counts: %s sequences a model, %s rounds a race, %s seeds of a feed, searched %s commands deep, %s seeds simulated, each crash point %s times, %s kills, %s s without a server, %s restarts and %s failovers of it, %s sequences of a limiter, %s attempts and %s storms on the weekly cap\n' \
    "$ACQUAINT_MODEL_CASES" "$ACQUAINT_RACE_ROUNDS" "$ACQUAINT_FEED_SEEDS" "$ACQUAINT_SEARCH_DEPTH" "$ACQUAINT_SIM_SEEDS" "$ACQUAINT_CRASH_RUNS" "$ACQUAINT_KILLS" \
    "$ACQUAINT_OUTAGE_SECONDS" "$ACQUAINT_RESTARTS" "$ACQUAINT_FAILOVERS" \
    "$ACQUAINT_LIMITER_CASES" "$ACQUAINT_LIMITER_ATTEMPTS" "$ACQUAINT_LIMITER_ROUNDS"
  cat "$scratch/report"
} >docs/soak.md
echo "written: docs/soak.md"
exit "$failed"
