"""Which questions end high, and how."""

import numpy as np
import pytest
import torch

from yinse.synth.question_rise import is_raised, raise_question
from yinse.text.phonemes import phonemize


@pytest.mark.parametrize(
    ("text", "raised"),
    [
        ("Is the bakery still open?", True),
        ("Really?", True),
        ("You are leaving already?", True),
        ("Do you know what it is?", True),
        ("Isn’t that your teacher?", True),
        ("What is it?", False),
        ("And where did you put the keys?", False),
        ("At which hour do we eat?", False),
        ("Would you like tea or coffee?", False),
        ("The bakery is open.", False),
        ("Do you like 上海?", False),
        ("你来吗？", False),
    ],
)
def test_which_questions_are_raised(text: str, raised: bool) -> None:
    assert is_raised(phonemize(text)) == raised


def test_the_melody_goes_up_from_the_accent_to_the_last_vowel() -> None:
    phonemes = phonemize("Can you hear the music with us?", language="en")
    durations = np.full(len(phonemes.symbols), 3)
    f0 = torch.linspace(0.5, -2.0, 3 * len(phonemes.symbols))[None]
    raised = raise_question(phonemes, durations, f0, rise=2.0)
    # "us" and "with" are words of grammar: the accent is the vowel of "mu…"
    place = 3 * [at for at, symbol in enumerate(phonemes.symbols) if symbol == "UW1"][-1]
    last = 3 * max(at for at, symbol in enumerate(phonemes.symbols) if symbol[-1].isdigit()) + 3
    assert torch.equal(raised[:, :place], f0[:, :place])
    assert raised[0, place].item() == pytest.approx(-0.5)
    assert (raised[0, place:last].diff() > 0).all()
    np.testing.assert_allclose(raised[0, last - 1 :], 1.5, atol=1e-6)


@pytest.mark.parametrize(("text", "rise"), [("Is it so?", 0.0), ("It is so.", 2.0), ("Why is it so?", 2.0)])
def test_others_keep_their_melody(text: str, rise: float) -> None:
    phonemes = phonemize(text, language="en")
    durations = np.ones(len(phonemes.symbols), dtype=int)
    f0 = torch.randn(1, len(phonemes.symbols), generator=torch.Generator().manual_seed(0))
    assert raise_question(phonemes, durations, f0, rise=rise) is f0
