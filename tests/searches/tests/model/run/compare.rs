//! Compares all that members are shown with what the model says.

use invitation_service::{
    domain::{invitation::Place, view::View},
    store::ListOrder,
};
use service_kit::time::Span;

use super::{Parted, Run, same};
use crate::model::{
    command::{Deed, MEMBERS, Who},
    system::{Shown, System, queries},
};

impl<S: System> Run<'_, S> {
    /// A view with `seen` as the model has it, where that is uncertain.
    pub(super) fn blurred(&self, mut view: View) -> View {
        if let Some(seen) = self.model.uncertainly_seen(&view.id) {
            view.seen = view.seen.map(|_| seen);
        }
        view
    }

    pub(super) fn blur(&self, shown: &mut Shown) {
        let lists = shown.lists.iter_mut().flatten();
        let found = shown.invitations.iter_mut().flatten();
        let watched = shown.watched.iter_mut().flatten();
        for view in lists.chain(found).chain(watched) {
            *view = self.blurred(view.clone());
        }
    }

    pub(super) fn sees_uncertainly(&self, who: Who) -> bool {
        let received = self.model.list(who, &[Place::Received]);
        received
            .iter()
            .any(|view| self.model.uncertainly_seen(&view.id).is_some())
    }

    /// Compares all that every member is shown.
    pub(super) fn look(&mut self) -> Result<(), Parted> {
        let ids = self.model.ids();
        for (who, member) in self.members.iter().enumerate() {
            let of = |what: &str| format!("{what} of {member}");
            let mut is = self.system.shown(member, &self.members, &ids);
            self.blur(&mut is);
            let counts = self.model.counts(who);
            if self.sees_uncertainly(who) {
                is.counts.received_unseen = counts.received_unseen;
            }
            for (query, list) in queries(member).into_iter().zip(is.lists) {
                let withdrawn = query.include_recently_withdrawn.then_some(Place::Withdrawn);
                let places: Vec<_> = [query.list].into_iter().chain(withdrawn).collect();
                let mut expected = self.model.list(who, &places);
                if query.order == ListOrder::Newest {
                    expected.reverse();
                }
                same(&format!("{query:?}"), &list, &expected)?;
            }
            same(&of("counts"), &is.counts, &counts)?;
            same(&of("quota"), &is.quota, &self.model.quota(who))?;
            same(&of("outcomes"), &is.became, &self.model.became(who))?;
            same(
                &of("preferences"),
                &is.preferences,
                &self.model.preferences(who),
            )?;
            same(&of("bars"), &is.bars, &self.model.barred(who))?;
            let states = (0..MEMBERS)
                .map(|other| self.model.state(who, other))
                .collect();
            same(&of("states"), &is.states, &states)?;
            let eligibility = self.model.eligibility(who);
            same(&of("eligibility"), &is.eligibility, &eligibility)?;
            let invitations = ids.iter().map(|id| self.model.get(who, id)).collect();
            same(&of("invitations"), &is.invitations, &invitations)?;
            if let Some(watched) = is.watched.filter(|_| !self.model.is_erased(who)) {
                // That one has expired everybody sees for themselves; the event comes when it is swept.
                let over =
                    |view: &View| view.expire_time.is_some_and(|time| time <= self.model.now);
                let watched: Vec<_> = watched.into_iter().filter(|view| !over(view)).collect();
                let lists = [Place::Sent, Place::Received, Place::Filtered];
                same(&of("events"), &watched, &self.model.list(who, &lists))?;
            }
        }
        match self.system.flaw(&self.model.erased()) {
            None => Ok(()),
            Some(flaw) => Err(flaw),
        }
    }

    /// Erases everybody, after which nothing is left to do for anybody.
    pub(super) fn clean_up(&mut self) -> Result<(), Parted> {
        self.follow(self.connections.feed.len());
        for who in 0..MEMBERS {
            self.connections.act(Deed::Erase(who), self.model.now);
        }
        self.follow(self.connections.feed.len());
        let position = self.connections.tick();
        self.system.fold(Vec::new(), position);
        self.set_clock(self.model.now.plus(Span::days(1_000)));
        same(
            "pairs that are due for nobody",
            &self.system.due_pairs(),
            &Vec::new(),
        )?;
        same(
            "members who are due for nobody",
            &self.system.due_members(),
            &Vec::new(),
        )
    }
}
