"""Fits the linear map from MediaPipe's six points to ArcFace's five, with YuNet as the teacher.

The dataset is a folder a person, photos inside. People at even places of the sorted list teach, the others test.
Nothing of the photos is kept: the map is 130 numbers.
"""
import argparse
import pathlib
import tomllib

import numpy as np
from PIL import Image

import faces

SIX = ["left eye", "right eye", "nose", "mouth centre", "left ear", "right ear"]
FIVE = ["left eye", "right eye", "nose", "mouth left", "mouth right"]


def teacher_points(net, picture):
    """The five points of the surest face YuNet sees, or None."""
    width, height = (-(-n // 32) * 32 for n in picture.size)
    pixels = np.asarray(picture.crop((0, 0, width, height)))[:, :, ::-1]
    names = [output.name for output in net.get_outputs()]
    outputs = dict(zip(names, faces.run(net, pixels, 0, 1)))
    best = (0.5, None)
    for stride in (8, 16, 32):
        cls, obj, kps = (outputs[f"{kind}_{stride}"].reshape(-1, n) for kind, n in (("cls", 1), ("obj", 1), ("kps", 10)))
        scores = np.sqrt(np.clip(cls, 0, 1) * np.clip(obj, 0, 1))[:, 0]
        at = int(scores.argmax())
        if scores[at] > best[0]:
            cell = np.array([at % (width // stride), at // (width // stride)])
            best = (scores[at], (kps[at].reshape(5, 2) + cell) * stride)
    return best[1]


def pairs(folder, detector, teacher, share):
    """MediaPipe's and the teacher's points of every photo of the people at places `share`, `share` + 2, ..."""
    found = []
    for person in sorted(p for p in pathlib.Path(folder).iterdir() if p.is_dir())[share::2]:
        for photo in sorted(person.iterdir()):
            picture = Image.open(photo).convert("RGB")
            seen = faces.find(detector, picture)
            five = teacher_points(teacher, picture)
            if not seen or five is None:
                continue
            six = max(seen, key=lambda face: face[2])[1]
            frame = faces.eye_frame(six)
            if np.abs(faces.eye_frame(five)[0] - frame[0]) < 0.5 * np.abs(frame[1]):  # the same face
                found.append((six, five))
    return found


def design(found):
    """Inputs (n x 13) and targets (n x 10) of the least squares, in the frame of MediaPipe's two eyes."""
    frames = [faces.eye_frame(six) for six, _ in found]
    inputs = np.array([np.append(faces.to_frame(six, frame), 1) for (six, _), frame in zip(found, frames)])
    return inputs, np.array([faces.to_frame(five, frame) for (_, five), frame in zip(found, frames)])


def error(inputs, targets, rows):
    """Mean distance of each of the five points from the teacher's, in shares of the distance between the eyes."""
    return np.hypot(*(inputs @ rows - targets).reshape(-1, 5, 2).transpose(2, 0, 1)).mean(0)


def text(rows, taught, tested, errors):
    """The TOML file."""
    lines = [
        "# MediaPipe's six points -> ArcFace's five, both in the frame of MediaPipe's two eyes: origin half-way between them,",
        "# x axis from the picture's left eye to its right, unit their distance.",
        "# five[j] = sum over i of six[i] * rows[i][j], with six = x0, y0, x1, y1, ... x5, y5, 1 and five = x0, y0, ... x4, y4.",
        "# Least squares; teacher: YuNet-n. Made by scripts/models/fit_points.py on a half of the people of a folder of news photos",
        "# (LFW, cleaned of wrong labels); error: mean distance from the teacher on the other half, in distances between the eyes.",
        f"source = {str(SIX).replace(chr(39), chr(34))}",
        f"target = {str(FIVE).replace(chr(39), chr(34))}",
        f"photos_taught = {taught}",
        f"photos_tested = {tested}",
        f"error = {errors.mean():.4f}",
        f"error_by_point = [{', '.join(f'{e:.4f}' for e in errors)}]",
        "rows = [",
    ]
    lines += ["    [" + ", ".join(f"{round(value, 6) + 0.0: .6f}" for value in row) + "]," for row in rows]
    return "\n".join(lines + ["]", ""])


def load(path):
    """The 13 x 10 map of a file that this script wrote."""
    with open(path, "rb") as file:
        return np.array(tomllib.load(file)["rows"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dataset", help="folder with a folder of photos for each person")
    parser.add_argument("teacher", help="yunet_n_dynamic.onnx")
    parser.add_argument("detector", help="mediapipe-face-short.onnx")
    parser.add_argument("out", help="mediapipe-to-five.toml")
    given = parser.parse_args()
    detector, teacher = faces.session(given.detector), faces.session(given.teacher)
    teaching, testing = (pairs(given.dataset, detector, teacher, share) for share in (0, 1))
    rows = np.linalg.lstsq(*design(teaching), rcond=None)[0]
    errors = error(*design(testing), rows)
    pathlib.Path(given.out).write_text(text(rows, len(teaching), len(testing), errors))
    print(f"taught by {len(teaching)} photos; on {len(testing)} others the points differ by {errors.mean():.1%} of the eye distance")


if __name__ == "__main__":
    main()
