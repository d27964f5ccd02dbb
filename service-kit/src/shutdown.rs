//! When the process is asked to end.
//!
//! Deliberately absent: ending itself. Whoever holds the token stops what it does, within its own bound.

use tokio::signal::unix::{SignalKind, signal as on};
use tokio_util::sync::CancellationToken;

/// A token that is cancelled by the first SIGINT or SIGTERM. Call it once, within a tokio runtime.
///
/// Where the system refuses to tell of signals, this is logged and they end the process at once, as they do by default; what
/// was answered is stored by then.
pub fn signal() -> CancellationToken {
    let token = CancellationToken::new();
    match (on(SignalKind::interrupt()), on(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            let token = token.clone();
            tokio::spawn(async move {
                tokio::select! {
                    _ = interrupt.recv() => tracing::info!("SIGINT: shutting down"),
                    _ = terminate.recv() => tracing::info!("SIGTERM: shutting down"),
                }
                token.cancel();
            });
        }
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!("no orderly shutdown on signals: {error}");
        }
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_cancels_the_token() {
        let token = signal();
        assert!(!token.is_cancelled());
        let pid = std::process::id().to_string();
        assert!(
            std::process::Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        tokio::time::timeout(std::time::Duration::from_secs(10), token.cancelled())
            .await
            .unwrap();
    }
}
