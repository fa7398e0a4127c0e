//! Places in the camera's picture, in shares of it: where people are looked at, and where not. Pure.

use serde::{Deserialize, Serialize};

/// By so much a place may reach over the picture's edge: an operator rounds.
const ROUNDING: f64 = 0.002;

/// A place in the picture, such as `[0.1, 0.2, 0.5, 0.6]`: left edge, top edge, width and height, in shares of the picture's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "[f64; 4]")]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Area {
    /// The whole picture.
    pub const WHOLE: Self = Self { x: 0.0, y: 0.0, width: 1.0, height: 1.0 };

    /// Whether a point, in shares of the picture, lies in it. What lies beyond the picture's edge counts as on it: a face may be cut off.
    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        let (x, y) = (x.clamp(0.0, 1.0), y.clamp(0.0, 1.0));
        (self.x..=self.x + self.width).contains(&x) && (self.y..=self.y + self.height).contains(&y)
    }

    /// What two places share; `None` where they do not meet.
    pub fn common(&self, other: &Self) -> Option<Self> {
        let side = |a: f64, a_length: f64, b: f64, b_length: f64| {
            let (from, to) = (a.max(b), (a + a_length).min(b + b_length));
            (to > from).then_some((from, to - from))
        };
        let (x, width) = side(self.x, self.width, other.x, other.width)?;
        let (y, height) = side(self.y, self.height, other.y, other.height)?;
        Some(Self { x, y, width, height })
    }

    /// Whether another place lies wholly in it.
    pub fn covers(&self, other: &Self) -> bool {
        self.x <= other.x
            && self.y <= other.y
            && other.x + other.width <= self.x + self.width
            && other.y + other.height <= self.y + self.height
    }
}

impl TryFrom<Vec<f64>> for Area {
    type Error = String;

    fn try_from(numbers: Vec<f64>) -> Result<Self, String> {
        let wrong = |why: &str| {
            format!(
                "{numbers:?} {why}; write [x, y, width, height] in shares of the picture, such as [0.1, 0.0, 0.8, 1.0]"
            )
        };
        let [x, y, width, height] = numbers[..] else { return Err(wrong("is no place: that takes four numbers")) };
        if !numbers.iter().all(|number| (0.0..=1.0).contains(number)) {
            return Err(wrong("is no place in the picture: each number lies between 0 and 1"));
        }
        if width <= 0.0 || height <= 0.0 {
            return Err(wrong("has no width or no height"));
        }
        if x + width > 1.0 + ROUNDING || y + height > 1.0 + ROUNDING {
            return Err(wrong("reaches out of the picture"));
        }
        Ok(Self { x, y, width, height })
    }
}

impl From<Area> for [f64; 4] {
    fn from(area: Area) -> Self {
        [area.x, area.y, area.width, area.height]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn read(camera: &str) -> Result<Config, String> {
        Config::parse(&format!("[camera]\n{camera}\n"))
    }

    #[test]
    fn an_operator_says_where_people_are_looked_at_and_where_not_in_shares_of_the_picture() {
        let camera = read("zone = [0, 0.25, 1, 0.75]\nblank = [[0.675, 0.15, 0.275, 0.32]]").unwrap().camera;
        assert_eq!(camera.zone, Area { x: 0.0, y: 0.25, width: 1.0, height: 0.75 });
        assert_eq!(camera.blank, [Area { x: 0.675, y: 0.15, width: 0.275, height: 0.32 }]);
        assert_eq!(read("").unwrap().camera.zone, Area::WHOLE);
        assert!(read("zone = [0.667, 0, 0.334, 1]").is_ok(), "rounded thirds");
    }

    #[test]
    fn a_place_that_is_none_is_refused_with_line_key_and_the_right_form() {
        assert_eq!(
            read("zone = [0.5, 0.0, 0.6, 1.0]").unwrap_err(),
            "line 2: camera.zone: [0.5, 0.0, 0.6, 1.0] reaches out of the picture; write [x, y, width, height] in shares of the \
             picture, such as [0.1, 0.0, 0.8, 1.0]"
        );
        for (zone, why) in [
            ("[0.0, 0.5, 1.0, 0.6]", "reaches out"),
            ("[-0.1, 0.0, 0.5, 1.0]", "between 0 and 1"),
            ("[0.0, 0.0, 640.0, 480.0]", "between 0 and 1"),
            ("[0.0, 0.0, nan, 1.0]", "between 0 and 1"),
            ("[0.0, 0.0, inf, 1.0]", "between 0 and 1"),
            ("[0.2, 0.2, 0.0, 0.5]", "no width or no height"),
            ("[0.2, 0.2, 0.5, 0.0]", "no width or no height"),
            ("[0.2, 0.2, 0.5, -0.5]", "between 0 and 1"),
            ("[0.2, 0.2, 0.5]", "four numbers"),
        ] {
            for (key, value) in [("zone", zone.to_owned()), ("blank", format!("[{zone}]"))] {
                let error = read(&format!("{key} = {value}")).unwrap_err();
                assert!(error.starts_with(&format!("line 2: camera.{key}")) && error.contains(why), "{zone}: {error}");
            }
        }
        let blank = |count: usize| read(&format!("blank = [{}]", "[0.1, 0.1, 0.1, 0.1], ".repeat(count)));
        assert!(blank(16).is_ok());
        assert_eq!(blank(17).unwrap_err(), "camera.blank has at most 16 places; join those that lie beside each other");
    }

    #[test]
    fn a_face_that_the_pictures_edge_cuts_off_still_belongs_to_a_place_at_that_edge() {
        let left = Area { x: 0.0, y: 0.0, width: 0.5, height: 1.0 };
        assert!(left.contains((-0.02, 0.5)) && left.contains((0.5, 1.03)) && !left.contains((0.51, 0.5)));
        assert!(Area::WHOLE.contains((1.02, -0.1)));
    }
}
