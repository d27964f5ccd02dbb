#!/usr/bin/env bash
# Clients nobody here wrote, against the running pair: Python and Go with generated stubs, which must both tell clients/story.txt, grpcurl
# by reflection, and everything that the README shows.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/pair.sh

unset "${!ACQUAINT_@}" # defaults are what is told
export PATH=$PWD/.tools/bin:$PATH NO_COLOR=1 GOTOOLCHAIN=auto
python=.tools/venv/bin/python

build_pair
scratch=$(mktemp -d)
passed=
leave() {
  stop_pair || true
  [[ $passed ]] || cat "$scratch/log"
  rm -rf "$scratch"
}
trap leave EXIT

rm -rf clients/go/gen
buf generate --template clients/go/buf.gen.yaml --exclude-path proto/acquaint/connection/internal
(cd clients/go && go build -o "$scratch/tour" .)

INVITATION_PORT=$(free_port)
CONNECTION_PORT=$(free_port)
start_pair "$scratch/data" "$INVITATION_PORT" "$CONNECTION_PORT" 2>"$scratch/log"
addresses=("127.0.0.1:$INVITATION_PORT" "127.0.0.1:$CONNECTION_PORT")

echo "--- grpcurl, by reflection"
clients/grpcurl/tour.sh "${addresses[@]}"
echo "--- Python, with generated stubs"
$python clients/python/tour.py "${addresses[@]}" | tee "$scratch/python"
diff clients/story.txt "$scratch/python"
echo "--- Go, with generated stubs"
"$scratch/tour" "${addresses[@]}" >"$scratch/go"
diff clients/story.txt "$scratch/go"
echo "tells the same"
echo "--- the README"
$python scripts/check-readme.py "$INVITATION_PORT" "$CONNECTION_PORT"

stop_pair
if grep -E 'ERROR|panicked' "$scratch/log"; then
  echo "the log has errors" >&2
  exit 1
fi
passed=yes
