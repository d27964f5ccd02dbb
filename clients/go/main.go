// Plays a story against the running pair with stubs generated from proto/, and says each step that went as it should:
//
//	go run . [INVITATION_ADDRESS CONNECTION_ADDRESS]
//
// The stubs are made by buf.gen.yaml (scripts/test-clients.sh calls it). Deliberately absent: anything of Acquaint's but its contract.
// Each run has members of its own, so it can be repeated.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	connection "acquaint/clients/go/gen/acquaint/connection/v1"
	invitation "acquaint/clients/go/gen/acquaint/invitation/v1"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

var run = fmt.Sprintf("%08x.", rand.Uint32())

// member is the id of a member of this run.
func member(name string) string { return run + name }

// name is a member's id without the run.
func name(member string) string { return strings.TrimPrefix(member, run) }

// check ends the program when a step did not go as it should.
func check(ok bool, step string, seen ...any) {
	if !ok {
		log.Fatalln(append([]any{"not as it should be:", step}, seen...)...)
	}
}

// must gives the answer of a call that should succeed.
func must[T any](answer T, err error) T {
	check(err == nil, "a call", err)
	return answer
}

func dial(address string) *grpc.ClientConn {
	return must(grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials())))
}

// refusal is what a refused call carries.
type refusal struct {
	info  *errdetails.ErrorInfo
	bad   *errdetails.BadRequest
	retry *errdetails.RetryInfo
	quota *errdetails.QuotaFailure
	count int
}

// refused expects a call to fail for a reason, and gives the details.
func refused(err error, code codes.Code, reason string) refusal {
	check(status.Code(err) == code, reason, err)
	var found refusal
	for _, detail := range status.Convert(err).Details() {
		found.count++
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			found.info = detail
		case *errdetails.BadRequest:
			found.bad = detail
		case *errdetails.RetryInfo:
			found.retry = detail
		case *errdetails.QuotaFailure:
			found.quota = detail
		}
	}
	check(found.info.GetDomain() == "acquaint" && found.info.GetReason() == reason, reason, err)
	return found
}

// pair is both services, as one caller sees them.
type pair struct {
	ctx         context.Context
	invitations invitation.InvitationServiceClient
	connections connection.ConnectionServiceClient
	blocks      connection.BlockServiceClient
	members     connection.MemberServiceClient
}

// trySend invites; change fills further fields.
func (p pair) trySend(inviter, invitee string, change func(*invitation.SendInvitationRequest)) (*invitation.SendInvitationResponse, error) {
	request := &invitation.SendInvitationRequest{InviterId: member(inviter), InviteeId: member(invitee)}
	if change != nil {
		change(request)
	}
	return p.invitations.SendInvitation(p.ctx, request)
}

// send invites with a note, and should succeed.
func (p pair) send(inviter, invitee, note string) *invitation.SendInvitationResponse {
	return must(p.trySend(inviter, invitee, func(request *invitation.SendInvitationRequest) { request.Note = note }))
}

// box is one of a member's lists.
func (p pair) box(who string, which invitation.InvitationBox) []*invitation.Invitation {
	return must(p.invitations.ListInvitations(p.ctx, &invitation.ListInvitationsRequest{MemberId: member(who), Box: which})).Invitations
}

// connected names the members that one is connected with.
func (p pair) connected(who string) string {
	page := must(p.connections.ListConnections(p.ctx, &connection.ListConnectionsRequest{MemberId: member(who)}))
	check(int(page.TotalSize) == len(page.Connections), "total_size", page)
	if len(page.Connections) == 0 {
		return "nobody"
	}
	var names []string
	for _, one := range page.Connections {
		names = append(names, name(one.OtherId))
	}
	return strings.Join(names, ", ")
}

// watch streams what happens to a member's lists, from a token on, until stop is called. next gives the next message that is no heartbeat.
func (p pair) watch(who, token string) (next func() *invitation.WatchInvitationsResponse, stop func()) {
	ctx, stop := context.WithCancel(p.ctx)
	scope := &invitation.WatchInvitationsRequest_MemberId{MemberId: member(who)}
	stream := must(p.invitations.WatchInvitations(ctx, &invitation.WatchInvitationsRequest{Scope: scope, ResumeToken: token}))
	check(must(stream.Recv()).GetHeartbeat() != nil, "a stream begins with a heartbeat")
	return func() *invitation.WatchInvitationsResponse {
		for {
			if message := must(stream.Recv()); message.GetHeartbeat() == nil {
				return message
			}
		}
	}, stop
}

