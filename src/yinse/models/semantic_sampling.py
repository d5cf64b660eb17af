"""How the semantic GPT's next code is drawn: the published order of operations, each oddity an option."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from yinse.core.errors import ConfigError


@dataclass(frozen=True)
class SamplingOptions:
    """How codes are drawn and when writing stops. The defaults give what the published program gives.

    Attributes:
        top_k: how many of the likeliest codes stay; 1 is greedy, 0 keeps all. Codes as likely as the last stay too.
        top_p: share of probability that stays; 1 keeps all.
        temperature: divides the scores left over; below 1e-5 counts as 1e-5.
        repetition_penalty: divides the positive scores of codes that were there before and multiplies the negative.
        penalise_prompt: codes of the prompt were there before, too.
        top_p_before_temperature: the share is that of the scores as they come, not as the temperature leaves them.
        top_p_keeps_crossing: the code that crosses the share stays (Holtzman et al. 2020), instead of falling out.
        minimum_codes: how many codes are drawn without the end token among the choices.
        end_when_likeliest: stop, and drop the code drawn, when the end token is likeliest though another was drawn.
        maximum_codes: the published program's hard stop.
        cut_drops_first: text cut short by `maximum_codes` loses its first code, ...
        batch_cut_drops_last: ... and in a batch its last one instead.

    Raises:
        ConfigError: a value out of range.
    """

    top_k: int = 15
    top_p: float = 1.0
    temperature: float = 1.0
    repetition_penalty: float = 1.35
    penalise_prompt: bool = True
    top_p_before_temperature: bool = True
    top_p_keeps_crossing: bool = False
    minimum_codes: int = 11
    end_when_likeliest: bool = True
    maximum_codes: int = 1500
    cut_drops_first: bool = True
    batch_cut_drops_last: bool = True

    def __post_init__(self) -> None:
        if self.top_k < 0 or not 0 < self.top_p <= 1 or self.temperature < 0 or self.repetition_penalty <= 0:
            raise ConfigError(
                f"sampling cannot work with top_k {self.top_k}, top_p {self.top_p}, temperature {self.temperature} "
                f"and repetition_penalty {self.repetition_penalty}",
                advice="top_k and temperature are at least 0, top_p is in (0, 1], the penalty is above 0.",
            )
        if self.maximum_codes < 1 or self.minimum_codes < 0:
            raise ConfigError("a text needs at least one code")


def penalise(logits: Tensor, before: Tensor, penalty: float) -> Tensor:
    """Logits `(B, V)` with the codes `before` `(B, T)` made less likely, each once however often it was there."""
    if penalty == 1.0 or not before.shape[1]:
        return logits
    score = logits.gather(1, before)
    return logits.scatter(1, before, torch.where(score < 0, score * penalty, score / penalty))


def probabilities(logits: Tensor, options: SamplingOptions) -> Tensor:
    """What is drawn from, `(B, V)`, given penalised logits `(B, V)`."""
    scaled = logits / max(options.temperature, 1e-5)
    if options.top_p < 1.0:
        judged = logits if options.top_p_before_temperature else scaled
        ordered, order = judged.sort(dim=1, descending=True)
        share = torch.softmax(ordered, dim=1)
        reached = share.cumsum(dim=1)
        gone = (reached - share > options.top_p) if options.top_p_keeps_crossing else (reached > options.top_p)
        gone[:, 0] = False
        scaled = scaled.masked_fill(torch.zeros_like(gone).scatter(1, order, gone), -torch.inf)
    if options.top_k:
        least = scaled.topk(min(options.top_k, scaled.shape[1]), dim=1).values[:, -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    return torch.softmax(scaled, dim=1)


def draw(probability: Tensor, generators: Sequence[torch.Generator | None]) -> Tensor:
    """One code per row `(B,)` of probabilities `(B, V)`, by the exponential race (argmax p / E, E ~ Exponential(1)).

    Each row has its own generator, so that a text's codes do not depend on what it shares a batch with.
    """
    race = [
        torch.empty(probability.shape[1], device=probability.device).exponential_(1.0, generator=generator)
        for generator in generators
    ]
    return (probability / torch.stack(race)).argmax(dim=1)
