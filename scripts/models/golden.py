"""Writes models/golden/: small pictures and what the networks answer, so that a test of the program can prove the same.

golden.json's inputs are made from the pictures exactly: RGB bytes, (x - mean) / scale of models.toml, channels first.
"""
import argparse
import json
import pathlib

import numpy as np
from PIL import Image

import faces
import fit_points


def numbers(values, digits=6):
    return [round(float(v), digits) for v in np.asarray(values).ravel()]


def mtcnn(models, pixels, folder):
    """P-Net on the 128x128 crop (surest cell), R- and O-Net on the face itself, 24x24 and 48x48."""
    regression, probability = faces.run(faces.session(models / "mtcnn-pnet.onnx"), pixels, 127.5, 128)
    row, column = np.unravel_index(probability[0, 1].argmax(), probability.shape[2:])
    result = {"mtcnn-pnet": {
        "picture": "face-128.png", "grid": list(probability.shape[2:]), "row": int(row), "column": int(column),
        "regression": numbers(regression[0, :, row, column]), "probability": numbers(probability[0, :, row, column]),
        "mean_probability_of_face": round(float(probability[0, 1].mean()), 6)}}
    face = Image.fromarray(pixels).crop((32, 32, 96, 96))
    for name, side in (("mtcnn-rnet", 24), ("mtcnn-onet", 48)):
        file = f"face-{side}.png"
        small = face.resize((side, side), Image.BILINEAR)
        small.save(folder / file)
        outputs = faces.run(faces.session(models / f"{name}.onnx"), np.asarray(small), 127.5, 128)
        keys = ("regression", "probability") if len(outputs) == 2 else ("regression", "landmarks", "probability")
        result[name] = {"picture": file} | {key: numbers(value) for key, value in zip(keys, outputs)}
    return result


def mediapipe(net, pixels):
    """The raw answer of the surest anchor, and the face after averaging the anchors that overlap it."""
    regressors, scores = faces.run(net, pixels, 127.5, 127.5)
    best = int(scores[0, :, 0].argmax())
    picture = Image.fromarray(pixels)
    (box, six, score), *_ = faces.in_square(net, picture, (64, 64), 128, 0.5)
    return {"picture": "face-128.png", "anchor": best, "anchor_centre": numbers(faces.anchors()[best]),
            "regressors": numbers(regressors[0, best], 4), "score": round(float(scores[0, best, 0]), 4),
            "averaged": {"box": numbers(box, 3), "six_points": numbers(six, 3), "score": round(score, 5)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("enrol", type=pathlib.Path, help="folder of the enrolment photos of the demo")
    given = parser.parse_args()
    folder = given.models / "golden"
    folder.mkdir(exist_ok=True)
    detector, recogniser = (faces.session(given.models / f"{name}.onnx") for name in ("mediapipe-face-short", "mobilefacenet-192"))
    rows = fit_points.load(given.models / "mediapipe-to-five.toml")

    photos = {}
    for photo in sorted(given.enrol.iterdir()):
        picture = Image.open(photo).convert("RGB")
        ((box, six, score),) = faces.find(detector, picture)
        five = faces.five_points(six, rows)
        crop = faces.align(picture, five)
        photos[photo.name] = {
            "size": list(picture.size), "box": numbers(box, 2), "six_points": numbers(six, 2), "five_points": numbers(five, 2),
            "to_112": numbers(faces.similarity(five, faces.ARCFACE)), "template": numbers(faces.template(recogniser, crop))}
        if photo.stem == "barack-obama":
            crop.save(folder / "aligned-112.png")
            pixels = faces.square(picture, box.mean(0), 2 * (box[1] - box[0])[0])
            Image.fromarray(pixels).save(folder / "face-128.png")

    aligned = np.asarray(Image.open(folder / "aligned-112.png"))
    raw = faces.run(recogniser, aligned, 127.5, 128)[0][0]
    golden = {
        "about": "Made by scripts/models/golden.py. Points are x, y pairs in pixels, the centre of the first pixel at 0.5, 0.5.",
        "networks": mtcnn(given.models, pixels, folder) | {
            "mediapipe-face-short": mediapipe(detector, pixels),
            "mobilefacenet-192": {"picture": "aligned-112.png", "mean_of_picture": round(float(aligned.mean()), 4),
                                  "raw": numbers(raw), "template": numbers(raw / np.linalg.norm(raw))}},
        "photos": photos,
    }
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
