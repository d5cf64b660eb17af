from __future__ import annotations

import json
from pathlib import Path

import pytest

from yinse.text.symbols import BASES, BOUNDARIES, SYMBOL_IDS, SYMBOLS, base_and_tone


def test_the_first_732_are_the_published_table() -> None:
    known = {0: "!", 3: ".", 5: "AA", 77: "SP", 86: "UNK", 95: "_", 321: "…", 322: "[", 323: "]", 731: "Yz"}
    assert {index: SYMBOLS[index] for index in known} == known
    assert SYMBOLS[732:] == ("|", "^", "$")
    assert len(SYMBOL_IDS) == len(SYMBOLS) == 735


def test_ids_agree_with_the_published_front_end(shared: Path) -> None:
    fixture = json.loads((shared / "parity" / "text_frontend.json").read_text("utf-8"))
    items = [item for item in fixture["items"] if item["version"] == "v2"]
    assert {item["lang"] for item in items} == {"zh", "en", "yue"}
    for item in items:
        assert [SYMBOL_IDS[phone] for phone in item["phones"]] == item["ids"]


@pytest.mark.parametrize(
    ("symbol", "expected"),
    [
        ("ang1", ("ang", 1)),
        ("i05", ("i0", 5)),
        ("AH0", ("AH", 0)),
        ("AA2", ("AA", 2)),
        ("AA", ("AA_", 0)),
        ("ER", ("ER", 0)),
        ("zh", ("zh", 0)),
        ("SP2", ("SP2", 0)),
        ("|", ("|", 0)),
    ],
)
def test_base_and_tone(symbol: str, expected: tuple[str, int]) -> None:
    assert base_and_tone(symbol) == expected


def test_bases_cover_the_symbols_of_both_languages_and_all_marks() -> None:
    assert len(BASES) == len(set(BASES)) == 114
    assert set(BASES) >= BOUNDARIES
    assert {base_and_tone(symbol)[0] for symbol in ("AA", "AA0", "zh", "iong3", "ZH", "_")} <= set(BASES)
