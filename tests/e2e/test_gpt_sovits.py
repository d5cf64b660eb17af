"""Published weights through the commands: import, clone, say; tiny random models and encoders of the right shapes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner, Result

from fakes import FakeEngine, humming, reading
from official_files import write, write_semantic, write_sovits
from yinse.audio.denoise import DeepFilterNet
from yinse.audio.write import write_audio
from yinse.core.errors import Offline
from yinse.core.types import SpeakRequest
from yinse.models.speaker_verification import SpeakerVerification, SpeakerVerificationConfig
from yinse.weights import pull as pulling
from yinse.weights.official_encoders import import_pretrained, load_encoders

Yinse = Callable[..., Result]
LINES = [
    "The morning train was late again, so we walked along the river.",
    "Please put the cups back on the table before they come.",
    "We looked at the old maps for hours and then went home again.",
]
BERT_CHARACTERS = "我们走路回家了,.你好"


def write_hubert(folder: Path) -> Path:
    """A tiny HuBERT as the hub holds it, its weights pickled."""
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 12, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.HubertConfig(
        **sizes, conv_dim=[8] * 7, num_conv_pos_embeddings=4, num_conv_pos_embedding_groups=2
    )
    return _write_pretrained(folder, transformers.HubertModel(config), config)


def write_bert(folder: Path) -> Path:
    """A tiny BERT."""
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 12, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 16}
    config = transformers.BertConfig(vocab_size=30, **sizes)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *BERT_CHARACTERS]
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    return _write_pretrained(folder, transformers.BertModel(config, add_pooling_layer=False), config)


def _write_pretrained(folder: Path, model: Any, config: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**config.to_dict(), "model_type": config.model_type}))
    write(folder / "pytorch_model.bin", {name: value.half() for name, value in model.state_dict().items()})
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home; the package has no models, a fake engine listens, there is no recogniser."""
    torch.manual_seed(0)
    monkeypatch.setenv("YINSE_HOME", str(tmp_path / "home"))
    for module in ("yinse.voices.store", "yinse.workflows.models"):
        monkeypatch.setattr(f"{module}.files", lambda package: tmp_path / "package")
    monkeypatch.setattr("yinse.workflows.native.load_engine", lambda folder=None: FakeEngine())
    monkeypatch.setattr(DeepFilterNet, "denoise", lambda self, clip: clip)

    def no_recogniser(model: str) -> None:
        raise Offline("the recogniser is not on this machine")

    monkeypatch.setattr("yinse.corpus.transcriber.FasterWhisper", no_recogniser)
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "home"


def yinse(*arguments: object) -> Result:
    from yinse.cli.main import app

    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def good(*arguments: object) -> Result:
    result = yinse(*arguments)
    assert result.exit_code == 0, (result.stdout, result.stderr)
    return result


def write_files(folder: Path, **sizes: int) -> tuple[Path, Path]:
    return write_semantic(folder / "ada-e15.ckpt"), write_sovits(folder / "ada_e8_s200.pth", **sizes)


def few_codes(home: Path, name: str, **options: Any) -> None:
    """Random models never end by themselves: the folder of the model says when. Nor do they speak: nobody listens."""
    path = home / "models" / name / "config.json"
    config = json.loads(path.read_text())
    config["synthesis"] |= {"sampling": {"maximum_codes": 20, "cut_drops_first": False}, "retries": 0, **options}
    path.write_text(json.dumps(config))


