//! Prints docs/configuration.md, as the code has it.

fn main() {
    print!("{}", acquaint_tests::documents::configuration());
}
