"""Spectrograms are those of the published code."""

from __future__ import annotations

import pytest
import torch

from parity.kit import ParityFolder
from yinse.models.sovits import SoVITSConfig
from yinse.models.spectrogram import LogMel, SpectrogramConfig

PICTURES = {
    "s2": SoVITSConfig().spectrogram,
    "v3": SpectrogramConfig(24000, 1024, 256, centred=False, power_floor=1e-8),
    "v4": SpectrogramConfig(32000, 1280, 320, mel_max_hz=16000.0, centred=False, power_floor=1e-8),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_spectrogram(parity: ParityFolder, kind: str) -> None:
    file = parity.open("mel_spec")
    samples, picture = file["in.wav"], LogMel(PICTURES[kind])
    file.agree(f"mel_basis_{kind}_rowsum", picture.filters.sum(dim=1))
    file.agree(f"mel_{kind}", picture(samples))
    magnitude = picture.magnitude(samples)
    assert magnitude.shape[2] == samples.shape[1] // picture.config.hop_samples
    if f"out.spec_{kind}" in file:
        file.agree(f"spec_{kind}", magnitude)
        file.agree(f"spec_to_mel_{kind}", picture.from_magnitude(magnitude))
    others = tuple(f"{name}_{other}" for other in PICTURES if other != kind for name in ("mel", "spec", "mel_basis"))
    assert not file.not_compared(out_of_scope=(*others, "spec_to_mel"))


def test_a_frame_for_every_hop() -> None:
    picture = LogMel(SoVITSConfig().spectrogram)
    for samples in (704, 1279, 6399, 6400):
        assert picture.magnitude(torch.randn(1, samples)).shape == (1, 1025, samples // 640)
