"""The tour of the README: cem invites dee, dee accepts, and the two are connected."""

import os
import sys

import grpc
from acquaint.connection.v1 import connection_service_pb2 as connection
from acquaint.connection.v1 import connection_service_pb2_grpc as connection_grpc
from acquaint.invitation.v1 import invitation_pb2 as model
from acquaint.invitation.v1 import invitation_service_pb2 as invitation
from acquaint.invitation.v1 import invitation_service_pb2_grpc as invitation_grpc
from acquaint.invitation.v1 import watch_pb2 as watching
from google.rpc import error_details_pb2
from grpc_status import rpc_status

invitations = invitation_grpc.InvitationServiceStub(grpc.insecure_channel(sys.argv[1]))
connections = connection_grpc.ConnectionServiceStub(grpc.insecure_channel(sys.argv[2]))

# Shown with each call, where the services ask who calls.
shown = [("authorization", f"Bearer {os.environ['TOKEN']}")] if "TOKEN" in os.environ else None

# What happens to dee's lists from now on. Each message has a token to resume from; the first is a heartbeat.
events = invitations.WatchInvitations(watching.WatchInvitationsRequest(member_id="dee"), metadata=shown)
assert next(events).HasField("heartbeat")

invite = invitation.SendInvitationRequest(inviter_id="cem", invitee_id="dee", note="Hello Dee")
sent = invitations.SendInvitation(invite, metadata=shown)
print(f"sent {sent.invitation.invitation_id}, {sent.quota.remaining} places left this week")
print("dee's stream shows a note:", next(events).member_event.listed.invitation.note)

received = invitations.ListInvitations(
    invitation.ListInvitationsRequest(member_id="dee", box=model.INVITATION_BOX_RECEIVED), metadata=shown
)
for one in received.invitations:
    accepted = invitations.AcceptInvitation(
        invitation.AcceptInvitationRequest(invitation_id=one.invitation_id, member_id="dee"), metadata=shown
    )
    print("dee accepts:", model.InvitationState.Name(accepted.invitation.state))

page = connections.ListConnections(connection.ListConnectionsRequest(member_id="cem"), metadata=shown)
print(f"cem has {page.total_size} connection, with {page.connections[0].other_id}")

try:
    invitations.SendInvitation(invite, metadata=shown)
except grpc.RpcError as error:
    for detail in rpc_status.from_call(error).details:
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            print(f"again: {error.code().name}, {info.reason}")
