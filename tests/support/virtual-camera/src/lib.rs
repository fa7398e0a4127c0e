//! A V4L2 camera for tests: an LD_PRELOAD library that puts a UVC-like webcam behind /dev/videoN of an unmodified program.
//!
//! `control` reads what the test wants from the folder named by `VIRTUAL_CAMERA_DIR`; `scene` turns photos into frames; `driver`
//! behaves like a kernel driver (buffers, 30 frames a second, frames that go stale in the queue); `requests` translates the kernel's
//! ioctl structs; `interpose` catches the C library's calls for the device and passes all others on. Without `VIRTUAL_CAMERA_DIR`
//! nothing is caught.
//!
//! Unsafe code is confined to the C library's calling convention, the caller's ioctl arguments and a few system calls.

mod control;
mod driver;
mod event;
mod interpose;
mod requests;
mod scene;
