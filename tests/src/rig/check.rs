//! What must hold of both stores, and of everything that was answered, when nothing moves any more: by SQL over the two, which of either
//! engine each may be.
//!
//! Each check is a sentence that says what is wrong and a query that finds where. `i` is invitation-service's store, `c`
//! connection-service's, `call` the journal. Deliberately absent: the services' own code, but for the form in which a standing
//! is kept; what they believe of themselves proves nothing.

mod answered;
mod stored;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use invitation_service::domain::standing::{Standing, StandingPolicy, Terms};
use rusqlite::{Connection, OpenFlags, functions::FunctionFlags, params, types::ValueRef};

pub use answered::ANSWERED;
pub use stored::STORED;

use service_kit::time::Time;

use super::journal::{Act, Call, Outcome};
use crate::rows::Look;

/// What must not be: a sentence, and a query for where it is so.
pub type Check = (&'static str, &'static str);

/// The limits that the services were given.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// Invitations in any seven days.
    pub weekly: u32,
    /// Unanswered invitations of an inviter.
    pub pending: u32,
    /// Connections of a member.
    pub connections: u32,
}

/// By which names checks know the stores.
const NAMES: [&str; 2] = ["i", "c"];

/// Both stores with the journal beside them.
pub struct Stores {
    conn: Mutex<Connection>,
    /// Where each is.
    looks: [Look; 2],
}

const JOURNAL: &str = "
create temp table cap (weekly, pending, connections);
create temp table call (act, member, other, id, request_id, begun, ended, repeated, outcome, connected, value);
create temp view standing as
    select member, counted(standing, 'sent') as sent, counted(standing, 'accepted') as accepted, counted(standing, 'refused') as refused,
        counted(standing, 'withdrawn') as withdrawn, counted(standing, 'expired') as expired
    from i.member where standing is not null;
create temp view done as select * from call where outcome in ('done', 'sent', 'accepted');
-- Everything about whoever was erased goes: what is left of it is looked for elsewhere.
create temp table erased (member primary key);
create temp view step as
    select position, kind, invitation_id as id, inviter, invitee,
        lag(kind) over of_invitation as before, lead(kind) over of_invitation as after,
        count(*) filter (where kind = 3) over (partition by invitation_id) as acceptances
    from i.event
    where invitation_id not in (select invitation_id from i.event where kind <> 1 and (inviter is null or invitee is null)) and kind <> 1
    window of_invitation as (partition by invitation_id order by position);";

impl Stores {
    /// Both, invitation-service's first, for reading: a file as it is at each look, a database as it was at the last
    /// [`renewal`](Self::renew).
    pub async fn open(looks: [Look; 2]) -> Self {
        let copies = [looks[0].copy().await, looks[1].copy().await];
        let conn = in_memory();
        for ((look, copy), name) in looks.iter().zip(&copies).zip(NAMES) {
            look.attach(&conn, name, copy.as_ref());
        }
        Self::with(conn, looks)
    }

    /// Both in files, invitation-service's first, as they are at each look.
    pub fn of_files(files: [&Path; 2]) -> Self {
        let looks = files.map(|file| Look::at_file(file.to_owned()));
        let conn = in_memory();
        for (look, name) in looks.iter().zip(NAMES) {
            look.attach(&conn, name, None);
        }
        Self::with(conn, looks)
    }

    /// Copies of both in memory, every table and view a table there: what is doctored harms nobody, and is bound by no rule.
    pub async fn copied(looks: [Look; 2]) -> Self {
        let copies = [looks[0].copy().await, looks[1].copy().await];
        let conn = in_memory();
        for ((look, copy), name) in looks.iter().zip(&copies).zip(NAMES) {
            let from = format!("from_{name}");
            look.attach(&conn, &from, copy.as_ref());
            conn.execute_batch(&format!("attach ':memory:' as {name}"))
                .unwrap();
            let names = format!(
                "select name from {from}.sqlite_master where type in ('table', 'view') and name not like 'sqlite%'"
            );
            let mut names = conn.prepare(&names).unwrap();
            let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
            for table in names.map(Result::unwrap) {
                let copy = format!("create table {name}.{table} as select * from {from}.{table}");
                conn.execute_batch(&copy).unwrap();
            }
        }
        Self::with(conn, looks)
    }

