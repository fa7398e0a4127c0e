"""How pypinyin reads names: a second opinion for the tests.

Standard input: a name a line. Prints for each its syllables with tone digits (5 for the neutral tone, v for the dotted u), as many as it
has characters, with spaces between them. Heteronym is off: the reading that pypinyin thinks most likely.
"""

import sys

from pypinyin import Style, lazy_pinyin

for line in sys.stdin:
    syllables = lazy_pinyin(line.strip(), style=Style.TONE3, neutral_tone_with_five=True)
    print(" ".join(syllables).replace("\u00fc", "v"))
