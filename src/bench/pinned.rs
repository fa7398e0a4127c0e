//! Keeps the measuring thread, and everything that it starts, on so many cores.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// While it lives, the thread that made it stays on the cores; then it may use those again that it could use before.
pub struct Pinned {
    before: CpuSet,
}

impl Pinned {
    /// The first `cores` of the cores that this thread may use. `None` where there are not so many, or the system does not allow it.
    pub fn to(cores: usize) -> Option<Self> {
        let before = sched_getaffinity(None).ok()?;
        let mut chosen = CpuSet::new();
        let usable = (0..CpuSet::MAX_CPU).filter(|&core| before.is_set(core));
        usable.take(cores).for_each(|core| chosen.set(core));
        if chosen.count() as usize != cores {
            return None;
        }
        sched_setaffinity(None, &chosen).ok()?;
        Some(Self { before })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Where this fails the thread stays where it is, which hurts nobody.
        let _ = sched_setaffinity(None, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measurement_on_one_core_has_one_core_and_gives_the_others_back() {
        let before = sched_getaffinity(None).unwrap().count();
        let pinned = Pinned::to(1).unwrap();
        assert_eq!(sched_getaffinity(None).unwrap().count(), 1);
        drop(pinned);
        assert_eq!(sched_getaffinity(None).unwrap().count(), before);
        assert!(Pinned::to(100_000).is_none());
    }
}
