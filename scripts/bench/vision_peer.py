"""The peer of `greeter bench vision`: OpenCV's FaceDetectorYN and the same recogniser through ONNX Runtime, on the same frames.

Standard input: a line of JSON with the set-up, then for each visit a line of JSON and the JPEG frames it announces. Standard output: a
line each. Times are this process's own, in milliseconds.
"""

import json
import sys
import time

import cv2
import numpy as np
import onnxruntime

TEMPLATE = np.float32([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])


def directions(templates):
    return templates / np.linalg.norm(templates, axis=1, keepdims=True)


class Part:
    """A network of the recogniser, with what whitens its templates and its say in the whole."""

    def __init__(self, setup, options):
        self.network = onnxruntime.InferenceSession(setup["file"], options, providers=["CPUExecutionProvider"])
        self.input = self.network.get_inputs()[0].name
        self.mean = np.float32(setup["mean"])
        self.scale = np.float32(1.0) / np.float32(setup["scale"])
        self.batch = setup["batch"]
        self.weight = np.float32(setup["weight"])
        self.whitening = None
        if setup["whitening"]:
            numbers = np.fromfile(setup["whitening"], "<f4")
            size = int((len(numbers) + 0.25) ** 0.5)  # size times size, and size
            self.whitening = numbers[: size * size].reshape(size, size), numbers[size * size :]

    def embed(self, pixels):
        tensor = np.ascontiguousarray(((pixels - self.mean) * self.scale).transpose(0, 3, 1, 2), np.float32)
        step = self.batch or len(tensor)
        runs = [self.network.run(None, {self.input: tensor[at : at + step]})[0] for at in range(0, len(tensor), step)]
        templates = directions(np.concatenate(runs))
        means = directions(templates[0::2] + templates[1::2])
        if self.whitening:
            matrix, centre = self.whitening
            means = directions(directions(means - centre) @ matrix.T)
        return means * self.weight


class Peer:
    def __init__(self, setup):
        cv2.setNumThreads(setup["threads"])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = setup["threads"]
        options.inter_op_num_threads = 1
        self.parts = [Part(part, options) for part in setup["parts"]]
        self.reduce = setup["reduce"]
        self.detector_file = setup["detector"]
        self.detectors = {}

    def find(self, frame):
        height, width = frame.shape[:2]
        size = (width // self.reduce, height // self.reduce)
        if size not in self.detectors:
            self.detectors[size] = cv2.FaceDetectorYN.create(self.detector_file, "", size, 0.7, 0.3, 100)
        if self.reduce > 1:
            frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
        _, faces = self.detectors[size].detect(frame)
        if faces is None:
            return np.zeros((0, 5, 2), np.float32)
        return faces[:, 4:14].reshape(-1, 5, 2) * np.float32(self.reduce)

    def align(self, frame, points):
        warp, _ = cv2.estimateAffinePartial2D(points, TEMPLATE, method=cv2.LMEDS)
        return cv2.warpAffine(frame, warp, (112, 112))

    def embed(self, crops):
        """Each crop together with its mirror image, as greeter does."""
        pixels = np.stack([view for crop in crops for view in (crop, crop[:, ::-1])])[:, :, :, ::-1]
        return directions(np.concatenate([part.embed(pixels) for part in self.parts], axis=1))

    def visit(self, frames, embedded, faces, repeats):
        find_ms, embed_ms, frame_ms, found = [], [], [], []
        crops = []
        for jpeg, views in zip(frames, embedded):
            began = time.perf_counter()
            frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
            decoded = time.perf_counter()
            points = self.find(frame)
            searched = time.perf_counter()
            aligned = [self.align(frame, face) for face in points[:views]]
            if aligned:
                self.embed(aligned)
            ended = time.perf_counter()
            find_ms.append(1000 * (searched - decoded))
            frame_ms.append(1000 * (ended - began))
            found.append(len(points))
            crops = aligned or crops
        for _ in range(repeats if crops else 0):
            together = (crops * faces)[:faces]
            began = time.perf_counter()
            self.embed(together)
            embed_ms.append(1000 * (time.perf_counter() - began))
        return {"find_ms": find_ms, "embed_ms": embed_ms, "frame_ms": frame_ms, "found": found}


def main():
    lines = sys.stdin.buffer
    peer = Peer(json.loads(lines.readline()))
    print("ready", flush=True)
    for line in iter(lines.readline, b""):
        request = json.loads(line)
        frames = [lines.read(length) for length in request["lengths"]]
        answer = peer.visit(frames, request["embedded"], request["faces"], request["repeats"])
        print(json.dumps(answer), flush=True)


main()
