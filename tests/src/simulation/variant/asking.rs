//! Asking connection-service, with mistakes.
//!
//! Deliberately absent: connection-service's own mistakes (`connections.rs`).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use invitation_service::{
    connections::{Away, Connections},
    domain::{
        accept::{Ruling, Verdict},
        pair::{Connection, Facts},
    },
    store::command::{AwaitedVerdict, send::Told},
};
use service_kit::{deadline::Deadline, epoch::EpochId, id::PairKey};

use super::Variant;

/// The real one, with a mistake.
pub(crate) struct Bent {
    inner: Arc<dyn Connections>,
    variant: Variant,
    said: Mutex<BTreeMap<PairKey, Facts>>,
    epoch: Mutex<Option<(EpochId, u64)>>,
}

impl Bent {
    /// Makes it.
    pub(crate) fn new(inner: Arc<dyn Connections>, variant: Variant) -> Self {
        Self {
            inner,
            variant,
            said: Mutex::default(),
            epoch: Mutex::default(),
        }
    }
}

#[async_trait]
impl Connections for Bent {
    async fn ask(&self, key: PairKey) -> Option<Told> {
        let mut told = self.inner.ask(key.clone()).await?;
        *self.epoch.lock().unwrap() = Some((told.epoch, told.position));
        if self.variant == Variant::StaleAnswers {
            told.facts = *self.said.lock().unwrap().entry(key).or_insert(told.facts);
            // And for newer than all that is known.
            told.position += 10;
        }
        Some(told)
    }

    async fn ensure(
        &self,
        awaited: &AwaitedVerdict,
        deadline: Deadline,
    ) -> Result<(EpochId, Ruling), Away> {
        let answered = self.inner.ensure(awaited, deadline).await;
        if let Ok((epoch, ruling)) = &answered {
            *self.epoch.lock().unwrap() = Some((*epoch, ruling.position));
            return answered;
        }
        let known = *self.epoch.lock().unwrap();
        let Some((epoch, position)) = known else {
            return answered;
        };
        let (verdict, facts) = match self.variant {
            Variant::SilenceIsNo => (Verdict::Overtaken, Facts::default()),
            Variant::SilenceIsYes => (
                Verdict::Created,
                Facts {
                    connection: Some(Connection {
                        connect_time: awaited.accept_time,
                        invitation_id: Some(awaited.invitation_id),
                    }),
                    ..Facts::default()
                },
            ),
            _ => return answered,
        };
        let ruling = Ruling {
            invitation_id: awaited.invitation_id,
            acceptance: awaited.acceptance,
            verdict,
            facts,
            position,
        };
        Ok((epoch, ruling))
    }
}
