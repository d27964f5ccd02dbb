//! Whom each method is for.
//!
//! The one table of it: what does not stand here is not served. Deliberately absent: who has which role (the tokens file).

use service_kit::auth::{Access, Method, Role};

const APP: Access = Access::Role(Role::App);
const OPERATOR: Access = Access::Role(Role::Operator);
const SERVICE: Access = Access::Role(Role::Service);
const PEER: Access = Access::Role(Role::Peer);

/// Every method of the services, by its full path.
pub const METHODS: &[Method] = &[
    Method::call(
        "/acquaint.connection.v1.ConnectionService/GetRelationship",
        APP,
    ),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/BatchGetRelationships",
        APP,
    ),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/ListConnections",
        APP,
    ),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/UpdateConnection",
        APP,
    ),
    Method::call("/acquaint.connection.v1.ConnectionService/ListLabels", APP),
    Method::call("/acquaint.connection.v1.ConnectionService/RenameLabel", APP),
    Method::call("/acquaint.connection.v1.ConnectionService/DeleteLabel", APP),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/RemoveConnection",
        APP,
    ),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/BatchRemoveConnections",
        APP,
    ),
    Method::upload(
        "/acquaint.connection.v1.ConnectionService/ImportConnections",
        OPERATOR,
    ),
    Method::watch(
        "/acquaint.connection.v1.ConnectionService/ExportConnections",
        APP,
    ),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/ListMutualConnections",
        APP,
    ),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/SuggestConnections",
        APP,
    ),
    Method::call(
        "/acquaint.connection.v1.ConnectionService/DismissSuggestion",
        APP,
    ),
    Method::watch(
        "/acquaint.connection.v1.ConnectionService/WatchConnections",
        Access::Scope {
            member: Role::App,
            all_members: Role::Service,
        },
    ),
    Method::call("/acquaint.connection.v1.BlockService/BlockMember", APP),
    Method::call("/acquaint.connection.v1.BlockService/UnblockMember", APP),
    Method::call(
        "/acquaint.connection.v1.BlockService/ListBlockedMembers",
        APP,
    ),
    Method::call("/acquaint.connection.v1.MemberService/PutMember", SERVICE),
    Method::call(
        "/acquaint.connection.v1.MemberService/BatchPutMembers",
        SERVICE,
    ),
    Method::call("/acquaint.connection.v1.MemberService/GetMember", SERVICE),
    Method::call("/acquaint.connection.v1.MemberService/EraseMember", SERVICE),
    Method::watch(
        "/acquaint.connection.v1.MemberService/ExportMember",
        SERVICE,
    ),
    Method::call(
        "/acquaint.connection.internal.v1.FactService/EnsureConnection",
        PEER,
    ),
    Method::call(
        "/acquaint.connection.internal.v1.FactService/BatchGetPairFacts",
        PEER,
    ),
    Method::watch(
        "/acquaint.connection.internal.v1.FactService/WatchFacts",
        PEER,
    ),
    Method::call(
        "/acquaint.connection.internal.v1.FactService/ListFacts",
        PEER,
    ),
    Method::call(
        "/acquaint.connection.internal.v1.FactService/AcknowledgeFacts",
        PEER,
    ),
];