def test_import_clone_say(home: Path, tmp_path: Path) -> None:
    s1, s2 = write_files(tmp_path)
    hubert, bert = write_hubert(tmp_path / "hubert"), write_bert(tmp_path / "bert")
    result = good("models", "import", s1, s2, "--name", "ada", "--hubert", hubert, "--bert", bert)
    assert "ada-e15.ckpt: semantic GPT (S1, .ckpt), v2 or later, GPT-e15: 31 tensors" in result.stdout
    assert "3 for training only, 0 unknown" in result.stdout
    assert "missing" not in result.stderr
    few_codes(home, "ada")
    listed = good("models", "list").stdout
    assert "ada\tgpt-sovits\t" in listed and "chinese-hubert-base\thubert\t" in listed
    for name in ("ada", "chinese-hubert-base", "chinese-roberta-wwm-ext-large"):
        assert f"{name}: good, " in good("models", "verify", name).stdout
    assert "SHA-256" in good("models", "card", "ada").stdout

    write_audio(tmp_path / "me.wav", reading(LINES))
    (tmp_path / "me.txt").write_text("\n".join(LINES))
    cloned = json.loads(good("clone", "me.wav", "--name", "me", "--model", "ada", "--json").stdout)
    assert cloned["tuned"] is False and cloned["utterances_with_text"] == 3

    # the voice knows its model: none is named
    for output in ("a.wav", "b.wav"):
        good("say", "We went home. It rained.", "--voice", "me", "-o", output, "--seed", "3", "--report", "r.json")
    first, rate_hz = soundfile.read("a.wav")
    assert rate_hz == 32_000
    assert len(first) == 2 * 20 * 1280 + 8000  # two sentences of 20 codes, a pause of 0.25 s
    assert np.array_equal(first, soundfile.read("b.wav")[0])
    report = json.loads(Path("r.json").read_text())
    assert [sentence["text"] for sentence in report["sentences"]] == ["We went home.", "It rained."]
    assert [(sentence["attempts"], sentence["faults"]) for sentence in report["sentences"]] == [(1, [])] * 2
    good("say", "我们走路回家了。", "--voice", "me", "-o", "zh.wav")
    assert len(soundfile.read("zh.wav")[0]) == 20 * 1280
    other = good("say", "We went home. It rained.", "--voice", "me", "-o", "c.wav", "--seed", "4", "--model", "ada")
    assert "s of speech" in other.stderr
    assert not np.array_equal(first, soundfile.read("c.wav")[0])

    # a precision for once; the folder keeps its own
    good("say", "We went home. It rained.", "--voice", "me", "-o", "e.wav", "--seed", "3", "--precision", "fp32")
    assert np.array_equal(first, soundfile.read("e.wav")[0])
    result = yinse("say", "We went home.", "--voice", "me", "-o", "f.wav", "--precision", "int4")
    assert result.exit_code == 2 and "Use one of fp32, bf16, int8" in result.stderr

    # a recording in the voice: its words are those of the text beside it, its length is kept
    write_audio(tmp_path / "you.wav", reading(LINES[:2], f0_hz=200.0))
    (tmp_path / "you.txt").write_text("\n".join(LINES[:2]))
    told = json.loads(good("convert", "you.wav", "--voice", "me", "-o", "you-me.wav", "--json").stdout)
    source, converted = soundfile.info("you.wav"), soundfile.info("you-me.wav")
    assert (converted.samplerate, told["utterances"]) == (32_000, 2)
    assert converted.frames == round(source.frames * 32_000 / source.samplerate)
    (tmp_path / "you.txt").unlink()
    result = yinse("convert", "you.wav", "--voice", "me", "-o", "none.wav")
    assert result.exit_code == 1 and "the recogniser is not on this machine" in result.stderr
    assert not Path("none.wav").exists()

    # what a random model mumbles lacks the words: it is heard, tried again, and reported
    few_codes(home, "ada", retries=1)
    good("say", "We went home.", "--voice", "me", "-o", "d.wav", "--report", "r.json")
    (sentence,) = json.loads(Path("r.json").read_text())["sentences"]
    assert sentence["attempts"] == 2
    assert any("is missing" in fault for fault in sentence["faults"])


def test_streaming_gives_the_same_length_in_pieces(home: Path, tmp_path: Path) -> None:
    from yinse.voices.store import VoiceStore
    from yinse.workflows.engines import load_engine

    s1, s2 = write_files(tmp_path)
    good("models", "import", s1, s2, "--name", "ada", "--hubert", write_hubert(tmp_path / "hubert"))
    write_audio(tmp_path / "me.wav", reading(LINES[:1]))
    good("clone", "me.wav", "--name", "me", "--model", "ada", "--no-tune")
    voice = VoiceStore().get("me")
    assert list(voice.tensors) == ["reference_condition"]  # nobody said what is said
    few_codes(home, "ada")
    request = SpeakRequest("We went home again.", seed=1)
    (whole,) = load_engine(voice=voice).stream(request, voice)
    few_codes(home, "ada", chunk_codes=8, search_samples=0)
    pieces = list(load_engine(voice=voice).stream(request, voice))
    assert len(pieces) > 2
    assert sum(len(piece.samples) for piece in pieces) == len(whole.samples)
    good("say", "We went home again.", "--voice", "me", "--seed", "1", "-o", "a.wav")
    spoken, _ = soundfile.read("a.wav", dtype="float32")
    assert np.allclose(spoken, np.concatenate([piece.samples for piece in pieces]), atol=1e-4)


