//! Walks over a JPEG picture's segments without decoding it: where it ends, where its compressed data end, and whether all of its
//! scans are there.
//!
//! Pure.

const SOI: u8 = 0xD8;
const EOI: u8 = 0xD9;
const SOS: u8 = 0xDA;
const DHT: u8 = 0xC4;
/// Start of a baseline, an extended or a progressive frame with Huffman codes; nothing else is decoded.
const SOF: std::ops::RangeInclusive<u8> = 0xC0..=0xC2;
const PROGRESSIVE: u8 = 0xC2;
/// The places at which the data end early are kept up to this many; only pictures made to do harm have more.
const MAX_ENDS: usize = 100_000;

/// What the walk saw.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// Bytes from the first to the last of the picture.
    pub(super) length: usize,
    /// Whether it brings its own Huffman tables; some cameras leave the standard ones out.
    pub(super) has_tables: bool,
    /// Where compressed data end, rising: before each restart marker and behind the last scan; behind earlier scans where they can be
    /// told from the first one of a progressive picture.
    pub(super) data_ends: Vec<usize>,
    /// Scans.
    pub(super) scans: usize,
    /// Whether each scan makes the whole picture finer, rather than adding a part of it.
    pub(super) progressive: bool,
    /// Whether some scan that the picture needs is not there.
    pub(super) lacks_scans: bool,
}

/// Whether `bytes` begin like a JPEG picture.
pub(super) fn begins(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xFF, SOI, 0xFF])
}

/// Walks from marker to marker, so that a thumbnail's end inside a segment is not taken for the picture's.
/// `None` when `bytes` do not begin with a picture or it has no end.
pub(super) fn outline(bytes: &[u8]) -> Option<Outline> {
    if !begins(bytes) {
        return None;
    }
    let (mut at, mut outline, mut precision) = (2, Outline::default(), Precision::default());
    let mut last_end = None;
    loop {
        // A marker is 0xFF, any number of further 0xFF, and a byte that says which.
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        while *bytes.get(at)? == 0xFF {
            at += 1;
        }
        let marker = bytes[at];
        at += 1;
        match marker {
            EOI => {
                outline.data_ends.extend(last_end);
                outline.length = at;
                outline.progressive = precision.progressive;
                outline.lacks_scans = !precision.is_full();
                return Some(outline);
            }
            // Markers without a segment.
            0x01 | 0xD0..=0xD7 => continue,
            0x00 | SOI => return None,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
        let content = bytes.get(at + 2..at + length)?;
        at += length;
        match marker {
            DHT => outline.has_tables = true,
            marker if SOF.contains(&marker) => precision.begin(marker == PROGRESSIVE, content),
            SOS => {
                if let Some(end) = last_end.take().filter(|_| precision.progressive && outline.scans > 1) {
                    outline.data_ends.push(end);
                }
                outline.scans += 1;
                precision.scan(content);
                at = end_of_scan(bytes, at, &mut outline.data_ends)?;
                last_end = Some(at);
            }
            _ => {}
        }
    }
}

/// The next marker after the compressed data that begin at `at`. Notes where restart markers end a part of them.
fn end_of_scan(bytes: &[u8], mut at: usize, ends: &mut Vec<usize>) -> Option<usize> {
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        match *bytes.get(at + 1)? {
            // A stuffed byte belongs to the data.
            0x00 => at += 2,
            0xD0..=0xD7 => {
                if ends.len() < MAX_ENDS {
                    ends.push(at);
                }
                at += 2;
            }
            0xFF => at += 1,
            _ => return Some(at),
        }
    }
}

/// To how many bits each coefficient of each component is known after the scans so far. A picture with a piece cut out of its middle
/// skips steps that a whole one takes, or never gets to the last bit.
#[derive(Default)]
struct Precision {
    progressive: bool,
    /// Each component's name and, for its 64 coefficients, how many of the last bits are still to come.
    components: Vec<(u8, [Option<u8>; 64])>,
    skipped: bool,
}

impl Precision {
    /// Takes a frame's header (ITU-T T.81, B.2.2): precision, height, width, and each component's name with two more bytes.
    fn begin(&mut self, progressive: bool, header: &[u8]) {
        let components = header.get(6..).unwrap_or_default();
        self.progressive = progressive;
        self.components = components.chunks_exact(3).map(|component| (component[0], [None; 64])).collect();
    }

    /// Takes a scan's header (B.2.3): how many components, each one's name with another byte, then the first and the last coefficient, and
    /// the bits that were to come before and that are to come after it.
    fn scan(&mut self, header: &[u8]) {
        let count = header.first().map_or(0, |&count| usize::from(count));
        let (Some(named), Some(&[first, last, bits])) = (header.get(1..1 + 2 * count), header.get(1 + 2 * count..))
        else {
            return;
        };
        let (before, after) = (bits >> 4, bits & 15);
        for name in named.iter().step_by(2) {
            for (_, known) in self.components.iter_mut().filter(|(component, _)| component == name) {
                if !self.progressive {
                    *known = [Some(0); 64];
                    continue;
                }
                for coefficient in known.iter_mut().take(usize::from(last) + 1).skip(first.into()) {
                    self.skipped |= before != 0 && *coefficient != Some(before);
                    *coefficient = Some(after);
                }
            }
        }
    }

    fn is_full(&self) -> bool {
        let whole = |known: &[Option<u8>; 64]| known.iter().all(|&bits| bits == Some(0));
        !self.skipped && !self.components.is_empty() && self.components.iter().all(|(_, known)| whole(known))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::jpeg::tests::{encoded, exif_segment, picture},
        *,
    };

    #[test]
    fn a_picture_ends_at_its_own_end_and_not_at_its_thumbnails() {
        let mut bytes = encoded(&picture(64, 48));
        let thumbnail = encoded(&picture(8, 8));
        bytes.splice(2..2, exif_segment(1, &thumbnail));
        let length = bytes.len();
        bytes.extend(b"trailing bytes of a phone");
        assert_eq!(outline(&bytes).unwrap().length, length);
    }

    #[test]
    fn a_picture_cut_short_anywhere_has_no_end() {
        let bytes = encoded(&picture(64, 48));
        for length in 0..bytes.len() {
            assert!(outline(&bytes[..length]).is_none(), "cut to {length} bytes");
        }
    }
}
