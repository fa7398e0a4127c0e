//! A kernel event counter, whose descriptor stands for the open camera: the kernel's own `poll` then waits for frames.

use std::os::fd::RawFd;

use crate::driver::Errno;

/// A counter that can be polled. Its descriptor belongs to the program, which closes it.
#[derive(Clone, Copy)]
pub struct Event(RawFd);

impl Event {
    pub fn new() -> Result<Self, Errno> {
        // SAFETY: no pointers.
        match unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_SEMAPHORE | libc::EFD_CLOEXEC) } {
            -1 => Err(libc::EMFILE),
            fd => Ok(Self(fd)),
        }
    }

    pub fn descriptor(self) -> RawFd {
        self.0
    }

    /// Adds one: `poll` returns.
    pub fn give(self) {
        // SAFETY: eight bytes are written from a local.
        unsafe { libc::write(self.0, (&1_u64 as *const u64).cast(), 8) };
    }

    /// Takes one off.
    pub fn take(self) {
        let mut count = 0_u64;
        // SAFETY: eight bytes are read into a local.
        unsafe { libc::read(self.0, (&mut count as *mut u64).cast(), 8) };
    }
}
