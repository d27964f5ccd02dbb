//! The server understands every statement of both services, on the tables as migrations make them.

use acquaint_tests::{
    engines::{Engine, Place},
    postgres::connect,
};
use service_kit::postgres::Statement;

fn invitations() -> Vec<Statement> {
    invitation_service::store::postgres::statements()
}

fn connections() -> Vec<Statement> {
    connection_service::store::postgres::statements()
}

async fn check_statements(place: Place, statements: Vec<Statement>) {
    let client = connect(place.database().url()).await;
    assert!(statements.len() > 60, "{}", statements.len());
    for statement in statements {
        let checked = statement.check(&client).await;
        checked.unwrap_or_else(|failure| panic!("{}: {failure}", statement.sql));
        assert!(
            statement.sql.contains("lane"),
            "names no lane: {}",
            statement.sql
        );
    }
}

#[tokio::test]
async fn the_server_understands_every_statement_of_invitation_service() {
    check_statements(Engine::Postgres.place().await, invitations()).await;
}

#[tokio::test]
async fn the_server_understands_every_statement_of_connection_service() {
    let place = Engine::Postgres.place_of_connections().await;
    check_statements(place, connections()).await;
}

async fn check_keys(place: Place) {
    let client = connect(place.database().url()).await;
    let rows = client
        .query(
            "select c.relname, a.attname from pg_index i join pg_class c on c.oid = i.indexrelid
             join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
             join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]",
            &[],
        )
        .await
        .unwrap();
    assert!(rows.len() > 15, "{}", rows.len());
    for row in rows {
        let (index, first): (&str, &str) = (row.get(0), row.get(1));
        let of_migrations = index.starts_with("schema_migration");
        assert!(
            first == "lane" || of_migrations,
            "{index} begins with {first}"
        );
    }
}

#[tokio::test]
async fn the_lane_leads_every_key_of_invitation_service() {
    check_keys(Engine::Postgres.place().await).await;
}

#[tokio::test]
async fn the_lane_leads_every_key_of_connection_service() {
    check_keys(Engine::Postgres.place_of_connections().await).await;
}
