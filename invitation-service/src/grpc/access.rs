//! Whom each method is for.
//!
//! The one table of it: what does not stand here is not served. Deliberately absent: who has which role (the tokens file).

use service_kit::auth::{Access, Method, Role};

const APP: Access = Access::Role(Role::App);
const OPERATOR: Access = Access::Role(Role::Operator);
const SERVICE: Access = Access::Role(Role::Service);

/// Every method of the service, by its full path.
pub const METHODS: &[Method] = &[
    Method::call(
        "/acquaint.invitation.v1.InvitationService/SendInvitation",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/GetInvitation",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/BatchGetInvitationStates",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/ListInvitations",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/CountInvitations",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/MarkInvitationsSeen",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/AcceptInvitation",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/DeclineInvitation",
        APP,
    ),
    Method::call("/acquaint.invitation.v1.InvitationService/UndoDecline", APP),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/WithdrawInvitation",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/BatchWithdrawInvitations",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/BatchAcceptInvitations",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/BatchDeclineInvitations",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/CheckEligibility",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/GetInvitationQuota",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/GetInvitationPreferences",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/UpdateInvitationPreferences",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/ListBarredInviters",
        APP,
    ),
    Method::call(
        "/acquaint.invitation.v1.InvitationService/UnbarInviter",
        APP,
    ),
    Method::watch(
        "/acquaint.invitation.v1.InvitationService/WatchInvitations",
        Access::Scope {
            member: Role::App,
            all_members: Role::Service,
        },
    ),
    Method::call(
        "/acquaint.invitation.v1.StandingService/GetStanding",
        OPERATOR,
    ),
    Method::call(
        "/acquaint.invitation.v1.StandingService/SetWeeklyCap",
        OPERATOR,
    ),
    Method::call(
        "/acquaint.invitation.v1.StandingService/SetMemberPlan",
        OPERATOR,
    ),
    Method::call(
        "/acquaint.invitation.v1.StandingService/ImposeRestriction",
        OPERATOR,
    ),
    Method::call(
        "/acquaint.invitation.v1.StandingService/LiftRestriction",
        OPERATOR,
    ),
    Method::call(
        "/acquaint.invitation.v1.StandingService/ClearFlags",
        OPERATOR,
    ),
    Method::call(
        "/acquaint.invitation.v1.StandingService/ListStandingActions",
        OPERATOR,
    ),
    Method::watch(
        "/acquaint.invitation.v1.MemberService/ExportMember",
        SERVICE,
    ),
];
