//! Everything that is kept of one person, for them to take away: a page to read, the same as JSON, and their photos.
//!
//! It is in the clear: that is what it is for. The folder is its owner's only.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    person::RecordNumber,
    store::{Store, StoreError},
};

/// What is kept beside the store.
#[derive(Debug, Default)]
pub struct Beside {
    /// Whether they are on hold.
    pub on_hold: bool,
    /// The events that have their record number.
    pub events: Vec<Value>,
}

/// Why nothing was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The folder is there already.
    #[error("{} exists. Name a folder that does not, so that nothing is overwritten", .0.display())]
    Exists(PathBuf),
    /// A file could not be written.
    #[error("{}: {cause}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes everything into `folder`, which is made; gives the number of photos.
///
/// # Errors
/// [`ExportError`].
pub fn export(store: &Store, record: RecordNumber, beside: &Beside, folder: &Path) -> Result<usize, ExportError> {
    let enrolled = store.person(record)?.ok_or(StoreError::UnknownRecord(record))?;
    let photo = |number| match store.photo(record, number) {
        Err(StoreError::PhotoNotKept(_)) => Ok(None),
        read => read.map(Some),
    };
    let photos = enrolled.photos.iter().map(|kept| photo(kept.number)).collect::<Result<Vec<_>, _>>()?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |cause| ExportError::Write { path, cause }
    };
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(ExportError::Exists(folder.into())),
        made => made.map_err(failed(folder))?,
    }
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        opened.and_then(|mut file| file.write_all(bytes)).map_err(failed(&path))
    };
    let mut kept = Vec::new();
    for (at, (photo, bytes)) in enrolled.photos.iter().zip(&photos).enumerate() {
        let ending = |bytes: &Zeroizing<Vec<u8>>| if bytes.starts_with(b"\x89PNG") { "png" } else { "jpg" };
        let name = bytes.as_ref().map(|bytes| format!("photo-{}.{}", at + 1, ending(bytes)));
        if let (Some(name), Some(bytes)) = (&name, bytes) {
            write(name, bytes)?;
        }
        let mut templates = serde_json::Map::new();
        for model in &photo.models {
            let made = store.templates_of(record, model)?;
            templates.insert(model.clone(), json!(made.get(&photo.digest).map(|template| &template.0)));
        }
        kept.push(
            json!({ "file": name, "sha256": photo.digest, "templates": templates, "refused_by": photo.refused_by }),
        );
    }
    let all = json!({
        "record": record,
        "person": enrolled.person,
        "on_hold": beside.on_hold,
        "photos": kept,
        "refused_photos": enrolled.refused,
        "events": beside.events,
    });
    write("person.json", format!("{all:#}\n").as_bytes())?;
    write("person.html", page(&all).as_bytes())?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed(folder))?;
    Ok(photos.iter().flatten().count())
}

/// What the rows of the page are called, in the order in which they stand.
const ROWS: [(&str, &str); 14] = [
    ("record", "编号 · Record"),
    ("name", "姓名 · Name"),
    ("pronunciation", "读音 · Pronunciation"),
    ("id_number", "身份证号 · Identity number"),
    ("phone", "手机号 · Phone"),
    ("language", "语言 · Language"),
    ("salutation", "称呼 · Salutation"),
    ("category", "类别 · Category"),
    ("services", "业务 · Services"),
    ("appointment", "预约 · Appointment"),
    ("expected", "预计到访 · Expected"),
    ("basis", "处理依据 · Legal basis"),
    ("valid_until", "有效期至 · Kept until"),
    ("on_hold", "不报姓名 · Never named"),
];

