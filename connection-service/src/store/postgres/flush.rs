//! Writing what the commands of a batch have put: one statement for each kind of row, way of writing and lane, all sent together.
//!
//! Each statement counts what it has written; a pair or member that has another version than was read, or a row that is there against
//! expectation, undoes the whole batch, which then begins anew. Deliberately absent: committing (the kit's engine).

use futures::future::BoxFuture;
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{
    ByLane, Change, Client, Failure, Statement, Table, Value, Way, Writes, all, lane_of,
    member_lane,
};
use service_kit::stored::position_number;
use service_kit::time::Time;
use uuid::Uuid;

use super::batch::{Batch, Head, Labels};
use super::lines::{Line, Lines};
use super::tables::label::{self, ANNOTATION, DROPPED_LABEL, LABEL, LABELLED, NOTEBOOK};
use super::tables::{
    ACKNOWLEDGEMENT, BLOCK, CONNECTION, DISMISSAL, ERASED, REMOVAL_MARK, card, dismissal, erasure,
    fact, line, member, pair, verdict,
};
use crate::store::erasure::erased_hash;

/// Takes the content and a member's name out of facts. Who the other one is stays, for their own chain.
const BLANK_FACTS: Statement = Statement::new(
    "with blanked as (
         update fact f set blank = true, low = nullif(f.low, k.member), high = nullif(f.high, k.member), connect_time = null,
             invitation_id = null, blocked_by_low = false, blocked_by_high = false
         from unnest($1::bigint[], $2::text[]) as k (position, member)
         where f.lane = 0 and f.position = k.position and (f.low = k.member or f.high = k.member) returning 1)
     select count(*) from blanked",
    &[Type::INT8_ARRAY, Type::TEXT_ARRAY],
);
const DELETE_VERDICTS: Statement = Statement::new(
    "delete from verdict where lane = $1 and invitation_id = any($2)",
    &[Type::INT4, Type::UUID_ARRAY],
);
const DELETE_FACTS: Statement = Statement::new(
    "delete from fact where lane = 0 and position <= $1",
    &[Type::INT8],
);
const FORGET_ACKNOWLEDGEMENTS: Statement = Statement::new(
    "delete from acknowledgement where lane = 0 and time <
         (select time from acknowledgement where lane = 0 and time <= $1 order by time desc limit 1)",
    &[Type::INT8],
);
/// Takes a member's oldest dismissals until they have no more than a number, with those that were put in this transaction.
const BOUND_DISMISSALS: Statement = Statement::new(
    "delete from dismissal d using (select other from dismissal where lane = $1 and member = $2 order by time desc, other offset $3) o
     where d.lane = $1 and d.member = $2 and d.other = o.other",
    &[Type::INT4, Type::TEXT, Type::INT8],
);
const DELETE_DISMISSALS: Statement = Statement::new(
    "delete from dismissal d using unnest($2::text[], $3::text[]) as k (member, other)
     where d.lane = $1 and d.member = k.member and d.other = k.other",
    &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
);
const DELETE_NOTEBOOKS: Statement = Statement::new(
    "delete from notebook where lane = $1 and member = any($2)",
    &[Type::INT4, Type::TEXT_ARRAY],
);
/// The position that was found is expected still, though the row is locked.
const SAVE_HEAD: Statement = Statement::new(
    "update head set last_time = $1, position = $2, acknowledged = $3, pruned = $4, cards = $5
     where lane = 0 and position = $6 and last_time = $7 returning lane",
    &[
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT8,
    ],
);

/// Every statement of writing, but for those of tables.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        BLANK_FACTS,
        DELETE_VERDICTS,
        DELETE_FACTS,
        FORGET_ACKNOWLEDGEMENTS,
        BOUND_DISMISSALS,
        DELETE_DISMISSALS,
        DELETE_NOTEBOOKS,
        SAVE_HEAD,
    ]
}

/// See [`service_kit::postgres::BatchRows::flush`].
pub(super) async fn flush(
    client: &Client,
    batch: &mut Batch,
    lanes: u16,
    mark: BoxFuture<'_, Result<(), Failure>>,
) -> Result<bool, Failure> {
    let (writes, rest) = (writes(batch, lanes)?, Rest::of(batch, lanes));
    if writes.is_empty() && rest.is_empty() && !batch.touched {
        return Ok(false);
    }
    let (found, head) = (batch.found, batch.head);
    let mut statements: Vec<BoxFuture<'_, Result<(), Failure>>> = Vec::new();
    writes.send(client, &mut statements);
    rest.send(client, &mut statements);
    statements.push(mark);
    statements.push(Box::pin(save_head(client, found, head)));
    all(statements).await?;
    Ok(true)
}

async fn save_head(client: &Client, found: Head, head: Head) -> Result<(), Failure> {
    let saved = SAVE_HEAD
        .query(
            client,
            &[
                &head.seen.last_time.millis(),
                &position_number(head.seen.position),
                &position_number(head.seen.acknowledged),
                &position_number(head.seen.pruned),
                &position_number(head.cards),
                &position_number(found.seen.position),
                &found.seen.last_time.millis(),
            ],
        )
        .await?;
    if saved.len() == 1 {
        Ok(())
    } else {
        Err(Failure::overtaken("head"))
    }
}

