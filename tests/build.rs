//! Links a fixed `getrandom` into the program of the simulation; no other program of this crate gets it.

fn main() {
    println!("cargo::rerun-if-changed=src/simulation/getrandom.c");
    let objects = cc::Build::new()
        .file("src/simulation/getrandom.c")
        .cargo_metadata(false)
        .compile_intermediates();
    for object in objects {
        println!("cargo::rustc-link-arg-bin=simulate={}", object.display());
    }
}
