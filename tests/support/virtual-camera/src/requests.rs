//! The kernel's ioctl requests: their numbers, their structs, and which question to the driver each is.

use std::{os::fd::RawFd, time::Duration};

use v4l2_sys::{
    V4L2_BUF_FLAG_DONE, V4L2_BUF_FLAG_MAPPED, V4L2_BUF_FLAG_QUEUED, V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC,
    V4L2_CAP_DEVICE_CAPS, V4L2_CAP_STREAMING, V4L2_CAP_TIMEPERFRAME, V4L2_CAP_VIDEO_CAPTURE, timeval,
    v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE as CAPTURE, v4l2_buffer, v4l2_capability,
    v4l2_colorspace_V4L2_COLORSPACE_SRGB as SRGB, v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER as INTEGER,
    v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU as MENU, v4l2_ext_control, v4l2_ext_controls,
    v4l2_field_V4L2_FIELD_NONE as PROGRESSIVE, v4l2_fmtdesc, v4l2_format, v4l2_fract, v4l2_frmivalenum,
    v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE as ONE_INTERVAL, v4l2_frmsize_discrete, v4l2_frmsizeenum,
    v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE as ONE_SIZE, v4l2_memory_V4L2_MEMORY_MMAP as MMAP,
    v4l2_query_ext_ctrl, v4l2_requestbuffers, v4l2_streamparm,
};

use crate::{
    control,
    driver::{self, Buffer, Errno, Handle},
    scene::Format,
};

/// What the camera calls itself.
pub const NAME: &str = "Virtual Camera: HD Webcam";

const WRITE: u64 = 1;
const READ: u64 = 2;

/// As the kernel's _IOC macro: direction, size, the letter V and a number.
const fn number<T>(direction: u64, number: u64) -> u64 {
    (direction << 30) | ((size_of::<T>() as u64) << 16) | ((b'V' as u64) << 8) | number
}

const QUERYCAP: u64 = number::<v4l2_capability>(READ, 0);
const ENUM_FMT: u64 = number::<v4l2_fmtdesc>(READ | WRITE, 2);
const G_FMT: u64 = number::<v4l2_format>(READ | WRITE, 4);
const S_FMT: u64 = number::<v4l2_format>(READ | WRITE, 5);
const REQBUFS: u64 = number::<v4l2_requestbuffers>(READ | WRITE, 8);
const QUERYBUF: u64 = number::<v4l2_buffer>(READ | WRITE, 9);
const QBUF: u64 = number::<v4l2_buffer>(READ | WRITE, 15);
const DQBUF: u64 = number::<v4l2_buffer>(READ | WRITE, 17);
const STREAMON: u64 = number::<i32>(WRITE, 18);
const STREAMOFF: u64 = number::<i32>(WRITE, 19);
const G_PARM: u64 = number::<v4l2_streamparm>(READ | WRITE, 21);
const S_PARM: u64 = number::<v4l2_streamparm>(READ | WRITE, 22);
const G_EXT_CTRLS: u64 = number::<v4l2_ext_controls>(READ | WRITE, 71);
const S_EXT_CTRLS: u64 = number::<v4l2_ext_controls>(READ | WRITE, 72);
const ENUM_FRAMESIZES: u64 = number::<v4l2_frmsizeenum>(READ | WRITE, 74);
const ENUM_FRAMEINTERVALS: u64 = number::<v4l2_frmivalenum>(READ | WRITE, 75);

const QUERY_EXT_CTRL: u64 = number::<v4l2_query_ext_ctrl>(READ | WRITE, 103);

/// Who chooses the exposure: V4L2_CID_EXPOSURE_AUTO.
const EXPOSURE_MODE: u32 = 0x009a_0901;
/// V4L2_CID_EXPOSURE_ABSOLUTE.
const EXPOSURE_TIME: u32 = 0x009a_0902;

