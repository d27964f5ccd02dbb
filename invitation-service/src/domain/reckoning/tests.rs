use super::*;
use crate::domain::{
    decline::{Declining, decline, undo_decline},
    fixture::{
        Before, CONNECTED, DAY, ID, INVITEE, INVITER, START, at, blocked_by, connected_elsewhere,
        invitation, pair, policy, strangers,
    },
    pair::Facts,
};

fn step(from: State, to: State, happening: Happening) -> Transition {
    Transition {
        invitation: invitation(ID, INVITER),
        from,
        to,
        happening,
    }
}

#[test]
fn each_end_is_one_outcome() {
    use State::{Absent, Accepting, Gone, Pending, Withdrawn};
    let between = pair(Before::Nothing);
    for ((from, to, happening), expected) in [
        ((Absent, Pending, Happening::Sent), Some(Reckoned::Sent)),
        ((Pending, Accepting, Happening::Accepting), None),
        ((Accepting, Pending, Happening::Returned), None),
        (
            (Accepting, CONNECTED, Happening::Accepted),
            Some(Reckoned::Ended(Outcome::Accepted)),
        ),
        (
            (Pending, Withdrawn, Happening::Withdrawn),
            Some(Reckoned::Withdrawn),
        ),
        (
            (Pending, Gone, Happening::Expired),
            Some(Reckoned::Ended(Outcome::Expired)),
        ),
        ((CONNECTED, Gone, Happening::Forgotten), None),
        ((Withdrawn, Gone, Happening::Forgotten), None),
        ((State::Declined, Gone, Happening::Forgotten), None),
        (
            (CONNECTED, Accepting, Happening::Accepting),
            Some(Reckoned::Undone(Outcome::Accepted, START)),
        ),
    ] {
        let step = step(from, to, happening);
        let reckoned = reckon(&between, &between, &step, DAY);
        assert_eq!(reckoned, expected, "{from:?} to {to:?}");
    }
}

#[test]
fn what_others_end_counts_alike_and_what_says_nothing_does_not_count() {
    use State::{Accepting, Pending};
    let declined = Reckoned::Ended(Outcome::Declined);
    let both = {
        let mut facts = blocked_by(INVITER);
        *facts.blocked_by.get_mut(INVITEE) = true;
        facts
    };
    let cases: [(State, Facts, Reckoned); 8] = [
        (Pending, blocked_by(INVITEE), declined),
        (Accepting, blocked_by(INVITEE), declined),
        (Pending, both, declined),
        // The invitee was erased, or the two were removed from each other before the acceptance was through.
        (Pending, strangers(), declined),
        (Accepting, strangers(), declined),
        (Pending, connected_elsewhere(), Reckoned::Gone),
        (
            Pending,
            blocked_by(INVITER),
            Reckoned::Ended(Outcome::Withdrawn),
        ),
        (
            Accepting,
            blocked_by(INVITER),
            Reckoned::Ended(Outcome::Withdrawn),
        ),
    ];
    for (from, facts, expected) in cases {
        let mut after = pair(Before::Nothing);
        after.facts = facts;
        let step = step(from, State::Gone, Happening::Ended);
        let reckoned = reckon(&pair(Before::Pending), &after, &step, DAY);
        assert_eq!(reckoned, Some(expected), "{from:?} with {facts:?}");
    }
}

#[test]
fn a_decline_counts_by_its_reason_and_can_be_undone_or_become_a_report() {
    use DeclineReason::{DontKnow, NotNow, Spam};
    let kept = policy().ended_kept;
    for (reason, outcome) in [
        (NotNow, Outcome::Declined),
        (DontKnow, Outcome::Reported),
        (Spam, Outcome::Reported),
    ] {
        let before = pair(Before::Pending);
        let mut declined = before.clone();
        let done = decline(&mut declined, INVITEE, &ID, reason, &policy(), at(DAY));
        let Ok(Declining::Done(steps)) = done else {
            panic!("{done:?}")
        };
        let reckoned = reckon(&before, &declined, &steps[0], kept);
        assert_eq!(reckoned, Some(Reckoned::Ended(outcome)), "{reason:?}");

        let mut undone = declined.clone();
        let later = at(DAY).plus(Span::hours(3));
        let Ok(Declining::Done(steps)) = undo_decline(&mut undone, INVITEE, &ID, later) else {
            panic!("it can be undone")
        };
        let reckoned = reckon(&declined, &undone, &steps[0], kept);
        assert_eq!(reckoned, Some(Reckoned::Undone(outcome, at(DAY))));

        let mut stronger = declined.clone();
        let repeated = decline(&mut stronger, INVITEE, &ID, Spam, &policy(), later);
        assert_eq!(repeated, Ok(Declining::Repeated));
        let expected = (reason == NotNow).then(|| (INVITER, at(DAY)));
        assert_eq!(
            reported_after_all(&declined, &stronger, kept),
            expected,
            "{reason:?}"
        );
        assert_eq!(reported_after_all(&before, &declined, kept), None);
    }
}
