//! The server understands every statement, on the tables as migrations make them.

use acquaint_tests::{engines::Engine, postgres::connect};
use invitation_service::store::postgres::statements;

#[tokio::test]
async fn the_server_understands_every_statement() {
    let place = Engine::Postgres.place().await;
    let client = connect(place.database().url()).await;
    let statements = statements();
    assert!(statements.len() > 60, "{}", statements.len());
    for statement in statements {
        let checked = statement.check(&client).await;
        checked.unwrap_or_else(|failure| panic!("{}: {failure}", statement.sql));
    }
}

#[tokio::test]
async fn every_statement_on_rows_names_the_lane() {
    for statement in statements() {
        assert!(statement.sql.contains("lane"), "{}", statement.sql);
    }
}

#[tokio::test]
async fn the_lane_leads_every_key() {
    let place = Engine::Postgres.place().await;
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
