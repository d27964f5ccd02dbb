//! Where the service is known to part from the rules. Each stands here so that the search goes on beyond it; set one to `false` once the
//! service does as the rules say.

/// The `pending_sent` that a sending is answered with still counts invitations that have expired and were not swept yet.
pub(crate) const ANSWER_COUNTS_OVERDUE_AS_PENDING: bool = true;

/// Of several crossings with request ids that meet one acceptance under way only the first is remembered, though all are answered with
/// success.
pub(crate) const ONLY_THE_FIRST_CROSSING_IS_REMEMBERED: bool = true;

/// Whoever declines a second invitation of the same inviter within a day finds only the second from then on.
pub(crate) const ONLY_THE_LATEST_DECLINE_IS_KEPT: bool = true;

/// Marking as seen reaches up to the latest entry of the lists, expired ones that were not swept yet among them, not up to the time that is
/// named. So whether an invitation counts as seen that stood in no list then (declined, and perhaps taken back later) is not compared.
pub(crate) const SEEN_IS_UNCERTAIN_BEYOND_THE_LISTS: bool = true;

/// An invitation whose acceptance awaits its verdict is shown to its inviter no longer than a pending one would be.
pub(crate) const AN_ACCEPTANCE_UNDER_WAY_EXPIRES_FOR_THE_INVITER: bool = true;
