//! Traces of a person: what is theirs, in every form in which it might lie somewhere, and where it does.

#![allow(dead_code, reason = "each test looks for a part of it")]

use std::collections::{BTreeSet, HashMap};

use encoding_rs::GBK;

/// What is looked for begins with so many bytes at least.
const HEAD: usize = 5;

/// Bytes to look for, each with what they are.
#[derive(Default)]
pub struct Traces {
    wanted: Vec<(String, Vec<u8>)>,
    /// Which of them begin so.
    by_head: HashMap<[u8; HEAD], Vec<usize>>,
    /// Whether any of them begins with these two bytes: most places are passed over by it.
    begins: Vec<bool>,
}

impl Traces {
    /// Looks for these bytes.
    pub fn bytes(&mut self, what: impl Into<String>, bytes: &[u8]) {
        let head = *bytes.first_chunk::<HEAD>().expect("so few bytes are found everywhere");
        self.begins.resize(1 << 16, false);
        self.begins[usize::from(u16::from_le_bytes([head[0], head[1]]))] = true;
        self.by_head.entry(head).or_default().push(self.wanted.len());
        self.wanted.push((what.into(), bytes.to_vec()));
    }

    /// Looks for a text as it is, in UTF-16, GBK, base64, and in figures.
    pub fn text(&mut self, what: &str, text: &str) {
        let wide = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<_>>();
        self.bytes(format!("{what} in UTF-16LE"), &wide(u16::to_le_bytes));
        self.bytes(format!("{what} in UTF-16BE"), &wide(u16::to_be_bytes));
        let narrow = [("UTF-8", text.as_bytes().to_vec()), ("GBK", GBK.encode(text).0.into_owned())];
        for (encoding, bytes) in &narrow[..if text.is_ascii() { 1 } else { 2 }] {
            self.bytes(format!("{what} in {encoding}"), bytes);
            // As Rust shows bytes.
            let figures: Vec<String> = bytes.iter().map(ToString::to_string).collect();
            self.bytes(format!("{what} in {encoding} in figures"), figures.join(", ").as_bytes());
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.bytes(format!("{what} in {encoding} in hex"), hex.as_bytes());
            self.bytes(format!("{what} in {encoding} in hex"), hex.to_uppercase().as_bytes());
            for before in 0..3 {
                self.bytes(format!("{what} in {encoding} in base64"), base64(bytes, before).as_bytes());
            }
        }
    }

    /// Looks for any run of 32 bytes of these; `None` of it is found where it says little, as a run of zeros does.
    pub fn runs(&mut self, what: &str, bytes: &[u8]) {
        // Every run of 32 has one of these wholly in it.
        for run in bytes.chunks_exact(16) {
            if run.iter().collect::<BTreeSet<_>>().len() > 8 {
                self.bytes(what, run);
            }
        }
    }

    /// What is in there, also with spaces or dashes between the figures.
    pub fn found_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        assert!(!self.wanted.is_empty());
        let mut found = BTreeSet::new();
        self.look(bytes, &mut found);
        if bytes.iter().any(u8::is_ascii_digit) {
            let close: Vec<u8> = bytes.iter().copied().filter(|byte| !b" -".contains(byte)).collect();
            self.look(&close, &mut found);
        }
        found
    }

    fn look(&self, bytes: &[u8], found: &mut BTreeSet<String>) {
        for (at, head) in bytes.windows(HEAD).enumerate() {
            if !self.begins[usize::from(u16::from_le_bytes([head[0], head[1]]))] {
                continue;
            }
            let there = self.by_head.get(head).into_iter().flatten().map(|it| &self.wanted[*it]);
            found.extend(there.filter(|(_, it)| bytes[at..].starts_with(it)).map(|(what, _)| what.clone()));
        }
    }
}

/// As base64 has `bytes` behind so many others, without the signs that hold a part of what is beside them.
fn base64(bytes: &[u8], before: usize) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = |at: usize| {
        let byte = |at: usize| at.checked_sub(before).and_then(|at| bytes.get(at)).map_or(0, |byte| u16::from(*byte));
        let two = byte(at * 6 / 8) << 8 | byte(at * 6 / 8 + 1);
        char::from(SIGNS[usize::from(two >> (10 - at * 6 % 8) & 63)])
    };
    ((8 * before).div_ceil(6)..8 * (before + bytes.len()) / 6).map(bits).collect()
}

#[test]
fn a_trace_is_found_in_every_form_and_nowhere_else() {
    let mut traces = Traces::default();
    traces.text("name", "欧阳震骅");
    traces.text("number", "13907318264");
    let forms: [&[u8]; 10] = [
        "said 欧阳震骅 twice".as_bytes(),
        b"1390731-8264",
        b"139 0731 8264",
        b"1 3 9 0 7 3 1 8 2 6 4",
        b"1\x003\x009\x000\x007\x003\x001\x008\x002\x006\x004\x00",
        b"MTM5MDczMTgyNjQ=",
        b"eDEzOTA3MzE4MjY0",
        b"eHgxMzkwNzMxODI2NA==",
        b"E6ACA7E998B3E99C87E9AA85",
        b"[49, 51, 57, 48, 55, 51, 49, 56, 50, 54, 52]",
    ];
    for form in forms {
        assert_eq!(traces.found_in(form).len(), 1, "{}", String::from_utf8_lossy(form));
    }
    assert_eq!(traces.found_in(&GBK.encode("问 欧阳震骅").0).len(), 1);
    assert!(traces.found_in("欧阳震 1390731826 nobody".as_bytes()).is_empty());
}
