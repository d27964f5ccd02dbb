//! Pages of connections from what was read and what was chosen.
//!
//! Deliberately absent: reading, and what is in a list (see `domain::connection_list`).

use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::{ConnectionLine, ConnectionPage, ListRequest, Noted};
use crate::domain::connection_list::{Chosen, Cursor, Oldest, Order, Selection, Total};
use crate::domain::policy::Policy;
use crate::store::roster::Keys;
use crate::store::{Line, ListPage, Selected, codec};

type Found<T> = Result<T, StoreError>;

/// Nothing but who and since when.
pub(in crate::store) fn plain(other: MemberId, connect_time: Time) -> ConnectionLine {
    ConnectionLine {
        other,
        connect_time,
        card: None,
        noted: None,
    }
}

/// The line that a page in the order of time begins after.
pub(in crate::store) fn after_line(request: &ListRequest) -> Found<Option<Line>> {
    match &request.after {
        None => Ok(None),
        Some(Cursor::Recent {
            connect_time,
            other,
        }) => Ok(Some(Line {
            other: other.clone(),
            time: *connect_time,
        })),
        Some(Cursor::Named { .. }) => Err(StoreError::internal("a place is of another order")),
    }
}

/// A page of a list that lies in its order.
pub(in crate::store) fn ranged_page(
    page: ListPage<ConnectionLine>,
    total: Total,
) -> ConnectionPage {
    let last = page.lines.last().filter(|_| page.more);
    ConnectionPage {
        next: last.map(|line| cursor_of(Order::Recent, line, Keys::default())),
        lines: page.lines,
        total,
    }
}

/// The choice of a page that is asked for, before anything was offered.
pub(in crate::store) fn selection<'r>(request: &'r ListRequest, policy: &Policy) -> Selection<'r> {
    let after = request.after.as_ref();
    Selection::new(
        &request.query,
        after,
        request.limit,
        policy.listed_counted_max,
    )
}

/// The page that was chosen, of `connections` in all, or with the label.
pub(in crate::store) fn chosen_page(
    selection: Selection<'_>,
    request: &ListRequest,
    connections: u32,
) -> Found<ConnectionPage> {
    let query = &request.query;
    let (chosen, more, in_list) = selection.finish();
    let all = Total {
        number: connections,
        is_minimum: false,
    };
    let mut page = ConnectionPage {
        total: if query.filter.is_empty() || query.filter.is_label_alone() {
            all
        } else {
            in_list
        },
        ..ConnectionPage::default()
    };
    let last = chosen.last().filter(|_| more).cloned();
    for one in chosen {
        let other = codec::member_id(&one.other)?;
        page.lines.push(plain(other, one.connect_time));
    }
    if let (Some(last), Some(line)) = (last, page.lines.last()) {
        page.next = Some(cursor(query.order, last, line.other.clone()));
    }
    Ok(page)
}

/// What was chosen of the oldest.
pub(in crate::store) fn selected(oldest: Oldest<'_>) -> Found<Selected> {
    let (chosen, matched) = oldest.finish();
    let line =
        |(time, other): (Time, String)| codec::member_id(&other).map(|other| Line { other, time });
    let lines = chosen.into_iter().map(line).collect::<Found<_>>()?;
    Ok(Selected { lines, matched })
}

/// Where the page after `chosen` begins, whose other member is `other`.
fn cursor(order: Order, chosen: Chosen, other: MemberId) -> Cursor {
    match order {
        Order::Recent => Cursor::Recent {
            connect_time: chosen.connect_time,
            other,
        },
        Order::FirstName | Order::LastName => Cursor::Named {
            key: chosen.key,
            other,
        },
    }
}

/// Where the page after a line begins. `keys` are those of the other's card, which only orders by name look at.
pub(in crate::store) fn cursor_of(order: Order, line: &ConnectionLine, keys: Keys) -> Cursor {
    let (connect_time, other) = (line.connect_time, line.other.clone());
    let key = match order {
        Order::Recent => {
            return Cursor::Recent {
                connect_time,
                other,
            };
        }
        Order::FirstName => keys.by_first_name,
        Order::LastName => keys.by_last_name,
    };
    Cursor::Named {
        key: key.into(),
        other,
    }
}

/// Where a page ends for what is noted about its connections.
pub(in crate::store) struct NotedBytes {
    bytes: usize,
    max: usize,
    kept: usize,
}

impl NotedBytes {
    /// At so many bytes, beyond those of the first connection.
    pub(in crate::store) fn up_to(max: usize) -> Self {
        Self {
            bytes: 0,
            max,
            kept: 0,
        }
    }

    /// Adds what is noted about the next connection, and says whether there is room for it on the page.
    pub(in crate::store) fn take(&mut self, noted: Option<&Noted>) -> bool {
        self.bytes = self.bytes.saturating_add(noted.map_or(0, Noted::bytes));
        let takes = self.bytes <= self.max || self.kept == 0;
        self.kept += usize::from(takes);
        takes
    }

    /// How many connections there was room for.
    pub(in crate::store) fn kept(&self) -> usize {
        self.kept
    }
}
