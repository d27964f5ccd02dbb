//! What operators do about what members may send, and plans that members have though nobody configures them any more.
//!
//! Deliberately absent: who is an operator, and whether a plan is configured; the edge sees to it.

use super::{Context, Failure};
use crate::store::rows::StandingAct;

/// Does it.
pub async fn run(context: &Context, act: StandingAct) -> Result<(), Failure> {
    let member = act.member.clone();
    context.store.act(act).await??;
    // What was remembered under the limits before is merely checked once more by whoever meets it, but would cost a snapshot each time.
    context.limiter.forget(&member).await;
    context.without_place.invalidate(&member);
    Ok(())
}

/// Says in the log which plans were assigned and are not configured: their members are granted what the basic plan grants.
pub async fn warn_of_unknown_plans(context: &Context) {
    let assigned = context.store.assigned_plans().await;
    let assigned = assigned.unwrap_or_else(|error| {
        tracing::warn!("the plans that members were given cannot be read: {error}");
        Vec::new()
    });
    let configured = |name: &str| context.policy.plan_names().any(|plan| plan == name);
    for plan in assigned.iter().filter(|plan| !configured(plan)) {
        tracing::warn!(
            plan,
            "members were given a plan that is not configured; whoever has it is granted what the basic plan grants"
        );
    }
}
