//! The roster's column names: English or Chinese, in any order, and the nearest one to a name that is none.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    IdNumber,
    Name,
    Pronunciation,
    Phone,
    Photos,
    Language,
    Salutation,
    Category,
    Services,
    Appointment,
    Expected,
    Basis,
    BasisDate,
    GuardianConsent,
    Source,
    ValidUntil,
}

/// Each column with the names it goes by; the first is ours.
const NAMES: [(Column, &[&str]); 16] = [
    (
        Column::IdNumber,
        &["id_number", "身份证号", "身份证号码", "身份证", "证件号码", "证件号", "身份證號", "身份證號碼", "id"],
    ),
    (Column::Name, &["name", "姓名", "名字"]),
    (
        Column::Phone,
        &["phone", "手机号", "手机号码", "手机", "电话", "电话号码", "手機號", "手機號碼", "電話", "mobile"],
    ),
    (Column::Pronunciation, &["pronunciation", "读音", "拼音", "讀音", "pinyin"]),
    (Column::Photos, &["photos", "照片", "相片", "photo"]),
    (Column::Language, &["language", "语言", "語言"]),
    (Column::Salutation, &["salutation", "称呼", "稱呼", "title"]),
    (Column::Category, &["category", "类别", "類別"]),
    (Column::Services, &["services", "业务", "办理业务", "業務", "辦理業務", "service"]),
    (Column::Appointment, &["appointment", "预约", "预约时间", "預約", "預約時間"]),
    (Column::Expected, &["expected", "预计到访", "预计到访日期", "預計到訪", "預計到訪日期"]),
    (Column::Basis, &["basis", "处理依据", "依据", "處理依據", "依據", "legal_basis"]),
    (Column::BasisDate, &["basis_date", "依据日期", "同意日期", "依據日期"]),
    (Column::GuardianConsent, &["guardian_consent", "监护人同意日期", "监护人同意", "監護人同意日期"]),
    (Column::Source, &["source", "来源", "登记来源", "來源"]),
    (Column::ValidUntil, &["valid_until", "有效期至", "有效期", "截止日期"]),
];

const REQUIRED: [Column; 4] = [Column::IdNumber, Column::Name, Column::Phone, Column::Photos];

/// How alike two names must be for one to be offered for the other.
const ALIKE: f64 = 0.7;

/// Which column of the file holds what.
#[derive(Debug)]
pub struct Header {
    columns: Vec<Option<Column>>,
    /// Columns that are not read, each with the nearest known name, for the operator.
    pub notes: Vec<String>,
}

impl Header {
    /// Reads the first row.
    ///
    /// # Errors
    /// Says which required columns are absent and what was probably meant.
    pub fn read(names: &[&str]) -> Result<Self, String> {
        let columns: Vec<_> = names.iter().map(|name| known(name)).collect();
        let unknown: Vec<_> = names
            .iter()
            .zip(&columns)
            .filter(|(name, column)| column.is_none() && !name.trim().is_empty())
            .map(|(name, _)| name.trim())
            .collect();
        let missing: Vec<_> = REQUIRED.iter().filter(|column| !columns.contains(&Some(**column))).collect();
        if !missing.is_empty() {
            let each = missing.iter().map(|column| {
                let meant = unknown.iter().find(|name| nearest(name).is_some_and(|(near, _)| near == **column));
                let hint = meant.map(|name| format!(" (is it `{name}`?)")).unwrap_or_default();
                format!("there is no column {}{hint}", ours(**column))
            });
            return Err(each.collect::<Vec<_>>().join("; "));
        }
        for (at, column) in columns.iter().enumerate() {
            if let Some(column) = column.filter(|column| columns[..at].contains(&Some(*column))) {
                return Err(format!("there are two columns {}", ours(column)));
            }
        }
        let notes = unknown.iter().map(|name| match nearest(name) {
            Some((_, near)) => format!("column `{name}` is not read; did you mean `{near}`?"),
            None => format!("column `{name}` is not read"),
        });
        Ok(Self { notes: notes.collect(), columns })
    }

    /// The trimmed value of `column` in a row; empty where the row has none.
    pub fn value<'a>(&self, row: &'a csv::StringRecord, column: Column) -> &'a str {
        let at = self.columns.iter().position(|found| *found == Some(column));
        at.and_then(|at| row.get(at)).unwrap_or("").trim()
    }
}

/// How many of `names` are known columns; tells the right delimiter from the wrong ones.
pub fn count_known<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.filter(|name| known(name).is_some()).count()
}

fn tidy(name: &str) -> String {
    name.trim().trim_matches('"').trim().to_lowercase().replace([' ', '-'], "_")
}

fn known(name: &str) -> Option<Column> {
    let name = tidy(name);
    NAMES.iter().find(|(_, names)| names.contains(&name.as_str())).map(|(column, _)| *column)
}

fn ours(column: Column) -> &'static str {
    NAMES.iter().find(|(other, _)| *other == column).map_or("", |(_, names)| names[0])
}

fn nearest(name: &str) -> Option<(Column, &'static str)> {
    let name = tidy(name);
    let all = NAMES.iter().flat_map(|(column, names)| names.iter().map(|known| (*column, *known)));
    let scored = all.map(|(column, known)| (strsim::normalized_damerau_levenshtein(known, &name), column, known));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, ..)| *score >= ALIKE).map(|(_, column, known)| (column, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_english_names_are_known_in_any_case_and_order() {
        let header = Header::read(&["姓名", " ID Number ", "照片", "PHONE", "办理业务"]).unwrap();
        let row = csv::StringRecord::from(vec!["陈伟", " 1 ", "a.jpg", "138"]);
        assert_eq!(header.value(&row, Column::IdNumber), "1");
        assert_eq!(header.value(&row, Column::Services), "", "a short row has empty values");
        assert!(header.notes.is_empty());
    }

    #[test]
    fn a_misspelt_required_column_is_named_with_what_was_meant() {
        let error = Header::read(&["id_numbr", "name", "phone", "picture"]).unwrap_err();
        assert_eq!(error, "there is no column id_number (is it `id_numbr`?); there is no column photos");
    }

    #[test]
    fn a_column_that_is_not_read_is_said() {
        let header = Header::read(&["id_number", "name", "phone", "photos", "langauge", "remarks", ""]).unwrap();
        assert_eq!(
            header.notes,
            ["column `langauge` is not read; did you mean `language`?", "column `remarks` is not read"]
        );
    }

    #[test]
    fn the_same_column_twice_is_refused() {
        let error = Header::read(&["id_number", "name", "姓名", "phone", "photos"]).unwrap_err();
        assert_eq!(error, "there are two columns name");
    }
}
