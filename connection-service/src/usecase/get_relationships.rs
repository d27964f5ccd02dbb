//! `GetRelationship` and `BatchGetRelationships`: what a member is to others, as that member may see it, and how far apart they are.
//!
//! How far apart two are is answered from memory, and with that whether they are anything to each other; only where they are is the store asked
//! what and since when. It may know a moment more or less: where that shows, both are looked at again.
//!
//! Deliberately absent: blocks by the other side, which read as nothing.

use service_kit::error::StoreError;
use service_kit::id::MemberId;

use super::{Context, Failure, network};
use crate::domain::network::{Between, Degree, Tie};
use crate::domain::refusal::Refusal;
use crate::store::Relationship;

/// How often the two are looked at until they agree.
const LOOKS_MAX: usize = 3;

/// What a member is to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Related {
    /// What they are to each other.
    pub relationship: Relationship,
    /// What there is between them beyond that; `None` when it cannot be had now.
    pub between: Option<Between>,
}

/// What each of `others` is to `member`, in their order. Refuses with [`Refusal::SelfReference`].
pub async fn run(
    context: &Context,
    member: MemberId,
    others: Vec<MemberId>,
    with_mutual_counts: bool,
) -> Result<Vec<Related>, Failure> {
    if others.contains(&member) {
        return Err(Refusal::SelfReference.into());
    }
    let mut related = Vec::new();
    for _ in 0..LOOKS_MAX {
        let between = network::between(context, &member, &others, with_mutual_counts).await?;
        let between = match between {
            Some(found) => found.into_iter().map(Some).collect(),
            None => vec![None; others.len()],
        };
        // Always somebody, or how long an answer takes would tell of a block by the other side.
        let ask = |(at, between): (usize, &Option<Between>)| at == 0 || !are_nothing(*between);
        let asked: Vec<_> = between.iter().enumerate().map(ask).collect();
        let of_store = others.iter().zip(&asked).filter(|(_, asked)| **asked);
        let of_store = of_store.map(|(other, _)| other.clone()).collect();
        let found = context
            .store
            .relationships(member.clone(), of_store)
            .await?;
        let mut found = found.into_iter();
        related.clear();
        let mut agree = true;
        for (between, asked) in between.into_iter().zip(asked) {
            let missing = || StoreError::internal("a relationship was not read");
            let relationship = if asked {
                found.next().ok_or_else(missing)?
            } else {
                Relationship::None
            };
            let reconciled = between.map(|between| reconcile(relationship, between));
            agree &= reconciled != Some(None);
            related.push(Related {
                relationship,
                between: reconciled.flatten(),
            });
        }
        if agree {
            break;
        }
    }
    Ok(related)
}

/// Whether two are known to be nothing to each other.
fn are_nothing(between: Option<Between>) -> bool {
    between.is_some_and(|between| between.tie == Tie::None)
}

/// What there is between two who are this to each other; `None` when it speaks of another moment.
fn reconcile(relationship: Relationship, between: Between) -> Option<Between> {
    match relationship {
        Relationship::Connected(_) => Some(Between {
            degree: Degree::First,
            ..between
        }),
        Relationship::Blocked => Some(Between::strangers(between.mutual_count.is_some())),
        Relationship::None => (between.degree != Degree::First).then_some(between),
    }
}

#[cfg(test)]
mod tests {
    use service_kit::time::Time;

    use super::*;

    #[test]
    fn what_two_are_to_each_other_decides() {
        let between = |degree, mutual_count| Between {
            tie: Tie::Connected,
            degree,
            mutual_count: Some(mutual_count),
        };
        let connected = Relationship::Connected(Time::ZERO);
        let strangers = Some(Between::strangers(true));
        for (relationship, degree, expected) in [
            (connected, Degree::First, Some(between(Degree::First, 2))),
            (connected, Degree::Second, Some(between(Degree::First, 2))),
            (
                Relationship::None,
                Degree::Second,
                Some(between(Degree::Second, 2)),
            ),
            (Relationship::None, Degree::First, None),
            (Relationship::Blocked, Degree::First, strangers),
            (Relationship::Blocked, Degree::Second, strangers),
        ] {
            let found = reconcile(relationship, between(degree, 2));
            assert_eq!(found, expected, "{relationship:?} {degree:?}");
        }
    }
}
