//! The roster's bytes as text: finds out the encoding that the office's spreadsheet program chose.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{BIG5, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};

/// Why bytes are no roster.
#[derive(Debug, PartialEq, Eq)]
pub enum NoText {
    /// A ZIP (XLSX) or OLE (XLS) file.
    Workbook,
    /// None of the encodings.
    Unknown,
}

/// Decodes `bytes`: UTF-8 or UTF-16 by its byte order mark, UTF-8 where it is valid, else GB18030 or Big5, whichever looks right.
/// Line ends become `\n`.
///
/// # Errors
/// [`NoText`].
pub fn decode(bytes: &[u8]) -> Result<String, NoText> {
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(NoText::Workbook);
    }
    let text = decode_by(encoding(bytes), bytes).ok_or(NoText::Unknown)?;
    if text.contains('\0') {
        return Err(NoText::Unknown);
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn encoding(bytes: &[u8]) -> &'static Encoding {
    if let Some((marked, _)) =
        Encoding::for_bom(bytes).filter(|(marked, _)| [UTF_8, UTF_16LE, UTF_16BE].contains(marked))
    {
        return marked;
    }
    if std::str::from_utf8(bytes).is_ok() {
        return UTF_8;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    // Without a top-level domain: "cn" would have Big5 read as GBK. What is neither Chinese encoding was guessed from too few
    // characters; GB18030 is what spreadsheet programs in the mainland write.
    match detector.guess(None, Utf8Detection::Deny) {
        guessed if guessed == BIG5 || guessed == GBK || guessed == GB18030 => guessed,
        _ => GB18030,
    }
}

fn decode_by(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    let (text, broken) = encoding.decode_with_bom_removal(bytes);
    (!broken).then(|| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROSTER: &str = "身份证号,姓名,手机号,照片\n11010519491231002X,陈伟,13800138000,陈伟.jpg\n";
    const TRADITIONAL: &str = "身份證號,姓名,手機號,照片\n11010519491231002X,陳偉,13800138000,陳偉.jpg\n";

    #[test]
    fn every_encoding_that_an_office_may_send_is_read() {
        let (gbk, _, _) = GBK.encode(ROSTER);
        let (big5, _, _) = BIG5.encode(TRADITIONAL);
        let utf16: Vec<u8> = "\u{feff}"
            .chars()
            .chain(ROSTER.chars())
            .collect::<String>()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(decode(ROSTER.as_bytes()).unwrap(), ROSTER);
        assert_eq!(decode(format!("\u{feff}{ROSTER}").as_bytes()).unwrap(), ROSTER);
        assert_eq!(decode(&gbk).unwrap(), ROSTER);
        assert_eq!(decode(&big5).unwrap(), TRADITIONAL);
        assert_eq!(decode(&utf16).unwrap(), ROSTER);
    }

    #[test]
    fn one_chinese_name_among_english_words_is_enough() {
        let text = "id_number,name,phone,photos\n11010519491231002X,陈伟,13800138000,1.jpg\n";
        assert_eq!(decode(&GBK.encode(text).0).unwrap(), text);
    }

    #[test]
    fn rare_characters_of_names_are_read_in_gb18030() {
        let text = "姓名,身份证号\n㛃䶮,110105\n王𬭚,110105\n";
        assert_eq!(decode(&GB18030.encode(text).0).unwrap(), text);
    }

    #[test]
    fn a_workbook_or_a_picture_is_no_roster() {
        assert_eq!(decode(b"PK\x03\x04rest"), Err(NoText::Workbook));
        assert_eq!(decode(b"\xFF\xD8\xFF\xE0\0\x10JFIF\0"), Err(NoText::Unknown));
    }

    #[test]
    fn line_ends_of_every_system_are_the_same() {
        assert_eq!(decode(b"a\r\nb\rc\n").unwrap(), "a\nb\nc\n");
    }
}
