//! Everything that a sending can be answered with but a new invitation, each with how it comes to hold.

use super::*;

/// What a sending came to, in a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Came {
    Created,
    Crossed,
    Refused(Refusal),
}

pub(super) fn came(result: Result<Sent, Refusal>) -> Came {
    match result {
        Ok(Sent::Created(_)) => Came::Created,
        Ok(Sent::Crossed(_)) => Came::Crossed,
        Err(refusal) => Came::Refused(refusal),
    }
}

/// One ground for an answer other than a new invitation: its name, how it comes to hold, and the answer.
pub(super) struct Ground {
    pub(super) name: &'static str,
    pub(super) arrange: fn(&mut World),
    pub(super) answer: fn() -> Came,
}

/// All grounds, in the order in which they are answered; those of the masked refusal, which are one, come last.
pub(super) fn grounds() -> Vec<Ground> {
    let ground = |name, arrange: fn(&mut World), answer: fn() -> Came| Ground {
        name,
        arrange,
        answer,
    };
    let mut grounds = vec![
        ground(
            "erased",
            |w| w.inviter.erased = true,
            || Came::Refused(Refusal::MemberNotFound),
        ),
        ground(
            "connected",
            |w| w.pair.facts.connection = connected_elsewhere().connection,
            || Came::Refused(Refusal::AlreadyConnected),
        ),
        ground(
            "own invitation live",
            |w| w.pair.live = pair_inviting(w.side, Before::Pending).live,
            || Came::Refused(Refusal::InvitationPending { invitation_id: ID }),
        ),
        ground(
            "crossing",
            |w| {
                let live = pair_inviting(w.side.other(), Before::Pending).live;
                w.pair.live = w.pair.live.take().or(live);
            },
            || Came::Crossed,
        ),
        ground(
            "blocked by oneself",
            |w| *w.pair.facts.blocked_by.get_mut(w.side) = true,
            || Came::Refused(Refusal::MemberBlockedByYou),
        ),
        ground(
            "own withdrawal",
            |w| w.withdraw_cooldown_until = Some(at(DAY)),
            || {
                Came::Refused(Refusal::ResendCooldown {
                    retry_time: at(DAY),
                })
            },
        ),
        ground(
            "restricted",
            |w| {
                let imposed = w.inviter.standing.impose_restriction(at(DAY));
                assert!(imposed);
            },
            || {
                Came::Refused(Refusal::SenderRestricted {
                    restricted_until: at(DAY),
                })
            },
        ),
        ground(
            "weekly cap",
            |w| w.inviter.charges = RollingLog::new(vec![START; 3]),
            || {
                Came::Refused(Refusal::WeeklyCapReached {
                    weekly_cap: 3,
                    used: 3,
                    next_place_time: Some(at(Span::days(7)).ceil_to_second()),
                })
            },
        ),
        ground(
            "pending cap",
            |w| w.inviter.sent_pending = 4,
            || Came::Refused(Refusal::PendingCapReached { pending_cap: 4 }),
        ),
        ground(
            "connections full",
            |w| w.inviter.connections = 3,
            || Came::Refused(Refusal::ConnectionLimitReached),
        ),
        ground(
            "probe limit",
            |w| w.inviter.probes = RollingLog::new(vec![START; 2]),
            || {
                Came::Refused(Refusal::ProbeLimitReached {
                    retry_time: at(DAY).ceil_to_second(),
                })
            },
        ),
    ];
    grounds.extend(masked_grounds());
    grounds
}

/// The grounds of the masked refusal. They are one: in which order they stand does not show.
fn masked_grounds() -> Vec<Ground> {
    let masked = |name, arrange: fn(&mut World)| Ground {
        name,
        arrange,
        answer: || Came::Refused(Refusal::RecipientUnavailable),
    };
    vec![
        masked("blocked by the other", |w| {
            *w.pair.facts.blocked_by.get_mut(w.side.other()) = true;
        }),
        masked("barred", |w| {
            let reason = DeclineReason::DontKnow;
            *w.pair.bars.get_mut(w.side) = Some(Bar {
                reason,
                time: START,
            });
        }),
        masked("closed", |w| {
            w.invitee.preferences.who_can_invite = WhoCanInvite::Nobody;
        }),
        masked("closed to all but the second degree", |w| {
            w.invitee.preferences.who_can_invite = WhoCanInvite::SecondDegree;
        }),
        masked("declined lately", |w| {
            w.pair.declined = pair_inviting(w.side, Before::DeclinedForgotten).declined;
        }),
        masked("invitee erased", |w| w.invitee.erased = true),
    ]
}
