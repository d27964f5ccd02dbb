//! Why a command is refused: one closed list, in the order in which refusals are answered when several apply.
//!
//! Deliberately absent: codes and texts of the wire (`grpc/status.rs`), and malformed fields, which never reach the domain.

use service_kit::time::Time;
use uuid::Uuid;

/// Why a command is refused. The order of the variants is the order of precedence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// The request id stands for another invitee, note or source.
    RequestIdReused,
    /// There is no such invitation for this member.
    InvitationNotFound,
    /// The member who acts was erased.
    MemberNotFound,
    /// Both members are the same.
    SelfReference,
    /// The two are connected.
    AlreadyConnected,
    /// The inviter's own invitation is live.
    InvitationPending {
        /// The one that stands.
        invitation_id: Uuid,
    },
    /// It was accepted, and the connection made.
    AlreadyAccepted,
    /// The member has ended it before, in another way.
    InvitationNotPending,
    /// The inviter has blocked the invitee.
    MemberBlockedByYou,
    /// The inviter withdrew an invitation to this member too short a time ago.
    ResendCooldown {
        /// When it may be sent again.
        retry_time: Time,
    },
    /// The inviter may not send for a time.
    SenderRestricted {
        /// When they may again.
        restricted_until: Time,
    },
    /// No place is left under the weekly cap.
    WeeklyCapReached {
        /// The cap in force.
        weekly_cap: u32,
        /// How many count against it.
        used: u32,
        /// When the next place is free; absent for a cap of 0.
        next_place_time: Option<Time>,
    },
    /// The inviter has as many unanswered invitations as are allowed.
    PendingCapReached {
        /// How many that is.
        pending_cap: u32,
    },
    /// The acting member's connections are full.
    ConnectionLimitReached,
    /// The inviter's connections are full, and another acts.
    InviterConnectionLimitReached,
    /// The inviter met too many masked refusals.
    ProbeLimitReached {
        /// When fewer of them count.
        retry_time: Time,
    },
    /// The invitee cannot be invited by this inviter. Blocked, barred, closed, declined lately and erased are one and the same.
    RecipientUnavailable,
}
