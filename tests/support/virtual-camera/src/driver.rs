//! Behaves like a kernel driver of a UVC camera: what it offers, who owns the buffers, and when they are filled.
//!
//! Buffers are filled in the order in which they were queued, at 30 frames a second; with none queued a frame is lost, so a
//! program that was away finds old frames first. A process that was stopped finds what a kernel would have filled meanwhile.

use std::{
    collections::{HashMap, VecDeque},
    fs::File,
    os::{
        fd::{AsRawFd, FromRawFd, RawFd},
        unix::fs::FileExt,
    },
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use crate::{
    control::{self, State},
    event::Event,
    scene::{Format, Scene},
};

pub const SIZES: [(u32, u32); 2] = [(640, 480), (1280, 720)];
const FORMATS: [[u8; 4]; 2] = [*b"MJPG", *b"YUYV"];
/// A real camera's bus is too slow for more large YUYV pictures than this.
const LARGE_YUYV_RATE: u32 = 10;
const RATE: u32 = 30;
const MAX_BUFFERS: u32 = 32;
const PAGE: u64 = 4096;

/// An error number for the caller.
pub type Errno = i32;

/// One open file of the device.
pub struct Handle {
    format: Format,
    /// Makes `poll` return: one count a filled buffer.
    event: Event,
    buffers: Vec<Buffer>,
    memory: Option<File>,
    queued: VecDeque<usize>,
    done: VecDeque<usize>,
    streaming: Option<Stream>,
    /// The camera was unplugged while this was open: it never works again.
    dead: bool,
}

#[derive(Clone, Copy)]
struct Stream {
    next_frame_at: Instant,
    sequence: u32,
}

#[derive(Clone, Copy, Default)]
pub struct Buffer {
    pub offset: u64,
    pub length: u64,
    pub used: u32,
    pub sequence: u32,
    /// CLOCK_MONOTONIC.
    pub captured: Duration,
    pub queued: bool,
    pub done: bool,
}

fn handles() -> MutexGuard<'static, HashMap<RawFd, Handle>> {
    static HANDLES: OnceLock<Mutex<HashMap<RawFd, Handle>>> = OnceLock::new();
    HANDLES.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner)
}

/// The pixel formats that are offered.
pub fn formats() -> Vec<[u8; 4]> {
    control::only_format().map_or(FORMATS.to_vec(), |only| vec![only])
}

/// Frames a second of a format and size.
pub fn rate(pixels: [u8; 4], width: u32) -> u32 {
    let slow = control::only_format().is_none() && &pixels == b"YUYV" && width > SIZES[0].0;
    if slow { LARGE_YUYV_RATE } else { RATE }
}

/// Opens the device; the descriptor is an event counter, so that the kernel's own `poll` waits for frames.
pub fn open() -> Result<RawFd, Errno> {
    static SENSOR: OnceLock<()> = OnceLock::new();
    if control::state() == State::Unplugged {
        return Err(libc::ENODEV);
    }
    let event = Event::new()?;
    let fd = event.descriptor();
    let (width, height) = SIZES[0];
    let format = Format { pixels: formats()[0], width, height };
    let handle = Handle {
        format,
        event,
        buffers: Vec::new(),
        memory: None,
        queued: VecDeque::new(),
        done: VecDeque::new(),
        streaming: None,
        dead: false,
    };
    handles().insert(fd, handle);
    SENSOR.get_or_init(|| spawn("virtual-sensor", sense));
    Ok(fd)
}

/// Forgets a descriptor that is being closed.
pub fn close(fd: RawFd) {
    handles().remove(&fd);
}

/// Runs `answer` on the open file, unless the camera was unplugged since it was opened.
pub fn with<T>(fd: RawFd, answer: impl FnOnce(&mut Handle, bool) -> Result<T, Errno>) -> Result<T, Errno> {
    let mut handles = handles();
    // As in a real driver, whoever has buffers keeps all others from setting formats and streaming.
    let taken = handles.iter().any(|(other, handle)| *other != fd && !handle.buffers.is_empty() && !handle.dead);
    let handle = handles.get_mut(&fd).ok_or(libc::EBADF)?;
    if handle.dead || control::state() == State::Unplugged {
        handle.die();
        return Err(libc::ENODEV);
    }
    answer(handle, taken)
}

/// Whether `poll` has to report an error: the camera is gone, or does not stream.
pub fn has_failed(fd: RawFd) -> bool {
    handles().get(&fd).is_none_or(|handle| handle.dead || handle.streaming.is_none())
}

/// The memory behind the open file's buffers, and where the one at `offset` begins in it.
pub fn memory(fd: RawFd, offset: u64) -> Option<(RawFd, u64)> {
    let handles = handles();
    let handle = handles.get(&fd)?;
    handle.buffers.iter().find(|buffer| buffer.offset == offset)?;
    Some((handle.memory.as_ref()?.as_raw_fd(), offset))
}

impl Handle {
    pub fn format(&self) -> Format {
        self.format
    }

    pub fn rate(&self) -> u32 {
        rate(self.format.pixels, self.format.width)
    }

    /// Bytes of a buffer.
    pub fn image_size(&self) -> u32 {
        self.format.width * self.format.height * 2
    }

