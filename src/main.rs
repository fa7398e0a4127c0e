//! The control program of a tax-bureau greeting robot. See `greeter --help`.

fn main() {
    greeter::cli::main()
}
