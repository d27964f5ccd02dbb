//! The same answers in the plainest way, over sets of pairs.

use std::collections::{BTreeMap, BTreeSet};

use service_kit::id::MemberId;

use crate::domain::network::{Between, Degree, SHOWN_MAX, Suggestion, Tie};

#[derive(Default)]
pub(super) struct Naive(BTreeMap<MemberId, BTreeMap<MemberId, Tie>>);

impl Naive {
    pub(super) fn set(&mut self, one: &MemberId, other: &MemberId, tie: Tie) {
        for (a, b) in [(one, other), (other, one)] {
            let of = self.0.entry(a.clone()).or_default();
            if tie == Tie::None {
                of.remove(b);
            } else {
                of.insert(b.clone(), tie);
            }
        }
    }

    pub(super) fn erase(&mut self, member: &MemberId) {
        self.0.remove(member);
        for of in self.0.values_mut() {
            of.remove(member);
        }
    }

    pub(super) fn tie(&self, one: &MemberId, other: &MemberId) -> Tie {
        let of = self.0.get(one).and_then(|of| of.get(other));
        of.copied().unwrap_or(Tie::None)
    }

    pub(super) fn connections(&self, member: &MemberId) -> BTreeSet<MemberId> {
        let of = self.0.get(member).into_iter().flatten();
        let connected = of.filter(|(_, tie)| **tie == Tie::Connected);
        connected.map(|(other, _)| other.clone()).collect()
    }

    pub(super) fn mutual(&self, one: &MemberId, other: &MemberId) -> Vec<MemberId> {
        if self.tie(one, other) == Tie::Hidden {
            return Vec::new();
        }
        let (a, b) = (self.connections(one), self.connections(other));
        a.intersection(&b).cloned().collect()
    }

    pub(super) fn between(&self, one: &MemberId, other: &MemberId) -> Between {
        let mutual = self.mutual(one, other).len();
        let through = |member: &MemberId| !self.mutual_of_hidden_too(one, member).is_empty();
        let degree = match self.tie(one, other) {
            Tie::Connected => Degree::First,
            Tie::None if mutual > 0 => Degree::Second,
            Tie::None if self.connections(other).iter().any(through) => Degree::Third,
            Tie::Hidden | Tie::None => Degree::Further,
        };
        Between {
            tie: self.tie(one, other),
            degree,
            mutual_count: Some(mutual.try_into().unwrap()),
        }
    }

    fn mutual_of_hidden_too(&self, one: &MemberId, other: &MemberId) -> Vec<MemberId> {
        let (a, b) = (self.connections(one), self.connections(other));
        a.intersection(&b).cloned().collect()
    }

    pub(super) fn suggestions(&self, member: &MemberId, but_for: &[MemberId]) -> Vec<Suggestion> {
        let all = self.0.keys().filter(|other| {
            *other != member && self.tie(member, other) == Tie::None && !but_for.contains(other)
        });
        let with_mutual = all.map(|other| (other, self.mutual(member, other)));
        let mut found: Vec<_> = with_mutual
            .filter(|(_, mutual)| !mutual.is_empty())
            .map(|(other, mutual)| Suggestion {
                member: other.clone(),
                mutual_count: mutual.len().try_into().unwrap(),
                shown: mutual.into_iter().take(SHOWN_MAX).collect(),
            })
            .collect();
        found.sort_by_key(|found| (std::cmp::Reverse(found.mutual_count), found.member.clone()));
        found
    }
}
