//! Imports beside everything that members do and note, while some of them are erased: whatever meets, the stores agree, everything counted is
//! there, and of whoever was erased nothing is.

use std::{sync::Arc, time::Duration};

use acquaint_proto::{
    connection::v1::{
        DismissSuggestionRequest, GetMemberRequest, ListConnectionsRequest, PutMemberRequest,
        SuggestConnectionsRequest,
    },
    invitation::v1::{DeclineInvitationRequest, DeclineReason, InvitationBox},
};
use acquaint_tests::{
    Connections,
    device::Device,
    moving::{Row, import},
    pair::{Pair, Setup},
    refusal::reason,
    rig::{
        check::{ANSWERED, Caps, STORED, Stores},
        journal::{Act, Call, Outcome},
    },
    wait::eventually,
};
use fastrand::Rng;
use service_kit::{
    clock::{Clock as _, SystemClock},
    time::Span,
};
use tonic::Status;

/// Those between whom everything happens.
const MEMBERS: usize = 14;
/// How many of them are erased in the midst of it.
const ERASED: usize = 4;
/// The check that looks for them in every column of every table.
const ERASED_IS_NAMED: &str = "somebody erased is named";
/// How many acts each device does.
const ACTS: usize = 120;
/// How many devices act, and how many imports run one after the other on each of two streams.
const DEVICES: u64 = 4;
const IMPORTS: usize = 12;
/// So low that it stands against some of it.
const CONNECTIONS_MAX: u32 = 9;

fn name(nth: usize) -> String {
    format!("race-member-{nth:02}")
}

fn two(dice: &mut Rng) -> (String, String) {
    let one = dice.usize(..MEMBERS);
    let other = (one + dice.usize(1..MEMBERS)) % MEMBERS;
    (name(one), name(other))
}

/// Does what members do. Each act may be refused by what others have done meanwhile.
async fn act(pair: Arc<Pair>, seed: u64) {
    let device = Device::of(&pair);
    let mut dice = Rng::with_seed(seed);
    for _ in 0..ACTS {
        let (one, other) = two(&mut dice);
        match dice.u8(..16) {
            0..5 => {
                if let Ok(sent) = device.clone().send(one, other.clone()).await
                    && let Some(invitation) = sent.invitation
                {
                    answer(&device, &mut dice, other, invitation.invitation_id).await;
                }
            }
            5..7 => drop(device.clone().remove(one, other).await),
            7 => drop(device.clone().block(one, other).await),
            8..10 => drop(pair.unblock(&one, &other).await),
            10 => drop(put(&pair, &one).await),
            11 => drop(dismiss(&pair, &one, &other).await),
            12 => drop(pair.rename_label(&one, "often", "once").await),
            _ => drop(note(&pair, &mut dice, &one, &other).await),
        }
    }
}

/// Accepts it, declines it in a way that bars the inviter, or leaves it.
async fn answer(device: &Device, dice: &mut Rng, invitee: String, id: String) {
    match dice.u8(..4) {
        0 | 1 => drop(device.clone().accept(invitee, id).await),
        2 => {
            let spam = DeclineInvitationRequest {
                invitation_id: id,
                member_id: invitee,
                reason: DeclineReason::Spam.into(),
            };
            drop(device.invitations.clone().decline_invitation(spam).await);
        }
        _ => {}
    }
}

async fn note(pair: &Pair, dice: &mut Rng, one: &str, other: &str) -> Result<(), Status> {
    let labels = [&["often"][..], &["often", "once"], &["once"]][dice.usize(..3)];
    let noted = pair.note(one, other, labels, Some("met at the fair")).await;
    noted.map(drop)
}

async fn put(pair: &Pair, member: &str) -> Result<(), Status> {
    let card = PutMemberRequest {
        member_id: member.to_owned(),
        first_name: "Ada".to_owned(),
        last_name: format!("of {member}"),
        headline: String::new(),
    };
    pair.members.clone().put_member(card).await.map(drop)
}

