# shellcheck shell=bash
# Headings with durations, for scripts to source.

# section TITLE COMMAND…: a heading, the command, and how long it took; ends the script when the command fails.
section() {
  local title=$1 began=$SECONDS status=0
  shift
  printf '\n=== %s: %s\n' "$title" "$*"
  "$@" || status=$?
  if ((status)); then
    printf '=== %s FAILED with status %d after %d s\n' "$title" "$status" $((SECONDS - began))
    exit "$status"
  fi
  printf '=== %s: ok, %d s\n' "$title" $((SECONDS - began))
}
