//! What to ask a camera for: of the formats it offers, the one nearest to the configuration.
//!
//! Pure.

use nokhwa::utils::{CameraFormat, FrameFormat};

use crate::config::CameraSettings;

/// A camera slower than this is too slow to follow faces, whatever its resolution: a smaller, faster picture is better.
const TOO_SLOW_PER_SECOND: u32 = 15;

/// The formats among `offered` that can be decoded, the nearest to `wanted` first.
///
/// The size counts most, then the frame rate; at the same rate YUYV comes before MJPG, which costs more to decode and loses detail.
/// Cameras offer large YUYV pictures only at low rates, where MJPG therefore wins.
pub(super) fn by_preference(offered: &[CameraFormat], wanted: &CameraSettings) -> Vec<CameraFormat> {
    let cost = |format: &CameraFormat| {
        let rate = format.frame_rate();
        let too_slow = rate < wanted.frames_per_second.min(TOO_SLOW_PER_SECOND);
        let size = format.width().abs_diff(wanted.width) + format.height().abs_diff(wanted.height);
        let missing = wanted.frames_per_second.saturating_sub(rate);
        let needless = rate.saturating_sub(wanted.frames_per_second);
        (too_slow, size, missing, needless, format.format() == FrameFormat::MJPEG)
    };
    let known = |format: &&CameraFormat| matches!(format.format(), FrameFormat::MJPEG | FrameFormat::YUYV);
    let mut formats: Vec<_> = offered.iter().filter(known).copied().collect();
    formats.sort_by_key(cost);
    formats.dedup();
    formats
}

/// Such as `1280x720 MJPG 30/s`.
pub(super) fn described(format: CameraFormat) -> String {
    let pixels = match format.format() {
        FrameFormat::MJPEG => "MJPG".to_owned(),
        other => other.to_string(),
    };
    format!("{}x{} {pixels} {}/s", format.width(), format.height(), format.frame_rate())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a usual USB 2 webcam offers.
    fn usual() -> Vec<CameraFormat> {
        let mut formats = vec![CameraFormat::new_from(640, 480, FrameFormat::GRAY, 30)];
        for (width, height, yuyv) in [(640, 480, 30), (1280, 720, 10), (1920, 1080, 5)] {
            formats.push(CameraFormat::new_from(width, height, FrameFormat::YUYV, yuyv));
            formats.push(CameraFormat::new_from(width, height, FrameFormat::MJPEG, 30));
            formats.push(CameraFormat::new_from(width, height, FrameFormat::MJPEG, 15));
        }
        formats
    }

    fn chosen(offered: &[CameraFormat], width: u32, height: u32, frames_per_second: u32) -> String {
        let wanted = CameraSettings { width, height, frames_per_second, ..CameraSettings::default() };
        by_preference(offered, &wanted).first().map_or("nothing".into(), |format| described(*format))
    }

    #[test]
    fn a_large_picture_is_taken_as_mjpg_where_yuyv_is_too_slow() {
        assert_eq!(chosen(&usual(), 1280, 720, 30), "1280x720 MJPG 30/s");
    }

    #[test]
    fn a_small_picture_is_taken_as_yuyv() {
        assert_eq!(chosen(&usual(), 640, 480, 30), "640x480 YUYV 30/s");
    }

    #[test]
    fn the_nearest_size_and_rate_are_taken_where_the_wanted_ones_are_not_offered() {
        assert_eq!(chosen(&usual(), 1300, 700, 60), "1280x720 MJPG 30/s");
        assert_eq!(chosen(&usual(), 1280, 720, 10), "1280x720 YUYV 10/s");
    }

    #[test]
    fn a_camera_that_is_slow_in_the_wanted_size_is_used_smaller() {
        let yuyv_only: Vec<_> = usual().into_iter().filter(|format| format.format() == FrameFormat::YUYV).collect();
        assert_eq!(chosen(&yuyv_only, 1280, 720, 30), "640x480 YUYV 30/s");
    }

    #[test]
    fn a_camera_with_formats_that_cannot_be_decoded_offers_nothing() {
        assert_eq!(chosen(&usual()[..1], 640, 480, 30), "nothing");
    }
}
