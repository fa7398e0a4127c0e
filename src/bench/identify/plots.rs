//! The figures as SVG pictures.

use std::{fmt::Display, path::Path};

use plotters::{coord::ranged1d::Ranged, prelude::*};

use super::figures::{Counted, Identify};

const SIZE: (u32, u32) = (720, 480);
const FONT: &str = "sans-serif";

/// Why a picture was not drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw {file}: {cause}")]
pub struct PlotError {
    file: String,
    cause: String,
}

/// Draws all pictures into a folder, which is made if it is absent.
///
/// # Errors
/// When the folder cannot be written.
pub fn draw(figures: &Identify, folder: &Path) -> Result<(), PlotError> {
    let fault =
        |file: &Path, cause: &dyn Display| PlotError { file: file.display().to_string(), cause: cause.to_string() };
    std::fs::create_dir_all(folder).map_err(|error| fault(folder, &error))?;
    let file = |name: &str| folder.join(name);
    let kinds = [("single photos", &figures.single, RED), ("visits of three", &figures.visit, BLUE)];
    let path = file("det.svg");
    det(&path, &kinds).map_err(|error| fault(&path, &error))?;
    let path = file("threshold.svg");
    threshold(&path, &figures.visit).map_err(|error| fault(&path, &error))?;
    let path = file("discarding.svg");
    discarding(&path, &figures.single).map_err(|error| fault(&path, &error))
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn det(path: &Path, kinds: &[(&str, &Counted, RGBColor)]) -> Drawn {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Strangers taken for somebody, and enrolled people missed", (FONT, 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d((1e-4..1.0).log_scale(), (1e-4..1.0).log_scale())?;
    axes(&mut chart, "FPIR", "FNIR")?;
    for (name, counted, colour) in kinds {
        let points = counted.det.iter().map(|(fpir, fnir)| (fpir.max(1e-4), fnir.max(1e-4)));
        let line = chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
        legend(line, name, *colour);
    }
    finish(&mut chart, &area)
}

fn threshold(path: &Path, visit: &Counted) -> Drawn {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let most = visit.by_gallery.iter().map(|row| row.gallery).max().unwrap_or(1) as f64;
    let mut chart = ChartBuilder::on(&area)
        .caption("More people, a higher score, fewer named", (FONT, 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d((1.0..most).log_scale(), 0.0..1.0)?;
    axes(&mut chart, "people enrolled", "score, share")?;
    let score = visit.by_gallery.iter().map(|row| (row.gallery as f64, f64::from(row.min_score)));
    legend(chart.draw_series(LineSeries::new(score, RED.stroke_width(2)))?, "lowest score that names", RED);
    let named = visit
        .by_gallery
        .iter()
        .map(|row| (row.gallery as f64, row.outcomes.right as f64 / visit.mate_probes.max(1) as f64));
    legend(chart.draw_series(LineSeries::new(named, BLUE.stroke_width(2)))?, "visits named rightly", BLUE);
    finish(&mut chart, &area)
}

fn discarding(path: &Path, single: &Counted) -> Drawn {
    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let most = single.discarding.iter().map(|point| point.1).fold(0.001, f64::max);
    let mut chart = ChartBuilder::on(&area)
        .caption("Misses when the worst views are left out", (FONT, 18))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(58)
        .build_cartesian_2d(0.0..0.5, 0.0..most * 1.1)?;
    axes(&mut chart, "share of views left out", "FNIR at FPIR 0.1 %")?;
    legend(chart.draw_series(LineSeries::new(single.discarding.clone(), RED.stroke_width(2)))?, "single photos", RED);
    finish(&mut chart, &area)
}

type Chart<'a, 'b, X, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<X, Y>>;

fn axes<X, Y>(chart: &mut Chart<'_, '_, X, Y>, x: &str, y: &str) -> Drawn
where
    X: Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
    Y: Ranged<ValueType = f64> + plotters::coord::ranged1d::ValueFormatter<f64>,
{
    chart.configure_mesh().x_desc(x).y_desc(y).light_line_style(TRANSPARENT).draw()?;
    Ok(())
}

fn legend(line: &mut plotters::chart::SeriesAnno<'_, SVGBackend<'_>>, name: &str, colour: RGBColor) {
    line.label(name).legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 18, y)], colour.stroke_width(2)));
}

fn finish<'a, 'b: 'a, X, Y>(
    chart: &mut Chart<'a, 'b, X, Y>,
    area: &DrawingArea<SVGBackend<'b>, plotters::coord::Shift>,
) -> Drawn
where
    X: Ranged<ValueType = f64>,
    Y: Ranged<ValueType = f64>,
{
    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
    area.present()?;
    Ok(())
}
