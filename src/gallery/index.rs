//! Who is in the gallery, changes while it serves, and searches.

use std::{collections::HashSet, ops::Range};

use super::{
    BestTwo, Candidate,
    rows::{QuantisedProbe, Rows},
    shortlist::{Shortlist, shortlists},
};
use crate::{face::Template, person::RecordNumber};

/// Everybody enrolled, ready to be searched.
///
/// A search goes over 8-bit rows first, which rule out nearly everybody, and then over the 16-bit rows of the few that are left: it finds
/// what a search over all 16-bit rows would find.
///
/// The program keeps one row a person, the mean of their templates ([`Entry::mean`]). Measured on visits of three views with three
/// photos enrolled, at the score that lets 0.1 % of the strangers through 500 people: the mean of a person's templates missed 1.6 % of
/// the visits where the best of them missed 5.5 %.
#[derive(Debug, Default)]
pub struct Gallery {
    rows: Rows,
    people: usize,
    templates: usize,
    /// No record in it is above this.
    newest: Option<RecordNumber>,
    /// Who is expected today, in the gallery or not.
    expected: HashSet<RecordNumber>,
}

/// What the gallery has of one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    person: RecordNumber,
    rows: Vec<Template>,
    templates: u16,
}

impl Entry {
    /// All templates of a person as one row, their mean. Without templates the person is in no gallery.
    pub fn mean(person: RecordNumber, templates: &[Template]) -> Self {
        let mean = Template::mean(templates.iter().map(|template| (template, 1.0)));
        let count = u16::try_from(templates.len()).unwrap_or(u16::MAX);
        Self { person, rows: mean.into_iter().collect(), templates: count }
    }

    /// A row each for a person's templates; the best of them counts.
    pub fn each(person: RecordNumber, templates: Vec<Template>) -> Self {
        Self { person, rows: templates, templates: 1 }
    }

    /// The person leaves the gallery.
    pub fn gone(person: RecordNumber) -> Self {
        Self { person, rows: Vec::new(), templates: 0 }
    }
}

impl Gallery {
    /// Takes everybody's templates, in any order, one row a person. Templates whose length differs from that of the
    /// first person's are left out: they are another network's.
    pub fn new(mut templates: Vec<(RecordNumber, Template)>) -> Self {
        templates.sort_by_key(|(person, _)| *person);
        let dims = templates.first().map_or(0, |(_, template)| template.0.len());
        templates.retain(|(_, template)| template.0.len() == dims);
        let mut gallery = Self::default();
        let mut rest = templates.into_iter().peekable();
        while let Some((person, first)) = rest.next() {
            let mut own = vec![first];
            while let Some((_, next)) = rest.next_if(|(next, _)| *next == person) {
                own.push(next);
            }
            gallery.update(vec![Entry::mean(person, &own)]);
        }
        gallery
    }

    /// How many people are enrolled: what the threshold depends on.
    pub fn people(&self) -> usize {
        self.people
    }

    /// How many templates they have.
    pub fn templates(&self) -> usize {
        self.templates
    }

    /// How many rows there are to search.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Bytes of memory that all of it takes.
    pub fn bytes(&self) -> usize {
        self.rows.bytes()
    }

    /// The 8-bit rows, for measuring what reading them costs.
    pub fn small_rows(&self) -> &[i8] {
        &self.rows.values
    }

    /// Puts the people of `entries` in the place of what the gallery had of them: one entry a person.
    ///
    /// Rows of another length than those that are in the gallery are left out: they are another network's.
    pub fn update(&mut self, entries: Vec<Entry>) {
        self.take_out(&entries);
        if self.rows.len() == 0 {
            self.rows.dims = entries.iter().flat_map(|entry| &entry.rows).map(|row| row.0.len()).next().unwrap_or(0);
        }
        let dims = self.rows.dims;
        let mut kept: Vec<(RecordNumber, u16, Template)> = Vec::new();
        for entry in entries {
            let before = kept.len();
            kept.extend(
                entry
                    .rows
                    .into_iter()
                    .filter(|row| row.0.len() == dims && dims > 0)
                    .map(|row| (entry.person, entry.templates, row)),
            );
            if kept.len() > before {
                self.people += 1;
                self.newest = self.newest.max(Some(entry.person));
            }
        }
        self.rows.reserve(kept.len());
        for (person, templates, row) in kept {
            self.rows.push(person, &row.0, templates);
            self.templates += usize::from(templates);
        }
        self.rows.shrink();
    }

