"""Filter bank energies and speaker vectors are those of the published code."""

from __future__ import annotations

import torch

from parity.kit import ParityFolder
from yinse.models.kaldi_features import fbank
from yinse.models.speaker_verification import SpeakerVerification, SpeakerVerificationConfig


@torch.inference_mode()
def test_speaker_verification(parity: ParityFolder) -> None:
    file = parity.open("sv_eres2netv2")
    sizes = file.config["ctor"]
    energies = fbank(file["in.wav16k"][0])
    file.agree("fbank", energies)
    config = SpeakerVerificationConfig(
        base_width=sizes["baseWidth"], scale=sizes["scale"], expansion=sizes["expansion"]
    )
    with torch.device("meta"):
        model = SpeakerVerification(config)
    model.load_state_dict(file.weights("keys_sv_eres2netv2.json"), assign=True)
    model.eval()
    file.agree("forward3", model.summary(energies[None]))
    file.agree("forward", model(energies[None]))
    assert not file.not_compared()
    assert model.summary(energies[None]).shape == (1, config.feature_size)
