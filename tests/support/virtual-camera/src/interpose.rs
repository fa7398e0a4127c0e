//! The C library's functions that a camera program calls, in front of the real ones.
//!
//! Variadic functions are declared with all their arguments: on x86-64 and aarch64 Linux the callee then finds them where a
//! variadic caller puts them, and passing one too many on does no harm. Nothing here may lock before it is certain that the call
//! is for the camera, because the driver itself opens and closes files while it holds its lock.

use std::{
    ffi::{CStr, c_char, c_int, c_long, c_ulong, c_void},
    sync::atomic::{AtomicI32, AtomicPtr, Ordering},
};

use libc::{mode_t, nfds_t, off_t, pollfd, size_t};

use crate::{
    control::{self, State},
    driver::{self, Errno},
    requests,
};

/// Descriptors of the camera that are open, for a question without a lock; -1 is free.
static OPEN: [AtomicI32; 16] = [const { AtomicI32::new(-1) }; 16];

fn is_camera(fd: c_int) -> bool {
    fd >= 0 && OPEN.iter().any(|open| open.load(Ordering::Acquire) == fd)
}

fn failed(errno: Errno) -> c_int {
    // SAFETY: the C library's own place for this thread's error number.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// The next definition of a function after this library's, looked up once.
macro_rules! real {
    ($name:literal as $kind:ty) => {{
        static REAL: AtomicPtr<c_void> = AtomicPtr::new(std::ptr::null_mut());
        let mut real = REAL.load(Ordering::Acquire);
        if real.is_null() {
            // SAFETY: the name is a C string.
            real = unsafe { libc::dlsym(libc::RTLD_NEXT, $name.as_ptr()) };
            REAL.store(real, Ordering::Release);
        }
        // SAFETY: the C library defines the function, with this signature.
        unsafe { std::mem::transmute::<*mut c_void, $kind>(real) }
    }};
}

type Open = unsafe extern "C" fn(*const c_char, c_int, mode_t) -> c_int;

/// What the path means to the camera; `None` passes it on to the real function.
unsafe fn opened(path: *const c_char) -> Option<Result<c_int, Errno>> {
    if path.is_null() || !control::is_there() {
        return None;
    }
    // SAFETY: a path is a C string.
    let path = unsafe { CStr::from_ptr(path) }.to_str().ok()?;
    if let Some(number) = path.strip_prefix("/dev/video") {
        return (number == control::node().to_string()).then(open_camera);
    }
    let number = path.strip_prefix("/sys/class/video4linux/video")?.strip_suffix("/name")?;
    (number == control::node().to_string()).then(open_name)
}

fn open_camera() -> Result<c_int, Errno> {
    let fd = driver::open()?;
    let free = OPEN.iter().any(|place| place.compare_exchange(-1, fd, Ordering::AcqRel, Ordering::Relaxed).is_ok());
    if !free {
        driver::close(fd);
        // SAFETY: the descriptor was just made and is known to nobody else.
        unsafe { libc::close(fd) };
        return Err(libc::EMFILE);
    }
    Ok(fd)
}

/// The file in which the kernel shows a camera's name.
fn open_name() -> Result<c_int, Errno> {
    if control::state() == State::Unplugged {
        return Err(libc::ENOENT);
    }
    let name = format!("{}\n", requests::NAME);
    // SAFETY: the name is a C string; the text is written from its own memory.
    unsafe {
        let fd = libc::memfd_create(c"name".as_ptr(), libc::MFD_CLOEXEC);
        libc::pwrite(fd, name.as_ptr().cast(), name.len(), 0);
        Ok(fd)
    }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let real = real!(c"open" as Open);
    // SAFETY: the caller's arguments are passed on as they are.
    unsafe { opened(path).map_or_else(|| real(path, flags, mode), |answer| answer.unwrap_or_else(failed)) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    let real = real!(c"open64" as Open);
    // SAFETY: the caller's arguments are passed on as they are.
    unsafe { opened(path).map_or_else(|| real(path, flags, mode), |answer| answer.unwrap_or_else(failed)) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn close(fd: c_int) -> c_int {
    if is_camera(fd) {
        for place in &OPEN {
            let _ = place.compare_exchange(fd, -1, Ordering::AcqRel, Ordering::Relaxed);
        }
        driver::close(fd);
    }
    let real = real!(c"close" as unsafe extern "C" fn(c_int) -> c_int);
    // SAFETY: the caller's argument is passed on as it is.
    unsafe { real(fd) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ioctl(fd: c_int, request: c_ulong, argument: *mut c_void) -> c_int {
    type Ioctl = unsafe extern "C" fn(c_int, c_ulong, *mut c_void) -> c_int;
    if !is_camera(fd) {
        let real = real!(c"ioctl" as Ioctl);
        // SAFETY: the caller's arguments are passed on as they are.
        return unsafe { real(fd, request, argument) };
    }
    // SAFETY: the argument is what the request says, as the kernel would rely on too.
    unsafe { requests::answer(fd, request, argument) }.map_or_else(failed, |()| 0)
}

/// The v4l crate calls ioctl through this.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    type Syscall = unsafe extern "C" fn(c_long, c_long, c_long, c_long, c_long, c_long, c_long) -> c_long;
    if number == libc::SYS_ioctl && is_camera(a as c_int) {
        // SAFETY: as in `ioctl`.
        return unsafe { ioctl(a as c_int, b as c_ulong, c as *mut c_void) }.into();
    }
    let real = real!(c"syscall" as Syscall);
    // SAFETY: the caller's arguments are passed on as they are.
    unsafe { real(number, a, b, c, d, e, f) }
}

/// Waits for the event counter that stands for the camera, and adds what only a driver would report.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn poll(fds: *mut pollfd, count: nfds_t, timeout: c_int) -> c_int {
    type Poll = unsafe extern "C" fn(*mut pollfd, nfds_t, c_int) -> c_int;
    let real = real!(c"poll" as Poll);
    let is_empty = fds.is_null() || count == 0;
    // SAFETY: the caller's array has `count` entries.
    let asked = if is_empty { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(fds, count as usize) } };
    let Some(camera) = asked.iter_mut().find(|asked| is_camera(asked.fd)) else {
        // SAFETY: the caller's arguments are passed on as they are.
        return unsafe { real(fds, count, timeout) };
    };
    let timeout = if driver::has_failed(camera.fd) { 0 } else { timeout };
    // SAFETY: the caller's arguments, but for the time.
    let mut ready = unsafe { real(fds, count, timeout) };
    if ready >= 0 && driver::has_failed(camera.fd) {
        ready += c_int::from(camera.revents == 0);
        camera.revents = libc::POLLERR | libc::POLLHUP;
    }
    ready
}

type Mmap = unsafe extern "C" fn(*mut c_void, size_t, c_int, c_int, c_int, off_t) -> *mut c_void;

/// Maps the driver's memory where the camera's is asked for.
unsafe fn mapped(
    real: Mmap,
    at: *mut c_void,
    length: size_t,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: off_t,
) -> *mut c_void {
    if !is_camera(fd) {
        // SAFETY: the caller's arguments are passed on as they are.
        return unsafe { real(at, length, prot, flags, fd, offset) };
    }
    match driver::memory(fd, offset as u64) {
        // SAFETY: the caller's arguments, but for the file, which is as large as the buffers that it was told of.
        Some((memory, offset)) => unsafe { real(at, length, prot, flags, memory, offset as off_t) },
        None => {
            failed(libc::EINVAL);
            libc::MAP_FAILED
        }
    }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap(
    at: *mut c_void,
    length: size_t,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: off_t,
) -> *mut c_void {
    let real = real!(c"mmap" as Mmap);
    // SAFETY: the caller's arguments are passed on as they are.
    unsafe { mapped(real, at, length, prot, flags, fd, offset) }
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap64(
    at: *mut c_void,
    length: size_t,
    prot: c_int,
    flags: c_int,
    fd: c_int,
    offset: off_t,
) -> *mut c_void {
    let real = real!(c"mmap64" as Mmap);
    // SAFETY: the caller's arguments are passed on as they are.
    unsafe { mapped(real, at, length, prot, flags, fd, offset) }
}
