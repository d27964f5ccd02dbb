#!/usr/bin/env bash
# Builds and runs the pair on embedded stores, and on a Redis of its own if redis-server is installed, until it is told to end (Ctrl-C, SIGTERM), and then ends both services in order.
#
# INVITATION_PORT, CONNECTION_PORT, DATA and PROFILE (dev or release) may be set. Fails when a service fails, after ending the other.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/pair.sh

invitation=127.0.0.1:${INVITATION_PORT:=50051}
connection=127.0.0.1:${CONNECTION_PORT:=50052}
: "${DATA:=data}"
# In a store that is there already, ana and ben may have met.
if [[ -e $DATA/invitations.db ]]; then stamp=.$(date +%H%M%S); else stamp=; fi
ana=ana$stamp ben=ben$stamp

# says_redis: what counts what members send in the week.
says_redis() {
  if [[ ${REDIS_PID-} ]]; then
    echo "  Redis (process $REDIS_PID) on $DATA/redis.sock, which is this pair's alone and keeps nothing on disk"
  elif [[ ${ACQUAINT_REDIS_URL-} ]]; then
    echo "  the Redis that ACQUAINT_REDIS_URL names"
  else
    echo "  no Redis (redis-server is not installed, or its socket's path too long); invitation-service does without"
  fi
}

scripts/tools.sh curl
build_pair
told=
trap 'told=yes; tell_pair' INT TERM HUP
start_redis "$DATA"
if ! start_pair "$DATA" "$INVITATION_PORT" "$CONNECTION_PORT"; then
  stop_pair || true
  [[ $told ]]
  exit
fi

cat <<END

Both services are SERVING; Ctrl-C ends them. Their stores are in $DATA.

  invitation-service (process $INVITATION_PID) on $invitation
  connection-service (process $CONNECTION_PID) on $connection
$(says_redis)

Try this in another terminal, in this folder. $ana invites $ben, $ben accepts, and the two are connected:

    make tools && PATH=\$PWD/.tools/bin:\$PATH
    grpcurl -plaintext -d '{"inviter_id": "$ana", "invitee_id": "$ben", "note": "Hello"}' \\
      $invitation acquaint.invitation.v1.InvitationService/SendInvitation
    id=\$(grpcurl -plaintext -d '{"member_id": "$ben", "box": "INVITATION_BOX_RECEIVED"}' \\
      $invitation acquaint.invitation.v1.InvitationService/ListInvitations | tee /dev/stderr | sed -n 's/.*"invitationId": "\(.*\)",/\1/p')
    grpcurl -plaintext -d '{"invitation_id": "'\$id'", "member_id": "$ben"}' \\
      $invitation acquaint.invitation.v1.InvitationService/AcceptInvitation
    grpcurl -plaintext -d '{"member_id": "$ana"}' \\
      $connection acquaint.connection.v1.ConnectionService/ListConnections

END

first=0
wait -n -p gone "$INVITATION_PID" "$CONNECTION_PID" || first=$?
failed=0
if [[ ${gone-} ]]; then
  # It was told to end, by somebody else, or it failed.
  echo "one of the two services has ended with status $first; ending the other"
  ((first == 0)) || failed=1
fi
stop_pair || failed=1
((failed)) || echo "both services have ended"
exit "$failed"