/// Answers one ioctl on the open file `fd`.
///
/// # Safety
/// `argument` must point to what `request` says it does, as for the kernel.
pub unsafe fn answer(fd: RawFd, request: u64, argument: *mut libc::c_void) -> Result<(), Errno> {
    macro_rules! argument {
        ($kind:ty) => {
            // SAFETY: the request's number says that the caller passed this struct; null is refused.
            unsafe { argument.cast::<$kind>().as_mut() }.ok_or(libc::EFAULT)?
        };
    }
    // Musl and older programs pass the request sign-extended.
    let request = request & 0xFFFF_FFFF;
    driver::with(fd, |handle, taken| {
        match request {
            QUERYCAP => capabilities(argument!(v4l2_capability)),
            ENUM_FMT => pixel_format(argument!(v4l2_fmtdesc))?,
            ENUM_FRAMESIZES => frame_size(argument!(v4l2_frmsizeenum))?,
            ENUM_FRAMEINTERVALS => frame_interval(argument!(v4l2_frmivalenum))?,
            G_FMT => show_format(handle, argument!(v4l2_format))?,
            S_FMT => {
                let format = argument!(v4l2_format);
                capture_only(format.type_)?;
                // SAFETY: for a capture format this field of the union is the one in use.
                let pix = unsafe { format.fmt.pix };
                let pixels = pix.pixelformat.to_le_bytes();
                handle.set_format(Format { pixels, width: pix.width, height: pix.height }, taken)?;
                show_format(handle, format)?;
            }
            // The frame rate follows from the format; a driver may change what was asked for.
            G_PARM | S_PARM => {
                let parameters = argument!(v4l2_streamparm);
                capture_only(parameters.type_)?;
                // SAFETY: for capture parameters this field of the union is the one in use.
                let capture = unsafe { &mut parameters.parm.capture };
                capture.capability = V4L2_CAP_TIMEPERFRAME;
                capture.timeperframe = v4l2_fract { numerator: 1, denominator: handle.rate() };
            }
            REQBUFS => {
                let buffers = argument!(v4l2_requestbuffers);
                mapped_capture_only(buffers.type_, buffers.memory)?;
                buffers.count = handle.request_buffers(buffers.count, taken)?;
            }
            QUERYBUF => {
                let buffer = argument!(v4l2_buffer);
                mapped_capture_only(buffer.type_, MMAP)?;
                show_buffer(buffer, buffer.index, handle.buffer(buffer.index)?);
            }
            QBUF => {
                let buffer = argument!(v4l2_buffer);
                mapped_capture_only(buffer.type_, buffer.memory)?;
                handle.queue(buffer.index)?;
            }
            DQBUF => {
                let buffer = argument!(v4l2_buffer);
                mapped_capture_only(buffer.type_, buffer.memory)?;
                let (index, filled) = handle.dequeue()?;
                show_buffer(buffer, index, filled);
            }
            STREAMON => handle.start()?,
            STREAMOFF => handle.stop(),
            QUERY_EXT_CTRL => describe_control(argument!(v4l2_query_ext_ctrl))?,
            G_EXT_CTRLS | S_EXT_CTRLS => {
                let asked = argument!(v4l2_ext_controls);
                // SAFETY: the caller passes an array of `count` controls.
                let controls = unsafe { controls(asked) };
                controls.iter_mut().try_for_each(|control| exposure(control, request == S_EXT_CTRLS))?;
            }
            // Other controls and everything else that this camera does not have.
            _ => return Err(libc::ENOTTY),
        }
        Ok(())
    })
}

fn describe_control(description: &mut v4l2_query_ext_ctrl) -> Result<(), Errno> {
    control::exposure().ok_or(libc::EINVAL)?;
    let (kind, range) = match description.id {
        EXPOSURE_MODE => (MENU, (0, 3)),
        EXPOSURE_TIME => (INTEGER, (1, 5000)),
        _ => return Err(libc::EINVAL),
    };
    (description.type_, description.minimum, description.maximum, description.step) = (kind, range.0, range.1, 1);
    Ok(())
}

unsafe fn controls<'a>(asked: &v4l2_ext_controls) -> &'a mut [v4l2_ext_control] {
    if asked.controls.is_null() || asked.count == 0 {
        return &mut [];
    }
    // SAFETY: as for the kernel.
    unsafe { std::slice::from_raw_parts_mut(asked.controls, asked.count as usize) }
}

/// Reads or sets one control; like UVC cameras, this one refuses a time while it chooses itself.
fn exposure(asked: &mut v4l2_ext_control, sets: bool) -> Result<(), Errno> {
    let (time, mode) = control::exposure().ok_or(libc::EINVAL)?;
    // SAFETY: for numbers this field of the union is the one in use.
    let value = unsafe { asked.__bindgen_anon_1.value };
    match (asked.id, sets) {
        (EXPOSURE_MODE, false) => asked.__bindgen_anon_1.value = mode,
        (EXPOSURE_TIME, false) => asked.__bindgen_anon_1.value = time,
        (EXPOSURE_MODE, true) => control::set_exposure(time, value),
        (EXPOSURE_TIME, true) if mode == control::MANUAL => control::set_exposure(value.clamp(1, 5000), mode),
        (EXPOSURE_TIME, true) => return Err(libc::EACCES),
        _ => return Err(libc::EINVAL),
    }
    Ok(())
}

