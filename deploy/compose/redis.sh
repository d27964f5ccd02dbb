#!/bin/sh
# Starts Redis with the arguments given, or asks it whether it answers (ping). The password stands in no argument, where others could see it.
set -eu
password=$(cat /etc/acquaint/redis.password)
if [ "${1-}" = ping ]; then
  REDISCLI_AUTH=$password redis-cli ping | grep -q PONG
else
  exec redis-server - "$@" <<END
requirepass $password
END
fi