func main() {
	log.SetFlags(0)
	addresses := []string{"127.0.0.1:50051", "127.0.0.1:50052"}
	if len(os.Args) == 3 {
		addresses = os.Args[1:]
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	invitations, connections := dial(addresses[0]), dial(addresses[1])
	p := pair{
		ctx:         ctx,
		invitations: invitation.NewInvitationServiceClient(invitations),
		connections: connection.NewConnectionServiceClient(connections),
		blocks:      connection.NewBlockServiceClient(connections),
		members:     connection.NewMemberServiceClient(connections),
	}
	p.meeting()
	p.refusing()
	p.limits()
	p.watching()
	p.around()
	p.noting()
	p.exporting()
	p.leaving()
}

// meeting is how two members become connected.
func (p pair) meeting() {
	withID := func(request *invitation.SendInvitationRequest) {
		request.Note = " Hello Ben "
		request.RequestId = fmt.Sprintf("%s-0000-4000-8000-000000000001", strings.TrimSuffix(run, "."))
	}
	sent := must(p.trySend("ana", "ben", withID))
	check(sent.Outcome == invitation.SendOutcome_SEND_OUTCOME_SENT, "send", sent)
	check(sent.Invitation.State == invitation.InvitationState_INVITATION_STATE_PENDING, "send", sent)
	first := sent.Invitation.InvitationId
	fmt.Printf("send         ana invites ben: %d of %d left this week\n", sent.Quota.Remaining, sent.Quota.WeeklyCap)

	again := must(p.trySend("ana", "ben", withID))
	check(proto.Equal(again, sent), "repeat", again)
	fmt.Println("repeat       with the same request_id the answer is the same")

	_, err := p.trySend("ana", "ben", nil)
	details := refused(err, codes.AlreadyExists, "INVITATION_PENDING")
	check(len(details.info.Metadata) == 1 && details.info.Metadata["invitation_id"] == first, "clash", details.info)
	fmt.Println("clash        without one it is INVITATION_PENDING, which names the one that stands")

	_, err = p.trySend("no spaces", "ben", func(request *invitation.SendInvitationRequest) {
		request.Note, request.RequestId = strings.Repeat("x", 301), "7"
	})
	var fields []string
	for _, violation := range refused(err, codes.InvalidArgument, "INVALID_FIELD").bad.GetFieldViolations() {
		fields = append(fields, violation.Field)
	}
	slices.Sort(fields)
	fmt.Println("fields       INVALID_FIELD names every one:", strings.Join(fields, ", "))

	received := p.box("ben", invitation.InvitationBox_INVITATION_BOX_RECEIVED)
	check(len(received) == 1, "list", received)
	fmt.Printf("list         ben has received '%s' from %s\n", received[0].Note, name(received[0].InviterId))

	count := must(p.invitations.CountInvitations(p.ctx, &invitation.CountInvitationsRequest{MemberId: member("ben")}))
	fmt.Printf("count        ben has %d received, %d unseen\n", count.ReceivedPending, count.ReceivedUnseen)

	acceptance := &invitation.AcceptInvitationRequest{InvitationId: first, MemberId: member("ben")}
	accepted := must(p.invitations.AcceptInvitation(p.ctx, acceptance))
	check(accepted.Invitation.State == invitation.InvitationState_INVITATION_STATE_ACCEPTED, "accept", accepted)
	check(proto.Equal(must(p.invitations.AcceptInvitation(p.ctx, acceptance)).Connection, accepted.Connection), "accept twice")
	fmt.Printf("accept       ben accepts and is connected with %s; twice is once\n", name(accepted.Connection.OtherId))

	fmt.Printf("connections  ana has %s, ben has %s\n", p.connected("ana"), p.connected("ben"))

	p.send("dan", "eve", "")
	crossed := p.send("eve", "dan", "")
	check(crossed.Outcome == invitation.SendOutcome_SEND_OUTCOME_CONNECTED, "crossing", crossed)
	fmt.Printf("crossing     dan invites eve, eve invites dan: dan has %s, and eve was charged %d\n", p.connected("dan"), crossed.Quota.Used)
}

// refusing is what a decline looks like from the other side.
func (p pair) refusing() {
	declined := p.send("gus", "fay", "").Invitation.InvitationId
	must(p.invitations.DeclineInvitation(p.ctx, &invitation.DeclineInvitationRequest{InvitationId: declined, MemberId: member("fay")}))
	check(len(p.box("gus", invitation.InvitationBox_INVITATION_BOX_SENT)) == 0, "gone from Sent")
	_, err := p.invitations.GetInvitation(p.ctx, &invitation.GetInvitationRequest{InvitationId: declined, MemberId: member("gus")})
	refused(err, codes.NotFound, "INVITATION_NOT_FOUND")
	fmt.Println("decline      fay declines, and all gus sees is that it is gone")

	_, err = p.trySend("gus", "fay", nil)
	details := refused(err, codes.FailedPrecondition, "RECIPIENT_UNAVAILABLE")
	check(details.count == 1 && len(details.info.Metadata) == 0, "masked", err)
	fmt.Println("masked       gus invites fay again: RECIPIENT_UNAVAILABLE, and not a word why")
}

// limits is the weekly cap.
func (p pair) limits() {
	var last *invitation.SendInvitationResponse
	for number := range 50 {
		last = p.send("hal", fmt.Sprintf("member%d", number), "")
	}
	check(last.Quota.Remaining == 0, "quota", last)
	_, err := p.trySend("hal", "one-more", nil)
	details := refused(err, codes.ResourceExhausted, "WEEKLY_CAP_REACHED")
	figures := details.info.Metadata
	check(len(figures) == 3 && figures["next_place_time"] != "" && len(details.quota.GetViolations()) == 1, "quota", err)
	days := math.Round(details.retry.GetRetryDelay().AsDuration().Hours() / 24)
	fmt.Printf("quota        hal has used %s of %s: WEEKLY_CAP_REACHED, come back in %.0f days\n", figures["used"], figures["weekly_cap"], days)

	withdrawal := &invitation.WithdrawInvitationRequest{InvitationId: last.Invitation.InvitationId, MemberId: member("hal")}
	withdrawn := must(p.invitations.WithdrawInvitation(p.ctx, withdrawal)).Invitation
	check(withdrawn.State == invitation.InvitationState_INVITATION_STATE_WITHDRAWN, "withdraw", withdrawn)
	quota := must(p.invitations.GetInvitationQuota(p.ctx, &invitation.GetInvitationQuotaRequest{MemberId: member("hal")})).Quota
	fmt.Printf("withdraw     hal takes one back: %d pending, %d used all the same\n", quota.PendingSent, quota.Used)
}

// watching is a stream that is cut and resumed.
func (p pair) watching() {
	next, stop := p.watch("ivo", "")
	p.send("joy", "ivo", "one")
	seen := next()
	stop()
	p.send("kim", "ivo", "two")
	third := p.send("lea", "ivo", "three").Invitation.InvitationId
	next, stop = p.watch("ivo", seen.ResumeToken)
	defer stop()
	var notes []string
	for _, message := range []*invitation.WatchInvitationsResponse{seen, next(), next()} {
		notes = append(notes, message.GetMemberEvent().GetListed().GetInvitation().GetNote())
	}
	must(p.invitations.WithdrawInvitation(p.ctx, &invitation.WithdrawInvitationRequest{InvitationId: third, MemberId: member("lea")}))
	gone := next().GetMemberEvent().GetGone()
	check(gone.GetInvitationId() == third, "gone", gone)
	fmt.Printf("watch        cut and resumed with its token, ivo's stream gives %s, then that three is gone\n", strings.Join(notes, ", "))
}

// listed is a list of a member's connections; change fills further fields.
func (p pair) listed(who string, change func(*connection.ListConnectionsRequest)) []*connection.Connection {
	request := &connection.ListConnectionsRequest{MemberId: member(who)}
	change(request)
	return must(p.connections.ListConnections(p.ctx, request)).Connections
}

// around is who is found, and how far members are from each other.
func (p pair) around() {
	for _, two := range [][2]string{{"nia", "oli"}, {"oli", "pia"}, {"oli", "quo"}, {"pia", "rea"}} {
		p.send(two[0], two[1], "")
		check(p.send(two[1], two[0], "").Outcome == invitation.SendOutcome_SEND_OUTCOME_CONNECTED, "connect", two)
	}
	put := []*connection.MemberCard{
		{MemberId: member("nia"), FirstName: "Nia", LastName: "Okafor"},
		{MemberId: member("oli"), FirstName: "Oli", LastName: "Ångström", Headline: "Baker in Łódź"},
		{MemberId: member("pia"), FirstName: "Pia", LastName: "Zu"},
	}
	results := must(p.members.BatchPutMembers(p.ctx, &connection.BatchPutMembersRequest{Members: put})).Results
	for number, result := range results {
		check(proto.Equal(result.GetMember(), put[number]), "cards", result)
	}
	fmt.Printf("cards        a trusted service puts %d of them\n", len(results))

	search := func(query string) []*connection.Connection {
		return p.listed("nia", func(request *connection.ListConnectionsRequest) { request.Query, request.WithCards = query, true })
	}
	found := search("LODZ ang")
	check(len(found) == 1 && proto.Equal(found[0].Card, put[1]) && len(search("zu")) == 0, "search", found)
	card := found[0].Card
	fmt.Printf("search       among nia's connections 'LODZ ang' finds %s %s, %s\n", card.FirstName, card.LastName, card.Headline)

	var names []string
	for _, one := range p.byName("oli") {
		names = append(names, name(one.OtherId))
	}
	fmt.Println("by name      oli has", strings.Join(names, ", "))
}

// byName is a member's connections by first name.
func (p pair) byName(who string) []*connection.Connection {
	return p.listed(who, func(request *connection.ListConnectionsRequest) {
		request.Order = connection.ConnectionOrder_CONNECTION_ORDER_FIRST_NAME
	})
}

// noting is what a member notes about a connection, and what follows from connections.
func (p pair) noting() {
	update := func(request *connection.UpdateConnectionRequest, paths ...string) *connection.Connection {
		request.MemberId, request.OtherId = member("nia"), member("oli")
		request.UpdateMask = &fieldmaskpb.FieldMask{Paths: paths}
		return must(p.connections.UpdateConnection(p.ctx, request)).Connection
	}
	update(&connection.UpdateConnectionRequest{Labels: []string{"bread", "work"}, PrivateNote: "met at the fair"}, "labels", "private_note")
	noted := update(&connection.UpdateConnectionRequest{Labels: []string{"work"}}, "labels")
	check(slices.Equal(noted.Labels, []string{"work"}) && noted.PrivateNote == "met at the fair", "labels", noted)
	var counts []string
	for _, one := range must(p.connections.ListLabels(p.ctx, &connection.ListLabelsRequest{MemberId: member("nia")})).Labels {
		counts = append(counts, fmt.Sprintf("%s %d", one.Label, one.ConnectionCount))
	}
	for _, one := range p.byName("oli") {
		check(len(one.Labels) == 0 && one.PrivateNote == "", "labels of the other", one)
	}
	fmt.Printf("labels       only what update_mask names is changed: %s, and the note stays; oli sees none of it\n", strings.Join(counts, ", "))

	must(p.connections.RenameLabel(p.ctx, &connection.RenameLabelRequest{MemberId: member("nia"), Label: "work", NewLabel: "bakers"}))
	must(p.connections.DeleteLabel(p.ctx, &connection.DeleteLabelRequest{MemberId: member("nia"), Label: "bread"}))
	bakers := p.listed("nia", func(request *connection.ListConnectionsRequest) { request.Label = "bakers" })
	check(len(bakers) == 1, "label", bakers)
	fmt.Println("label        renamed, it is still on", name(bakers[0].OtherId))

	others := []string{"oli", "pia", "rea", "nobody"}
	request := &connection.BatchGetRelationshipsRequest{MemberId: member("nia")}
	for _, other := range others {
		request.OtherIds = append(request.OtherIds, member(other))
	}
	var degrees []string
	for number, one := range must(p.connections.BatchGetRelationships(p.ctx, request)).Relationships {
		degree := strings.ToLower(strings.TrimPrefix(one.Degree.String(), "DEGREE_"))
		degrees = append(degrees, others[number]+" "+degree)
	}
	fmt.Println("degree       from nia:", strings.Join(degrees, ", "))

	mutual := must(p.connections.ListMutualConnections(p.ctx, &connection.ListMutualConnectionsRequest{MemberId: member("nia"), OtherId: member("pia")}))
	check(int(mutual.TotalSize) == len(mutual.MemberIds), "mutual", mutual)
	var names []string
	for _, one := range mutual.MemberIds {
		names = append(names, name(one))
	}
	fmt.Printf("mutual       nia and pia have %s in common\n", strings.Join(names, ", "))

	before := p.suggested("nia")
	must(p.connections.DismissSuggestion(p.ctx, &connection.DismissSuggestionRequest{MemberId: member("nia"), OtherId: member("quo")}))
	fmt.Printf("suggestions  nia may know %s; with quo dismissed, %s\n", before, p.suggested("nia"))
}

// suggested names whom a member may know.
func (p pair) suggested(who string) string {
	var names []string
	for _, one := range must(p.connections.SuggestConnections(p.ctx, &connection.SuggestConnectionsRequest{MemberId: member(who)})).Suggestions {
		names = append(names, fmt.Sprintf("%s (%d)", name(one.OtherId), one.MutualCount))
	}
	return strings.Join(names, ", ")
}

// exporting is what is held for a member, as streams.
func (p pair) exporting() {
	var kinds []string
	exported := must(p.members.ExportMember(p.ctx, &connection.ExportMemberRequest{MemberId: member("nia")}))
	for message, err := exported.Recv(); err != io.EOF; message, err = exported.Recv() {
		for _, record := range must(message, err).Records {
			kind := record.ProtoReflect().WhichOneof(record.ProtoReflect().Descriptor().Oneofs().ByName("record"))
			kinds = append(kinds, string(kind.Name()))
		}
	}
	fmt.Println("export       what is held for nia comes as a stream:", strings.Join(kinds, ", "))

	var file strings.Builder
	format := connection.ExportFormat_EXPORT_FORMAT_CSV
	rows := must(p.connections.ExportConnections(p.ctx, &connection.ExportConnectionsRequest{MemberId: member("oli"), Format: format}))
	for message, err := rows.Recv(); err != io.EOF; message, err = rows.Recv() {
		file.Write(must(message, err).Csv)
	}
	lines := strings.Split(strings.TrimSpace(file.String()), "\r\n")
	var names []string
	for _, line := range lines[1:] {
		id, _, _ := strings.Cut(line, ",")
		names = append(names, name(id))
	}
	slices.Sort(names)
	fmt.Printf("csv          %s: %s\n", lines[0], strings.Join(names, ", "))
}

// leaving is a block and an erasure.
func (p pair) leaving() {
	must(p.blocks.BlockMember(p.ctx, &connection.BlockMemberRequest{MemberId: member("ana"), OtherId: member("ben")}))
	_, err := p.trySend("ben", "ana", nil)
	refused(err, codes.FailedPrecondition, "RECIPIENT_UNAVAILABLE")
	_, err = p.trySend("ana", "ben", nil)
	refused(err, codes.FailedPrecondition, "MEMBER_BLOCKED_BY_YOU")
	fmt.Printf("block        ana blocks ben: ana has %s, and ben's invitation is RECIPIENT_UNAVAILABLE\n", p.connected("ana"))

	p.send("dan", "joy", "")
	for !must(p.members.EraseMember(p.ctx, &connection.EraseMemberRequest{MemberId: member("dan")})).Complete {
	}
	check(len(p.box("joy", invitation.InvitationBox_INVITATION_BOX_RECEIVED)) == 0, "erase")
	_, err = p.trySend("dan", "eve", nil)
	refused(err, codes.NotFound, "MEMBER_NOT_FOUND")
	fmt.Printf("erase        dan is erased: eve has %s, joy has nothing received, dan is MEMBER_NOT_FOUND\n", p.connected("eve"))
}
