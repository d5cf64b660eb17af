"""Which model sets are here, whether they are whole, and how others come here."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from yinse.core.errors import ConfigError, Incompatible, UnknownName
from yinse.core.events import Artifact, Event, Finished, Progress, Warned, relay
from yinse.core.home import home, mirrors, models_folder

SHIPPED = "base"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class ModelSet:
    """A model folder as it describes itself; nothing is verified."""

    name: str
    folder: Path
    kind: str
    fingerprint: str
    size_bytes: int
    provenance: Mapping[str, Any]


def find_models() -> tuple[ModelSet, ...]:
    """The set that comes with the package, and those in `YINSE_HOME/models`."""
    return tuple(describe(folder) for folder in _folders())


def find_model_of(fingerprint: str) -> ModelSet | None:
    """The set that a voice was made for, None if it is not here; sets whose description is damaged are passed over."""
    for folder in _folders():
        with contextlib.suppress(Incompatible):
            model = describe(folder)
            if model.fingerprint == fingerprint:
                return model
    return None


def _folders() -> Iterator[Path]:
    shipped = Path(str(files("yinse"))) / "assets" / SHIPPED
    own = models_folder()
    for folder in (shipped, *(sorted(own.iterdir()) if own.is_dir() else ())):
        if (folder / "config.json").is_file() and not folder.name.startswith("."):  # those are only half there
            yield folder


def find_model(name: str) -> ModelSet:
    """A set by its name, or by its folder.

    Raises:
        UnknownName: there is none; the message proposes the nearest name.
    """
    if (Path(name) / "config.json").is_file():
        return describe(Path(name))
    found = {model.name: model for model in find_models()}
    if name not in found:
        raise UnknownName("model", name, found)
    return found[name]


def describe(folder: Path) -> ModelSet:
    """What a model folder says about itself.

    Raises:
        Incompatible: its description cannot be read.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        provenance = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))
        return ModelSet(
            name=folder.resolve().name,
            folder=folder,
            kind=str(config["type"]),
            fingerprint=str(config["fingerprint"]),
            size_bytes=sum(file.stat().st_size for file in folder.iterdir() if file.is_file()),
            provenance=provenance,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Incompatible(f"unreadable model description ({error})", where=str(folder)) from error


def card(model: ModelSet) -> str:
    """Its model card.

    Raises:
        Incompatible: there is none.
    """
    try:
        return (model.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise Incompatible("the model has no card", where=str(model.folder)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRequest:
    """Files to make a model set of.

    Attributes:
        name: of the set.
        semantic: `.ckpt` file of the semantic GPT (S1).
        sovits: `.pth` file of the SoVITS (S2).
        hubert, bert: folders of `transformers` with the encoders that all sets share; None: those that are here.
        speaker_verification: `.ckpt` file of the ERes2NetV2, which v2Pro and v2ProPlus need.
        synthesis: choices at synthesis: a "preset", and what differs from it.
        replace: an older set of this name gives way.

    Raises:
        ConfigError: the name cannot be the name of a folder, or a choice makes no sense.
    """

    name: str
    semantic: Path
    sovits: Path
    hubert: Path | None = None
    bert: Path | None = None
    speaker_verification: Path | None = None
    synthesis: Mapping[str, Any]
    replace: bool = False

    def __post_init__(self) -> None:
        from yinse.synth.gpt_sovits_options import options_from
        from yinse.weights.official_encoders import FOLDERS

        if not _NAME.fullmatch(self.name) or self.name in (SHIPPED, *FOLDERS.values()):
            raise ConfigError(
                f"'{self.name}' cannot be the name of a model", advice="Use letters, digits, '.', '_' and '-'."
            )
        options_from(self.synthesis)


@dataclass(frozen=True, slots=True)
class Imported:
    """A set that was made, what was found in its files, and what is still missing to clone and speak with it."""

    model: ModelSet
    reports: Mapping[str, Any]
    missing: tuple[str, ...]


def import_models(request: ImportRequest) -> Iterator[Event]:
    """Makes a set of published files. The last event holds an `Imported`.

    Raises:
        Incompatible, CheckpointKeys, DamagedFile, UnsafeFile: a file cannot be used; the message says what it is.
        ConfigError: there is a set of that name.
        ResourceError: a file cannot be read or written.
    """
    from yinse.weights.gpt_sovits import save_gpt_sovits
    from yinse.weights.official import import_semantic, import_sovits
    from yinse.weights.official_encoders import BERT, HUBERT, import_pretrained, import_speaker

    folder = models_folder() / request.name
    if folder.exists() and not request.replace:
        raise ConfigError(
            f"there is already a model called '{request.name}'", advice="Choose another name, or add --replace."
        )
    sources = (request.semantic, request.sovits, request.hubert, request.bert, request.speaker_verification)
    steps = sum(source is not None for source in sources)
    yield Progress("import", 0, steps, request.semantic.name)
    semantic = import_semantic(request.semantic)
    yield Progress("import", 1, steps, request.sovits.name)
    sovits = import_sovits(request.sovits)
    for report in (semantic.report, sovits.report):
        yield from (Warned(remark, report.file) for remark in report.remarks)
        if report.unexpected:
            yield Warned(
                f"{len(report.unexpected)} tensors have no place in the model and were left out "
                f"({', '.join(report.unexpected[:3])}{', …' if len(report.unexpected) > 3 else ''})",
                report.file,
            )
    done = 2
    for kind, source in ((HUBERT, request.hubert), (BERT, request.bert)):
        if source is not None:
            yield Progress("import", done, steps, source.name)
            import_pretrained(kind, source)
            done += 1
    if request.speaker_verification is not None:
        yield Progress("import", done, steps, request.speaker_verification.name)
        import_speaker(request.speaker_verification)
    save_gpt_sovits(folder, semantic, sovits, synthesis=request.synthesis, replace=request.replace)
    yield Progress("import", steps, steps)
    yield Artifact("model", str(folder))
    reports = {"semantic": semantic.report, "sovits": sovits.report}
    yield Finished(Imported(describe(folder), reports, _missing(bool(sovits.config.speaker_vector))))


def pull_models(
    name: str, *, addresses: tuple[str, ...] = (), synthesis: Mapping[str, Any], replace: bool = False
) -> Iterator[Event]:
    """Fetches a published set with the encoders it needs, and imports it. The last event holds an `Imported`.

    Args:
        name: such as "gpt-sovits-v2pro".
        addresses: mirrors; none: those of `YINSE_MIRRORS`, else the hub.
        synthesis: as of `ImportRequest`.
        replace: an older set of this name gives way.

    Raises:
        UnknownName: there is no such set to pull.
        Offline: files cannot be fetched; the message lists what to place where.
        YinseError: what `import_models` raises.
    """
    from yinse.weights import pull
    from yinse.weights.official_encoders import BERT, FOLDERS, HUBERT, SPEAKER

    remote = pull.remote_model(name)
    folder = home() / "downloads" / "gpt-sovits"
    have = {kind for kind, place in FOLDERS.items() if (models_folder() / place / "config.json").is_file()}
    files = [remote.semantic, remote.sovits]
    files += () if HUBERT in have else pull.HUBERT
    files += () if BERT in have else pull.BERT
    needs_speaker = remote.reads_speaker and SPEAKER not in have
    files += [pull.SPEAKER] if needs_speaker else []
    fetched = [folder / file.path for file in files if not (folder / file.path).exists()]
    yield from pull.pull(files, folder, options=pull.PullOptions(mirrors=addresses or mirrors()))
    imported = yield from relay(
        import_models(
            ImportRequest(
                name=name,
                semantic=folder / remote.semantic.path,
                sovits=folder / remote.sovits.path,
                hubert=None if HUBERT in have else folder / FOLDERS[HUBERT],
                bert=None if BERT in have else folder / FOLDERS[BERT],
                speaker_verification=folder / pull.SPEAKER.path if needs_speaker else None,
                synthesis=synthesis,
                replace=replace,
            )
        )
    )
    for path in fetched:  # what the user placed there stays
        path.unlink(missing_ok=True)
    yield Finished(imported)


def verify(model: ModelSet) -> str:
    """Loads a set and checks that it is whole, unchanged and fits this version; returns its fingerprint.

    Raises:
        YinseError: what loading raises.
    """
    from yinse.weights.official_encoders import FOLDERS, check_encoder

    if model.kind in FOLDERS:
        return check_encoder(model.folder)
    from yinse.workflows.engines import load_engine

    return load_engine(str(model.folder)).fingerprint


def _missing(reads_speaker: bool) -> tuple[str, ...]:
    from yinse.weights.official_encoders import load_encoders

    found = load_encoders()
    lacking = {
        "HuBERT": found.speech is None,
        "BERT": found.text is None,
        "the speaker model": reads_speaker and found.speaker is None,
    }
    return tuple(f"{name}: {(found.missing or {})[name]}" for name, lacks in lacking.items() if lacks)
