//! Writing what the commands of a batch have put: one statement for each kind of row, way of writing and lane, all sent together.
//!
//! Each statement counts what it has written; a pair or member that has another version than was read, or a row that is there against
//! expectation, undoes the whole batch, which then begins anew. Deliberately absent: committing (service-kit's engine).

use futures::future::BoxFuture;
use service_kit::{
    error::StoreError,
    id::{MemberId, Side},
    postgres::{
        ByLane, Change, Client, Failure, Statement, Way, Writes, all, lane_of, member_lane,
        types::Type,
    },
};

use super::{
    batch::{Batch, Head},
    load::erased_hash,
    tables::{WITHDRAW_COOLDOWN, act, event, invitation, member, pair, request},
};
use crate::{
    domain::{
        invitation::Role,
        member::EventLink,
        pair::Pair,
        standing::{News, Standing},
    },
    store::codec,
};

const ADD_ERASED: Statement = Statement::new(
    "insert into erased (lane, member_hash) select $1, unnest($2::bytea[]) on conflict do nothing",
    &[Type::INT4, Type::BYTEA_ARRAY],
);
const FORGET_REQUESTS: Statement = Statement::new(
    "delete from request where lane = $1 and inviter = any($2)",
    &[Type::INT4, Type::TEXT_ARRAY],
);
const BLANK_ACTS: Statement = Statement::new(
    "update standing_act set member = null where lane = 0 and member = any($1)",
    &[Type::TEXT_ARRAY],
);
/// The position that was found is expected still, though the row is locked.
const SAVE_HEAD: Statement = Statement::new(
    "update head set last_time = $1, last_id = $2, position = $3, acts = $4, feed_epoch = $5, feed_position = $6
     where lane = 0 and position = $7 and last_time = $8 returning lane",
    &[
        Type::INT8,
        Type::UUID,
        Type::INT8,
        Type::INT8,
        Type::BYTEA,
        Type::INT8,
        Type::INT8,
        Type::INT8,
    ],
);

/// Every statement of writing, but for those of tables.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        ADD_ERASED,
        FORGET_REQUESTS,
        BLANK_ACTS,
        SAVE_HEAD,
        event::BLANK_INVITATIONS,
        event::BLANK_INVITERS,
        event::BLANK_INVITEES,
    ]
}

/// Writes what was put, and `mark`s the transaction; whether there was anything.
pub(super) async fn flush(
    client: &Client,
    batch: &mut Batch,
    lanes: u16,
    mark: BoxFuture<'_, Result<(), Failure>>,
) -> Result<bool, Failure> {
    let standings = changed_standings(batch);
    let (writes, rest) = (writes(batch, lanes)?, Rest::of(batch, lanes));
    let nothing = writes.is_empty() && rest.is_empty();
    let cursor = batch.head.cursor;
    if nothing && cursor == batch.found.cursor && !batch.touched {
        return Ok(false);
    }
    let mut statements: Vec<BoxFuture<'_, Result<(), Failure>>> = Vec::new();
    writes.send(client, &mut statements);
    rest.send(client, &mut statements);
    let head = Head {
        last_time: batch.now,
        ..batch.head
    };
    let found = batch.found;
    statements.push(mark);
    statements.push(Box::pin(save_head(client, found, head)));
    all(statements).await?;
    batch.head = head;
    batch.standings = standings;
    Ok(true)
}

async fn save_head(client: &Client, found: Head, head: Head) -> Result<(), Failure> {
    let feed_epoch = head.feed_epoch().map(|epoch| *epoch.as_bytes());
    let saved = SAVE_HEAD
        .query(
            client,
            &[
                &head.last_time.millis(),
                &head.last_id,
                &codec::position_number(head.position),
                &codec::position_number(head.acts),
                &feed_epoch.as_ref().map(<[u8; 16]>::as_slice),
                &codec::position_number(head.cursor.position),
                &codec::position_number(found.position),
                &found.last_time.millis(),
            ],
        )
        .await?;
    if saved.len() == 1 {
        Ok(())
    } else {
        Err(Failure::overtaken("head"))
    }
}

fn changed_standings(batch: &Batch) -> Vec<News> {
    let nothing = Standing::default();
    let mut news = Vec::new();
    for (_, Change { was, is }) in batch.members.changes() {
        if let Some(is) = is {
            let was = was.map_or(&nothing, |was| &was.row.standing);
            news.extend(is.standing.news(was));
        }
    }
    news
}

