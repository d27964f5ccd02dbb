//! The rules that can be taken out, one at a time.
//!
//! Deliberately absent: what is done instead (`mutants.rs`).

/// A rule that can be taken out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Without {
    /// Of a live answer and the copy, the answer decides, newer or not.
    AnswerMustBeNewer,
    /// Of a live answer and the copy, the copy decides.
    AnswersAreHeard,
    /// Only live answers are heard, and no events.
    EventsAreFolded,
    /// What is learned has no consequences for an invitation.
    FactsHaveConsequences,
    /// An event older than the copy takes its place.
    OlderEventsAreSkipped,
    /// An event older than the copy does nothing, even if it is later than what the invitation was decided at.
    OlderEventsEndOlderInvitations,
    /// An event older than the invitation ends it.
    OlderEventsSpareNewerInvitations,
    /// A block's event ends an acceptance whose verdict is awaited.
    OnlyTheVerdictEndsAnAcceptance,
    /// Taking back a decline takes the invitation for decided now.
    UndoKeepsWhatWasDecidedAt,
    /// The facts of a verdict are taken even if they are older than the copy.
    VerdictsFactsMustBeNewer,
    /// The facts of a verdict are never taken.
    VerdictsFactsAreTaken,
    /// A verdict is applied to whatever acceptance there is.
    VerdictsAreForTheirAcceptance,
    /// CREATED makes an accepted invitation, whatever the facts say.
    CreatedMustStillHold,
    /// A refusal does not give the invitation back.
    RefusalsGiveBack,
    /// Every acceptance of an invitation has the same number.
    AcceptancesAreNumbered,
    /// A lower number than the one ruled on is ruled on anew.
    LowerNumbersAreSuperseded,
    /// The same acceptance is ruled on anew.
    VerdictsAreRepeated,
    /// A removal leaves no mark.
    RemovalsLeaveAMark,
    /// A removal of nothing leaves no mark.
    RemovalsOfNothingLeaveAMark,
    /// The end of a block leaves no mark.
    UnblocksLeaveAMark,
    /// A removal stands against every acceptance, whenever it was made.
    MarksStandAgainstEarlierAcceptances,
    /// A verdict does not ask about blocks.
    VerdictsAskAboutBlocks,
    /// An acceptance under way can be withdrawn.
    AcceptingIsNotWithdrawn,
    /// An acceptance under way can be declined.
    AcceptingIsNotDeclined,
    /// An acceptance under way can expire.
    AcceptingDoesNotExpire,
}

impl Without {
    /// Every one of them.
    pub(crate) const ALL: [Self; 25] = [
        Self::AnswerMustBeNewer,
        Self::AnswersAreHeard,
        Self::EventsAreFolded,
        Self::FactsHaveConsequences,
        Self::OlderEventsAreSkipped,
        Self::OlderEventsEndOlderInvitations,
        Self::OlderEventsSpareNewerInvitations,
        Self::OnlyTheVerdictEndsAnAcceptance,
        Self::UndoKeepsWhatWasDecidedAt,
        Self::VerdictsFactsMustBeNewer,
        Self::VerdictsFactsAreTaken,
        Self::VerdictsAreForTheirAcceptance,
        Self::CreatedMustStillHold,
        Self::RefusalsGiveBack,
        Self::AcceptancesAreNumbered,
        Self::LowerNumbersAreSuperseded,
        Self::VerdictsAreRepeated,
        Self::RemovalsLeaveAMark,
        Self::RemovalsOfNothingLeaveAMark,
        Self::UnblocksLeaveAMark,
        Self::MarksStandAgainstEarlierAcceptances,
        Self::VerdictsAskAboutBlocks,
        Self::AcceptingIsNotWithdrawn,
        Self::AcceptingIsNotDeclined,
        Self::AcceptingDoesNotExpire,
    ];
}
