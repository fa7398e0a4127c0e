//! The report's plots, as SVG.

use plotters::prelude::*;

use super::{
    hall::{Findings, Row, thresholds},
    mates::{Mates, named},
    words::thousands,
};

const SIZE: (u32, u32) = (760, 380);
/// Neighbouring intervals of the census that make one point.
const TOGETHER: usize = 32;
/// Scores of mates that make one point.
const STEP: f64 = 0.02;
/// Lower scores are not shown.
const LEAST: f64 = -0.3;
const NON_MATES: RGBColor = RGBColor(178, 24, 43);
const MATES: RGBColor = RGBColor(33, 102, 172);
const CHOSEN: RGBColor = RGBColor(20, 20, 20);
const OTHER: RGBColor = RGBColor(140, 140, 140);

/// What a plot cannot be drawn for: never shown, the page leaves the plot out.
type Drawn = Result<String, Box<dyn std::error::Error>>;

/// How many pairs of different people, and how many photos of one person, have which score; and the score that is demanded.
pub fn distributions(found: &Findings, mates: &Mates) -> Drawn {
    let pairs: f64 = found.scores.iter().map(|(_, count)| count).sum();
    let non_mates: Vec<(f64, f64)> = found
        .scores
        .chunks(TOGETHER)
        .map(|some| {
            let middle = some.iter().map(|(score, _)| score).sum::<f64>() / some.len() as f64;
            (middle, some.iter().map(|(_, count)| count).sum::<f64>() / pairs.max(1.0))
        })
        .filter(|(score, share)| *share > 0.0 && *score > LEAST)
        .collect();
    let probes = if mates.visits.len() >= mates.looks.len() / 2 { &mates.visits } else { &mates.looks };
    let mates: Vec<(f64, f64)> = (0..50)
        .map(|step| f64::from(step) * STEP)
        .map(|from| {
            let here = probes.iter().filter(|mate| (from..from + STEP).contains(&f64::from(mate.score))).count();
            (from + STEP / 2.0, here as f64 / probes.len().max(1) as f64)
        })
        .filter(|(_, share)| *share > 0.0)
        .collect();
    let least = non_mates.iter().chain(&mates).map(|(_, share)| *share).fold(0.01, f64::min);
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .margin_right(36)
            .x_label_area_size(38)
            .y_label_area_size(96)
            .build_cartesian_2d(LEAST..1.0, (least / 2.0..1.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("comparison score")
            .y_desc("share of pairs")
            .y_label_formatter(&one_in)
            .light_line_style(WHITE)
            .draw()?;
        line(&mut chart, non_mates, NON_MATES, "two people")?;
        line(&mut chart, mates, MATES, "one person, two photos")?;
        let score = f64::from(found.min_score);
        line(&mut chart, vec![(score, least / 2.0), (score, 1.0)], CHOSEN, "demanded")?;
        legend(&mut chart)?;
        area.present()?;
    }
    Ok(svg)
}

/// The demanded score for each size of the gallery, and what it was chosen from.
pub fn scores(found: &Findings) -> Drawn {
    let of = |score: fn(&Row) -> Option<f32>| -> Vec<(f64, f64)> {
        found.rows.iter().filter_map(|row| Some((row.gallery as f64, f64::from(score(row)?)))).collect()
    };
    let curves = [
        (of(|row| row.shipped), OTHER, "shipped"),
        (of(|row| row.tail), MATES, "own tail"),
        (of(|row| row.pairs), NON_MATES, "own pairs"),
        (of(|row| Some(row.min_score)), CHOSEN, "demanded"),
    ];
    let all = || curves.iter().flat_map(|(curve, ..)| curve.iter().map(|(_, score)| *score));
    let (low, high) = (all().fold(1.0, f64::min) - 0.03, (all().fold(0.0, f64::max) + 0.03).min(1.0));
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .margin_right(36)
            .x_label_area_size(38)
            .y_label_area_size(96)
            .build_cartesian_2d((2.0..100_000.0).log_scale(), low..high)?;
        chart
            .configure_mesh()
            .x_desc("people enrolled")
            .x_label_formatter(&|people: &f64| thousands(people.round() as u64))
            .y_desc("score")
            .light_line_style(WHITE)
            .draw()?;
        for (curve, colour, name) in curves {
            line(&mut chart, curve, colour, name)?;
        }
        if let Some(score) = thresholds(&found.rows, found.people) {
            let here = [(found.people.clamp(2, 100_000) as f64, f64::from(score))];
            chart.draw_series(here.map(|at| Circle::new(at, 5, CHOSEN.filled())))?;
        }
        legend(&mut chart)?;
        area.present()?;
    }
    Ok(svg)
}

/// The share of enrolled visitors who would be named if more or fewer strangers might be; `None` without a tail or without probes.
pub fn trade(found: &Findings, mates: &Mates, min_margin: f32) -> Option<Drawn> {
    let lift = f64::from(found.min_score) - found.tail_at(found.fpir)?;
    let steps = (0..=30).map(|step| 10_f64.powf(-4.0 + f64::from(step) / 10.0));
    let scores: Vec<(f64, f32)> = steps.filter_map(|fpir| Some((fpir, (found.tail_at(fpir)? + lift) as f32))).collect();
    let curve = |probes: &[super::mates::Mate]| -> Vec<(f64, f64)> {
        scores.iter().filter_map(|(fpir, score)| Some((*fpir, named(probes, *score, min_margin)?.value))).collect()
    };
    let (looks, visits) = (curve(&mates.looks), curve(&mates.visits));
    (!looks.is_empty()).then(|| trade_plot(found.fpir, looks, visits))
}

fn trade_plot(fpir: f64, looks: Vec<(f64, f64)>, visits: Vec<(f64, f64)>) -> Drawn {
    let low = looks.iter().chain(&visits).map(|(_, share)| *share).fold(0.9, f64::min) - 0.02;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .margin_right(36)
            .x_label_area_size(38)
            .y_label_area_size(96)
            .build_cartesian_2d((1e-4..0.1).log_scale(), low.max(0.0)..1.0)?;
        chart
            .configure_mesh()
            .x_desc("share of strangers who are named")
            .x_label_formatter(&one_in)
            .y_desc("share of enrolled visitors named")
            .light_line_style(WHITE)
            .draw()?;
        line(&mut chart, looks, OTHER, "by a single photo")?;
        line(&mut chart, visits, MATES, "by three photos")?;
        line(&mut chart, vec![(fpir, low.max(0.0)), (fpir, 1.0)], CHOSEN, "chosen")?;
        legend(&mut chart)?;
        area.present()?;
    }
    Ok(svg)
}

type Chart<'a, X, Y> = ChartContext<'a, SVGBackend<'a>, Cartesian2d<X, Y>>;

fn line<'a, X, Y>(
    chart: &mut Chart<'a, X, Y>,
    points: Vec<(f64, f64)>,
    colour: RGBColor,
    name: &str,
) -> Result<(), Box<dyn std::error::Error>>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    if points.is_empty() {
        return Ok(());
    }
    let drawn = chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
    drawn.label(name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    Ok(())
}

fn legend<'a, X, Y>(chart: &mut Chart<'a, X, Y>) -> Result<(), Box<dyn std::error::Error>>
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    chart.configure_series_labels().background_style(WHITE.mix(0.85)).border_style(OTHER).draw()?;
    Ok(())
}

/// A share as it is spoken: `1 in 1,000`.
fn one_in(share: &f64) -> String {
    if *share > 0.6 { "all".into() } else { format!("1 in {}", thousands((1.0 / share).round() as u64)) }
}