/// The rows that are written by their keys.
fn writes(batch: &Batch, lanes: u16) -> Result<Writes<'_>, StoreError> {
    let of_member = |id: &MemberId| member_lane(id, lanes);
    let mut writes = Writes::default();
    for (key, change) in batch.pairs.changes() {
        let lane = of_member(key.low());
        writes.change(&pair::TABLE, lane, &change, || pair::key(key), pair::values)?;
        let nothing = Pair::new(key.clone());
        let before = change.was.map_or(&nothing, |was| &was.row.pair);
        let after = change.is.map_or(&nothing, |is| &is.pair);
        for side in Side::BOTH {
            let (was, is) = (before.bars.get(side), after.bars.get(side));
            if was != is {
                let lane = of_member(key.member(side.other()));
                let way = if is.is_some() {
                    Way::Upsert
                } else {
                    Way::Delete
                };
                let values = pair::bar_values(key, side, is.as_ref());
                writes.add(&pair::BAR, way, lane, values);
            }
        }
    }
    for (id, change) in batch.members.changes() {
        let key = || vec![id.as_str().into()];
        let lane = of_member(id);
        writes.change(&member::TABLE, lane, &change, key, member::values)?;
    }
    for ((whose, id), Change { was, is }) in batch.entries.changes() {
        let lane = of_member(whose);
        let stays = was.map(|was| was.row.place) == is.map(|is| is.place);
        if let Some(was) = was.filter(|_| !stays) {
            let key = invitation::key(whose, was.row.place, id);
            writes.add(&invitation::TABLE, Way::Delete, lane, key);
        }
        if let Some(is) = is {
            let way = if stays { Way::Update } else { Way::Insert };
            writes.add(
                &invitation::TABLE,
                way,
                lane,
                invitation::values(whose, id, is),
            );
        }
    }
    for ((inviter, id), Change { was, is }) in batch.remembered.changes() {
        let lane = of_member(inviter);
        match is {
            Some(is) => {
                let values = request::values(inviter, id, is);
                writes.add(&request::TABLE, Way::Upsert, lane, values);
            }
            None if was.is_some() && !batch.deleted_members.contains(inviter) => {
                writes.add(
                    &request::TABLE,
                    Way::Delete,
                    lane,
                    request::key(inviter, id),
                );
            }
            None => {}
        }
    }
    for (key, Change { is, .. }) in batch.cooldowns.changes() {
        if let Some(until) = is {
            let values = vec![key.as_slice().into(), until.millis().into()];
            writes.add(&WITHDRAW_COOLDOWN, Way::Upsert, lane_of(key, lanes), values);
        }
    }
    for ((act, _), number) in batch.acts.iter().zip(batch.found.acts.saturating_add(1)..) {
        let values = act::values(number, batch.now, act);
        writes.add(&act::TABLE, Way::Insert, 0, values);
    }
    for appended in &batch.appended {
        let values = event::values(appended.position, batch.now, &appended.event);
        writes.add(&event::TABLE, Way::Insert, 0, values);
    }
    Ok(writes)
}

/// What is written otherwise than by keys.
struct Rest {
    erased: ByLane<[u8; 16]>,
    deleted_members: ByLane<MemberId>,
    blanked_invitations: Vec<i64>,
    blanked_inviters: Vec<i64>,
    blanked_invitees: Vec<i64>,
}

impl Rest {
    fn of(batch: &Batch, lanes: u16) -> Self {
        let erased = batch.newly_erased.iter().map(|id| erased_hash(batch, id));
        let deleted = batch.deleted_members.iter().cloned();
        let of = |role| {
            let links = batch.blanked.iter().filter(move |link| link.role == role);
            let position = |link: &EventLink| codec::position_number(link.position);
            links.map(position).collect()
        };
        let invitations = batch.blanked_invitations.iter();
        Self {
            erased: ByLane::of(erased, |hash| lane_of(hash, lanes)),
            deleted_members: ByLane::of(deleted, |id| member_lane(id, lanes)),
            blanked_invitations: invitations
                .map(|position| codec::position_number(*position))
                .collect(),
            blanked_inviters: of(Role::Inviter),
            blanked_invitees: of(Role::Invitee),
        }
    }

    fn is_empty(&self) -> bool {
        let Self {
            erased,
            deleted_members,
            blanked_invitations,
            blanked_inviters,
            blanked_invitees,
        } = self;
        erased.is_empty()
            && deleted_members.is_empty()
            && blanked_invitations.is_empty()
            && blanked_inviters.is_empty()
            && blanked_invitees.is_empty()
    }

    fn send<'a>(
        self,
        client: &'a Client,
        statements: &mut Vec<BoxFuture<'a, Result<(), Failure>>>,
    ) {
        for (lane, hashes) in self.erased {
            statements.push(Box::pin(async move {
                let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 16]>::as_slice).collect();
                ADD_ERASED.query(client, &[&lane, &hashes]).await?;
                Ok(())
            }));
        }
        for (lane, members) in self.deleted_members {
            statements.push(Box::pin(async move {
                let members: Vec<&str> = members.iter().map(MemberId::as_str).collect();
                FORGET_REQUESTS.query(client, &[&lane, &members]).await?;
                // After the acts of this batch, whose rows are inserted before.
                BLANK_ACTS.query(client, &[&members]).await?;
                Ok(())
            }));
        }
        for (statement, positions) in [
            (event::BLANK_INVITATIONS, self.blanked_invitations),
            (event::BLANK_INVITERS, self.blanked_inviters),
            (event::BLANK_INVITEES, self.blanked_invitees),
        ] {
            if !positions.is_empty() {
                statements.push(Box::pin(async move {
                    statement.query(client, &[&positions]).await?;
                    Ok(())
                }));
            }
        }
    }
}
