//! Streams of health and reflection, which have bounds of their own.

use super::*;

#[tokio::test]
async fn one_more_than_may_be_open_is_refused_and_calls_are_not() {
    let options = ServerOptions {
        tool_streams_max: 1,
        ..ServerOptions::default()
    };
    let running = start_with(Some(quick()), Callers::anybody(), &options).await;
    let mut client = HealthClient::new(running.channel.clone());
    let mut first = client.watch(about("")).await.unwrap().into_inner();
    assert!(first.message().await.unwrap().is_some());
    let second = client.watch(about("")).await.unwrap_err();
    assert_eq!(second.code(), tonic::Code::Unavailable);
    let answered = code(&running.channel, Body::empty()).await.unwrap();
    assert_eq!(answered, tonic::Code::Ok);
}

#[tokio::test]
async fn reflection_does_not_stay_open() {
    let options = ServerOptions {
        reflection_max: Duration::from_millis(50),
        ..ServerOptions::default()
    };
    let running = start_with(Some(quick()), Callers::anybody(), &options).await;
    let asks = futures::stream::pending::<ServerReflectionRequest>();
    let mut client = ServerReflectionClient::new(running.channel.clone());
    let stream = client.server_reflection_info(asks).await.unwrap();
    let end = stream.into_inner().message().await.unwrap_err();
    assert_eq!(end.code(), tonic::Code::Unavailable);
}
