//! A cluster of Redis servers that share all slots, and a replica of one of them on request.
//!
//! Deliberately absent: what a client of a cluster does.

use std::process::Stdio;

use futures::future::join_all;
use tokio::process::Command;

use super::RedisServer;
use crate::wait::eventually;

/// The slots of each of the three.
const SLOTS: [[&str; 2]; 3] = [["0", "5460"], ["5461", "10922"], ["10923", "16383"]];
/// After how many milliseconds the others regard a node as gone: longer than a busy machine makes one wait.
const GONE_AFTER: &str = "3000";

/// Three servers, each with a third of the slots.
pub struct RedisCluster {
    /// The three, and then their replicas.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts three and waits until each knows the others.
    pub async fn start() -> Self {
        let nodes = join_all(SLOTS.map(|_| node())).await;
        for (node, [from, to]) in nodes.iter().zip(SLOTS) {
            node.ask::<()>(&["CLUSTER", "ADDSLOTSRANGE", from, to])
                .await;
            meet(node, &nodes[0]).await;
        }
        let cluster = Self { nodes };
        cluster.is_whole().await;
        cluster
    }

    /// Adds a replica of one of the three, and waits until it has all that the other has.
    pub async fn add_replica_of(&mut self, primary: usize) {
        let replica = node().await;
        meet(&replica, &self.nodes[0]).await;
        self.nodes.push(replica);
        self.is_whole().await;
        let replica = self.nodes.last().expect("it was added");
        let id = self.id(primary).await;
        replica.ask::<()>(&["CLUSTER", "REPLICATE", &id]).await;
        eventually("the replica follows", || async {
            let info: String = replica.ask(&["INFO", "replication"]).await;
            info.contains("master_link_status:up").then_some(())
        })
        .await;
    }

    /// Moves so many slots, with what is in them, from one node to another, once all that live agree where slots are.
    pub async fn move_slots(&self, from: usize, to: usize, slots: u32) {
        let at = self.nodes[to].address().to_string();
        eventually("the nodes agree", || async {
            manage(&["check", &at]).await.ok()
        })
        .await;
        let (from, to, slots) = (self.id(from).await, self.id(to).await, slots.to_string());
        let ends = ["--cluster-from", &from, "--cluster-to", &to];
        let move_slots = ["--cluster-slots", &slots, "--cluster-yes"];
        let moved = manage(&[&["reshard", &at], ends.as_slice(), &move_slots].concat()).await;
        moved.unwrap_or_else(|said| panic!("{said}"));
    }

    /// Where it is, for a service: any node knows the others.
    pub fn url(&self) -> String {
        format!("redis+cluster://{}", self.nodes[1].address())
    }

    async fn id(&self, node: usize) -> String {
        self.nodes[node].ask(&["CLUSTER", "MYID"]).await
    }

    async fn is_whole(&self) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        for node in &self.nodes {
            eventually("the cluster is one", || async {
                let info: String = node.ask(&["CLUSTER", "INFO"]).await;
                let whole = ["cluster_state:ok", "cluster_slots_ok:16384", &known];
                whole.iter().all(|line| info.contains(line)).then_some(())
            })
            .await;
        }
    }
}

async fn node() -> RedisServer {
    let enabled = ["--cluster-enabled", "yes", "--cluster-config-file", "nodes"];
    let soon = ["--cluster-node-timeout", GONE_AFTER];
    RedisServer::with(&[enabled.as_slice(), &soon].concat()).await
}

/// Has `redis-cli` do something to a cluster; what it said when that failed.
async fn manage(arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("redis-cli");
    command
        .arg("--cluster")
        .args(arguments)
        .stdin(Stdio::null());
    let done = command.output().await.expect("redis-cli starts");
    if done.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&done.stdout).into_owned())
}

async fn meet(node: &RedisServer, other: &RedisServer) {
    let (host, port) = (other.host().to_string(), other.address().port().to_string());
    node.ask::<()>(&["CLUSTER", "MEET", &host, &port]).await;
}