    /// Looks at the databases anew.
    pub async fn renew(&self) {
        for (look, name) in self.looks.iter().zip(NAMES) {
            if let Some(copy) = look.copy().await {
                copy.write(&self.conn(), name);
            }
        }
    }

    fn with(conn: Connection, looks: [Look; 2]) -> Self {
        conn.execute_batch(&written(&conn)).unwrap();
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        conn.create_scalar_function("counted", 2, flags, |call| {
            let standing = call.get_raw(0).as_blob()?;
            Ok(counted(standing, call.get_raw(1).as_str()?))
        })
        .unwrap();
        conn.execute_batch(JOURNAL).unwrap();
        Self {
            conn: Mutex::new(conn),
            looks,
        }
    }

    fn conn(&self) -> MutexGuard<'_, Connection> {
        self.conn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the journal beside the stores.
    pub fn know(&self, calls: &[Call], caps: Caps) {
        let values = params![caps.weekly, caps.pending, caps.connections];
        let conn = self.conn();
        conn.execute("insert into cap values (?1, ?2, ?3)", values)
            .unwrap();
        let mut insert = conn
            .prepare("insert into call values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")
            .unwrap();
        for call in calls {
            let row = Row::of(call);
            insert
                .execute(params![
                    row.act,
                    row.member,
                    row.other,
                    row.id,
                    row.request_id,
                    i64::try_from(call.begun).unwrap(),
                    call.ended.map(|ended| i64::try_from(ended).unwrap()),
                    call.repeated,
                    row.outcome,
                    row.connected,
                    row.value,
                ])
                .unwrap();
        }
        let erased = "insert or ignore into erased select member from call where act = 'erase'";
        conn.execute(erased, []).unwrap();
    }

    /// Where anything is wrong: the sentence of each check that fails, with the first few places.
    pub fn violations(&self) -> Vec<String> {
        self.violations_of(STORED.iter().chain(ANSWERED))
    }

    /// Where anything is wrong by some of the checks.
    pub fn violations_of<'a>(&self, checks: impl IntoIterator<Item = &'a Check>) -> Vec<String> {
        let violation = |(sentence, query): &Check| {
            let mut found = self.rows(query);
            found.retain(|row| row != "ok");
            (!found.is_empty()).then(|| format!("{sentence}: {}", found.join(" | ")))
        };
        checks.into_iter().filter_map(violation).collect()
    }

    /// The first few rows of a query, for a reader.
    pub fn rows(&self, query: &str) -> Vec<String> {
        self.some(query, 3)
    }

    /// All rows of a query.
    pub fn all(&self, query: &str) -> Vec<String> {
        self.some(query, usize::MAX)
    }

    fn some(&self, query: &str, limit: usize) -> Vec<String> {
        let conn = self.conn();
        let mut statement = conn
            .prepare(query)
            .unwrap_or_else(|error| panic!("{error}: {query}"));
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| {
            let values = (0..columns).map(|at| row.get_ref(at).map(shown));
            values.collect::<Result<Vec<_>, _>>()
        });
        let rows = rows.unwrap().take(limit);
        rows.map(|row| row.unwrap().join(" ")).collect()
    }

    /// Changes something, looks, and takes the change back.
    pub fn doctored<T>(&self, change: &str, look: impl FnOnce(&Self) -> T) -> T {
        self.conn().execute_batch("begin").unwrap();
        self.conn()
            .execute_batch(change)
            .unwrap_or_else(|error| panic!("{error}: {change}"));
        let seen = look(self);
        self.conn().execute_batch("rollback").unwrap();
        seen
    }
}

/// How many invitations a standing counts as sent, accepted, refused, withdrawn or expired. Told apart as far as the feed does: reports are
/// refusals too.
fn counted(standing: &[u8], what: &str) -> u32 {
    let policy = StandingPolicy::default();
    let terms = Terms {
        policy: &policy,
        pending_sent_max: u32::MAX,
    };
    let standing = Standing::from_bytes(standing).unwrap();
    // At its own time, which is never before the beginning.
    let counts = standing.known(Time::from_millis(i64::MIN), &terms).counts;
    match what {
        "sent" => counts.sent,
        "accepted" => counts.accepted,
        "refused" => counts.declined + counts.reported,
        "withdrawn" => counts.withdrawn,
        "expired" => counts.expired,
        _ => panic!("no standing counts {what}"),
    }
}