/// The rows that are written by their keys.
fn writes(batch: &Batch, lanes: u16) -> Result<Writes<'_>, StoreError> {
    let of_member = |id: &MemberId| member_lane(id, lanes);
    let mut writes = Writes::default();
    for (key, change) in batch.pairs.changes() {
        let lane = of_member(key.low());
        let values = |pair: &_| Ok(pair::values(key, pair));
        writes.change(&pair::TABLE, lane, &change, || pair::key(key), values)?;
    }
    for (id, change) in batch.members.changes() {
        let key = || vec![id.as_str().into()];
        let values = |member: &_| Ok(member::values(id, member));
        writes.change(&member::TABLE, of_member(id), &change, key, values)?;
    }
    for (lines, table) in [
        (&batch.connections, &*CONNECTION),
        (&batch.blocks, &*BLOCK),
        (&batch.removal_marks, &*REMOVAL_MARK),
    ] {
        write_lines(&mut writes, table, lines, |key| {
            (of_member(&key.0), line(key))
        });
    }
    for (id, Change { is, .. }) in batch.verdicts.changes() {
        if let Some(is) = is {
            let lane = lane_of(id.as_bytes(), lanes);
            writes.add(
                &verdict::TABLE,
                Way::Upsert,
                lane,
                verdict::values(*id, is)?,
            );
        }
    }
    for fact in &batch.appended {
        writes.add(&fact::TABLE, Way::Insert, 0, fact.values());
    }
    for (id, position) in &batch.newly_erased {
        let hash = erased_hash(&batch.secret, id);
        let values = vec![hash.to_vec().into(), position_number(*position).into()];
        writes.add(&ERASED, Way::Insert, lane_of(&hash, lanes), values);
    }
    for (id, Change { was, is }) in batch.erasures.changes() {
        let lane = of_member(id);
        match is {
            Some(is) => writes.add(&erasure::TABLE, Way::Upsert, lane, erasure::values(id, is)),
            None if was.is_some() => {
                writes.add(&erasure::TABLE, Way::Delete, lane, vec![id.as_str().into()]);
            }
            None => {}
        }
    }
    for (id, Change { was, is }) in batch.cards.changes() {
        let lane = of_member(id);
        match is {
            Some(is) => writes.add(&card::TABLE, Way::Upsert, lane, card::values(id, is)?),
            None if was.is_some() => {
                writes.add(&card::TABLE, Way::Delete, lane, vec![id.as_str().into()]);
            }
            None => {}
        }
    }
    if let Some((time, position)) = batch.acknowledgement {
        let values = vec![time.millis().into(), position_number(position).into()];
        writes.add(&ACKNOWLEDGEMENT, Way::Upsert, 0, values);
    }
    for ((by, of), Change { is, .. }) in batch.dismissals.changes() {
        if let Some(time) = is {
            let values = dismissal(by, of, *time);
            writes.add(&DISMISSAL, Way::Upsert, of_member(by), values);
        }
    }
    write_labels(&mut writes, batch, lanes);
    Ok(writes)
}

fn write_lines<'a, K: Ord + Clone>(
    writes: &mut Writes<'a>,
    table: &'static Table,
    lines: &'a Lines<K>,
    values: impl Fn(&'a K) -> (i32, Vec<Value<'a>>),
) {
    for (key, change) in lines.changes() {
        let way = match change {
            Line::Added => Way::Insert,
            Line::TakenOff => Way::Delete,
        };
        let (lane, values) = values(key);
        writes.add(table, way, lane, values);
    }
}

fn write_labels<'a>(writes: &mut Writes<'a>, batch: &'a Batch, lanes: u16) {
    let of_member = |id: &MemberId| member_lane(id, lanes);
    for (id, Change { is, .. }) in batch.notebooks.changes() {
        if let Some(is) = is {
            let values = label::notebook(id, is);
            writes.add(&NOTEBOOK, Way::Upsert, of_member(id), values);
        }
    }
    for (id, Change { was, is }) in batch.labels.changes() {
        let nothing = const { &Labels::new() };
        let was = was.map_or(nothing, |was| &was.row);
        write_labels_of(writes, id, of_member(id), was, is.unwrap_or(nothing));
    }
    for (key, Change { was, is }) in batch.annotations.changes() {
        let lane = of_member(&key.0);
        match is {
            Some(is) => writes.add(&ANNOTATION, Way::Upsert, lane, label::annotation(key, is)),
            None if was.is_some() => writes.add(&ANNOTATION, Way::Delete, lane, line(key)),
            None => {}
        }
    }
    write_lines(writes, &LABELLED, &batch.labelled, |key| {
        (of_member(&key.0), label::labelled(key))
    });
    write_lines(
        writes,
        &DROPPED_LABEL,
        &batch.dropped_labels,
        |(id, label)| (of_member(id), label::label_key(id, *label)),
    );
}

