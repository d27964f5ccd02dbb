//! Which lines of a member's list are read, and the page that they make.
//!
//! Deliberately absent: reading them.

use service_kit::time::Time;

use crate::store::{Line, ListPage};

/// Which lines of a list are read, newest first.
#[derive(Clone, Copy)]
pub(in crate::store) struct Part<'a> {
    /// Those that come after this one; `None`: from the newest.
    pub(in crate::store) after: Option<&'a Line>,
    /// Those later than this.
    pub(in crate::store) later_than: Option<Time>,
    /// Those earlier than this; of no meaning with a line to come after, which is earlier itself.
    pub(in crate::store) earlier_than: Option<Time>,
    /// How many at most.
    pub(in crate::store) limit: u32,
}

impl<'a> Part<'a> {
    /// A page, whenever its lines were made.
    pub(in crate::store) const fn page(after: Option<&'a Line>, limit: u32) -> Self {
        Self {
            after,
            later_than: None,
            earlier_than: None,
            limit,
        }
    }

    /// The place that the lines come after, and the time that they are later than, as statements compare them.
    pub(in crate::store) fn bounds(&self) -> ((i64, &'a str), i64) {
        let place = match (self.after, self.earlier_than) {
            (None, Some(time)) => (time.millis(), ""),
            (after, _) => place_after(after),
        };
        (place, self.later_than.map_or(i64::MIN, Time::millis))
    }

    /// One more than the page has, which says whether there are more.
    pub(in crate::store) fn limit_and_one(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// The place that a page begins after, newest first, as statements compare it.
pub(in crate::store) fn place_after(line: Option<&Line>) -> (i64, &str) {
    line.map_or((i64::MAX, ""), |line| {
        (line.time.millis(), line.other.as_str())
    })
}

/// The page of a list that has no lines.
pub(in crate::store) const fn no_page<L>() -> ListPage<L> {
    ListPage {
        lines: Vec::new(),
        more: false,
        total: 0,
    }
}

/// A page from lines that are read, of which one more than `limit` was asked for.
pub(in crate::store) fn page_of<L, E>(
    lines: impl Iterator<Item = Result<L, E>>,
    limit: u32,
    total: u32,
) -> Result<ListPage<L>, E> {
    let mut page = ListPage {
        lines: Vec::with_capacity(limit.min(total) as usize),
        more: false,
        total,
    };
    for line in lines {
        if page.lines.len() >= limit as usize {
            page.more = true;
            break;
        }
        page.lines.push(line?);
    }
    Ok(page)
}
