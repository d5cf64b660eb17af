"""Choosing what to record: what is missing comes first, the choice repeats, and it beats chance."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from yinse.core.errors import BadText, ConfigError
from yinse.corpus import spoken_units as su
from yinse.corpus.bank import own_bank, shipped_bank
from yinse.corpus.coverage import inventory, total_units
from yinse.corpus.inventory import mandarin_inventory
from yinse.corpus.losses import HeldOutLosses, read_losses
from yinse.corpus.prompts import Wanted, choose_prompts
from yinse.corpus.sentence_types import QUESTIONS, WH_QUESTION
from yinse.corpus.spoken_units import take_apart

LINES = ("妈妈骂马。", "妈妈骂马吗？", "他喝热茶。", "今天星期三，明天星期四。")


def distinct(texts: list[su.SpokenText], kind: str) -> int:
    return len([name for each, name in total_units(texts) if each == kind])


def test_what_adds_most_comes_first_and_nothing_twice() -> None:
    bank, left_out = own_bank(LINES, language="zh")
    assert left_out == ()
    chosen = choose_prompts(bank, language="zh", count=4)
    assert [one.prompt.text for one in chosen][0] == LINES[3]
    assert len({one.prompt.text for one in chosen}) == 4
    new = [len([unit for unit in one.adds if unit[0] == su.TONED]) for one in chosen]
    assert new == sorted(new, reverse=True)


def test_what_is_there_is_not_asked_for_again() -> None:
    bank, _ = own_bank(LINES, language="zh")
    have = take_apart(LINES[3]).units
    first = choose_prompts(bank, language="zh", count=1, wanted=Wanted(have=have))[0]
    assert first.prompt.text != LINES[3]
    assert not set(first.adds) & set(have)


def test_the_choice_repeats() -> None:
    bank = shipped_bank("en")[:60]
    twice = [choose_prompts(bank, language="en", seconds=20.0) for _ in range(2)]
    assert twice[0] == twice[1]
    assert sum(one.prompt.spoken.speech_s for one in twice[0]) <= 20.0


@pytest.mark.parametrize(("language", "kind", "gain"), [("zh", su.TONED, 1.2), ("en", su.DIPHONE, 1.15)])
def test_a_script_covers_more_than_chance(language: str, kind: str, gain: float) -> None:
    bank = shipped_bank(language)
    script = [one.prompt for one in choose_prompts(bank, language=language, seconds=60.0)]
    assert 57.0 < sum(prompt.spoken.speech_s for prompt in script) <= 60.0 + 1e-9
    generator, counts = random.Random(0), []
    for _ in range(20):
        left_s, drawn = 60.0, []
        for prompt in generator.sample(bank, len(bank)):
            if prompt.spoken.speech_s <= left_s:
                drawn.append(prompt.spoken)
                left_s -= prompt.spoken.speech_s
        counts.append(distinct(drawn, kind))
    covered = distinct([prompt.spoken for prompt in script], kind)
    assert covered >= gain * sum(counts) / len(counts)
    # not all of one sort
    types = {prompt.types[0] for prompt in script}
    assert types & QUESTIONS
    assert len(types) >= 3
    assert len({prompt.tags["emotion"] for prompt in script}) >= 4


def test_few_prompts_reach_nearly_all_sounds() -> None:
    wanted = inventory("zh")[su.TONELESS]
    chosen = choose_prompts(shipped_bank("zh"), language="zh", count=60)
    found = {name for kind, name in total_units(one.prompt.spoken for one in chosen) if kind == su.TONELESS}
    assert len(found & set(wanted)) >= 0.95 * len(wanted)
    spoken = choose_prompts(shipped_bank("en"), language="en", count=10)
    assert distinct([one.prompt.spoken for one in spoken], su.PHONEME) >= 0.95 * 39


def test_weak_sounds_and_types_are_asked_for_more() -> None:
    bank = shipped_bank("en")[:300]
    have = {unit: 1 for prompt in bank for unit in prompt.units}
    losses = HeldOutLosses(phonemes={"ZH": 3.0, "AH": 0.5, "T": 0.5}, types={WH_QUESTION: 3.0, "statement": 0.1})
    plain = choose_prompts(bank, language="en", count=20, wanted=Wanted(have=have))
    chosen = choose_prompts(bank, language="en", count=20, wanted=Wanted(have=have, losses=losses))

    def having(prompts: tuple[object, ...], unit: su.Unit) -> int:
        return sum(unit in one.prompt.units for one in prompts)  # type: ignore[attr-defined]

    assert having(chosen, (su.TYPE, WH_QUESTION)) > having(plain, (su.TYPE, WH_QUESTION))
    assert having(chosen, (su.PHONEME, "ZH")) >= having(plain, (su.PHONEME, "ZH"))


def test_factors_of_losses() -> None:
    losses = HeldOutLosses(phonemes={"m": 3.0, "a": 1.0, "AE": 1.0, "T": 3.0}, types={WH_QUESTION: 1.0})
    assert losses.factor(su.TONED, "ma1") == 1.0
    assert losses.factor(su.TONELESS, "ma") == 1.0
    assert losses.factor(su.PHONEME, "T") == 1.5
    assert losses.factor(su.DIPHONE, "AE-T") == 1.0
    assert losses.factor(su.STRESSED, "AE1") == 0.5
    assert losses.factor(su.TYPE, "statement") == losses.factor(su.PHONEME, "ZH") == 1.0
    assert HeldOutLosses().factor(su.PHONEME, "T") == 1.0
    assert HeldOutLosses(phonemes={"T": 9.0, "D": 0.1, "K": 0.1, "P": 0.1}).factor(su.PHONEME, "T") == 2.0


def test_losses_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "losses.json"
    path.write_text(json.dumps({"phonemes": {"sh": 1.5}}))
    assert read_losses(path).phonemes == {"sh": 1.5}
    for damaged in ("{", '{"other": 1}', "[1]"):
        path.write_text(damaged)
        with pytest.raises(BadText, match="no file of losses"):
            read_losses(path)
    with pytest.raises(BadText, match="cannot be read"):
        read_losses(tmp_path / "none.json")


def test_a_time_too_short_for_any_sentence_gives_none() -> None:
    bank, _ = own_bank(["We went home early today because of the rain."], language="en")
    assert choose_prompts(bank, language="en", seconds=0.5) == ()


def test_own_sentences() -> None:
    prompts, left_out = own_bank(["We went home early.", "", "???", "我们回家。", "We went home early."], language="en")
    assert [prompt.text for prompt in prompts] == ["We went home early."]
    assert left_out == ("line 3 holds nothing to speak", "line 4 is not in the language en")
    _, long = own_bank(["Short one here.", "word " * 200], language="en")
    assert "cut it" in long[0]
    with pytest.raises(BadText):
        own_bank(["…"], language="en")


@pytest.mark.parametrize("arguments", [{}, {"count": 3, "seconds": 9.0}, {"count": 0}, {"seconds": -1.0}])
def test_wishes_that_make_no_sense(arguments: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        choose_prompts(shipped_bank("en")[:5], language="en", **arguments)  # type: ignore[arg-type]
    with pytest.raises(ConfigError):
        shipped_bank("fr")


def test_scripts_ask_only_for_syllables_that_exist() -> None:
    known = mandarin_inventory()
    spoken = total_units(prompt.spoken for prompt in shipped_bank("zh"))
    toneless = {name for kind, name in spoken if kind == su.TONELESS}
    assert toneless <= {name[:-1] for name in known.toned}
