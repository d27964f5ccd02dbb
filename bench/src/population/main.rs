//! Lets a population of made-up members invite for months, and says whom the rules of standing limit and restrict, and how soon.
//!
//! Nothing runs but the rules themselves (`invitation_service::domain::standing`): each member is a life of its own, without a wire, a store
//! or an invitee who would be a member, too. What each kind of member does is assumed, in [`kind`], and printed with the figures. Deliberately
//! absent: aims, which `docs/standing.md` has.

mod kind;
mod life;
mod report;

use clap::Parser;
use invitation_service::domain::standing::StandingPolicy;
use service_kit::time::Span;

use kind::{KINDS, Kind};
use life::Life;
use report::Row;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Lets made-up members invite for months and says whom the rules of standing limit and restrict.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The same seed gives the same figures.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many members there are of each kind.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    members: u32,
    /// For how many months of 30 days they invite.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=120))]
    months: u16,
    /// Members of one kind are shared among so many threads.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=64))]
    threads: u32,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    report::print_assumptions(&KINDS);
    println!(
        "\n{} members of each kind, {} months, seed {}\n",
        arguments.members, arguments.months, arguments.seed
    );
    report::print_head();
    for kind in &KINDS {
        let lives = lives(kind, &arguments)?;
        report::print(kind, &Row::of(&lives));
    }
    Ok(())
}

/// The lives of all members of a kind.
fn lives(kind: &Kind, arguments: &Arguments) -> anyhow::Result<Vec<Life>> {
    let policy = StandingPolicy::default();
    let span = Span::days(30 * i64::from(arguments.months));
    let live = |number: u32| life::live(kind, &policy, arguments.seed, number, span);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..arguments.threads)
            .map(|thread| {
                scope.spawn(move || {
                    let own = (0..arguments.members)
                        .filter(|number| number % arguments.threads == thread)
                        .map(live);
                    own.collect::<anyhow::Result<Vec<_>>>()
                })
            })
            .collect();
        let mut lives = Vec::new();
        for thread in threads {
            let own = thread
                .join()
                .map_err(|_| anyhow::anyhow!("a life has panicked"))?;
            lives.extend(own?);
        }
        Ok(lives)
    })
}
