#!/usr/bin/env bash
# Plays the beginning of the story with grpcurl, which learns the contract from the running pair by reflection alone:
#
#   clients/grpcurl/tour.sh [INVITATION_ADDRESS CONNECTION_ADDRESS]
#
# Deliberately absent: the files in proto/. Each run has members of its own, so it can be repeated.
set -euo pipefail

invitation=${1:-127.0.0.1:50051}
connection=${2:-127.0.0.1:50052}
run=$(printf '%08x' $((RANDOM << 15 | RANDOM)))
invitations=acquaint.invitation.v1.InvitationService
connections=acquaint.connection.v1.ConnectionService

# call ADDRESS METHOD JSON: the answer, or the refusal with its details.
call() {
  grpcurl -plaintext -d "$3" "$1" "$2" 2>&1 || true
}

# expect WHAT TEXT PATTERN…: every pattern must be in the text.
expect() {
  local what=$1 text=$2 pattern
  shift 2
  for pattern; do
    if ! grep -qE -- "$pattern" <<<"$text"; then
      printf 'not as it should be: %s: no "%s" in\n%s\n' "$what" "$pattern" "$text" >&2
      exit 1
    fi
  done
  echo "$what"
}

expect "invitation-service lists its service, health and reflection" "$(grpcurl -plaintext "$invitation" list)" \
  "^$invitations\$" '^grpc.health.v1.Health$' '^grpc.reflection.v1.ServerReflection$'
expect "connection-service lists its services" "$(grpcurl -plaintext "$connection" list)" \
  "^$connections\$" '^acquaint.connection.v1.BlockService$' '^acquaint.connection.v1.MemberService$'
expect "a method can be described" "$(grpcurl -plaintext "$invitation" describe "$invitations.SendInvitation")" \
  'rpc SendInvitation \( .acquaint.invitation.v1.SendInvitationRequest \)'
for service in '' "$invitations"; do
  expect "invitation-service is SERVING${service:+ $service}" \
    "$(call "$invitation" grpc.health.v1.Health/Check "{\"service\": \"$service\"}")" '"SERVING"'
done

sent=$(call "$invitation" $invitations/SendInvitation "{\"inviter_id\": \"$run.ana\", \"invitee_id\": \"$run.ben\", \"note\": \"Hello Ben\"}")
expect "ana invites ben" "$sent" SEND_OUTCOME_SENT INVITATION_STATE_PENDING '"remaining": 49'
id=$(sed -n 's/.*"invitationId": "\(.*\)",/\1/p' <<<"$sent")
expect "ben has received it" "$(call "$invitation" $invitations/ListInvitations "{\"member_id\": \"$run.ben\", \"box\": \"INVITATION_BOX_RECEIVED\"}")" \
  "$id" '"note": "Hello Ben"' '"seen": false'
expect "a second one is refused, with details in plain text" \
  "$(call "$invitation" $invitations/SendInvitation "{\"inviter_id\": \"$run.ana\", \"invitee_id\": \"$run.ben\"}")" \
  'Code: AlreadyExists' '"reason": "INVITATION_PENDING"' '"domain": "acquaint"' "\"invitation_id\": \"$id\""
expect "malformed fields are named" "$(call "$invitation" $invitations/SendInvitation '{"inviter_id": "no spaces"}')" \
  'Code: InvalidArgument' google.rpc.BadRequest '"field": "inviter_id"' '"field": "invitee_id"'
expect "ben accepts" "$(call "$invitation" $invitations/AcceptInvitation "{\"invitation_id\": \"$id\", \"member_id\": \"$run.ben\"}")" \
  INVITATION_STATE_ACCEPTED "\"otherId\": \"$run.ana\"" connectTime
expect "ana is connected with ben" "$(call "$connection" $connections/ListConnections "{\"member_id\": \"$run.ana\"}")" \
  "\"otherId\": \"$run.ben\"" '"totalSize": 1'
expect "a watch begins with a token" "$(timeout 1 grpcurl -plaintext -d "{\"member_id\": \"$run.ben\"}" "$invitation" $invitations/WatchInvitations || true)" \
  '"resumeToken": "' '"heartbeat"'
