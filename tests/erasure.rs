//! Who is erased is unreadable for whoever has the raw disk and all keys that are left: what sealed their card, templates and photos is on the
//! disk no more, in no file and in no free block, and nothing of them is there in the clear.
//!
//! Store, copy, photos and keys lie on an ext4 of their own, which is read byte for byte when it is unmounted.

#[path = "support/roster.rs"]
mod roster;
#[path = "support/traces.rs"]
mod traces;

use std::{collections::BTreeSet, fs, os::unix::fs::FileExt, path::PathBuf, process::Command};

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use greeter::{
    person::RecordNumber,
    store::{Change, Store},
    sync::Outcome,
};
use hmac::{Hmac, Mac};
use roster::*;
use sha2::Sha256;
use traces::Traces;

/// Keys of so many people lie in more than one block.
const PEOPLE: usize = 40;
/// Theirs is in the first block of the keys' files, the other one's in another.
const LEAVING: [usize; 2] = [7, 37];
const SLOT: usize = 128;
/// Nonce, key and tag.
const SEALED: usize = 24 + 32 + 16;

fn derived(key: &[u8], label: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).unwrap();
    mac.update(label);
    mac.finalize().into_bytes().into()
}

/// A person's own key, where these bytes are their slot.
fn opened(store_key: &[u8], record: u64, slot: &[u8]) -> Option<Vec<u8>> {
    let cipher = XChaCha20Poly1305::new(&derived(store_key, b"greeter store sealing 1").into());
    let place = [b"greeter people 1\0greeter person key 1\0".as_slice(), &record.to_be_bytes()].concat();
    cipher.decrypt(XNonce::from_slice(&slot[..24]), Payload { msg: &slot[24..SEALED], aad: &place }).ok()
}

/// What somebody knows of a person before they leave, to look for it afterwards.
struct Leaving {
    record: u64,
    /// In the clear.
    plain: Traces,
    /// What opens all that was sealed, as it lay on the disk and as it is.
    keys: Traces,
}

/// An office whose store and keys are on a disk of their own.
struct OnDisk {
    office: Office,
    disk: Disk,
    /// The store's.
    key: Vec<u8>,
}

impl OnDisk {
    /// With people, each with a photo of their own. `None`, with a printed line, where that is not possible.
    fn opens() -> Option<Self> {
        let disk = Disk::ext4(48, "the search of a raw disk")?;
        let mut office = Office::new();
        office.data = disk.path.join("data");
        office.writes_roster_of(1..=PEOPLE);
        assert_eq!(office.syncs().unwrap().count(Outcome::Added), PEOPLE);
        let key = fs::read(office.settings().key_file).unwrap();
        Some(Self { office, disk, key })
    }

    fn people_keys(&self) -> [PathBuf; 2] {
        ["store.key.people", "store.key.people.copy"].map(|name| self.office.data.join(name))
    }

    /// Whoever will leave, while they are still here.
    fn leaving(&self) -> [Leaving; 2] {
        let store = self.office.store();
        let templates = store.templates(MODEL).unwrap();
        LEAVING.map(|n| {
            let person =
                store.enrolled().unwrap().into_iter().find(|it| it.person.id_number.reveal() == id(n)).unwrap();
            let record = person.record;
            let mut plain = Traces::default();
            plain.text("name", person.person.name.reveal());
            plain.text("identity number", &id(n));
            plain.text("phone", person.person.phone.reveal().strip_prefix("+86").unwrap());
            plain.runs("photo", &fs::read(self.office.photo_path(&format!("{n}.jpg"))).unwrap());
            let (_, template) = templates.iter().find(|(of, _)| *of == record).unwrap();
            plain.bytes("template", &template.0.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>());
            let mut slot = [0; SEALED];
            let file = fs::File::open(&self.people_keys()[0]).unwrap();
            file.read_exact_at(&mut slot, record.0 * SLOT as u64).unwrap();
            let mut keys = Traces::default();
            keys.bytes("sealed key", &slot);
            keys.bytes("sealed key's tag", &slot[SEALED - 16..]);
            keys.bytes("key", &opened(&self.key, record.0, &slot).expect("their slot opens"));
            Leaving { record: record.0, plain, keys }
        })
    }

    /// The bytes of the disk. What runs on it must have ended.
    fn raw(&self) -> Vec<u8> {
        self.disk.unmount();
        self.disk.raw()
    }

    /// Where in `raw` a person's key can be had with the store's key, and what of theirs is in the clear.
    fn read_of(&self, person: &Leaving, raw: &[u8]) -> BTreeSet<String> {
        let mut found = person.plain.found_in(raw);
        found.extend(person.keys.found_in(raw));
        // Also sealed anew: whatever opens as their slot, at any place where a slot can be.
        let slots = raw.chunks_exact(SLOT).filter(|slot| slot[..24] != [0; 24]);
        found.extend(
            slots.filter_map(|slot| opened(&self.key, person.record, slot)).map(|_| "slot that opens".to_owned()),
        );
        found
    }

