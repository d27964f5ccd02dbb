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
from google.protobuf import field_mask_pb2
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
    label = importlib.import_module("acquaint.connection.v1.label_pb2")
    member_card = importlib.import_module("acquaint.connection.v1.member_pb2")
    of_members = importlib.import_module("acquaint.connection.v1.member_service_pb2")
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

    for inviter, invitee in (("nia", "oli"), ("oli", "pia"), ("oli", "quo"), ("pia", "rea")):
        send(inviter, invitee)
        assert send(invitee, inviter).outcome == pb.SEND_OUTCOME_CONNECTED

    def card(who, first_name, last_name, headline):
        return member_card.MemberCard(member_id=member(who), first_name=first_name, last_name=last_name, headline=headline)

    put = [card("nia", "Nia", "Okafor", ""), card("oli", "Oli", "Ångström", "Baker in Łódź"), card("pia", "Pia", "Zu", "")]
    results = members.BatchPutMembers(of_members.BatchPutMembersRequest(members=put)).results
    assert [result.member for result in results] == put
    print(f"cards        a trusted service puts {len(results)} of them")

    def search(who, query):
        request = connection.ListConnectionsRequest(member_id=member(who), query=query, with_cards=True)
        return [one.card for one in connections.ListConnections(request).connections]

    (found,) = search("nia", "LODZ ang")
    assert found == put[1] and not search("nia", "zu")
    print(f"search       among nia's connections 'LODZ ang' finds {found.first_name} {found.last_name}, {found.headline}")

    request = connection.ListConnectionsRequest(member_id=member("oli"), order=connection.CONNECTION_ORDER_FIRST_NAME)
    print(f"by name      oli has {', '.join(name(one.other_id) for one in connections.ListConnections(request).connections)}")

    def update(paths, **fields):
        mask = field_mask_pb2.FieldMask(paths=paths)
        request = label.UpdateConnectionRequest(member_id=member("nia"), other_id=member("oli"), update_mask=mask, **fields)
        return connections.UpdateConnection(request).connection

    update(["labels", "private_note"], labels=["bread", "work"], private_note="met at the fair")
    noted = update(["labels"], labels=["work"])
    assert (list(noted.labels), noted.private_note) == (["work"], "met at the fair")
    labels = connections.ListLabels(label.ListLabelsRequest(member_id=member("nia"))).labels
    counts = ", ".join(f"{one.label} {one.connection_count}" for one in labels)
    (other,) = (one for one in connections.ListConnections(request).connections if name(one.other_id) == "nia")
    assert not other.labels and not other.private_note
    print(f"labels       only what update_mask names is changed: {counts}, and the note stays; oli sees none of it")

    connections.RenameLabel(label.RenameLabelRequest(member_id=member("nia"), label="work", new_label="bakers"))
    connections.DeleteLabel(label.DeleteLabelRequest(member_id=member("nia"), label="bread"))
    of_bakers = connections.ListConnections(connection.ListConnectionsRequest(member_id=member("nia"), label="bakers")).connections
    print(f"label        renamed, it is still on {name(of_bakers[0].other_id)}")

    others = ["oli", "pia", "rea", "nobody"]
    request = connection.BatchGetRelationshipsRequest(member_id=member("nia"), other_ids=map(member, others))
    degrees = [connection.Degree.Name(one.degree) for one in connections.BatchGetRelationships(request).relationships]
    degrees = [degree.removeprefix("DEGREE_").lower() for degree in degrees]
    print(f"degree       from nia: {', '.join(' '.join(pair) for pair in zip(others, degrees, strict=True))}")

    mutual = connections.ListMutualConnections(connection.ListMutualConnectionsRequest(member_id=member("nia"), other_id=member("pia")))
    assert mutual.total_size == len(mutual.member_ids)
    print(f"mutual       nia and pia have {', '.join(map(name, mutual.member_ids))} in common")

    def suggested(who):
        page = connections.SuggestConnections(connection.SuggestConnectionsRequest(member_id=member(who)))
        return ", ".join(f"{name(one.other_id)} ({one.mutual_count})" for one in page.suggestions)

    before = suggested("nia")
    connections.DismissSuggestion(connection.DismissSuggestionRequest(member_id=member("nia"), other_id=member("quo")))
    print(f"suggestions  nia may know {before}; with quo dismissed, {suggested('nia')}")

    export = members.ExportMember(of_members.ExportMemberRequest(member_id=member("nia")))
    records = [record.WhichOneof("record") for message in export for record in message.records]
    print(f"export       what is held for nia comes as a stream: {', '.join(records)}")

    csv = connection.ExportConnectionsRequest(member_id=member("oli"), format=connection.EXPORT_FORMAT_CSV)
    rows = b"".join(message.csv for message in connections.ExportConnections(csv)).decode().splitlines()
    print(f"csv          {rows[0]}: {', '.join(sorted(name(row.split(',')[0]) for row in rows[1:]))}")

    blocks.BlockMember(block.BlockMemberRequest(member_id=member("ana"), other_id=member("ben")))
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "RECIPIENT_UNAVAILABLE"):
        send("ben", "ana")
    with refused(grpc.StatusCode.FAILED_PRECONDITION, "MEMBER_BLOCKED_BY_YOU"):
        send("ana", "ben")
    print(f"block        ana blocks ben: ana has {connected('ana')}, and ben's invitation is RECIPIENT_UNAVAILABLE")

    send("dan", "joy")
    while not members.EraseMember(of_members.EraseMemberRequest(member_id=member("dan"))).complete:
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