def test_pro_models_need_and_take_a_speaker_model(home: Path, tmp_path: Path) -> None:
    config = SpeakerVerificationConfig(
        channels=8, blocks=(1, 1, 1, 1), base_width=64, scale=2, expansion=2, vector_size=6
    )
    s1, s2 = write_files(tmp_path, speaker=config.feature_size)
    hubert = write_hubert(tmp_path / "hubert")
    result = good("models", "import", s1, s2, "--name", "pro", "--hubert", hubert)
    assert "missing: the speaker model: " in result.stderr and "missing: BERT: " in result.stderr
    few_codes(home, "pro")
    write_audio(tmp_path / "me.wav", reading(LINES[:1]))
    result = yinse("clone", "me.wav", "--name", "me", "--model", "pro", "--no-tune")
    assert result.exit_code == 1 and "--speaker-verification FILE" in result.stderr

    weights = SpeakerVerification(config).state_dict()
    speaker = write(tmp_path / "sv.ckpt", dict(weights))
    good("models", "import", s1, s2, "--name", "pro", "--speaker-verification", speaker, "--replace")
    few_codes(home, "pro")
    good("clone", "me.wav", "--name", "me", "--model", "pro", "--no-tune")
    good("say", "We went home.", "--voice", "me", "-o", "a.wav")
    assert len(soundfile.read("a.wav")[0]) == 20 * 1280
    result = yinse("say", "我们走路回家了。", "--voice", "me", "-o", "b.wav")
    assert result.exit_code == 1 and "BERT, which is not on this machine" in result.stderr
    assert not Path("b.wav").exists()


# ------------------------------------------------------------------ what goes wrong


