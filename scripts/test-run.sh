#!/usr/bin/env bash
# What `make run` promises: it says what to try, that works as it stands, and Ctrl-C, or the end of one service, ends everything.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/pair.sh

unset "${!ACQUAINT_@}"
build_pair
scratch=$(mktemp -d)
running=
leave() {
  [[ -z $running ]] || kill -TERM -- "-$running" 2>/dev/null || true
  rm -rf "$scratch"
}
trap leave EXIT

fail() {
  printf 'make run: %s\n' "$*" >&2
  cat "$scratch/out" >&2
  exit 1
}

# begin: `make run` in a process group of its own, as a terminal has it, until it says SERVING.
begin() {
  INVITATION_PORT=$(free_port) CONNECTION_PORT=$(free_port)
  export INVITATION_PORT CONNECTION_PORT DATA=$scratch/data
  set -m
  make --no-print-directory run >"$scratch/out" 2>&1 &
  running=$!
  set +m
  local patience=600
  until grep -qs 'Both services are SERVING' "$scratch/out"; do
    if ! kill -0 "$running" 2>/dev/null || ((--patience == 0)); then fail "does not serve"; fi
    sleep 0.1
  done
  sleep 0.2
}

# over WHAT: everything has ended, and nobody listens any more.
over() {
  local group=$running patience=300
  ended "$running" || true
  running=
  while kill -0 -- "-$group" 2>/dev/null; do
    ((--patience > 0)) || fail "$1 leaves something running"
    sleep 0.1
  done
  if serving "$INVITATION_PORT" || serving "$CONNECTION_PORT"; then fail "$1 leaves something serving"; fi
  echo "$1: all has ended"
}

begin
sed -n '/^Try this/,$ s/^    //p' "$scratch/out" | grep -v '^make tools' >"$scratch/try.sh"
PATH=$PWD/.tools/bin:$PATH bash -euo pipefail "$scratch/try.sh" >"$scratch/tried" 2>&1 || fail "what it says to try: $(cat "$scratch/tried")"
grep -q '"totalSize": 1' "$scratch/tried" || fail "what it says to try: $(cat "$scratch/tried")"
echo "what it says to try works"
kill -INT -- "-$running"
over "Ctrl-C"
grep -q 'both services have ended' "$scratch/out" || fail "Ctrl-C does not end it in order"

begin
kill -TERM "$running"
over "SIGTERM to make"
grep -q 'both services have ended' "$scratch/out" || fail "SIGTERM does not end it in order"

begin
kill -KILL "$(sed -n 's/.*connection-service (process \([0-9]*\)).*/\1/p' "$scratch/out")"
over "a service that is killed"
grep -q 'Error 1' "$scratch/out" || fail "does not fail when a service is killed"