async fn dismiss(pair: &Pair, member: &str, other: &str) -> Result<(), Status> {
    let request = DismissSuggestionRequest {
        member_id: member.to_owned(),
        other_id: other.to_owned(),
    };
    let mut client = pair.connections.clone();
    client.dismiss_suggestion(request).await.map(drop)
}

/// Everybody has something of everything before anything is raced.
async fn fill(pair: &Pair) {
    let now = SystemClock.now().minus(Span::millis(1));
    let next = |nth: usize| name((nth + 1) % MEMBERS);
    let rows: Vec<Row> = (0..MEMBERS)
        .map(|nth| (name(nth), next(nth), now))
        .collect();
    import(&pair.connections, &rows).await.unwrap();
    for nth in 0..MEMBERS {
        let (one, other) = (name(nth), next(nth));
        put(pair, &one).await.unwrap();
        for (one, other) in [(&one, &other), (&other, &one)] {
            let noted = pair.note(one, other, &["often"], Some("met at the fair"));
            noted.await.unwrap();
        }
        dismiss(pair, &one, &name((nth + 3) % MEMBERS))
            .await
            .unwrap();
    }
}

/// Imports everybody with everybody, again and again.
async fn import_all(connections: Connections, seed: u64) {
    let mut dice = Rng::with_seed(seed);
    for _ in 0..IMPORTS {
        let now = SystemClock.now();
        let mut rows: Vec<Row> = Vec::new();
        for one in 0..MEMBERS {
            for other in one + 1..MEMBERS {
                rows.push((name(one), name(other), now.minus(Span::millis(1))));
            }
        }
        dice.shuffle(&mut rows);
        let answer = import(&connections, &rows).await.unwrap();
        let refused: i64 = answer.refusals.iter().map(|refused| refused.count).sum();
        let counted = answer.created_count + answer.existing_count + refused;
        assert_eq!(counted, i64::try_from(rows.len()).unwrap());
    }
}