    /// Nothing of them is left, and the others are whole.
    #[track_caller]
    fn has_nothing_of(&self, leaving: &[Leaving]) {
        let raw = self.raw();
        for person in leaving {
            let found = self.read_of(person, &raw);
            assert!(found.is_empty(), "of record #{}: {found:?}", person.record);
        }
        assert!(self.disk.mount());
        self.office.has_whole((1..=PEOPLE).filter(|n| !LEAVING.contains(n)));
        assert_eq!(self.office.people().len(), PEOPLE - LEAVING.len());
    }

    /// As staff erase somebody.
    fn erases(&self, person: &Leaving) {
        let config = self.office.root.join("greeter.toml");
        let settings = self.office.settings();
        let text = format!("[store]\nfolder = {:?}\nkey_file = {:?}\n", settings.folder, settings.key_file);
        fs::write(&config, text).unwrap();
        let mut greeter = Command::new(env!("CARGO_BIN_EXE_greeter"));
        let erased = greeter.arg("--config").arg(config).args(["people", "erase", &person.record.to_string(), "--yes"]);
        let told = erased.output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    }

    /// The store's log ends in the middle, and it is rebuilt from its copy.
    fn is_damaged_and_rebuilt(&self) {
        let db = self.office.data.join("store/db");
        let used = fs::read(&db).unwrap().iter().rposition(|byte| *byte != 0).unwrap();
        fs::OpenOptions::new().write(true).open(&db).unwrap().set_len(used as u64 / 2).unwrap();
        let rebuilt = self.office.opens().unwrap().rebuilt.expect("it was damaged");
        assert!(rebuilt.damaged.expect("it was there").is_dir());
    }
}

#[test]
fn nothing_of_whoever_was_erased_can_be_read_from_the_raw_disk_with_the_keys() {
    let Some(on_disk) = OnDisk::opens() else { return };
    let leaving = on_disk.leaving();
    for person in &leaving {
        on_disk.erases(person);
    }
    on_disk.has_nothing_of(&leaving);
}

#[test]
fn nothing_of_whoever_left_the_roster_can_be_read_after_a_mirror() {
    let Some(on_disk) = OnDisk::opens() else { return };
    let leaving = on_disk.leaving();
    on_disk.office.writes_roster_of((1..=PEOPLE).filter(|n| !LEAVING.contains(n)));
    let report = on_disk.office.syncs_with(Flags { mirror: true, ..Flags::default() }).unwrap();
    assert_eq!(report.count(Outcome::Removed), LEAVING.len());
    on_disk.has_nothing_of(&leaving);
}

#[test]
fn nothing_of_whoever_was_erased_before_or_after_a_rebuild_can_be_read() {
    let Some(on_disk) = OnDisk::opens() else { return };
    let leaving = on_disk.leaving();
    on_disk.erases(&leaving[0]);
    on_disk.is_damaged_and_rebuilt();
    on_disk.erases(&leaving[1]);
    on_disk.has_nothing_of(&leaving);
}

#[test]
fn nothing_of_whoever_is_erased_while_a_sync_has_the_store_can_be_read_although_their_rows_stay() {
    let Some(on_disk) = OnDisk::opens() else { return };
    let leaving = on_disk.leaving();
    let in_use: Store = on_disk.office.store();
    for person in &leaving {
        on_disk.erases(person);
    }
    drop(in_use);
    on_disk.has_nothing_of(&leaving);
}

#[test]
fn an_erasure_that_was_told_is_on_the_disk_when_the_power_fails() {
    let Some(on_disk) = OnDisk::opens() else { return };
    let leaving = on_disk.leaving();
    for person in &leaving {
        on_disk.erases(person);
    }
    cut_power(&on_disk.disk.path);
    on_disk.has_nothing_of(&leaving);
}

#[test]
fn before_they_leave_and_after_an_erasure_into_a_new_file_they_are_found() {
    let Some(on_disk) = OnDisk::opens() else { return };
    let leaving = on_disk.leaving();
    let raw = on_disk.raw();
    for person in &leaving {
        let found = on_disk.read_of(person, &raw);
        assert_eq!(found, ["sealed key", "sealed key's tag", "slot that opens"].map(str::to_owned).into());
    }
    assert!(on_disk.disk.mount());
    for path in on_disk.people_keys() {
        let mut bytes = fs::read(&path).unwrap();
        for person in &leaving {
            bytes[person.record as usize * SLOT..][..SLOT].fill(0xFF);
        }
        let new = path.with_extension("new");
        fs::write(&new, bytes).unwrap();
        fs::rename(new, path).unwrap();
    }
    on_disk.office.store().commit(vec![Change::Remove(RecordNumber(1))]).unwrap();
    // Somebody's note, removed again.
    let note = on_disk.office.data.join("note");
    fs::write(&note, format!("call back: {}", id(LEAVING[1]))).unwrap();
    fs::File::open(&note).unwrap().sync_all().unwrap();
    fs::remove_file(note).unwrap();
    let raw = on_disk.raw();
    for person in &leaving {
        assert!(on_disk.read_of(person, &raw).contains("slot that opens"));
    }
    assert!(on_disk.read_of(&leaving[1], &raw).contains("identity number in UTF-8"));
}
