"""More to train on: texts for clips that had none, further speakers out of those there are, rows filled up unseen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from synthesised_speech import HOP, RATE_HZ, SPEAKERS, TINY, clip_of, make_work, save_fresh_encoder, sentences_of, speak
from yinse.core.types import AudioClip
from yinse.models.acoustic import AcousticModel
from yinse.models.spectrogram import LogMel
from yinse.train.features import load_clips, save_clips
from yinse.train.recipes.acoustic import SpeechData, collate, cut_window, inputs_of
from yinse.train.recipes.align import align, load_aligned, train_aligner
from yinse.train.recipes.base import LOOPS, BaseRun, speech_data
from yinse.train.recipes.transcribe import read_transcripts, transcribe
from yinse.train.recipes.vary import SPEEDS, VARIED, vary, vary_clip, vary_durations
from yinse.train.work import Work


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Work:
    work = make_work(tmp_path_factory.mktemp("more") / "work")
    save_fresh_encoder(work)
    return work


class Listener:
    """Hears the sentence that the synthesised clip was made of, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    def transcribe(self, clip: AudioClip, *, language: str | None = None) -> str:
        self.asked += 1
        assert clip.sample_rate_hz == RATE_HZ and clip.samples.dtype == np.float32 and language == "en"
        return "Good morning, to you!" if abs(clip.duration_s - duration("Good morning to you.")) < 0.01 else "Well."


def duration(text: str) -> float:
    return len(speak(text, f0_hz=150).samples) / RATE_HZ


def test_clips_without_a_text_get_one_and_are_aligned(work: Work, tmp_path: Path) -> None:
    features = tmp_path / "features"
    features.mkdir()
    clips = [clip_of(text, "ls-19", *SPEAKERS["ls-19"])[0] for text in sentences_of("en_librispeech")]
    mute = [replace(clip, text="", pack="untranscribed", punctuated=False) for clip in clips]
    save_clips(features / "en_librispeech.ls-19.safetensors", clips)
    save_clips(features / "untranscribed.ls-19.safetensors", mute)
    listener, out = Listener(), tmp_path / "transcripts.json"
    for _ in range(2):  # the second run finds everything done
        list(transcribe(features, out, transcriber=listener, sample_rate_hz=RATE_HZ))
    assert listener.asked == len(mute)
    texts = read_transcripts(out)
    assert set(texts) == {f"untranscribed/{clip.id}" for clip in mute}
    assert texts[f"untranscribed/{mute[0].id}"] == "Good morning to you"
    aligner = list(train_aligner(work.features(), tmp_path / "aligner.safetensors", config=TINY.aligner))[-1].result
    list(align(features, tmp_path / "alignments", aligner=aligner, transcripts=texts))
    found = {f"{item.clip.pack}/{item.clip.id}": item for item in load_aligned(features, tmp_path / "alignments")}
    assert f"untranscribed/{mute[0].id}" in found
    assert found[f"untranscribed/{mute[0].id}"].symbols[-1] == "$", "a text without marks"
    assert read_transcripts(tmp_path / "none.json") == {}


@pytest.mark.parametrize("speed", SPEEDS)
def test_a_varied_clip_is_a_smaller_or_larger_speaker(speed: float) -> None:
    clip, spoken = clip_of(sentences_of("zh_en_kokoro")[0], "blend_f00", *SPEAKERS["blend_f00"])
    varied = vary_clip(clip, speed, LogMel(TINY.spectrogram))
    assert len(varied.mel) == len(varied.log_f0) == len(varied.samples) // HOP + 1
    assert len(varied.samples) == pytest.approx(len(clip.samples) / speed, abs=2)
    voiced, before = varied.log_f0[varied.log_f0 > 0], clip.log_f0[clip.log_f0 > 0]
    assert np.median(voiced) - np.median(before) == pytest.approx(np.log(speed), abs=0.02)
    assert varied.bandwidth_hz == min(round(12000 * speed), 12000)
    # the loudest bin of a steady vowel moves as its formants do
    durations = np.array(vary_durations(spoken.durations, len(varied.mel)))
    place = int(np.argmax(spoken.durations[1:-1])) + 1
    centres = [
        mel.astype(np.float32)[ends[place] - frames[place] // 2]
        for mel, frames in ((clip.mel, spoken.durations), (varied.mel, durations))
        for ends in [np.cumsum(frames)]
    ]
    bins = [np.average(np.arange(100), weights=np.exp(2 * (centre - centre.max()))) for centre in centres]
    assert (bins[1] > bins[0]) == (speed > 1)


def test_varied_durations_sum_up_and_keep_every_phone() -> None:
    durations = [14, 1, 0, 1, 1, 0, 9, 1, 20]
    for frames in (sum(durations) - 8, sum(durations), sum(durations) + 11):
        varied = vary_durations(durations, frames)
        assert sum(varied) == frames
        assert all((new > 0) == (old > 0) for new, old in zip(varied, durations, strict=True))


def test_varied_speakers_are_trained_on_as_others(work: Work) -> None:
    alone = speech_data(BaseRun(work.folder, work, TINY, LOOPS), held_out=False)
    list(vary(work.features(), work.alignments(), work.varied, spectrogram=TINY.spectrogram))
    before = {path: path.stat().st_mtime_ns for path in work.varied[0].iterdir()}
    list(vary(work.features(), work.alignments(), work.varied, spectrogram=TINY.spectrogram))
    assert before == {path: path.stat().st_mtime_ns for path in work.varied[0].iterdir()}
    data = speech_data(BaseRun(work.folder, work, TINY, LOOPS), held_out=False)
    assert set(data.speech) - set(alone.speech) == {f"zh_en_kokoro{VARIED}", f"en_librispeech{VARIED}"}
    assert len(data.speech[f"zh_en_kokoro{VARIED}"]) == 4 * len(SPEEDS)
    originals = {clip.id for path in work.features().glob("*f00*") for clip in load_clips(path)}
    ids = [s.clip.id for name, group in data.speech[f"zh_en_kokoro{VARIED}"].items() if "f00" in name for s in group]
    assert sorted(ids) == sorted(originals), "each clip is varied once"
    medians = [
        np.median([r.measure.log_f0_median for r in data.references[name, "en"]])
        for name in (f"blend_f00{VARIED}-89", "blend_f00", f"blend_f00{VARIED}-112")
    ]
    assert medians == sorted(medians)


def test_rows_that_fill_up_a_batch_change_nothing(work: Work) -> None:
    data = SpeechData(
        load_aligned(work.features(), work.alignments()),
        lambda _: np.eye(1, 256, dtype=np.float32)[0],
        spectrogram=TINY.spectrogram,
    )
    group = data.speech["zh_en_kokoro"]["blend_f00"]
    rows = []
    for speech in sorted(group, key=lambda s: len(s.durations))[:: len(group) - 1]:
        reference = data.references["blend_f00", speech.clip.language][0]
        rows.append(cut_window(speech, reference, 400, np.random.default_rng(0), augment=False))
    torch.manual_seed(0)
    model = AcousticModel(TINY.acoustic).eval()
    for parameter in model.text.parameters():
        torch.nn.init.normal_(parameter, std=0.3)  # as if it had learned something
    with torch.inference_mode():
        alone, both = inputs_of(collate(rows[:1])), inputs_of(collate(rows))
        assert both.symbols.shape[1] > alone.symbols.shape[1]
        expected = model.text(alone, model.condition(alone))
        found = model.text(both, model.condition(both))[:1, :, : expected.shape[2]]
    assert torch.allclose(found, expected, atol=1e-5)