/// The difference between a member's labels before and after.
fn write_labels_of<'a>(
    writes: &mut Writes<'a>,
    id: &'a MemberId,
    lane: i32,
    was: &'a Labels,
    is: &'a Labels,
) {
    for (number, before) in was {
        match is.get(number) {
            Some(after) if after == before => {}
            Some(after) if after.label == before.label => {
                writes.add(&LABEL, Way::Update, lane, label::label(id, *number, after));
            }
            // Another may have taken its old text, so that it has to be out of the way before any new one is written.
            after => {
                writes.add(&LABEL, Way::Delete, lane, label::label_key(id, *number));
                if let Some(after) = after {
                    writes.add(&LABEL, Way::Insert, lane, label::label(id, *number, after));
                }
            }
        }
    }
    for (number, after) in is {
        if !was.contains_key(number) {
            writes.add(&LABEL, Way::Insert, lane, label::label(id, *number, after));
        }
    }
}

/// What is written otherwise than by keys that must or must not be there.
struct Rest {
    blanked: (Vec<i64>, Vec<String>),
    verdicts: ByLane<Uuid>,
    facts: Option<i64>,
    acknowledgements: Option<i64>,
    dismissals: ByLane<(MemberId, MemberId)>,
    bounded: Vec<(i32, MemberId, i64)>,
    notebooks: ByLane<MemberId>,
}

impl Rest {
    fn of(batch: &Batch, lanes: u16) -> Self {
        let of_member = |id: &MemberId| member_lane(id, lanes);
        let blanked = batch.blanked.iter();
        let gone = batch.notebooks.changes();
        let gone = gone.filter(|(_, change)| change.is.is_none());
        let bounded = batch.bounded_dismissals.iter();
        Self {
            blanked: blanked
                .map(|(position, id)| (position_number(*position), id.as_str().to_owned()))
                .unzip(),
            verdicts: ByLane::of(batch.deleted_verdicts.iter().copied(), |id| {
                lane_of(id.as_bytes(), lanes)
            }),
            facts: batch.deleted_facts.map(position_number),
            acknowledgements: batch.forgotten_acknowledgements.map(Time::millis),
            dismissals: ByLane::of(batch.deleted_dismissals.iter().cloned(), |(by, _)| {
                of_member(by)
            }),
            bounded: bounded
                .map(|(id, (max, _))| (of_member(id), id.clone(), i64::from(*max)))
                .collect(),
            notebooks: ByLane::of(gone.map(|(id, _)| id.clone()), of_member),
        }
    }

    fn is_empty(&self) -> bool {
        let Self {
            blanked,
            verdicts,
            facts,
            acknowledgements,
            dismissals,
            bounded,
            notebooks,
        } = self;
        blanked.0.is_empty()
            && verdicts.is_empty()
            && facts.is_none()
            && acknowledgements.is_none()
            && dismissals.is_empty()
            && bounded.is_empty()
            && notebooks.is_empty()
    }

    fn send<'a>(
        self,
        client: &'a Client,
        statements: &mut Vec<BoxFuture<'a, Result<(), Failure>>>,
    ) {
        let (positions, members) = self.blanked;
        if !positions.is_empty() {
            statements.push(Box::pin(async move {
                let rows = BLANK_FACTS.query(client, &[&positions, &members]).await?;
                let blanked: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
                if usize::try_from(blanked) == Ok(positions.len()) {
                    Ok(())
                } else {
                    Err(Failure::overtaken("fact"))
                }
            }));
        }
        for (lane, ids) in self.verdicts {
            statements.push(Box::pin(async move {
                DELETE_VERDICTS.query(client, &[&lane, &ids]).await?;
                Ok(())
            }));
        }
        for (statement, until) in [
            (DELETE_FACTS, self.facts),
            (FORGET_ACKNOWLEDGEMENTS, self.acknowledgements),
        ] {
            if let Some(until) = until {
                statements.push(Box::pin(async move {
                    statement.query(client, &[&until]).await?;
                    Ok(())
                }));
            }
        }
        for (lane, keys) in self.dismissals {
            statements.push(Box::pin(async move {
                let by: Vec<&str> = keys.iter().map(|(by, _)| by.as_str()).collect();
                let of: Vec<&str> = keys.iter().map(|(_, of)| of.as_str()).collect();
                DELETE_DISMISSALS.query(client, &[&lane, &by, &of]).await?;
                Ok(())
            }));
        }
        for (lane, id, max) in self.bounded {
            statements.push(Box::pin(async move {
                let parameters: [&(dyn ToSql + Sync); 3] = [&lane, &id.as_str(), &max];
                BOUND_DISMISSALS.query(client, &parameters).await?;
                Ok(())
            }));
        }
        for (lane, ids) in self.notebooks {
            statements.push(Box::pin(async move {
                let ids: Vec<&str> = ids.iter().map(MemberId::as_str).collect();
                DELETE_NOTEBOOKS.query(client, &[&lane, &ids]).await?;
                Ok(())
            }));
        }
    }
}
