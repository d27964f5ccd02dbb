//! Of an erased member nothing is left but a hash, whatever others try with the name afterwards.

use acquaint_proto::{
    connection::v1 as connection,
    invitation::v1::{BatchGetInvitationStatesRequest, DeclineReason, UnbarInviterRequest},
};
use acquaint_tests::{pair::Pair, refusal::reason, wait::eventually};
use rusqlite::types::Value;
use tonic::Status;

use super::{close_if_allowed, erase};

const NAME: &str = "somebody-who-was-erased";
const NOTE: &str = "a note that nobody may read any more";

async fn put_card(pair: &Pair) -> Result<(), Status> {
    let request = connection::PutMemberRequest {
        member_id: NAME.to_owned(),
        first_name: NAME.to_owned(),
        headline: NOTE.to_owned(),
        ..Default::default()
    };
    pair.members.clone().put_member(request).await.map(drop)
}

/// The rows of both stores that hold the name or the note.
fn left(pair: &Pair) -> Vec<String> {
    let mut left = Vec::new();
    for file in [pair.invitation_file(), pair.connection_file()] {
        let conn = rusqlite::Connection::open(&file).unwrap();
        let names = "select name from sqlite_schema where type = 'table'";
        let mut names = conn.prepare(names).unwrap();
        let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
        for name in names.map(Result::unwrap) {
            let mut rows = conn.prepare(&format!("select * from \"{name}\"")).unwrap();
            let columns = rows.column_count();
            let rows = rows.query_map([], |row| {
                (0..columns)
                    .map(|at| row.get(at))
                    .collect::<Result<Vec<Value>, _>>()
            });
            for row in rows.unwrap().map(Result::unwrap) {
                let row = format!("{row:?}");
                if row.contains(NAME) || row.contains(NOTE) {
                    left.push(format!("{name}: {row}"));
                }
            }
        }
    }
    left
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_erased_member_no_name_is_left_whatever_others_try_with_it() {
    let pair = Pair::start().await;
    for invitee in ["bob", "cat", "dan"] {
        let request = acquaint_proto::invitation::v1::SendInvitationRequest {
            inviter_id: NAME.to_owned(),
            invitee_id: invitee.to_owned(),
            note: NOTE.to_owned(),
            ..Default::default()
        };
        let sent = pair.send_with(request).await.unwrap().invitation.unwrap();
        match invitee {
            "bob" => drop(pair.accept("bob", &sent.invitation_id).await.unwrap()),
            "cat" => {
                let spam = DeclineReason::Spam;
                pair.decline("cat", &sent.invitation_id, spam)
                    .await
                    .unwrap();
            }
            _ => {}
        }
    }
    pair.sent("eve", NAME).await;
    pair.block("fay", NAME).await.unwrap();
    pair.block(NAME, "gus").await.unwrap();
    put_card(&pair).await.unwrap();
    assert!(left(&pair).len() > 10, "there is something to erase");
    erase(&pair, NAME).await;
    eventually("every row with the name is gone", || async {
        left(&pair).is_empty().then_some(())
    })
    .await;
    for other in ["bob", "cat", "dan", "eve", "fay", "gus", "hal"] {
        assert_eq!(
            reason(pair.send(other, NAME).await),
            "RECIPIENT_UNAVAILABLE"
        );
        assert_eq!(reason(pair.send(NAME, other).await), "MEMBER_NOT_FOUND");
        pair.block(other, NAME).await.unwrap();
        pair.unblock(other, NAME).await.unwrap();
        pair.remove(other, NAME).await.unwrap();
        assert_eq!(reason(pair.block(NAME, other).await), "MEMBER_NOT_FOUND");
        assert!(pair.connected(other).await.is_empty());
        let states = BatchGetInvitationStatesRequest {
            member_id: other.to_owned(),
            other_ids: vec![NAME.to_owned()],
        };
        pair.invitations
            .clone()
            .batch_get_invitation_states(states)
            .await
            .unwrap();
        let unbar = UnbarInviterRequest {
            member_id: other.to_owned(),
            inviter_id: NAME.to_owned(),
        };
        pair.invitations.clone().unbar_inviter(unbar).await.unwrap();
        let relationship = connection::GetRelationshipRequest {
            member_id: other.to_owned(),
            other_id: NAME.to_owned(),
        };
        pair.connections
            .clone()
            .get_relationship(relationship)
            .await
            .unwrap();
    }
    pair.quota(NAME).await;
    assert_eq!(reason(put_card(&pair).await), "MEMBER_NOT_FOUND");
    assert_eq!(
        reason(close_if_allowed(&pair, NAME).await),
        "MEMBER_NOT_FOUND"
    );
    pair.erase(NAME).await;
    eventually("every row with the name is gone again", || async {
        left(&pair).is_empty().then_some(())
    })
    .await;
    pair.stop().await;
}
