"""How fast text becomes phonemes, how long the front-end takes to load, and whether odd text costs more than its share.

    python benchmarks/text.py [--characters 100000] [--json]

CPU time of one thread, so that what else the machine does matters little. Loading is the first sentence of each
language in a fresh process. Odd text is one pattern repeated; it must take less than 10 s for 100,000 characters, and
less than 2.5 times as long for twice as many.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time

from yinse.core.errors import BadText
from yinse.text.phonemes import phonemize
from yinse.text.sentences import split_sentences

PASSAGES = {
    "zh": "2024年5月3日，气温23.5度，我们去银行取500元，然后在湖边散步。他重新写了，还差不到10%。你觉得怎么样？",
    "en": "On May 3, 2024, the record was 23.5 degrees. They live near the bank and read $500 of books! Is it close?",
}
LOAD = """
import time
started_s = time.process_time()
from yinse.text.phonemes import phonemize
imported_s = time.process_time()
phonemize({text!r})
print(imported_s - started_s, time.process_time() - imported_s)
"""
ODD = ("a", "好", "一", "不", "儿", "1", ".", "'", "-", "1.", "1,", "1/", "$1", "10-", "1:3", "A.", "a@", "www.",
       "Mr. ", "x²", "5月", "{a|AY1}", "[pause:1s]", "{a|", "😀", "\u0301", "a1")  # fmt: skip


def spoken_s(text: str) -> float:
    """CPU seconds from a text to its phonemes, sentence by sentence."""
    started_s = time.process_time()
    for sentence in split_sentences(text):
        try:
            phonemize(sentence.text)
        except BadText:
            continue
    return time.process_time() - started_s


def whole_s(text: str) -> float:
    """CPU seconds of a text as one sentence."""
    started_s = time.process_time()
    with contextlib.suppress(BadText):
        phonemize(text)
    return time.process_time() - started_s


def loading_s(text: str) -> tuple[float, float]:
    """CPU seconds to import the front-end and to read a first sentence, in a fresh process."""
    code = LOAD.format(text=text)
    result = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    imported, read = result.stdout.split()
    return float(imported), float(read)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--characters", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    count = options.characters
    figures: dict[str, object] = {}
    for language, passage in PASSAGES.items():
        imported_s, first_s = loading_s(passage)
        # Numbers differ from passage to passage, so that remembered words do not flatter.
        text = "\n".join(passage.replace("500", str(1000 + i)) for i in range(max(count // len(passage), 1)))
        spoken_s(passage)
        figures[language] = {
            "import_s": round(imported_s, 3),
            "first_sentence_s": round(first_s, 3),
            "characters_per_s": round(len(text) / spoken_s(text)),
        }
    odd = {}
    for unit in ODD:
        once_s, twice_s = (whole_s(unit * (length // len(unit))) for length in (count, 2 * count))
        odd[unit] = {"s": round(once_s, 3), "ratio": round(twice_s / max(once_s, 1e-3), 2)}
    figures["odd"] = odd
    if options.json:
        print(json.dumps(figures, ensure_ascii=False, indent=1))
        return
    for language in PASSAGES:
        print(f"{language}: {figures[language]}")
    for unit, found in sorted(odd.items(), key=lambda item: -item[1]["s"]):
        print(f"{unit!r:14} {found['s']:8.3f} s, twice as much: {found['ratio']:.2f} times")


if __name__ == "__main__":
    main()
