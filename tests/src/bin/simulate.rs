//! Runs one simulated seed and prints a line for each event: `simulate SEED [VARIANT]`.
//!
//! Ends with 0 when everything holds, 1 when something does not, 2 when it was called in another way.

use std::process::ExitCode;

use acquaint_tests::simulation::{Variant, run};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let seed = arguments.next().and_then(|seed| seed.parse().ok());
    let variant = arguments
        .next()
        .map(|name| Variant::named(&name).ok_or(name));
    let (Some(seed), Ok(variant)) = (seed, variant.transpose()) else {
        let names: Vec<_> = Variant::ALL.iter().map(|(name, _)| *name).collect();
        eprintln!("simulate SEED [VARIANT]; variants: {}", names.join(" "));
        return ExitCode::from(2);
    };
    if run(seed, variant).is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
