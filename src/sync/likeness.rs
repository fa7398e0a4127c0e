//! Whether the photos of one row show one person: a wrong one would spoil the person's template, and its owner would be greeted by
//! another one's name. Pure.

use crate::face::Template;

/// What the photos of a row are to each other, by their places in it.
#[derive(Debug, Clone, PartialEq)]
pub enum Likeness {
    /// All may be one person's.
    Alike,
    /// Most are one person's; these are not, each with its highest score to any of the others.
    Odd(Vec<(usize, f32)>),
    /// There is no majority: these groups are alike within and not between each other. Nobody here knows which is right.
    Undecided {
        /// The largest first.
        groups: Vec<Vec<usize>>,
        /// The highest score between two groups.
        highest: f32,
    },
}

/// Compares a row's photos. Two are alike from `min_score` on; photos that are connected by such pairs make a group.
pub fn judge(templates: &[&Template], min_score: f32) -> Likeness {
    let mut group: Vec<usize> = (0..templates.len()).collect();
    let directions: Vec<Template> = templates.iter().map(|template| template.direction()).collect();
    let between = |a: usize, b: usize| directions[a].score(&directions[b]);
    for b in 0..templates.len() {
        for a in 0..b {
            if between(a, b) >= min_score {
                let (from, to) = (group[b], group[a]);
                group.iter_mut().filter(|of| **of == from).for_each(|of| *of = to);
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (at, of) in group.iter().enumerate() {
        match groups.iter_mut().find(|members| group[members[0]] == *of) {
            Some(members) => members.push(at),
            None => groups.push(vec![at]),
        }
    }
    groups.sort_by_key(|members| std::cmp::Reverse(members.len()));
    let highest = |at: usize| {
        let others = (0..templates.len()).filter(|other| group[*other] != group[at]);
        others.map(|other| between(at, other)).fold(-1.0, f32::max)
    };
    match groups.as_slice() {
        [] | [_] => Likeness::Alike,
        [first, second, ..] if first.len() > second.len() => {
            let mut odd: Vec<usize> = groups[1..].concat();
            odd.sort_unstable();
            Likeness::Odd(odd.into_iter().map(|at| (at, highest(at))).collect())
        }
        _ => {
            let highest = (0..templates.len()).map(highest).fold(-1.0, f32::max);
            Likeness::Undecided { groups, highest }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Photos of people who stand at these angles: 60 degrees apart score 0.5.
    fn row(degrees: &[f32]) -> Likeness {
        let templates: Vec<Template> =
            degrees.iter().map(|angle| Template(vec![angle.to_radians().cos(), angle.to_radians().sin()])).collect();
        judge(&templates.iter().collect::<Vec<_>>(), 0.5)
    }

    #[test]
    fn photos_of_one_person_are_alike_also_if_the_first_and_the_last_are_not() {
        assert_eq!(row(&[]), Likeness::Alike);
        assert_eq!(row(&[0.0]), Likeness::Alike);
        assert_eq!(row(&[0.0, 40.0, 20.0]), Likeness::Alike);
        assert_eq!(row(&[0.0, 50.0, 100.0]), Likeness::Alike);
    }

    #[test]
    fn of_three_photos_the_one_of_somebody_else_is_named() {
        let Likeness::Odd(odd) = row(&[0.0, 90.0, 20.0]) else { panic!() };
        let [(1, score)] = odd[..] else { panic!("{odd:?}") };
        assert!((score - 70f32.to_radians().cos()).abs() < 1e-5);
        let Likeness::Odd(two) = row(&[0.0, 20.0, 180.0, 95.0]) else { panic!() };
        assert_eq!(two.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn without_a_majority_nobody_can_tell_which_photo_is_right() {
        assert!(matches!(row(&[0.0, 90.0]), Likeness::Undecided { groups, .. } if groups == [[0], [1]]));
        assert!(matches!(row(&[0.0, 120.0, 240.0]), Likeness::Undecided { groups, .. } if groups.len() == 3));
        let two_and_two = row(&[0.0, 120.0, 10.0, 130.0]);
        assert!(matches!(two_and_two, Likeness::Undecided { groups, .. } if groups == [[0, 2], [1, 3]]));
    }
}