fn capture_only(kind: u32) -> Result<(), Errno> {
    if kind == CAPTURE { Ok(()) } else { Err(libc::EINVAL) }
}

fn mapped_capture_only(kind: u32, memory: u32) -> Result<(), Errno> {
    if kind == CAPTURE && memory == MMAP { Ok(()) } else { Err(libc::EINVAL) }
}

fn written<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [0; N];
    let length = text.len().min(N - 1);
    field[..length].copy_from_slice(&text.as_bytes()[..length]);
    field
}

fn capabilities(caps: &mut v4l2_capability) {
    caps.driver = written("uvcvideo");
    caps.card = written(NAME);
    caps.bus_info = written("usb-virtual-1");
    caps.version = 0x0006_0100;
    caps.device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    caps.capabilities = caps.device_caps | V4L2_CAP_DEVICE_CAPS;
}

fn pixel_format(description: &mut v4l2_fmtdesc) -> Result<(), Errno> {
    capture_only(description.type_)?;
    let formats = driver::formats();
    let pixels = *formats.get(description.index as usize).ok_or(libc::EINVAL)?;
    description.pixelformat = u32::from_le_bytes(pixels);
    description.description = written(if &pixels == b"MJPG" { "Motion-JPEG" } else { "YUYV 4:2:2" });
    description.flags = u32::from(&pixels == b"MJPG");
    Ok(())
}

fn frame_size(sizes: &mut v4l2_frmsizeenum) -> Result<(), Errno> {
    let (width, height) = *driver::SIZES.get(sizes.index as usize).ok_or(libc::EINVAL)?;
    if !driver::formats().contains(&sizes.pixel_format.to_le_bytes()) {
        return Err(libc::EINVAL);
    }
    sizes.type_ = ONE_SIZE;
    sizes.__bindgen_anon_1.discrete = v4l2_frmsize_discrete { width, height };
    Ok(())
}

fn frame_interval(intervals: &mut v4l2_frmivalenum) -> Result<(), Errno> {
    let pixels = intervals.pixel_format.to_le_bytes();
    let known = driver::formats().contains(&pixels) && driver::SIZES.contains(&(intervals.width, intervals.height));
    if intervals.index != 0 || !known {
        return Err(libc::EINVAL);
    }
    intervals.type_ = ONE_INTERVAL;
    let denominator = driver::rate(pixels, intervals.width);
    intervals.__bindgen_anon_1.discrete = v4l2_fract { numerator: 1, denominator };
    Ok(())
}

fn show_format(handle: &Handle, format: &mut v4l2_format) -> Result<(), Errno> {
    capture_only(format.type_)?;
    // SAFETY: for a capture format this field of the union is the one in use.
    let pix = unsafe { &mut format.fmt.pix };
    let Format { pixels, width, height } = handle.format();
    (pix.width, pix.height, pix.pixelformat) = (width, height, u32::from_le_bytes(pixels));
    pix.bytesperline = if &pixels == b"YUYV" { width * 2 } else { 0 };
    (pix.sizeimage, pix.field, pix.colorspace) = (handle.image_size(), PROGRESSIVE, SRGB);
    Ok(())
}

fn show_buffer(shown: &mut v4l2_buffer, index: u32, buffer: Buffer) {
    let flag = |is: bool, flag: u32| if is { flag } else { 0 };
    shown.index = index;
    shown.memory = MMAP;
    shown.field = PROGRESSIVE;
    shown.m.offset = buffer.offset as u32;
    shown.length = buffer.length as u32;
    shown.bytesused = buffer.used;
    shown.sequence = buffer.sequence;
    shown.timestamp = time(buffer.captured);
    shown.flags = V4L2_BUF_FLAG_MAPPED
        | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC
        | flag(buffer.queued, V4L2_BUF_FLAG_QUEUED)
        | flag(buffer.done, V4L2_BUF_FLAG_DONE);
}

fn time(since_boot: Duration) -> timeval {
    timeval { tv_sec: since_boot.as_secs() as i64, tv_usec: since_boot.subsec_micros().into() }
}