    /// Takes the offered format that is nearest to the wanted one.
    pub fn set_format(&mut self, wanted: Format, taken: bool) -> Result<(), Errno> {
        if taken || !self.buffers.is_empty() {
            return Err(libc::EBUSY);
        }
        let offered = formats();
        let pixels = if offered.contains(&wanted.pixels) { wanted.pixels } else { offered[0] };
        let distance = |(width, height): &(u32, u32)| width.abs_diff(wanted.width) + height.abs_diff(wanted.height);
        let (width, height) = SIZES.into_iter().min_by_key(distance).unwrap_or(SIZES[0]);
        self.format = Format { pixels, width, height };
        Ok(())
    }

    /// Allocates `count` buffers, or frees them all with 0; returns how many there are.
    pub fn request_buffers(&mut self, count: u32, taken: bool) -> Result<u32, Errno> {
        if taken || self.streaming.is_some() {
            return Err(libc::EBUSY);
        }
        self.forget_frames();
        self.buffers.clear();
        self.memory = None;
        let count = count.min(MAX_BUFFERS);
        if count == 0 {
            return Ok(0);
        }
        let length = u64::from(self.image_size());
        let room = length.next_multiple_of(PAGE);
        // SAFETY: the name is a C string; the new descriptor is owned by the file.
        let memory = unsafe {
            match libc::memfd_create(c"virtual-camera".as_ptr(), libc::MFD_CLOEXEC) {
                -1 => return Err(libc::ENOMEM),
                fd => File::from_raw_fd(fd),
            }
        };
        memory.set_len(room * u64::from(count)).map_err(|_| libc::ENOMEM)?;
        self.buffers =
            (0..u64::from(count)).map(|at| Buffer { offset: at * room, length, ..Buffer::default() }).collect();
        self.memory = Some(memory);
        Ok(count)
    }

    pub fn buffer(&self, index: u32) -> Result<Buffer, Errno> {
        self.buffers.get(index as usize).copied().ok_or(libc::EINVAL)
    }

    pub fn queue(&mut self, index: u32) -> Result<(), Errno> {
        let buffer = self.buffers.get_mut(index as usize).filter(|buffer| !buffer.queued && !buffer.done);
        buffer.ok_or(libc::EINVAL)?.queued = true;
        self.queued.push_back(index as usize);
        Ok(())
    }

    /// Hands out the buffer that was filled first.
    pub fn dequeue(&mut self) -> Result<(u32, Buffer), Errno> {
        if self.streaming.is_none() {
            return Err(libc::EINVAL);
        }
        let index = self.done.pop_front().ok_or(libc::EAGAIN)?;
        self.event.take();
        self.buffers[index].done = false;
        Ok((index as u32, self.buffers[index]))
    }

    pub fn start(&mut self) -> Result<(), Errno> {
        if self.buffers.is_empty() {
            return Err(libc::EINVAL);
        }
        let next_frame_at = Instant::now() + Duration::from_secs(1) / self.rate();
        self.streaming.get_or_insert(Stream { next_frame_at, sequence: 0 });
        Ok(())
    }

    /// Ends streaming; all buffers are the program's again.
    pub fn stop(&mut self) {
        self.streaming = None;
        self.forget_frames();
    }

    fn forget_frames(&mut self) {
        self.queued.clear();
        while self.done.pop_front().is_some() {
            self.event.take();
        }
        for buffer in &mut self.buffers {
            (buffer.queued, buffer.done) = (false, false);
        }
    }

    fn die(&mut self) {
        if !self.dead {
            self.dead = true;
            self.streaming = None;
            self.event.give();
        }
    }

    /// Fills what was queued with all frames that are due by `now`.
    fn expose(&mut self, scene: &Scene, now: Instant, silent: bool) {
        let interval = Duration::from_secs(1) / self.rate();
        while let Some(mut stream) = self.streaming.filter(|stream| stream.next_frame_at <= now) {
            let at = stream.next_frame_at;
            stream.next_frame_at += interval;
            stream.sequence += 1;
            self.streaming = Some(stream);
            if silent {
                continue;
            }
            let Some(bytes) = scene.frame(self.format, at) else { continue };
            let Some(index) = self.queued.pop_front() else { continue };
            let buffer = &mut self.buffers[index];
            let used = bytes.len().min(buffer.length as usize);
            if let Some(memory) = &self.memory {
                let _ = memory.write_all_at(&bytes[..used], buffer.offset);
            }
            let captured = monotonic().saturating_sub(now.saturating_duration_since(at));
            *buffer = Buffer {
                used: used as u32,
                sequence: stream.sequence - 1,
                captured,
                queued: false,
                done: true,
                ..*buffer
            };
            self.done.push_back(index);
            self.event.give();
        }
    }
}

/// Starts a thread under a name of its own, so that a test that counts the program's threads does not count it.
pub fn spawn(name: &str, body: impl FnOnce() + Send + 'static) {
    if let Err(error) = thread::Builder::new().name(name.into()).spawn(body) {
        eprintln!("virtual camera: {error}");
    }
}

/// The sensor: runs for as long as the process.
fn sense() {
    let scene = Scene::new();
    loop {
        thread::sleep(Duration::from_millis(2));
        let state = control::state();
        // Taken before the lock: frames are due at the same moments however long others hold it.
        let now = Instant::now();
        for handle in handles().values_mut() {
            if state == State::Unplugged {
                handle.die();
            } else {
                handle.expose(&scene, now, state == State::Silent);
            }
        }
    }
}

fn monotonic() -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid pointer to a local.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}
