"""Writes semantic codes: one text, several at a time, or code by code while they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from yinse.core.errors import BadText
from yinse.models.blocks import KeyValueCache
from yinse.models.semantic_gpt import PhonemeAttention, SemanticGPT
from yinse.models.semantic_sampling import SamplingOptions, draw, penalise, probabilities


@dataclass(frozen=True)
class SemanticText:
    """What is to be said.

    Attributes:
        phonemes: ids `(T_ph,)`, those of the prompt first.
        context: hidden states of the text encoder `(T_ph, D)`; None: zeros, as for languages it does not know.
    """

    phonemes: Tensor
    context: Tensor | None = None


@dataclass(frozen=True)
class SemanticCodes:
    """What was written.

    Attributes:
        codes: `(T,)` without prompt and end token.
        ended: the end token came; otherwise the text was cut short.
        attention: how much each code looked at each phoneme `(T, T_ph)`, if asked for: row t is of the step that
            chose code t.
    """

    codes: Tensor
    ended: bool
    attention: Tensor | None = None

    def part(self, start: int, end: int) -> SemanticCodes:
        """The codes from `start` to before `end`."""
        looked = None if self.attention is None else self.attention[start:end]
        return SemanticCodes(codes=self.codes[start:end], ended=self.ended, attention=looked)


@dataclass(frozen=True)
class _Step:
    """A code written for the text `row`; `code` is -1 when the end token came instead, -2 when the text is cut short.

    `looked` is the attention that chose it `(T_ph,)`.
    """

    row: int
    code: int
    looked: Tensor | None = None


_END, _CUT = -1, -2


def write(
    model: SemanticGPT,
    text: SemanticText,
    prompt: Tensor,
    *,
    options: SamplingOptions,
    generator: torch.Generator | None = None,
    attention: Tensor | None = None,
) -> SemanticCodes:
    """Write the codes of one text.

    Args:
        model: in evaluation mode.
        text: what is to be said, the prompt's phonemes first.
        prompt: codes of the prompt `(T_prompt,)`, possibly none.
        options: how codes are drawn.
        generator: where chance comes from; None: the global one.
        attention: weights `(layers, heads)` with which the attention to the phonemes is summed; None: not wanted.

    Raises:
        BadText: there is no phoneme.
    """
    [written] = _write(model, [text], prompt, options=options, generators=[generator], attention=attention)
    # nothing is dropped without a prompt: the published program then takes all there is
    if options.cut_drops_first and not written.ended and len(prompt):
        return written.part(1, len(written.codes))
    return written


def write_batch(
    model: SemanticGPT,
    texts: Sequence[SemanticText],
    prompt: Tensor,
    *,
    options: SamplingOptions,
    generators: Sequence[torch.Generator | None],
    attention: Tensor | None = None,
) -> list[SemanticCodes]:
    """Write the codes of several texts after one prompt; arguments as of `write`, one generator per text.

    Each text gets the codes it would get alone, but for rounding, and for how a text cut short is cut (`options`).

    Raises:
        BadText: a text has no phoneme.
    """
    every = _write(model, texts, prompt, options=options, generators=generators, attention=attention)
    if not options.batch_cut_drops_last:
        return every
    return [written if written.ended else written.part(0, len(written.codes) - 1) for written in every]


def stream(
    model: SemanticGPT,
    text: SemanticText,
    prompt: Tensor,
    *,
    options: SamplingOptions,
    generator: torch.Generator | None = None,
) -> Iterator[int]:
    """Yield each code of one text as soon as it is certain; arguments as of `write`. A cut text loses nothing."""
    for step in _steps(model, [text], prompt, options=options, generators=[generator]):
        if step.code >= 0:
            yield step.code


def chunks(
    codes: Iterable[int], *, length: int, similarity: Tensor | None = None, threshold: float = 0.0
) -> Iterator[list[int]]:
    """Cut a stream of codes where speech can be cut.

    Args:
        codes: as they come.
        length: codes a chunk has at least, but for the last.
        similarity: of every code to near silence `(codes,)`, as `SemanticGPT.similarity` gives it. A chunk then ends
            at the first code from `length` on that is more like silence than its neighbours and than `threshold`, at
            the latest at twice `length`. None: chunks of `length`.
        threshold: least similarity of a chunk's last code.
    """
    pending: list[int] = []
    quiet = None if similarity is None else similarity.tolist()
    for code in codes:
        pending.append(code)
        if len(pending) < length:
            continue
        end = len(pending) if quiet is None else _quiet_end(pending, quiet, length=length, threshold=threshold)
        if end:
            yield pending[:end]
            pending = pending[end:]
    if pending:
        yield pending


def _quiet_end(pending: list[int], quiet: Sequence[float], *, length: int, threshold: float) -> int:
    """Where to end a chunk, 0 for not yet. The last code waits for its neighbour."""
    place = len(pending) - 2
    if place >= length - 1:
        before = quiet[pending[place - 1]] if place else -1.0
        here, after = quiet[pending[place]], quiet[pending[place + 1]]
        if here >= threshold and here >= before and here >= after:
            return place + 1
    return len(pending) if len(pending) >= 2 * length else 0


def _write(
    model: SemanticGPT,
    texts: Sequence[SemanticText],
    prompt: Tensor,
    *,
    options: SamplingOptions,
    generators: Sequence[torch.Generator | None],
    attention: Tensor | None,
) -> list[SemanticCodes]:
    """Everything that is written, nothing dropped."""
    codes: list[list[int]] = [[] for _ in texts]
    looked: list[list[Tensor]] = [[] for _ in texts]
    ended = [False] * len(texts)
    for step in _steps(model, texts, prompt, options=options, generators=generators, attention=attention):
        if step.code < 0:
            ended[step.row] = step.code == _END
            continue
        codes[step.row].append(step.code)
        if step.looked is not None:
            looked[step.row].append(step.looked[None].float().cpu())
    return [
        SemanticCodes(
            codes=torch.tensor(codes[row], dtype=torch.long),
            ended=ended[row],
            attention=None if attention is None else torch.cat([torch.zeros(0, len(text.phonemes)), *looked[row]]),
        )
        for row, text in enumerate(texts)
    ]


@torch.inference_mode()
def _steps(
    model: SemanticGPT,
    texts: Sequence[SemanticText],
    prompt: Tensor,
    *,
    options: SamplingOptions,
    generators: Sequence[torch.Generator | None],
    attention: Tensor | None = None,
) -> Iterator[_Step]:
    """Write until every text has ended; rows that have ended leave the batch."""
    device = model.code.weight.device
    phonemes, context, mask = _padded(texts, model.config.context_size, device)
    longest, rows = phonemes.shape[1], list(range(len(texts)))
    capacity = longest + len(prompt) + options.maximum_codes
    # codes are drawn on the CPU, where chance is the same for every device
    tokens = prompt.long().cpu().expand(len(rows), -1)
    unpenalised = 0 if options.penalise_prompt else len(prompt)
    record = None if attention is None else PhonemeAttention(attention.to(device))
    cache = model.cache(len(rows), capacity)
    known = {"phonemes": phonemes, "context": context}
    given = tokens
    for written in range(options.maximum_codes):
        scores = model(given.to(device), phoneme_mask=mask, cache=cache, phoneme_count=longest, record=record, **known)
        known, logits = {}, scores[:, -1].float().cpu()
        if written < options.minimum_codes:
            logits = logits[:, :-1]
        logits = penalise(logits, tokens[:, unpenalised:], options.repetition_penalty)
        chosen = draw(probabilities(logits, options), [generators[row] for row in rows])
        end = chosen == model.config.end
        if options.end_when_likeliest:
            end |= logits.argmax(dim=1) == model.config.end
        finished = end.tolist()
        for place, (row, code) in enumerate(zip(rows, chosen.tolist(), strict=True)):
            looked = None if record is None else record.share[place, -1, longest - len(texts[row].phonemes) :]
            yield _Step(row, _END if finished[place] else code, looked)
        tokens = torch.cat([tokens, chosen[:, None]], dim=1)
        if any(finished):
            rows = [row for row, done in zip(rows, finished, strict=True) if not done]
            if not rows:
                return
            tokens = tokens[~end]
            mask = None if mask is None else mask[~end.to(device)]
            cache = _kept(model, cache, ~end.to(device), capacity)
        given = tokens[:, -1:]
    for row in rows:
        yield _Step(row, _CUT)


def _kept(model: SemanticGPT, cache: KeyValueCache, rows: Tensor, capacity: int) -> KeyValueCache:
    """A cache of the chosen rows; what is not filled yet is not copied, for that would claim its memory."""
    kept = model.cache(int(rows.sum()), capacity)
    kept.length = cache.length
    kept.data[..., : kept.length, :] = cache.data[..., : cache.length, :][:, :, rows]
    return kept


def _padded(
    texts: Sequence[SemanticText], context_size: int, device: torch.device
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """Phonemes `(B, T_ph)`, context `(B, T_ph, D)` and mask, padded on the left; None for what is not needed."""
    lengths = [len(text.phonemes) for text in texts]
    longest = max(lengths)
    if not min(lengths):
        raise BadText("a text without phonemes cannot be spoken")
    phonemes = torch.zeros(len(texts), longest, dtype=torch.long)
    context = torch.zeros(len(texts), longest, context_size)
    mask = torch.zeros(len(texts), longest, dtype=torch.bool)
    for row, text in enumerate(texts):
        start = longest - lengths[row]
        phonemes[row, start:] = text.phonemes
        mask[row, start:] = True
        if text.context is not None:
            context[row, start:] = text.context
    without = all(text.context is None for text in texts)
    return (
        phonemes.to(device),
        None if without else context.to(device),
        None if min(lengths) == longest else mask.to(device),
    )