fn page(all: &Value) -> String {
    let value = |key: &str| match all["person"].get(key).or(all.get(key)) {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Object(parts)) => parts.values().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; "),
        Some(other) => other.to_string(),
    };
    let row = |(key, called): (&str, &str)| format!("<tr><th>{called}<td>{}\n", escaped(&value(key)));
    let photo = |photo: &Value| {
        let models: Vec<String> = photo["templates"].as_object().into_iter().flatten().map(|it| it.0.clone()).collect();
        let file = escaped(photo["file"].as_str().unwrap_or_default());
        let shown = if file.is_empty() {
            "(不保留 · not kept)".into()
        } else {
            format!("<img src=\"{file}\" width=\"320\">")
        };
        format!("<p>{shown}<br>{}\n", escaped(&models.join(", ")))
    };
    let events = all["events"].as_array().map_or(0, Vec::len);
    [
        "<!doctype html><html lang=\"zh-CN\"><meta charset=\"utf-8\"><title>个人信息 · What is kept of you</title>\n"
            .to_owned(),
        "<h1>个人信息 · What is kept of you</h1>\n<table>\n".to_owned(),
        ROWS.into_iter().map(row).collect(),
        "</table>\n<h2>照片和特征 · Photos, and the networks that made templates of them</h2>\n".to_owned(),
        all["photos"].as_array().into_iter().flatten().map(photo).collect(),
        format!("<p>到访记录 · Events with your record number: {events} (person.json)\n"),
    ]
    .concat()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{
        config::StoreSettings,
        face::Template,
        person::{Basis, Ground, IdNumber, Person, PersonName, PhoneNumber},
        store::{Change, EnrolledPhoto, Enrolment},
    };

    #[test]
    fn a_person_gets_everything_that_is_kept_of_them_to_read_and_only_they() {
        let folder = tempfile::tempdir().unwrap();
        let settings = StoreSettings {
            folder: folder.path().join("store"),
            key_file: folder.path().join("store.key"),
            ..StoreSettings::default()
        };
        let mut store = Store::open(&settings).unwrap().store;
        let record = store.new_record();
        let person = Person {
            id_number: IdNumber::new("11010519491231002X"),
            name: PersonName::new("陈 <伟>"),
            pronunciation: None,
            phone: PhoneNumber::new("+8613800138000"),
            language: None,
            salutation: None,
            category: None,
            services: vec!["vat".into(), "invoice".into()],
            appointment: None,
            expected: None,
            basis: Some(Basis {
                ground: Ground::ConsentToRecognition,
                since: jiff::civil::date(2026, 11, 2),
                guardian: None,
                source: "desk 4".into(),
            }),
            valid_until: Some(jiff::civil::date(2027, 11, 2)),
        };
        let photo = EnrolledPhoto::Embedded {
            bytes: b"a photo".to_vec(),
            model: "net".into(),
            template: Template(vec![0.6, 0.8]),
        };
        let enrolment = Enrolment { record, person, photos: vec![photo], refused: Vec::new() };
        store.commit(vec![Change::Put(Box::new(enrolment))]).unwrap();

        let to = folder.path().join("for them");
        let beside = Beside { on_hold: true, events: vec![json!({ "event": "identified", "person": record })] };
        assert_eq!(export(&store, record, &beside, &to).unwrap(), 1);
        assert_eq!(fs::read(to.join("photo-1.jpg")).unwrap(), b"a photo");
        let all: Value = serde_json::from_slice(&fs::read(to.join("person.json")).unwrap()).unwrap();
        assert_eq!(all["person"]["id_number"], "11010519491231002X");
        assert_eq!((&all["on_hold"], all["events"].as_array().unwrap().len()), (&json!(true), 1));
        assert_eq!(all["photos"][0]["templates"]["net"][1].as_f64().unwrap() as f32, 0.8);
        let page = fs::read_to_string(to.join("person.html")).unwrap();
        for shown in [
            "consent-to-recognition, 2026-11-02, desk 4",
            "2027-11-02",
            "陈 &lt;伟>",
            "+8613800138000",
            "vat; invoice",
            "photo-1.jpg",
            "net",
        ] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        for name in ["", "person.json", "person.html", "photo-1.jpg"] {
            let mode = fs::metadata(to.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name}");
        }
        assert!(matches!(export(&store, record, &beside, &to), Err(ExportError::Exists(_))));
        let unknown = export(&store, RecordNumber(9), &beside, &folder.path().join("another"));
        assert!(matches!(unknown, Err(ExportError::Store(StoreError::UnknownRecord(_)))));
        assert!(!folder.path().join("another").exists());
    }
}
