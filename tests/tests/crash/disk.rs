//! A disk that is full, and files that cannot be written: clear answers while it lasts, and nothing to repair afterwards.
//!
//! That no file may grow stands for a full disk: it needs no rights and no disk, and the store meets it at the same place. Deliberately
//! absent: the code that a full disk itself has, which is tested where codes are sorted (`service-kit`).

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
    time::Duration,
};

use acquaint_proto::{connection::v1 as connection, invitation::v1 as invitation};
use acquaint_tests::{
    refusal::Refusal,
    rig::{
        Rig,
        process::{Clients, Service, Which},
    },
    wait::eventually,
};
use tokio::process::Command;
use tonic::{Code, Status};

use crate::PROGRAMS;

/// How long the disk stays full.
const FULL: Duration = Duration::from_millis(700);
/// Nobody in particular, where the tests run as root, who may write everything.
const NOBODY: u32 = 65_534;

/// A change that the service must store.
async fn change(clients: &Clients, which: Which, number: u32) -> Result<(), Status> {
    let mut clients = clients.clone();
    let (member, other) = ("writer".to_owned(), format!("other-{number}"));
    match which {
        Which::Invitation => {
            let days = i64::from(number % 100 + 7);
            let preferences = invitation::InvitationPreferences {
                auto_withdraw_after: Some(prost_types::Duration {
                    seconds: days * 24 * 60 * 60,
                    nanos: 0,
                }),
                ..Default::default()
            };
            let request = invitation::UpdateInvitationPreferencesRequest {
                member_id: member,
                preferences: Some(preferences),
                update_mask: Some(prost_types::FieldMask {
                    paths: vec!["auto_withdraw_after".to_owned()],
                }),
            };
            let changed = clients.invitations.update_invitation_preferences(request);
            changed.await.map(drop)
        }
        Which::Connection => {
            let request = connection::BlockMemberRequest {
                member_id: member,
                other_id: other,
            };
            clients.blocks.block_member(request).await.map(drop)
        }
    }
}

/// A look that needs nothing stored.
async fn look(clients: &Clients, which: Which) -> Result<(), Status> {
    let mut clients = clients.clone();
    let member_id = "writer".to_owned();
    match which {
        Which::Invitation => {
            let request = invitation::CountInvitationsRequest { member_id };
            clients
                .invitations
                .count_invitations(request)
                .await
                .map(drop)
        }
        Which::Connection => {
            let request = connection::ListBlockedMembersRequest {
                member_id,
                ..Default::default()
            };
            clients.blocks.list_blocked_members(request).await.map(drop)
        }
    }
}

/// The program, in a shell that has it live on where a file cannot grow.
fn enduring(service: &Service) -> Command {
    let mut command = service.command_of(Path::new("sh"));
    command.args(["-c", "trap '' XFSZ; exec \"$0\"", service.program()]);
    command
}

async fn a_full_disk_is_survived(which: Which) {
    let mut rig = Rig::new(PROGRAMS, 1);
    rig.errors_are_expected();
    let service = rig.processes.service(which);
    let command = enduring(service);
    service.start_as(command);
    rig.processes.start().await;
    rig.begin().await;
    let clients = rig.clients().clone();
    let mut number = 0;
    eventually("there is something to read", || {
        number += 1;
        let clients = &clients;
        async move { change(clients, which, number).await.ok() }
    })
    .await;

    let service = rig.processes.service(which);
    let log = fs::metadata(service.store().with_extension("db-wal")).unwrap();
    service.bound_files(Some(log.len()));
    let mut number = 1_000;
    let refused = eventually("the disk is full", || {
        number += 1;
        let clients = &clients;
        async move { change(clients, which, number).await.err() }
    })
    .await;
    let refusal = Refusal::of(&refused);
    assert_eq!(refusal.code, Code::Unavailable);
    assert_eq!(refusal.reason, "DEPENDENCY_UNAVAILABLE");
    assert!(refusal.retry_after.is_some());
    look(&clients, which).await.unwrap();
    tokio::time::sleep(FULL).await;
    assert!(rig.processes.service(which).is_running());

    rig.processes.service(which).bound_files(None);
    eventually("changes are stored again", || {
        number += 1;
        let clients = &clients;
        async move { change(clients, which, number).await.ok() }
    })
    .await;
    rig.processes.service(which).serves().await;
    assert_eq!(rig.settle().await, Vec::<String>::new());
    assert_eq!(rig.processes.service(which).starts, 1, "without a restart");
    let log = rig.processes.service(which).log();
    assert!(
        log.contains("disk I/O error"),
        "the log says what was wrong: {log}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_service_survives_a_full_disk() {
    a_full_disk_is_survived(Which::Invitation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_service_survives_a_full_disk() {
    a_full_disk_is_survived(Which::Connection).await;
}

/// Has the service run as somebody who is bound by permissions.
struct Bound {
    program: PathBuf,
    is_root: bool,
}

impl Bound {
    fn new(service: &Service, folder: &Path) -> Self {
        let is_root = fs::metadata(folder).unwrap().uid() == 0;
        let mut program = PathBuf::from(service.program());
        if is_root {
            // Where the program lies may be nobody's to look into.
            program = folder.join(format!("{}-program", service.which().name()));
            fs::copy(service.program(), &program).unwrap();
            for entry in fs::read_dir(folder).unwrap() {
                chown(entry.unwrap().path(), Some(NOBODY), Some(NOBODY)).unwrap();
            }
            chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
        }
        Self { program, is_root }
    }

    fn start(&self, service: &mut Service) {
        let mut command = service.command_of(&self.program);
        if self.is_root {
            command.uid(NOBODY).gid(NOBODY);
        }
        service.start_as(command);
    }
}

async fn a_store_that_cannot_be_written_is_said_at_the_start(which: Which) {
    let mut rig = Rig::new(PROGRAMS, 1);
    rig.processes.start().await;
    change(rig.clients(), which, 1).await.unwrap();
    let folder = rig.processes.folder().to_owned();
    let service = rig.processes.service(which);
    service.stop().await;
    let store = service.store();
    // An orderly end empties the log; whether it also goes depends on who closes the file last.
    for suffix in ["db-wal", "db-shm"] {
        let beside = store.with_extension(suffix);
        if beside.exists() {
            assert!(suffix == "db-shm" || fs::metadata(&beside).unwrap().len() == 0);
            fs::remove_file(beside).unwrap();
        }
    }
    let bound = Bound::new(service, &folder);
    // The file alone; then the folder, in which there is no log yet.
    for (locked, mode) in [(store.clone(), 0o600), (folder.clone(), 0o700)] {
        fs::set_permissions(&locked, Permissions::from_mode(mode & 0o555)).unwrap();
        let before = service.log().len();
        bound.start(service);
        let ended = service.ends_within(Duration::from_secs(20)).await;
        fs::set_permissions(&locked, Permissions::from_mode(mode)).unwrap();
        assert!(
            ended.is_some_and(|status| status.code() == Some(1)),
            "{ended:?}"
        );
        let log = service.log();
        let said = &log[before..];
        assert!(said.contains("the store cannot be opened"), "{said}");
        assert!(
            said.contains(store.to_str().unwrap()),
            "names the file: {said}"
        );
    }
    bound.start(service);
    service.serves().await;
    change(rig.clients(), which, 2).await.unwrap();
    look(rig.clients(), which).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_service_says_that_its_store_cannot_be_written() {
    a_store_that_cannot_be_written_is_said_at_the_start(Which::Invitation).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_service_says_that_its_store_cannot_be_written() {
    a_store_that_cannot_be_written_is_said_at_the_start(Which::Connection).await;
}
