//! Turns a panic inside sled into a message.

use std::{cell::Cell, panic::AssertUnwindSafe, sync::Once};

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs `call`; a panic in it becomes its message, and is not printed.
pub fn quietly<T>(call: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // sled has threads of its own.
            let in_sled = panic.location().is_some_and(|at| at.file().contains("/sled-0.34"));
            if !QUIET.get() && !in_sled {
                usual(panic);
            }
        }));
    });
    QUIET.set(true);
    let result = std::panic::catch_unwind(AssertUnwindSafe(call));
    QUIET.set(false);
    result.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "sled gave up".into())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_message() {
        assert_eq!(quietly(|| -> u8 { panic!("page {} is gone", 7) }), Err("page 7 is gone".to_owned()));
        assert_eq!(quietly(|| 1), Ok(1));
    }
}
