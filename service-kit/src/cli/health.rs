//! Asking a running service whether it serves, as a container's health check does.
//!
//! Deliberately absent: asking about single services; all that a process serves stand on the same store.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use tonic::transport::Endpoint;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::{Outcome, block_on};

/// How long the answer is waited for.
const WAIT_MAX: Duration = Duration::from_secs(3);

/// Succeeds when the service on `address` says `SERVING` within [`WAIT_MAX`]; says what it says, or why nothing could be heard.
pub(super) fn check(address: SocketAddr) -> Outcome {
    let said = block_on(1, async {
        let endpoint = Endpoint::from_shared(format!("http://{}", reachable(address)))?
            .connect_timeout(WAIT_MAX)
            .timeout(WAIT_MAX);
        let mut client = HealthClient::new(endpoint.connect().await?);
        let answer = client.check(HealthCheckRequest::default()).await?;
        Ok(answer.into_inner().status())
    })?;
    println!("{}", said.as_str_name());
    Ok(match said {
        ServingStatus::Serving => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// Where a service that listens on `address` can be reached from the same machine.
pub fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asks_this_machine_where_every_address_is_listened_on() {
        for (listen, ask) in [
            ("0.0.0.0:7", "127.0.0.1:7"),
            ("[::]:7", "[::1]:7"),
            ("10.0.0.1:7", "10.0.0.1:7"),
        ] {
            let asked = reachable(listen.parse().unwrap());
            assert_eq!(asked.to_string(), ask);
        }
    }
}
