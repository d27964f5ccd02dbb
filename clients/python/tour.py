"""Plays a story against the running pair with stubs generated from proto/, and says each step that went as it should.

    .tools/venv/bin/python clients/python/tour.py [INVITATION_ADDRESS CONNECTION_ADDRESS]

Deliberately absent: anything of Acquaint's but its contract. Each run has members of its own, so it can be repeated.
"""

import contextlib
import importlib
import pathlib
import sys
import tempfile
import uuid

import grpc
import grpc_tools
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
RUN = uuid.uuid4().hex[:8]


def generate(folder):
    """Writes the stubs of every contract into a folder and makes them importable."""
    contracts = [str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto")]
    own = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    options = [f"--proto_path={PROTO}", f"--proto_path={own}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    assert protoc.main(["protoc", *options, *contracts]) == 0
    sys.path.insert(0, folder)


def member(name):
    """The id of a member of this run."""
    return f"{RUN}.{name}"


def name(member_id):
    """A member's id without the run."""
    return member_id.removeprefix(f"{RUN}.")


@contextlib.contextmanager
def refused(code, reason):
    """Expects a refusal; gives its details by their type, filled when it has come."""
    details = {}
    try:
        yield details
    except grpc.RpcError as error:
        assert error.code() == code, error
        for packed in rpc_status.from_call(error).details:
            detail = getattr(error_details_pb2, packed.TypeName().removeprefix("google.rpc."))()
            assert packed.Unpack(detail)
            details[type(detail).__name__] = detail
        info = details["ErrorInfo"]
        assert (info.domain, info.reason) == ("acquaint", reason), info
    else:
        raise AssertionError(f"{reason} was expected")


def story(invitation_address, connection_address):
    """The story, step by step."""
    pb = importlib.import_module("acquaint.invitation.v1.invitation_service_pb2")
    invitation = importlib.import_module("acquaint.invitation.v1.invitation_pb2")
    watching = importlib.import_module("acquaint.invitation.v1.watch_pb2")
    connection = importlib.import_module("acquaint.connection.v1.connection_service_pb2")
    block = importlib.import_module("acquaint.connection.v1.block_service_pb2")
    erasure = importlib.import_module("acquaint.connection.v1.member_service_pb2")
    channels = [grpc.insecure_channel(address) for address in (invitation_address, connection_address)]
    invitations = importlib.import_module("acquaint.invitation.v1.invitation_service_pb2_grpc").InvitationServiceStub(channels[0])
    connections = importlib.import_module("acquaint.connection.v1.connection_service_pb2_grpc").ConnectionServiceStub(channels[1])
    blocks = importlib.import_module("acquaint.connection.v1.block_service_pb2_grpc").BlockServiceStub(channels[1])
    members = importlib.import_module("acquaint.connection.v1.member_service_pb2_grpc").MemberServiceStub(channels[1])

    def send(inviter, invitee, **fields):
        return invitations.SendInvitation(pb.SendInvitationRequest(inviter_id=member(inviter), invitee_id=member(invitee), **fields))

    def accept(who, invitation_id):
        return invitations.AcceptInvitation(pb.AcceptInvitationRequest(invitation_id=invitation_id, member_id=member(who)))

    def box(who, which):
        return invitations.ListInvitations(pb.ListInvitationsRequest(member_id=member(who), box=which)).invitations

    def connected(who):
        page = connections.ListConnections(connection.ListConnectionsRequest(member_id=member(who)))
        assert page.total_size == len(page.connections)
        return ", ".join(name(one.other_id) for one in page.connections) or "nobody"

    def watch(who, token=""):
        return invitations.WatchInvitations(watching.WatchInvitationsRequest(member_id=member(who), resume_token=token))

    request_id = str(uuid.uuid4())
    sent = send("ana", "ben", note=" Hello Ben ", request_id=request_id)
    assert sent.outcome == pb.SEND_OUTCOME_SENT
    assert sent.invitation.state == invitation.INVITATION_STATE_PENDING
    first = sent.invitation.invitation_id
    print(f"send         ana invites ben: {sent.quota.remaining} of {sent.quota.weekly_cap} left this week")

    again = send("ana", "ben", note=" Hello Ben ", request_id=request_id)
    assert again == sent
    print("repeat       with the same request_id the answer is the same")

    with refused(grpc.StatusCode.ALREADY_EXISTS, "INVITATION_PENDING") as details:
        send("ana", "ben")
    assert details["ErrorInfo"].metadata == {"invitation_id": first}
    print("clash        without one it is INVITATION_PENDING, which names the one that stands")

    with refused(grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD") as details:
        send("no spaces", "ben", note="x" * 301, request_id="7")
    fields = [violation.field for violation in details["BadRequest"].field_violations]
    print(f"fields       INVALID_FIELD names every one: {', '.join(sorted(fields))}")

    (received,) = box("ben", invitation.INVITATION_BOX_RECEIVED)
    print(f"list         ben has received '{received.note}' from {name(received.inviter_id)}")

    count = invitations.CountInvitations(pb.CountInvitationsRequest(member_id=member("ben")))
    print(f"count        ben has {count.received_pending} received, {count.received_unseen} unseen")

    accepted = accept("ben", first)
    assert accepted.invitation.state == invitation.INVITATION_STATE_ACCEPTED
    assert accept("ben", first).connection == accepted.connection
    print(f"accept       ben accepts and is connected with {name(accepted.connection.other_id)}; twice is once")

    print(f"connections  ana has {connected('ana')}, ben has {connected('ben')}")

    send("dan", "eve")
    crossed = send("eve", "dan")
    assert crossed.outcome == pb.SEND_OUTCOME_CONNECTED
    assert crossed.quota.used == 0
    print(f"crossing     dan invites eve, eve invites dan: dan has {connected('dan')}, and eve was charged {crossed.quota.used}")

    declined = send("gus", "fay").invitation.invitation_id
    invitations.DeclineInvitation(pb.DeclineInvitationRequest(invitation_id=declined, member_id=member("fay")))
    assert not box("gus", invitation.INVITATION_BOX_SENT)
    with refused(grpc.StatusCode.NOT_FOUND, "INVITATION_NOT_FOUND"):
        invitations.GetInvitation(pb.GetInvitationRequest(invitation_id=declined, member_id=member("gus")))
    print("decline      fay declines, and all gus sees is that it is gone")

    with refused(grpc.StatusCode.FAILED_PRECONDITION, "RECIPIENT_UNAVAILABLE") as details:
        send("gus", "fay")
    assert list(details) == ["ErrorInfo"] and not details["ErrorInfo"].metadata
    print("masked       gus invites fay again: RECIPIENT_UNAVAILABLE, and not a word why")

    for number in range(50):
        last = send("hal", f"member{number}")
    assert last.quota.remaining == 0
    with refused(grpc.StatusCode.RESOURCE_EXHAUSTED, "WEEKLY_CAP_REACHED") as details:
        send("hal", "one-more")
    figures = details["ErrorInfo"].metadata
    assert sorted(figures) == ["next_place_time", "used", "weekly_cap"]
    assert details["QuotaFailure"].violations
    days = round(details["RetryInfo"].retry_delay.seconds / 86_400)
    print(f"quota        hal has used {figures['used']} of {figures['weekly_cap']}: WEEKLY_CAP_REACHED, come back in {days} days")

    withdrawal = pb.WithdrawInvitationRequest(invitation_id=last.invitation.invitation_id, member_id=member("hal"))
    assert invitations.WithdrawInvitation(withdrawal).invitation.state == invitation.INVITATION_STATE_WITHDRAWN
    quota = invitations.GetInvitationQuota(pb.GetInvitationQuotaRequest(member_id=member("hal"))).quota
    print(f"withdraw     hal takes one back: {quota.pending_sent} pending, {quota.used} used all the same")

    stream = watch("ivo")
    assert next(stream).HasField("heartbeat")
    send("joy", "ivo", note="one")
    seen = next(stream)
    stream.cancel()
    send("kim", "ivo", note="two")
    third = send("lea", "ivo", note="three").invitation.invitation_id
    stream = watch("ivo", seen.resume_token)
    resumed = (message for message in stream if not message.HasField("heartbeat"))
    notes = [message.member_event.listed.invitation.note for message in (seen, next(resumed), next(resumed))]
    invitations.WithdrawInvitation(pb.WithdrawInvitationRequest(invitation_id=third, member_id=member("lea")))
    assert next(resumed).member_event.gone.invitation_id == third
    stream.cancel()
    print(f"watch        cut and resumed with its token, ivo's stream gives {', '.join(notes)}, then that three is gone")

    blocks.BlockMember(block.BlockMemberRequest(member_id=member("ana"), other_id=member("ben")))
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "RECIPIENT_UNAVAILABLE"):
        send("ben", "ana")
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "MEMBER_BLOCKED_BY_YOU"):
        send("ana", "ben")
    print(f"block        ana blocks ben: ana has {connected('ana')}, and ben's invitation is RECIPIENT_UNAVAILABLE")

    send("dan", "joy")
    while not members.EraseMember(erasure.EraseMemberRequest(member_id=member("dan"))).complete:
        pass
    assert not box("joy", invitation.INVITATION_BOX_RECEIVED)
    with refused(grpc.StatusCode.NOT_FOUND, "MEMBER_NOT_FOUND"):
        send("dan", "eve")
    print(f"erase        dan is erased: eve has {connected('eve')}, joy has nothing received, dan is MEMBER_NOT_FOUND")
    for channel in channels:
        channel.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as stubs:
        generate(stubs)
        story(*(sys.argv[1:] or ["127.0.0.1:50051", "127.0.0.1:50052"]))
