//! `EraseMember`: begins an erasure, or says how far it has come.
//!
//! Deliberately absent: the steps after the first, which a worker takes (see `worker`).

use service_kit::crash;
use service_kit::id::MemberId;

use super::{Context, Failure, acting};
use crate::store::Erased;

/// Erases; says whether everything is gone on both sides. Answers when the other service knows, or after a moment.
pub async fn run(context: &Context, member: MemberId) -> Result<bool, Failure> {
    match context.store.erase_member(member).await? {
        Erased::Complete => Ok(true),
        Erased::Underway { fact } => {
            crash::point("erase.committed");
            acting::acknowledgement(context, fact).await;
            crash::point("erase.acknowledged");
            Ok(false)
        }
    }
}
