//! What members do on their own account, and what the workers do for them.

use invitation_service::{
    domain::{member::Preferences, refusal::Refusal, standing::Outcome},
    store::command::member::PreferenceChange,
};
use service_kit::time::{Span, Time};

use super::{CountsAs, Fate, Model};
use crate::model::{command::Who, differences::SEEN_IS_UNCERTAIN_BEYOND_THE_LISTS};

impl Model {
    /// A member has seen what was received up to a time.
    pub(crate) fn mark_seen(&mut self, who: Who, until: Time) -> Result<(), Refusal> {
        if self.is_erased(who) {
            return Err(Refusal::MemberNotFound);
        }
        for invitation in &mut self.invitations {
            if invitation.to == who && invitation.create_time <= until {
                let missed = !invitation.is_live() && !invitation.seen;
                invitation.seen_is_uncertain |= missed && SEEN_IS_UNCERTAIN_BEYOND_THE_LISTS;
                invitation.seen = true;
            }
        }
        Ok(())
    }

    /// A member changes their preferences.
    pub(crate) fn update_preferences(
        &mut self,
        who: Who,
        change: PreferenceChange,
    ) -> Result<Preferences, Refusal> {
        if self.is_erased(who) {
            return Err(Refusal::MemberNotFound);
        }
        let preferences = &mut self.preferences[who];
        if let Some(who_can_invite) = change.who_can_invite {
            preferences.who_can_invite = who_can_invite;
        }
        if let Some(days) = change.auto_withdraw_days {
            preferences.auto_withdraw_days = days;
        }
        Ok(*preferences)
    }

    /// A member lifts their bar against another.
    pub(crate) fn unbar(&mut self, who: Who, inviter: Who) -> Result<(), Refusal> {
        if self.is_erased(who) {
            return Err(Refusal::MemberNotFound);
        }
        if who == inviter {
            return Err(Refusal::SelfReference);
        }
        self.bars
            .retain(|bar| (bar.by, bar.against) != (who, inviter));
        Ok(())
    }

    /// An operator gives a member a plan; one that is not configured grants what the basic one does.
    pub(crate) fn set_plan(&mut self, who: Who, plan: &str) -> Result<(), Refusal> {
        if self.is_erased(who) {
            return Err(Refusal::MemberNotFound);
        }
        let basic = self.policy.basic();
        self.limits[who] = self.policy.plans.get(plan).copied().unwrap_or(basic);
        Ok(())
    }

    /// The workers have done what members wished for.
    pub(crate) fn work(&mut self) {
        for number in 0..self.invitations.len() {
            let invitation = &self.invitations[number];
            let Some(days) = self.preferences[invitation.from].auto_withdraw_days else {
                continue;
            };
            let due = invitation.create_time.plus(Span::days(i64::from(days)));
            if invitation.fate == Fate::Pending && due <= self.now {
                self.end(number, Fate::Gone);
                let counts_as = CountsAs::Outcome(Outcome::Expired, self.now);
                self.invitations[number].counts_as = counts_as;
            }
        }
    }
}
