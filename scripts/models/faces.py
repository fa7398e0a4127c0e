"""Finds, aligns and embeds faces with the ONNX files of models/, as the program does, in the fewest lines of numpy.

Points are (x, y) in pixels, the centre of the first pixel at (0.5, 0.5). "Left" is the picture's left.
"""
import numpy as np
import onnxruntime
from PIL import Image

# ArcFace's five points in a 112x112 crop, centres of pixels at whole numbers as published; hence the half pixel.
ARCFACE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]) + 0.5


def session(path):
    """One thread, so that times and sums do not depend on the machine's load."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def run(net, pixels, mean, scale):
    """Runs `net` on one RGB picture (height x width x 3 bytes) as (x - mean) / scale, channels first."""
    batch = ((pixels.astype(np.float32) - np.float32(mean)) / np.float32(scale)).transpose(2, 0, 1)[None]
    return net.run(None, {net.get_inputs()[0].name: np.ascontiguousarray(batch)})


def square(picture, centre, side, size=128):
    """The square of `side` pixels around `centre`, black outside the picture, shrunk to size x size."""
    left, top = centre[0] - side / 2, centre[1] - side / 2
    box = [int(np.floor(left)), int(np.floor(top)), int(np.ceil(left + side)), int(np.ceil(top + side))]
    crop = picture.crop(box)
    inner = (left - box[0], top - box[1], left - box[0] + side, top - box[1] + side)
    return np.asarray(crop.resize((size, size), Image.BILINEAR, box=inner))


def anchors():
    """The centres (0..1) of MediaPipe's 896 anchors: a 16x16 grid with two each, then 8x8 with six each."""
    grids = []
    for cells, copies in ((16, 2), (8, 6)):
        y, x = np.divmod(np.arange(cells * cells), cells)
        grids.append(np.repeat(np.stack([x, y], 1), copies, 0) / cells + 0.5 / cells)
    return np.concatenate(grids)


def candidates(net, pixels, min_score):
    """Boxes (x1, y1, x2, y2), six points and scores above `min_score`, best first, in shares of a 128x128 picture."""
    regressors, logits = run(net, pixels, 127.5, 127.5)
    scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0].astype(float), -80, 80)))
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > min_score]
    raw = regressors[0, order].astype(float).reshape(-1, 8, 2) / 128
    centre = anchors()[order]
    middle, half = raw[:, 0] + centre, raw[:, 1] / 2
    return np.concatenate([middle - half, middle + half], 1), raw[:, 2:] + centre[:, None], scores[order]


def overlap(box, boxes):
    """Intersection over union of one box with many."""
    sides = np.minimum(box[2:], boxes[:, 2:]) - np.maximum(box[:2], boxes[:, :2])
    common = np.prod(np.clip(sides, 0, None), 1)
    return common / (np.prod(box[2:] - box[:2]) + np.prod(boxes[:, 2:] - boxes[:, :2], 1) - common)


def in_square(net, picture, centre, side, min_score):
    """All faces in one square of the picture: [(box, six points, score)], overlapping anchors averaged by score."""
    boxes, points, scores = candidates(net, square(picture, centre, side), min_score)
    corner = np.array(centre) - side / 2
    found = []
    while len(boxes):
        same = overlap(boxes[0], boxes) > 0.3
        weights = scores[same] / scores[same].sum()
        box, six = np.tensordot(weights, boxes[same], 1), np.tensordot(weights, points[same], 1)
        found.append((box.reshape(2, 2) * side + corner, six * side + corner, float(scores[0])))
        boxes, points, scores = boxes[~same], points[~same], scores[~same]
    return found


def find(net, picture, min_score=0.5):
    """Faces of a whole picture, each looked at a second time in a square twice its width: [(box, six points, score)]."""
    width, height = picture.size
    refined = []
    for (low, high), six, score in in_square(net, picture, (width / 2, height / 2), max(width, height), min_score):
        again = in_square(net, picture, (low + high) / 2, 2 * (high - low)[0], min_score)
        near = [face for face in again if np.abs(face[0].mean(0) - (low + high) / 2).max() < (high - low)[0] / 2]
        refined.append(near[0] if near else (np.array([low, high]), six, score))
    return refined


def eye_frame(points):
    """Middle of the first two points and the vector between them as a complex number: the frame of the two eyes."""
    complex_points = points[:, 0] + 1j * points[:, 1]
    return (complex_points[0] + complex_points[1]) / 2, complex_points[1] - complex_points[0]


def to_frame(points, frame):
    """Points in a frame of eyes, flat: x0, y0, x1, y1, ..."""
    values = (points[:, 0] + 1j * points[:, 1] - frame[0]) / frame[1]
    return np.stack([values.real, values.imag], 1).ravel()


def from_frame(flat, frame):
    """The reverse of to_frame."""
    values = (flat[0::2] + 1j * flat[1::2]) * frame[1] + frame[0]
    return np.stack([values.real, values.imag], 1)


def five_points(six, rows):
    """ArcFace's five points from MediaPipe's six; `rows` is the 13 x 10 map of mediapipe-to-five.toml."""
    frame = eye_frame(six)
    return from_frame(np.append(to_frame(six, frame), 1) @ rows, frame)


def similarity(source, target):
    """The 2x3 least-squares similarity from `source` to `target` points (Umeyama 1991, no mirroring)."""
    s, t = source[:, 0] + 1j * source[:, 1], target[:, 0] + 1j * target[:, 1]
    turn = np.vdot(s - s.mean(), t - t.mean()) / np.vdot(s - s.mean(), s - s.mean()).real
    shift = t.mean() - turn * s.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def align(picture, five):
    """The 112x112 crop that a recogniser wants. Large faces are shrunk first, so that no pixel is skipped."""
    shrink = max(1.0, 1 / np.sqrt(abs(np.linalg.det(similarity(five, ARCFACE)[:, :2]))))
    if shrink > 1:
        size = [max(1, round(n / shrink)) for n in picture.size]
        five = five * np.array(size) / np.array(picture.size)
        picture = picture.resize(size, Image.BILINEAR)
    back = np.linalg.inv(np.vstack([similarity(five, ARCFACE), [0, 0, 1]]))
    return picture.transform((112, 112), Image.AFFINE, back[:2].ravel().tolist(), Image.BILINEAR)


def template(net, crop):
    """The L2-normalised template of MobileFaceNet-192."""
    values = run(net, np.asarray(crop), 127.5, 128)[0][0].astype(float)
    return values / np.linalg.norm(values)