/// A view of every value of every table of both stores: where it stands, and its bytes. For what must stand nowhere.
fn written(conn: &Connection) -> String {
    let columns = NAMES.map(|store| {
        format!(
            "select '{store}', t.name, k.name from {store}.sqlite_schema t join pragma_table_info(t.name, '{store}') k
             where t.type = 'table' and t.name not like 'sqlite%'"
        )
    });
    let mut columns = conn.prepare(&columns.join(" union all ")).unwrap();
    let columns = columns.query_map([], |row| {
        let (store, table, column): (String, String, String) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!(
            "select '{store}.{table}' as place, cast(\"{column}\" as blob) as value from {store}.\"{table}\""
        ))
    });
    let columns: Vec<_> = columns.unwrap().map(Result::unwrap).collect();
    format!(
        "create temp view written as {}",
        columns.join(" union all ")
    )
}

fn in_memory() -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(":memory:", flags).unwrap()
}

fn shown(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => uuid::Uuid::from_slice(bytes)
            .map_or_else(|_| format!("{bytes:?}"), |id| id.simple().to_string()),
    }
}

/// A call as a row.
#[derive(Default)]
struct Row<'a> {
    act: &'static str,
    member: &'a str,
    other: Option<&'a str>,
    id: Option<Vec<u8>>,
    request_id: Option<Vec<u8>>,
    outcome: Option<&'static str>,
    connected: bool,
    value: Option<i64>,
}

impl<'a> Row<'a> {
    fn of(call: &'a Call) -> Self {
        let bytes = |id: &str| uuid::Uuid::parse_str(id).unwrap().as_bytes().to_vec();
        let mut row = match &call.act {
            Act::Send {
                inviter,
                invitee,
                request_id,
                ..
            } => Self {
                act: "send",
                member: inviter,
                other: Some(invitee),
                request_id: Some(bytes(request_id)),
                ..Self::default()
            },
            Act::Accept(named) => Self::named("accept", &named.member, &named.other, &named.id),
            Act::Decline(named, reason) => Self {
                // Whether it bars.
                value: Some(i64::from(i32::from(*reason) > 1)),
                ..Self::named("decline", &named.member, &named.other, &named.id)
            },
            Act::Undo(named) => Self::named("undo", &named.member, &named.other, &named.id),
            Act::Withdraw(named) => Self::named("withdraw", &named.member, &named.other, &named.id),
            Act::Unbar(between) => Self::between("unbar", &between.member, &between.other),
            Act::Remove(between) => Self::between("remove", &between.member, &between.other),
            Act::Block(between) => Self::between("block", &between.member, &between.other),
            Act::Unblock(between) => Self::between("unblock", &between.member, &between.other),
            Act::Seen(member, value) => Self::own("seen", member, Some(*value)),
            Act::Wish(member, value) => Self::own("wish", member, Some(*value)),
            Act::Label(between, _) => Self::between("label", &between.member, &between.other),
            Act::Dismiss(between) => Self::between("dismiss", &between.member, &between.other),
            Act::Import(between, value) => Self {
                value: Some(*value),
                ..Self::between("import", &between.member, &between.other)
            },
            Act::Put(member, value) => Self::own("put", member, Some(*value)),
            Act::Relabel(member, value) => Self::own("relabel", member, Some(*value)),
            Act::Unlabel(member, value) => Self::own("unlabel", member, Some(*value)),
            Act::Erase(member) => Self::own("erase", member, None),
        };
        row.outcome = match &call.outcome {
            Outcome::Open => None,
            Outcome::Refused(_) => Some("refused"),
            Outcome::Done => Some("done"),
            Outcome::Sent(id) => {
                row.id = Some(bytes(id));
                Some("sent")
            }
            Outcome::Accepted { id, connected } => {
                row.id = Some(bytes(id));
                row.connected = *connected;
                Some("accepted")
            }
        };
        row
    }

    fn between(act: &'static str, member: &'a str, other: &'a str) -> Self {
        Self {
            act,
            member,
            other: Some(other),
            ..Self::default()
        }
    }

    fn named(act: &'static str, member: &'a str, other: &'a str, id: &str) -> Self {
        let id = uuid::Uuid::parse_str(id).unwrap();
        Self {
            id: Some(id.as_bytes().to_vec()),
            ..Self::between(act, member, other)
        }
    }

    fn own(act: &'static str, member: &'a str, value: Option<i64>) -> Self {
        Self {
            act,
            member,
            value,
            ..Self::default()
        }
    }
}
