"""Checks networks: the rebuilt files, the committed files and the original weights must answer alike.

Fixed random inputs and one real photo. Prints the largest difference of each output; exits with 1 if one is over its tolerance.
"""
import argparse
import hashlib
import pathlib
import sys
import tomllib

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

import faces
import mtcnn_reference

# Largest difference allowed from the original weights: half floats, except where the original has them too or we keep f32.
TOLERANCE = {"mtcnn-pnet": 1e-5, "mtcnn-rnet": 5e-4, "mtcnn-onet": 1e-3, "mediapipe-face-short": 2e-4, "mobilefacenet-192": 0.05}
MTCNN = {
    "mtcnn-pnet": ("pnet.pt", (2, 0, 0), ("conv4_2", "conv4_1")),
    "mtcnn-rnet": ("rnet.pt", (3, 3, 0), ("dense5_2", "dense5_1")),
    "mtcnn-onet": ("onet.pt", (3, 3, 2, 0), ("dense6_2", "dense6_3", "dense6_1")),
}
LITERT = {
    "mediapipe-face-short": ("face_detection_short_range.tflite", ("regressors", "classificators")),
    "mobilefacenet-192": ("MobileFaceNet.tflite", ("embeddings",)),
}
SIZES = {"mtcnn-pnet": (90, 161), "mtcnn-rnet": (24, 24), "mtcnn-onet": (48, 48), "mediapipe-face-short": (128, 128),
         "mobilefacenet-192": (112, 112)}
MIN_COSINE = 0.9999


def inputs(name, photo):
    """Two random pictures and the photo, shrunk, as one batch between -1 and 1."""
    height, width = SIZES[name]
    noise = np.random.default_rng(7).uniform(-1, 1, (2, 3, height, width))
    pixels = np.asarray(photo.resize((width, height), Image.BILINEAR), np.float64).transpose(2, 0, 1)[None]
    return np.concatenate([noise, (pixels - 127.5) / 128]).astype(np.float32)


def litert(path, names, batch):
    """The original network, one picture at a time (its batch is fixed: the picture is repeated)."""
    net = Interpreter(model_path=path, num_threads=1)
    net.allocate_tensors()
    entry = net.get_input_details()[0]
    places = {detail["name"]: detail["index"] for detail in net.get_output_details()}
    results = []
    for picture in batch:
        net.set_tensor(entry["index"], np.broadcast_to(picture.transpose(1, 2, 0), entry["shape"]).copy())
        net.invoke()
        results.append([net.get_tensor(places[name])[:1] for name in names])
    return [np.concatenate(output) for output in zip(*results)]


def original(name, weights, batch):
    if name in MTCNN:
        file, pools, heads = MTCNN[name]
        return mtcnn_reference.outputs(f"{weights}/{file}", batch, pools, heads)
    file, names = LITERT[name]
    return litert(f"{weights}/{file}", names, batch)


def cosine(a, b):
    """The smallest cosine between the rows of two outputs."""
    return float((np.sum(a * b, 1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


def manifest_is_true(folder):
    """Whether models.toml has the size and the SHA-256 of every file that is in the box; says which it has not."""
    with open(folder / "models.toml", "rb") as file:
        manifest = tomllib.load(file)
    files = [f for n in manifest["networks"].values() if not n["optional"] for f in n["files"] + [n[k] for k in ("points_map", "whitening") if k in n]]
    files += [voice[part] for voice in manifest["voices"].values() for part in ("acoustic_model", "vocoder", "symbols")]
    true = True
    for described in files:
        content = (folder / described["name"]).read_bytes()
        real = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        if any(described[key] != value for key, value in real.items()):
            print(f"models.toml is wrong about {described['name']}: it has {real}")
            true = False
    return true


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rebuilt")
    parser.add_argument("committed")
    parser.add_argument("weights", help="folder with the original weights, as rebuild.sh leaves it")
    parser.add_argument("photo")
    given = parser.parse_args()
    photo = Image.open(given.photo).convert("RGB")
    good = manifest_is_true(pathlib.Path(given.committed))
    for name, tolerance in TOLERANCE.items():
        batch = inputs(name, photo)
        rebuilt, committed = (faces.session(f"{folder}/{name}.onnx").run(None, {"input": batch})
                              for folder in (given.rebuilt, given.committed))
        truth = original(name, given.weights, batch)
        largest = [max(float(np.abs(a - b).max()) for a, b in zip(rebuilt, other)) for other in (committed, truth)]
        good &= largest[0] == 0 and largest[1] <= tolerance
        line = f"{name:22} rebuilt against committed {largest[0]:.1e}, against the original weights {largest[1]:.1e} (allowed {tolerance:.0e})"
        if name == "mobilefacenet-192":
            alike = cosine(rebuilt[0], truth[0])
            good &= alike > MIN_COSINE
            line += f", cosine of templates {alike:.6f} (at least {MIN_COSINE})"
        print(line)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
