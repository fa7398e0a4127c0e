"""Which of some sentences is heard in a recording, word for word: an offline recogniser for the tests.

Standard input: one line of JSON, `{"sentences": ["Good morning, Mr Obama.", ...]}`, then 16-bit mono samples, little endian, 16 kHz.
Prints the sentence that was heard, or the words that were, where they are no whole sentence, or nothing.
The recogniser may answer with nothing but these sentences, so decoys belong among them, or the test cannot fail.
"""

import json
import re
import sys

from pocketsphinx import Decoder

WORDS = {
    "mr": "mister", "ms": "ms.", "dr": "doctor",
    "0": "zero", "1": "one", "2": "two", "3": "three", "4": "four", "5": "five",
    "6": "six", "7": "seven", "8": "eight", "9": "nine", "10": "ten",
}


def words(sentence):
    found = re.findall(r"[a-z0-9']+", sentence.lower())
    return " ".join(WORDS.get(word, word) for word in found)


def main():
    sentences = json.loads(sys.stdin.buffer.readline())["sentences"]
    sound = sys.stdin.buffer.read()
    # Nothing is pruned and the last pass over the lattice is left out: both lose the last words of a sentence now and then.
    wide = dict(beam=1e-200, wbeam=1e-200, pbeam=1e-200, maxhmmpf=-1, maxwpf=-1, bestpath=False)
    decoder = Decoder(samprate=16000, loglevel="FATAL", lm=None, **wide)
    spoken = {words(sentence): sentence for sentence in sentences}
    for word in sorted({word for text in spoken for word in text.split()}):
        if decoder.lookup_word(word) is None:
            sys.exit(f"hear.py: the recogniser's dictionary has no word {word!r}; choose another one")
    grammar = "#JSGF V1.0;\ngrammar hall;\npublic <said> = " + " | ".join(spoken) + " ;\n"
    decoder.add_jsgf_string("hall", grammar)
    decoder.activate_search("hall")
    decoder.start_utt()
    decoder.process_raw(sound, full_utt=True)
    decoder.end_utt()
    heard = decoder.hyp().hypstr if decoder.hyp() else ""
    print(spoken.get(heard, heard))


main()
