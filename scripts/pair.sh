# shellcheck shell=bash
# The pair as two processes, with a Redis of their own where one is installed, for scripts to source: build_pair, start_redis, start_pair,
# stop_pair.
#
# Deliberately absent: configuration beyond addresses and files; what else is in the environment reaches both services.

# build_pair: builds both services; PROFILE=release for measuring, else as tests do. Builds nothing where PAIR_BIN names their folder.
build_pair() {
  [[ -z ${PAIR_BIN-} ]] || return 0
  local profile=${PROFILE:-dev}
  # Only these two: together with the tests they would be built with crash points.
  cargo build --package invitation-service --package connection-service --bins --profile "$profile"
  PAIR_BIN=${CARGO_TARGET_DIR:-target}/$([[ $profile == dev ]] && echo debug || echo "$profile")
}

# start_pair DATA INVITATION_PORT CONNECTION_PORT: starts both and returns when both say SERVING. Fails when one ends instead, or after
# 30 seconds. Sets INVITATION_PID and CONNECTION_PID.
start_pair() {
  local port
  for port in "$2" "$3"; do
    if curl --silent --output /dev/null --http2-prior-knowledge "http://127.0.0.1:$port/"; then
      echo "something else serves on port $port already" >&2
      return 1
    fi
  done
  mkdir -p "$1"
  ACQUAINT_LISTEN=127.0.0.1:$3 ACQUAINT_DATABASE_URL=sqlite:$1/connections.db "$PAIR_BIN/connection-service" &
  CONNECTION_PID=$!
  ACQUAINT_LISTEN=127.0.0.1:$2 ACQUAINT_DATABASE_URL=sqlite:$1/invitations.db ACQUAINT_CONNECTION_URL=http://127.0.0.1:$3 \
    "$PAIR_BIN/invitation-service" &
  INVITATION_PID=$!
  local patience=300
  until serving "$2" && serving "$3" && alive; do
    if ! alive || ((--patience == 0)); then
      echo "the pair does not serve on ports $2 and $3; see the log above" >&2
      return 1
    fi
    sleep 0.1
  done
}

# start_redis DATA: starts a Redis for this pair alone, on a socket in DATA, and has start_pair use it. Does nothing where none is installed or
# ACQUAINT_REDIS_URL names another. Sets REDIS_PID. It keeps nothing on disk, for what it knows is read from the store again.
start_redis() {
  [[ -z ${ACQUAINT_REDIS_URL-} ]] && command -v redis-server >/dev/null || return 0
  local socket
  mkdir -p "$1"
  # A socket's path has at most 107 bytes.
  socket=$(cd "$1" && pwd -P)/redis.sock
  if ((${#socket} > 107)); then
    echo "the path $socket is too long for a socket: going on without Redis" >&2
    return 0
  fi
  rm -f "$socket"
  redis-server --port 0 --unixsocket "$socket" --unixsocketperm 700 --dir "$1" --save '' --appendonly no --maxmemory 64mb \
    --maxmemory-policy allkeys-lru --loglevel warning &
  REDIS_PID=$!
  export ACQUAINT_REDIS_URL=redis+unix://$socket
}

# stop_pair: ends both, and the Redis that was started, and waits until they have; fails when one did not end in order.
stop_pair() {
  local pid failed=0
  tell_pair
  for pid in ${INVITATION_PID-} ${CONNECTION_PID-}; do
    ended "$pid" || failed=1
  done
  if [[ -n ${REDIS_PID-} ]]; then
    kill -TERM "$REDIS_PID" 2>/dev/null || true
    ended "$REDIS_PID" || true
    rm -f "${ACQUAINT_REDIS_URL#redis+unix://}"
  fi
  return "$failed"
}

# tell_pair: tells both to end, if they were started, and does not wait.
tell_pair() {
  local pid
  for pid in ${INVITATION_PID-} ${CONNECTION_PID-}; do
    kill -TERM "$pid" 2>/dev/null || true
  done
}

# ended PID: waits for a process, whatever signal arrives meanwhile; its exit status.
ended() {
  local status=0
  wait "$1" || status=$?
  while kill -0 "$1" 2>/dev/null; do
    status=0
    wait "$1" || status=$?
  done
  return "$status"
}

# alive: whether both processes are there.
alive() {
  kill -0 "$INVITATION_PID" 2>/dev/null && kill -0 "$CONNECTION_PID" 2>/dev/null
}

# serving PORT: asks grpc.health.v1.Health/Check. The body is an empty request in its frame; the answer's frame holds status 1, SERVING.
serving() {
  printf '\0\0\0\0\0' |
    curl --silent --max-time 1 --http2-prior-knowledge --data-binary @- \
      --header 'content-type: application/grpc' --header 'te: trailers' \
      "http://127.0.0.1:$1/grpc.health.v1.Health/Check" |
    od -An -tx1 | grep -q '00 00 00 00 02 08 01'
}

# free_port: a port that nobody listens on.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