def test_files_that_cannot_be_imported_leave_nothing(home: Path, tmp_path: Path) -> None:
    s1, s2 = write_files(tmp_path)
    half = tmp_path / "half.pth"
    half.write_bytes(s2.read_bytes()[: s2.stat().st_size // 2])
    old = write_semantic(tmp_path / "v1.ckpt", phonemes=512)
    lora = write(
        tmp_path / "lora.pth", {"weight": {"cfm.x.lora_A.weight": torch.zeros(1)}, "lora_rank": 32}, head=b"03"
    )
    for arguments, code, said in (
        ((s2, s1), 1, "this is a SoVITS (S2, .pth)"),
        ((s1, s1), 1, "Expected is a SoVITS (S2, .pth)"),
        ((s1, half), 1, "only a part of one"),
        ((old, s2), 1, "is of v1"),
        ((s1, lora), 1, "without its base"),
        ((s1, tmp_path / "none.pth"), 1, "cannot be opened"),
        ((s1, s2, "--hubert", tmp_path), 1, "no config.json, no model.safetensors"),
        ((s1, s2, "--synthesis", "best"), 2, "no preset called 'best'"),
    ):
        result = yinse("models", "import", *arguments, "--name", "ada")
        assert (result.exit_code, said in result.stderr) == (code, True), (result.stderr, said)
    for name in ("../ada", "base", "chinese-hubert-base", ""):
        assert yinse("models", "import", s1, s2, "--name", name).exit_code == 2
    assert not list(home.rglob("*.safetensors"))
    good("models", "import", s1, s2, "--name", "ada")
    assert yinse("models", "import", s1, s2, "--name", "ada").exit_code == 2
    good("models", "import", s1, s2, "--name", "ada", "--replace")
    assert [path.name for path in (home / "models").iterdir()] == ["ada"]


def test_requests_that_a_model_cannot_meet(home: Path, tmp_path: Path) -> None:
    s1, s2 = write_files(tmp_path)
    hubert = write_hubert(tmp_path / "hubert")
    good("models", "import", s1, s2, "--name", "ada", "--hubert", hubert)
    good("models", "import", write_semantic(tmp_path / "b.ckpt", seed=5), s2, "--name", "bob")
    few_codes(home, "ada")
    write_audio(tmp_path / "me.wav", reading(LINES[:1]))
    good("clone", "me.wav", "--name", "me", "--model", "ada", "--no-tune")
    write_audio(tmp_path / "short.wav", humming([(0.1, False), (1.5, True), (0.1, False)]))
    for command, code, said in (
        (("say", "Hello.", "--voice", "me", "--model", "bob"), 1, "made for other models"),
        (("say", "Hello.", "--voice", "me", "--model", "bop"), 1, "Did you mean 'bob'"),
        (("say", "Hello.", "--voice", "me", "--model", "chinese-hubert-base"), 1, "it does not speak"),
        (("say", "Hello.", "--voice", "me", "--language", "ja"), 2, "'ja' is unknown"),
        (("say", "こんにちは", "--voice", "me"), 1, "it is written in Hiragana. Give words in Chinese or English"),
        (("say", "!?", "--voice", "me"), 1, "nothing in the text can be spoken. Give"),
        (("say", "Hello.", "--voice", "me", "--pitch", "3"), 2, "cannot shift the pitch"),
        (("clone", "short.wav", "--name", "x", "--model", "ada", "--no-tune"), 1, "3 to 10 s are expected"),
    ):
        result = yinse(*command)
        assert (result.exit_code, said in result.stderr) == (code, True), (command, result.stderr)
        assert "bug" not in result.stderr


def test_pull_fetches_imports_and_cleans_up(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "hub"
    model = pulling.MODELS["gpt-sovits-v1"]
    source.mkdir()
    write_semantic(source / model.semantic.path, phonemes=512)
    write_sovits(source / model.sovits.path, phonemes=322)
    write_hubert(source / "chinese-hubert-base")
    write_bert(source / "chinese-roberta-wwm-ext-large")
    fetched: list[str] = []

    def copied(file: pulling.RemoteFile, place: Path, address: str) -> Iterator[Any]:
        fetched.append(address)
        place.write_bytes((source / file.path).read_bytes())
        yield from ()

    monkeypatch.setattr(pulling, "_try", copied)
    files = [
        pulling.RemoteFile(f"chinese-roberta-wwm-ext-large/{name}")
        for name in ("config.json", "vocab.txt", "pytorch_model.bin")
    ]
    monkeypatch.setattr(pulling, "BERT", files)
    result = good("models", "pull", "gpt-sovits-v1", "--mirror", "http://mirror.example/")
    assert "model 'gpt-sovits-v1'" in result.stdout and "missing" not in result.stderr
    assert len(fetched) == 7
    assert fetched[0].startswith(
        "http://mirror.example/lj1995/GPT-SoVITS/resolve/main/s1bert25hz-2kh-longer-epoch%3D68e"
    )
    assert not [path for path in (home / "downloads").rglob("*") if path.is_file()]
    # the encoders are here now: only the pair is fetched again
    good("models", "pull", "gpt-sovits-v1", "--replace", "--mirror", "http://mirror.example")
    assert len(fetched) == 9
    assert yinse("models", "pull", "gpt-sovits-v9").exit_code == 1


def test_encoders_read_from_pickled_and_safe_files_are_the_same(home: Path, tmp_path: Path) -> None:
    source = write_hubert(tmp_path / "hubert")
    samples = torch.randn(1, 1600, generator=torch.Generator().manual_seed(0))
    import_pretrained("hubert", source)
    first = load_encoders().speech(samples)
    assert first.shape == (1, 12, 4)
    (source / "model.safetensors").write_bytes(
        (home / "models" / "chinese-hubert-base" / "model.safetensors").read_bytes()
    )
    (source / "pytorch_model.bin").unlink()
    import_pretrained("hubert", source)
    assert torch.equal(load_encoders().speech(samples), first)
