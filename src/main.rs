//! The control program of a tax-bureau greeting robot. See `greeter --help`.

fn main() -> std::process::ExitCode {
    greeter::cli::main()
}
