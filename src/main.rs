//! The control program of a tax-bureau greeting robot. See `greeter --help`.

fn main() -> std::process::ExitCode {
    // From 1.29 on, ONNX Runtime's Linux builds report to their maker over the network unless this is set before they are loaded
    // (switching its telemetry off through its interface comes too late). Nothing leaves this machine.
    // SAFETY: no other thread runs yet that could read the environment meanwhile.
    unsafe { std::env::set_var("ORT_DISABLE_TELEMETRY", "1") };
    greeter::cli::main()
}