async fn erase_some(pair: &Pair) {
    for nth in 0..ERASED {
        tokio::time::sleep(Duration::from_millis(40)).await;
        eventually("the erasure is complete", || async {
            pair.erase(&name(nth)).await.then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_meets_an_import_the_stores_agree_and_the_erased_are_gone() {
    let mut setup = Setup {
        system_clock: true,
        ..Setup::default()
    };
    setup.invitation_policy.weekly_cap = 100_000;
    setup.invitation_policy.probe_refusals_max = 100_000;
    setup.invitation_policy.connections_max = CONNECTIONS_MAX;
    setup.connection_policy.connections_max = CONNECTIONS_MAX;
    setup.connection_policy.job_chunk = 3;
    let pair = Arc::new(Pair::with(setup).await);
    pair.wait_for_feed().await;
    fill(&pair).await;
    let acting = (0..DEVICES).map(|seed| tokio::spawn(act(pair.clone(), seed)));
    let acting: Vec<_> = acting.collect();
    let importing = [71, 72].map(|seed| {
        let connections = Device::of(&pair).connections;
        tokio::spawn(import_all(connections, seed))
    });
    erase_some(&pair).await;
    for task in acting.into_iter().chain(importing) {
        task.await.unwrap();
    }
    let stores = Stores::of_files([&pair.invitation_file(), &pair.connection_file()]);
    let caps = Caps {
        weekly: u32::MAX,
        pending: u32::MAX,
        connections: CONNECTIONS_MAX,
    };
    stores.know(&erasures(), caps);
    let checks = || {
        STORED
            .iter()
            .chain(ANSWERED.iter().filter(|(what, _)| *what == ERASED_IS_NAMED))
    };
    let mut wrong = Vec::new();
    // What is wrong is told, not that it does not go away.
    for _ in 0..200 {
        wrong = stores.violations_of(checks());
        if wrong.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(wrong, Vec::<String>::new());
    let made = stores.rows("select count(*) from c.fact where kind = 1 and invitation_id is null");
    assert_ne!(made, ["0"], "something was imported");
    for nth in 0..MEMBERS {
        if nth < ERASED {
            is_never_used_again(&pair, &name(nth)).await;
        } else {
            counts_what_it_lists(&pair, &name(nth)).await;
        }
    }
    // Whoever tried to use an erased id has left nothing of it.
    assert_eq!(stores.violations_of(checks()), Vec::<String>::new());
    let pair = Arc::into_inner(pair).expect("nobody else has the pair");
    pair.stop().await;
}

/// That they were erased, for the checks.
fn erasures() -> Vec<Call> {
    let erasure = |nth| Call {
        act: Act::Erase(name(nth)),
        begun: 0,
        ended: Some(1),
        repeated: false,
        outcome: Outcome::Done,
    };
    (0..ERASED).map(erasure).collect()
}

/// Nothing can be had of somebody erased, nor done with them.
async fn is_never_used_again(pair: &Pair, member: &str) {
    let survivor = name(ERASED);
    assert_eq!(reason(put(pair, member).await), "MEMBER_NOT_FOUND");
    let asked = GetMemberRequest {
        member_id: member.to_owned(),
    };
    let asked = pair.members.clone().get_member(asked).await;
    assert_eq!(reason(asked.map(drop)), "MEMBER_NOT_FOUND");
    let sent = pair.send(&survivor, member).await.map(drop);
    assert_eq!(reason(sent), "RECIPIENT_UNAVAILABLE");
    let noted = pair
        .note(&survivor, member, &["often"], None)
        .await
        .map(drop);
    assert_eq!(reason(noted), "CONNECTION_NOT_FOUND");
    dismiss(pair, &survivor, member).await.unwrap();
    pair.block(&survivor, member).await.unwrap();
    let row = (survivor, member.to_owned(), SystemClock.now());
    let imported = import(&pair.connections, &[row]).await.unwrap();
    assert_eq!(imported.refusals.len(), 1, "{imported:?}");
}

/// Whatever this member is told how many there are of is as many as are listed, and nobody who was erased is in a list.
async fn counts_what_it_lists(pair: &Pair, member: &str) {
    let request = ListConnectionsRequest {
        member_id: member.to_owned(),
        page_size: 1_000,
        ..Default::default()
    };
    let listed = pair.connections.clone().list_connections(request).await;
    let listed = listed.unwrap().into_inner();
    assert_eq!(
        usize::try_from(listed.total_size),
        Ok(listed.connections.len())
    );
    for (label, count) in pair.labels(member).await {
        let noted = pair.noted(member, &label).await;
        assert_eq!(usize::try_from(count), Ok(noted.len()), "{member} {label}");
    }
    let counts = pair.counts(member).await;
    let mut others: Vec<_> = listed
        .connections
        .into_iter()
        .map(|line| line.other_id)
        .collect();
    for (list, count) in [
        (InvitationBox::Sent, counts.sent_pending),
        (InvitationBox::Received, counts.received_pending),
        (InvitationBox::Filtered, counts.filtered_pending),
    ] {
        let invitations = pair.list(member, list).await;
        assert_eq!(
            usize::try_from(count),
            Ok(invitations.len()),
            "{member} {list:?}"
        );
        others.extend(
            invitations
                .into_iter()
                .flat_map(|one| [one.inviter_id, one.invitee_id]),
        );
    }
    let request = SuggestConnectionsRequest {
        member_id: member.to_owned(),
        page_size: 100,
        ..Default::default()
    };
    let suggested = pair.connections.clone().suggest_connections(request).await;
    let suggested = suggested.unwrap().into_inner().suggestions;
    others.extend(suggested.into_iter().map(|suggested| suggested.other_id));
    for erased in (0..ERASED).map(name) {
        assert!(!others.contains(&erased), "{erased} is shown to {member}");
    }
}
