"""Pronunciation of unknown English words: a small recurrent encoder and decoder over letters, in numpy.

The network is that of g2p_en (GRU encoder, GRU decoder, greedy choice; see data/NOTICE.txt); this is our own code
around its published weights.
"""

from __future__ import annotations

import functools
import importlib.resources

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_LETTER_OFFSET = 3
_LETTER_UNKNOWN, _LETTER_END = 1, 2
_PHONE_START, _PHONE_END = 2, 3
_PHONES = (
    *("", "", "", ""),
    *"AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 EH2".split(),
    *"ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T".split(),
    # The network knows a bare UW, which the symbol table does not.
    *"TH UH0 UH1 UH2 UW0 UW0 UW1 UW2 V W Y Z ZH".split(),
)
_PHONES_PER_LETTER = 2


@functools.cache
def _weights() -> dict[str, Array]:
    from safetensors.numpy import load

    packed = importlib.resources.files("yinse.text").joinpath("data/g2p_gru.safetensors").read_bytes()
    return {name: tensor.astype(np.float32) for name, tensor in load(packed).items()}


def _gru(gates_in: Array, hidden: Array, recurrent: Array, bias: Array) -> Array:
    """One step: `gates_in` `(3H,)` is the input's share, `hidden` `(H,)`; gates in the order reset, update, new."""
    width = len(hidden)
    gates_hidden = recurrent @ hidden + bias
    reset, update = 1.0 / (1.0 + np.exp(-(gates_in[: 2 * width] + gates_hidden[: 2 * width]).reshape(2, width)))
    new = np.tanh(gates_in[2 * width :] + reset * gates_hidden[2 * width :])
    mixed: Array = (1.0 - update) * new + update * hidden
    return mixed


def predict_phonemes(word: str) -> tuple[str, ...]:
    """ARPAbet of a lower-case word that no dictionary knows.

    Args:
        word: letters a to z; other characters count as unknown letters.

    Returns:
        Phonemes with stress; never empty for a word with letters (an "AH0" at least).
    """
    w = _weights()
    letters = [ord(c) - ord("a") + _LETTER_OFFSET if "a" <= c <= "z" else _LETTER_UNKNOWN for c in word]
    inputs = w["enc_emb"][[*letters, _LETTER_END]] @ w["enc_w_ih"].T + w["enc_b_ih"]
    hidden = np.zeros(w["enc_w_hh"].shape[1], np.float32)
    for gates in inputs:
        hidden = _gru(gates, hidden, w["enc_w_hh"], w["enc_b_hh"])
    phones: list[str] = []
    phone = _PHONE_START
    for _ in range(_PHONES_PER_LETTER * len(word) + 2):
        gates = w["dec_w_ih"] @ w["dec_emb"][phone] + w["dec_b_ih"]
        hidden = _gru(gates, hidden, w["dec_w_hh"], w["dec_b_hh"])
        phone = int(np.argmax(w["fc_w"] @ hidden + w["fc_b"]))
        if phone == _PHONE_END:
            break
        if _PHONES[phone]:
            phones.append(_PHONES[phone])
    return tuple(phones) or ("AH0",)
