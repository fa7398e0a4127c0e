//! The report: one HTML page that needs nothing else, for an office manager. No names, no photos.

use super::{mates::Mates, plots, words::Story};

/// Pairs that the page lists.
const LISTED: usize = 500;

const STYLE: &str = "body{font:16px/1.5 sans-serif;color:#222;max-width:48rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}.plain{font-size:1.25rem;border-left:4px solid #2166ac;padding-left:1rem}\
table{border-collapse:collapse}td,th{padding:.15rem .8rem;text-align:right;border-bottom:1px solid #ddd}svg{max-width:100%;height:auto}";

/// Writes the page. `when`: the date; `recogniser`: its name; `min_margin`: what the second person must stay behind.
pub fn page(story: &Story<'_>, mates: &Mates, min_margin: f32, recogniser: &str, when: &str) -> String {
    let mut page = String::new();
    let mut add = |part: &str| page.extend([part, "\n"]);
    add("<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">");
    add(&format!("<title>Calibration of {}</title>\n<style>{STYLE}</style></head>\n<body>", escaped(when)));
    add(&format!("<h1>Who is named, and how surely: calibration of {}</h1>", escaped(when)));
    add(&format!("<p class=\"plain\">{}</p>", escaped(&story.sentence())));
    for ground in story.grounds() {
        add(&format!("<p>{}</p>", escaped(&ground)));
    }
    let found = story.findings;
    add(&format!("<p>A visitor must reach the score {:.3} (until now {:.3}).</p>", found.min_score, story.before));
    let mut plot = |title: &str, text: &str, drawn: Result<String, Box<dyn std::error::Error>>| match drawn {
        Ok(svg) => add(&format!("<h2>{title}</h2>\n<p>{text}</p>\n{svg}")),
        Err(error) => tracing::warn!("the report lacks the plot `{title}`: {error}"),
    };
    if !found.scores.iter().all(|(_, count)| *count == 0.0) {
        let text = "How alike two different people are, and two photos of one person. Right of the black line a name may be said. \
                    Each mark of the scale at the left is ten times rarer than the one above.";
        plot("Different people and one person", text, plots::distributions(found, mates));
    }
    let text = "The more people are enrolled, the likelier somebody among them looks like a stranger, so more is demanded. The dot is this hall.";
    plot("What is demanded, by the number of people", text, plots::scores(found));
    if let Some(drawn) = plots::trade(found, mates, min_margin) {
        let text = "If more strangers might be given somebody's name, more of the enrolled people would be given theirs. \
                    Extrapolated for strangers, measured for enrolled people.";
        plot("What caution costs", text, drawn);
    }
    alike(story, &mut add);
    add("<h2>The scores</h2>\n<table><tr><th>people<th>shipped<th>own tail<th>own pairs<th>demanded<th>from</tr>");
    for row in story.table() {
        add(&format!("<tr>{}</tr>", row.map(|cell| format!("<td>{}", escaped(&cell))).concat()));
    }
    add(&format!("</table>\n<p>Recogniser {}. Written by <code>greeter calibrate</code>.</p>", escaped(recogniser)));
    add("</body>\n</html>");
    page
}

fn alike(story: &Story<'_>, add: &mut impl FnMut(&str)) {
    let found = &story.findings.alike;
    add("<h2>People who look alike</h2>");
    if found.is_empty() {
        add("<p>No two people are so alike that one could be called by the other's name.</p>");
        return;
    }
    add(
        "<p>The program does not call one of them by the other's name when both scores are close, but greets without a name. \
         Look whether somebody is enrolled twice; <code>greeter people show N --reveal</code> shows staff who a record is.</p>\n<ul>",
    );
    story.alike().take(LISTED).for_each(|pair| add(&format!("<li>{}", escaped(&pair))));
    add("</ul>");
    if found.len() > LISTED {
        add(&format!("<p>… and {} more pairs; <code>--json FILE</code> has them all.</p>", found.len() - LISTED));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibration::{
        mates::Mate,
        words::tests::{RECORDS, found, share},
    };

    #[test]
    fn the_page_says_it_in_one_sentence_shows_three_plots_and_needs_nothing_else() {
        let found = found();
        let mates: Vec<Mate> =
            (0..300).map(|person| Mate { person, score: 0.6 + person as f32 / 1000.0, next: 0.3 }).collect();
        let mates = Mates { looks: mates.clone(), visits: mates };
        let (looks, visits) = (Some(share(0.938, 610)), Some(share(0.972, 310)));
        let story = Story { findings: &found, records: &RECORDS, photos: 7300, looks, visits, before: 0.84 };
        let page = page(&story, &mates, 0.05, "mobilefacenet-192", "2026-11-25");
        assert!(
            page.contains("With these 5,000 people, about 1 stranger in 1,000 would be named, and about 97 of 100")
        );
        assert_eq!(page.matches("<svg").count(), 3);
        assert!(page.contains("records #12 and #345 look like one person (0.93)"));
        let outside = page.replace("http://www.w3.org/2000/svg", "");
        for word in ["http", "src=", "<script", "<img", "@import"] {
            assert!(!outside.contains(word), "{word}");
        }
        // Every number on the page is one.
        assert!(!page.contains("NaN") && !page.contains("inf\""));
    }

    #[test]
    fn a_page_about_a_handful_of_people_shows_what_there_is() {
        let mut few = found();
        (few.people, few.in_turn) = (3, None);
        few.alike.clear();
        few.scores.iter_mut().for_each(|(_, count)| *count = 0.0);
        let story = Story { findings: &few, records: &RECORDS, photos: 3, looks: None, visits: None, before: 0.6 };
        let page = page(&story, &Mates::default(), 0.05, "mobilefacenet-192", "2026-11-25");
        assert_eq!(page.matches("<svg").count(), 1);
        assert!(page.contains("No two people are so alike"));
    }
}
