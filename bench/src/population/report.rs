//! The figures as a table that can stand in a document.

use invitation_service::domain::standing::Flag;

use super::{
    kind::{Kind, Meant, Notes, Silence},
    life::Life,
};

/// Within how many invitations a spammer should be limited.
const SOON: u32 = 150;

/// What became of the members of a kind.
#[derive(Debug)]
pub(crate) struct Row {
    members: u64,
    limited: Share,
    soon: Share,
    restricted: Share,
    trusted: Share,
    /// Of those who were: after how many invitations, median and 95th percentile.
    limited_after: Option<(u32, u32)>,
    restricted_after: Option<(u32, u32)>,
    /// How many invitations a member sent, and how many were reported, median.
    sent: u32,
    reported: u32,
    flags: [Share; 4],
    bytes_max: usize,
}

/// So many of all.
#[derive(Debug, Clone, Copy)]
struct Share {
    count: u64,
    of: u64,
}

impl Share {
    fn of(lives: &[Life], counts: impl Fn(&Life) -> bool) -> Self {
        let count = lives.iter().filter(|life| counts(life)).count();
        Self {
            count: number(count),
            of: number(lives.len()),
        }
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hundredths = self.count * 10_000 / self.of.max(1);
        write!(f, "{}.{:02} %", hundredths / 100, hundredths % 100)
    }
}

fn number(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl Row {
    pub(crate) fn of(lives: &[Life]) -> Self {
        let share = |counts: &dyn Fn(&Life) -> bool| Share::of(lives, counts);
        Self {
            members: number(lives.len()),
            limited: share(&|life| life.limited_after.is_some()),
            soon: share(&|life| life.limited_after.is_some_and(|after| after <= SOON)),
            restricted: share(&|life| life.restricted_after.is_some()),
            trusted: share(&|life| life.trusted),
            limited_after: middle_and_most(lives.iter().filter_map(|life| life.limited_after)),
            restricted_after: middle_and_most(
                lives.iter().filter_map(|life| life.restricted_after),
            ),
            sent: median(lives.iter().map(|life| life.sent)),
            reported: median(lives.iter().map(|life| life.reported)),
            flags: Flag::ALL.map(|flag| share(&|life| life.flags.contains(flag))),
            bytes_max: lives.iter().map(|life| life.bytes_max).max().unwrap_or(0),
        }
    }
}

fn median(numbers: impl Iterator<Item = u32>) -> u32 {
    middle_and_most(numbers).map_or(0, |(median, _)| median)
}

/// Median and 95th percentile.
fn middle_and_most(numbers: impl Iterator<Item = u32>) -> Option<(u32, u32)> {
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    let at = |percent: usize| {
        let rank = (numbers.len() * percent).div_ceil(100).max(1);
        numbers.get(rank - 1).copied()
    };
    at(50).zip(at(95))
}

fn after(numbers: Option<(u32, u32)>) -> String {
    numbers.map_or_else(
        || "–".to_owned(),
        |(median, most)| format!("{median} / {most}"),
    )
}

pub(crate) fn print_assumptions(kinds: &[Kind]) {
    println!(
        "| kind | wishes to send a week | accepted | declined | reported | never answered | notes | what is done about silence |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for kind in kinds {
        let (low, high) = kind.a_week;
        let first = kind.at_first.map_or_else(String::new, |(a_week, weeks)| {
            format!("{a_week} for {weeks} weeks, then ")
        });
        let (few, many) = kind.accept;
        let answered = kind.decline + kind.report;
        println!(
            "| {} | {first}{low} to {high} | {few} to {many} % | {} % | {} % | {:.1} to {:.1} % | {} | {} |",
            kind.name,
            kind.decline,
            kind.report,
            100.0 - many - answered,
            100.0 - few - answered,
            notes(kind.notes),
            silence(kind.silence),
        );
    }
}

fn notes(notes: Notes) -> String {
    match notes {
        Notes::None => "none".to_owned(),
        Notes::Own(percent) => format!("to {percent} % one of its own"),
        Notes::Same => "the same to all".to_owned(),
        Notes::SameOf(percent) => format!("{percent} % of them the same to all"),
    }
}

fn silence(silence: Silence) -> String {
    match silence {
        Silence::Wait => "nothing".to_owned(),
        Silence::Withdraw(days) => format!("withdraws after {days} days"),
        Silence::WithdrawAndResend(days) => format!("withdraws after {days} days, sends again"),
    }
}

pub(crate) fn print_head() {
    println!(
        "| kind | limited | within {SOON} sent | after (median / p95) | restricted | after (median / p95) | trusted | sent, reported (median) | low acceptance | churn | same note | unanswered | bytes at most |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|");
}

pub(crate) fn print(kind: &Kind, row: &Row) {
    let [low, churn, same, unanswered] = row.flags;
    let meant = match kind.meant {
        Meant::Well => "",
        Meant::Ill => "spam: ",
    };
    println!(
        "| {meant}{} | {} | {} | {} | {} ({} of {}) | {} | {} | {}, {} | {low} | {churn} | {same} | {unanswered} | {} |",
        kind.name,
        row.limited,
        row.soon,
        after(row.limited_after),
        row.restricted,
        row.restricted.count,
        row.members,
        after(row.restricted_after),
        row.trusted,
        row.sent,
        row.reported,
        row.bytes_max,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_most_are_ranks_of_what_there_is() {
        assert_eq!(middle_and_most(std::iter::empty()), None);
        assert_eq!(middle_and_most([7].into_iter()), Some((7, 7)));
        assert_eq!(middle_and_most((1..=100).rev()), Some((50, 95)));
    }

    #[test]
    fn a_share_says_hundredths_of_a_percent() {
        for (count, of, text) in [(1, 10_000, "0.01 %"), (1, 3, "33.33 %"), (5, 5, "100.00 %")] {
            assert_eq!(Share { count, of }.to_string(), text);
        }
    }
}
