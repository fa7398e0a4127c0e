//! Encrypts and authenticates what the store holds: XChaCha20-Poly1305 with a random nonce a record.
//!
//! What is known of a person is sealed with their own key (see `ring`), everything else with the store's.
//! A record is bound to the key it lies under, so that no sealed record can be moved to another place. Sub-keys for sealing and for the
//! snapshot come from the store's key by HMAC-SHA256 with a label each.

use chacha20poly1305::{
    AeadCore, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, OsRng, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{KeyError, StoreKey, former, store_key::KEY_BYTES};
use crate::config::StoreSettings;

/// HMAC-SHA256, for the snapshot.
pub type Authenticator = Hmac<Sha256>;

const NONCE_BYTES: usize = 24;
/// Stands before the record's key in the associated data; names the one tree and the format.
const PLACE: &[u8] = b"greeter people 1\0";

/// Bytes that cannot be opened: another key, another place or damage.
#[derive(Debug, PartialEq, Eq)]
pub struct NotOurs;

/// Seals and opens with one key.
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// With this key.
    pub fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self(XChaCha20Poly1305::new(key.into()))
    }

    /// Nonce and ciphertext of `plain` for the record under `place`.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce = XChaCha20Poly1305::generate_nonce(&mut OsRng);
        let payload = Payload { msg: plain, aad: &associated(place) };
        // The cipher refuses only messages above 256 GB, which memory rules out; an empty record would fail to open, not leak.
        let sealed = self.0.encrypt(&nonce, payload).unwrap_or_default();
        [nonce.as_slice(), &sealed].concat()
    }

    /// The plain bytes of what [`Self::seal`] made for the same `place`.
    ///
    /// # Errors
    /// [`NotOurs`] for anything else.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOurs> {
        let (nonce, body) = sealed.split_at_checked(NONCE_BYTES).ok_or(NotOurs)?;
        let payload = Payload { msg: body, aad: &associated(place) };
        self.0.decrypt(XNonce::from_slice(nonce), payload).map(Zeroizing::new).map_err(|_| NotOurs)
    }
}

/// What the store's key is for: people's own keys, what belongs to nobody, and the snapshot.
pub struct Sealer {
    /// Seals what belongs to the store itself, and people's keys.
    pub own: Seal,
    snapshot: Zeroizing<[u8; KEY_BYTES]>,
    /// With which people's keys may be sealed as well, while the store is getting another key.
    pub(super) other: Option<Box<Seal>>,
}

impl Sealer {
    /// Derives the sub-keys.
    pub fn new(key: &StoreKey) -> Self {
        Self {
            own: Seal::new(&derive(key, b"greeter store sealing 1")),
            snapshot: derive(key, b"greeter store snapshot 1"),
            other: None,
        }
    }

    /// People's keys may be sealed with this key as well.
    #[must_use]
    pub fn or(self, key: Option<&StoreKey>) -> Self {
        Self { other: key.map(|key| Box::new(Self::new(key).own)), ..self }
    }

    /// With the key of the store of `settings`; while it is getting another one, with that one, too. None where there is no key.
    ///
    /// # Errors
    /// As [`StoreKey::of`] and [`StoreKey::next`].
    pub fn all(settings: &StoreSettings) -> Result<Vec<Self>, KeyError> {
        let Some(key) = StoreKey::of(settings)? else { return Ok(Vec::new()) };
        let next = key.next(&settings.key_file)?;
        let first = Self::new(&key).or(next.as_ref());
        Ok(std::iter::once(first).chain(next.map(|next| Self::new(&next).or(Some(&key)))).collect())
    }

    /// Authenticates a snapshot file.
    pub fn snapshot_authenticator(&self) -> Authenticator {
        authenticator(&self.snapshot)
    }
}

/// Signs what the office wants to prove later: only whoever has the store's key can make such a signature, or check it.
///
/// What was signed before the store was given another key is still known as its own.
pub struct Signer {
    key: Zeroizing<[u8; KEY_BYTES]>,
    former: Vec<Zeroizing<[u8; KEY_BYTES]>>,
}

impl Signer {
    /// With the key of the store of `settings`, for one purpose; `None` where there is no key.
    ///
    /// # Errors
    /// As [`StoreKey::of`].
    pub fn of(settings: &StoreSettings, purpose: &str) -> Result<Option<Self>, KeyError> {
        let Some(key) = StoreKey::of(settings)? else { return Ok(None) };
        let derived = |key: &StoreKey| derive(key, format!("greeter signature 1 {purpose}").as_bytes());
        let former = former::read(&settings.key_file, &key)?.iter().map(derived).collect();
        Ok(Some(Self { key: derived(&key), former }))
    }

    /// The signatures of these parts with the key and with each that the store had before.
    pub fn signatures(&self, parts: &[&[u8]]) -> impl Iterator<Item = String> {
        std::iter::once(&self.key).chain(&self.former).map(move |key| sign(key, parts))
    }

    /// Whether this is one of them.
    pub fn has_signed(&self, signature: &str, parts: &[&[u8]]) -> bool {
        self.signatures(parts).any(|ours| ours == signature)
    }

    /// The signature of these parts, one after the other, each with its length; in hexadecimal figures.
    pub fn sign(&self, parts: &[&[u8]]) -> String {
        sign(&self.key, parts)
    }
}

fn sign(key: &[u8; KEY_BYTES], parts: &[&[u8]]) -> String {
    let mut authenticator = authenticator(key);
    for part in parts {
        authenticator.update(&(part.len() as u64).to_be_bytes());
        authenticator.update(part);
    }
    hex::encode(authenticator.finalize().into_bytes())
}

fn associated(place: &[u8]) -> Vec<u8> {
    [PLACE, place].concat()
}

fn authenticator(key: &[u8; KEY_BYTES]) -> Authenticator {
    // HMAC pads a short key with zeros to a block; done here, it cannot fail.
    let mut block = Zeroizing::new([0; 64]);
    block[..KEY_BYTES].copy_from_slice(key);
    <Authenticator as KeyInit>::new(block.as_ref().into())
}

fn derive(key: &StoreKey, label: &[u8]) -> Zeroizing<[u8; KEY_BYTES]> {
    let mut authenticator = authenticator(key.bytes());
    authenticator.update(label);
    Zeroizing::new(authenticator.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        let folder = tempfile::tempdir().unwrap();
        Sealer::new(&StoreKey::create(&folder.path().join("key")).unwrap())
    }

    #[test]
    fn a_record_opens_only_with_its_own_key_and_in_its_own_place() {
        let (ours, other) = (sealer(), sealer());
        let sealed = ours.own.seal(b"p1", b"Chen Wei");
        assert_eq!(ours.own.open(b"p1", &sealed).unwrap().as_slice(), b"Chen Wei");
        assert_eq!(ours.own.open(b"p2", &sealed).unwrap_err(), NotOurs);
        assert_eq!(other.own.open(b"p1", &sealed).unwrap_err(), NotOurs);
        assert_eq!(ours.own.open(b"p1", &sealed[..10]).unwrap_err(), NotOurs);
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let ours = sealer();
        let sealed = ours.own.seal(b"p1", b"Chen Wei");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(ours.own.open(b"p1", &changed).unwrap_err(), NotOurs, "byte {at}");
        }
    }

    #[test]
    fn the_same_record_never_looks_the_same_twice() {
        let ours = sealer();
        assert_ne!(ours.own.seal(b"p1", b"Chen Wei"), ours.own.seal(b"p1", b"Chen Wei"));
    }
}
