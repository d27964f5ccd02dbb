//! What the arguments ask for, with a service that says what it was given.

use std::sync::Mutex;

use super::*;
use crate::config::{ADDRESS, Key};

#[derive(Clone, Debug)]
struct Options {
    listen: SocketAddr,
}

/// The address that each `serve` was given.
static SERVED: Mutex<Vec<SocketAddr>> = Mutex::new(Vec::new());

fn program() -> Program<Options> {
    let listen = "127.0.0.1:1".parse().unwrap();
    let key = Key::text(
        "listen",
        ADDRESS,
        |o: &mut Options| &mut o.listen,
        "an address",
    );
    let schema = Schema::new("greeter", Options { listen }).section("Greeting", vec![key]);
    let serve = |loaded: Loaded<Options>| {
        SERVED.lock().unwrap().push(loaded.config.listen);
        Ok(ExitCode::SUCCESS)
    };
    let greet = Command::new("greet").arg(Arg::new("whom").required(true));
    Program::new("Greets", schema, |options| options.listen, serve).command(greet, |_, own| {
        match own.get_one::<String>("whom").map(String::as_str) {
            Some("nobody") => Err("there is nobody".into()),
            Some("later") => Ok(ExitCode::from(7)),
            _ => Ok(ExitCode::SUCCESS),
        }
    })
}

fn run(arguments: &[&str]) -> String {
    let arguments = ["greeter"].iter().chain(arguments).map(OsString::from);
    // An exit code can be told from another only by how it shows itself.
    format!("{:?}", program().run_with(arguments))
}

fn code(code: u8) -> String {
    format!("{:?}", ExitCode::from(code))
}

#[test]
fn the_command_line_is_sound() {
    program().clap().debug_assert();
}

#[test]
fn serves_with_the_flags_before_or_after_the_subcommand_or_without_it() {
    let ports = [1_001, 1_002, 1_003];
    let address = |port: u16| format!("127.0.0.1:{port}");
    assert_eq!(run(&["--listen", &address(1_001)]), code(0));
    assert_eq!(run(&["serve", "--listen", &address(1_002)]), code(0));
    assert_eq!(run(&["--listen", &address(1_003), "serve"]), code(0));
    let served = SERVED.lock().unwrap().clone();
    for port in ports {
        assert!(
            served.contains(&address(port).parse().unwrap()),
            "{port} in {served:?}"
        );
    }
}

#[test]
fn a_services_own_subcommand_has_its_own_arguments_and_status() {
    assert_eq!(run(&["greet", "ann"]), code(0));
    assert_eq!(run(&["greet", "later"]), code(7));
    assert_eq!(run(&["greet", "nobody"]), code(1));
    assert_eq!(run(&["greet"]), code(2));
}

#[test]
fn mistakes_end_it() {
    assert_eq!(run(&["--listen", "here"]), code(1));
    assert_eq!(run(&["check-config", "--listen", "here"]), code(1));
    assert_eq!(run(&["print-config", "--listen", "here"]), code(1));
    assert_eq!(run(&["check-config"]), code(0));
    assert_eq!(run(&["print-config"]), code(0));
    assert_eq!(run(&["--lissten", "127.0.0.1:1"]), code(2));
    assert_eq!(run(&["dance"]), code(2));
    assert_eq!(run(&["--help"]), code(0));
}

#[test]
fn help_shows_every_key() {
    let help = program().clap().render_long_help().to_string();
    for text in [
        "--listen <TEXT>",
        "an address [ADDRESS:PORT] [default: \"127.0.0.1:1\"] [env: ACQUAINT_LISTEN]",
        "--preset",
        "--config",
    ] {
        assert!(help.contains(text), "{text} in:\n{help}");
    }
}