    fn take_out(&mut self, entries: &[Entry]) {
        // Whoever is newer than all is not there yet.
        let known = entries.iter().map(|entry| entry.person).filter(|person| Some(*person) <= self.newest);
        let known: HashSet<RecordNumber> = known.collect();
        if known.is_empty() {
            return;
        }
        let out = self.rows.take_out(&known);
        let owners: HashSet<RecordNumber> = out.iter().map(|(owner, _)| *owner).collect();
        self.people -= owners.len();
        self.templates -= out.iter().map(|(_, templates)| usize::from(*templates)).sum::<usize>();
    }

    /// Takes whether somebody is expected today.
    pub fn expect(&mut self, person: RecordNumber, today: bool) {
        if today {
            self.expected.insert(person);
        } else {
            self.expected.remove(&person);
        }
    }

    /// Whether somebody is expected today.
    pub fn expects(&self, person: RecordNumber) -> bool {
        self.expected.contains(&person)
    }

    /// How many people are expected today.
    pub fn expected(&self) -> usize {
        self.expected.len()
    }

    /// Compares a probe with everybody.
    pub fn search(&self, probe: &Template) -> BestTwo {
        self.search_many(std::slice::from_ref(probe)).pop().unwrap_or_default()
    }

    /// The comparison score of a probe with one person's best row; `None` for who is not in the gallery.
    pub fn score_of(&self, person: RecordNumber, probe: &Template) -> Option<f32> {
        let rows = (0..self.rows.len()).filter(|at| self.rows.owners[*at] == person && probe.0.len() == self.rows.dims);
        rows.map(|at| self.rows.score(at, &probe.0)).max_by(f32::total_cmp)
    }

    /// Compares several probes with everybody in one pass.
    pub fn search_many(&self, probes: &[Template]) -> Vec<BestTwo> {
        self.settle(probes, [self.shortlist(0..self.rows(), probes)])
    }

    /// The first half of a search, over `range` of the rows: several threads can share the rows out between them.
    pub fn shortlist(&self, range: Range<usize>, probes: &[Template]) -> Vec<Shortlist> {
        let quantised: Vec<QuantisedProbe> = probes.iter().map(|probe| self.quantised(probe)).collect();
        shortlists(&self.rows, range, &quantised)
    }

    /// The second half: what was found in all parts of the rows becomes the best two of each probe.
    pub fn settle(&self, probes: &[Template], parts: impl IntoIterator<Item = Vec<Shortlist>>) -> Vec<BestTwo> {
        let mut lists = vec![Shortlist::default(); probes.len()];
        for part in parts {
            lists.iter_mut().zip(part).for_each(|(list, part)| list.merge(part));
        }
        probes.iter().zip(lists).map(|(probe, list)| self.decide(probe, list)).collect()
    }

    /// Another network's probe is like nobody.
    fn quantised(&self, probe: &Template) -> QuantisedProbe {
        if probe.0.len() == self.rows.dims {
            QuantisedProbe::new(&probe.0)
        } else {
            QuantisedProbe::new(&vec![f32::NAN; self.rows.dims])
        }
    }

    /// The 16-bit rows' scores, the most promising first, until nobody else can be one of the best two.
    fn decide(&self, probe: &Template, mut list: Shortlist) -> BestTwo {
        list.finish();
        let mut best = BestTwo::default();
        for listed in &list.listed {
            if best.second.is_some_and(|second| listed.upper < second.score) {
                break;
            }
            let score = self.rows.score(listed.row as usize, &probe.0);
            best.offer(Candidate { person: listed.owner, score });
        }
        best
    }
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
