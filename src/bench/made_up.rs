//! Made-up taxpayers and templates, in an order that a seed repeats: a gallery of any size for benchmarks.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::{
    config::StoreSettings,
    face::Template,
    person::{IdNumber, Language, Person, PersonName, PhoneNumber, RecordNumber, Salutation},
    store::{Change, EnrolledPhoto, Enrolment, Store, StoreError},
};

/// People put into the store at once: enough that waiting for the disk does not count.
const BATCH: usize = 2_000;
const SURNAMES: [&str; 12] = ["王", "李", "张", "刘", "陈", "杨", "黄", "赵", "吴", "周", "欧阳", "司马"];
const GIVEN: [&str; 16] =
    ["伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明"];

/// What a store is filled with.
#[derive(Debug, Clone)]
pub struct Made {
    /// How many people.
    pub people: usize,
    /// Bytes of each one's photo; they are random, and no picture.
    pub photo_bytes: usize,
    /// The recogniser whose templates they seem to be.
    pub model: String,
    /// Numbers in a template.
    pub dims: usize,
}

/// Somebody with every field that greeting and routing may ask for.
pub fn person(record: RecordNumber, generator: &mut ChaCha8Rng) -> Person {
    let given: String = (0..generator.random_range(1..3)).map(|_| pick(&GIVEN, generator)).collect();
    let number = record.0;
    let appointment = generator.random_bool(0.3).then(|| {
        let hour = generator.random_range(9..17);
        jiff::civil::date(2026, 11, 25).at(hour, 15 * generator.random_range(0..4), 0, 0)
    });
    Person {
        language: generator.random_bool(0.5).then(|| Language::from("zh-CN")),
        salutation: Some(if generator.random_bool(0.5) { Salutation::Mr } else { Salutation::Ms }),
        category: generator.random_bool(0.1).then(|| "elderly".to_owned()),
        services: vec![pick(&["vat", "income-tax", "invoice"], generator).to_owned()],
        appointment,
        ..Person::new(
            IdNumber::new(format!("1101051949{number:08}")),
            PersonName::new(format!("{}{given}", pick(&SURNAMES, generator))),
            PhoneNumber::new(format!("+86138{number:08}")),
        )
    }
}

/// A random direction.
pub fn template(dims: usize, generator: &mut ChaCha8Rng) -> Template {
    loop {
        let values = (0..dims).map(|_| generator.random::<f32>() - 0.5).collect();
        if let Some(template) = Template::from_output(values) {
            return template;
        }
    }
}

/// Puts people into the store of `settings`, which is made if it does not exist, and renews its copy, as a sync does; tells `progress` how many are in it.
///
/// # Errors
/// As the store says.
pub fn fill(
    settings: &StoreSettings,
    made: &Made,
    generator: &mut ChaCha8Rng,
    progress: &dyn Fn(usize),
) -> Result<(), StoreError> {
    let mut store = Store::open(settings)?.store;
    let mut done = 0;
    while done < made.people {
        let batch = BATCH.min(made.people - done);
        let changes = (0..batch).map(|_| {
            let mut bytes = vec![0; made.photo_bytes];
            generator.fill(bytes.as_mut_slice());
            let template = template(made.dims, generator);
            let photo = EnrolledPhoto::Embedded { bytes, model: made.model.clone(), template };
            let record = store.new_record();
            let person = person(record, generator);
            Change::Put(Box::new(Enrolment { record, person, photos: vec![photo], refused: Vec::new() }))
        });
        let changes = changes.collect();
        store.commit(changes)?;
        done += batch;
        progress(done);
    }
    store.write_snapshot()
}

fn pick<'a>(words: &[&'a str], generator: &mut ChaCha8Rng) -> &'a str {
    words[generator.random_range(0..words.len())]
}
