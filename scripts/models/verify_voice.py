"""Checks the neural voice's vocoder: the committed file and the original weights must make the same sound of the same spectrogram. Called by verify.sh.

The spectrograms are the committed acoustic model's. Its own original can be run by no TensorFlow of today (it has a FlexRandomUniform, of a dropout that
does nothing when nothing is taught), so only rebuild.sh vouches for it. Exits with 1 when the sounds differ by more than half floats explain.
"""
import argparse
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"], os.environ["TF_CPP_MIN_LOG_LEVEL"] = "-1", "3"

import numpy as np
import onnxruntime
import tensorflow as tf

PHRASES = [
    "sil z ao3 #0 sh ang4 #0 h ao3 sil",
    "sil sh an4 #0 x ian1 #0 sh eng5 #3 q ing3 #0 d ao4 #0 s an1 #0 h ao4 #0 ch uang1 #0 k ou3 #1 b an4 #0 l i3 sil",
    "sil ^ ou1 #0 ^ iang2 #0 n v3 #0 sh iii4 sil",
]
# The least correlation of the two sounds.
CORRELATION = 0.999


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def original(path, mel):
    """The original vocoder's samples."""
    net = tf.lite.Interpreter(model_path=path, num_threads=1)
    entry, answer = net.get_input_details()[0]["index"], net.get_output_details()[0]["index"]
    net.resize_tensor_input(entry, mel.shape)
    net.allocate_tensors()
    net.set_tensor(entry, mel)
    net.invoke()
    return net.get_tensor(answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", help="folder with the committed files")
    parser.add_argument("weights", help="folder with the original weights, as rebuild.sh leaves it")
    given = parser.parse_args()
    with open(f"{given.models}/baker-symbols.txt", encoding="utf-8") as file:
        numbers = {symbol: at for at, symbol in enumerate(file.read().split("\n"))}
    acoustic, vocoder = (session(f"{given.models}/baker-{name}.onnx") for name in ("fastspeech2", "melgan"))
    good = True
    for phrase in PHRASES:
        phones = np.array([[numbers[phone] for phone in phrase.split() + ["eos"]]], np.int32)
        (mel,) = acoustic.run(None, {"phones": phones, "pace": np.ones(1, np.float32)})
        (samples,) = vocoder.run(None, {"mel": mel})
        truth = original(f"{given.weights}/mb_melgan.tflite", mel)
        same = samples.shape == truth.shape == (1, 300 * mel.shape[1], 1)
        alike = float(np.corrcoef(samples.ravel(), truth.ravel())[0, 1]) if same else 0.0
        good &= alike >= CORRELATION
        print(f"{phones.shape[1]:3} phones, {mel.shape[1]:3} frames: sounds alike {alike:.6f} (at least {CORRELATION})")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
