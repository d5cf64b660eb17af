"""Low-rank updates: W + up · down / rank, the few numbers a voice adds to frozen weights (Hu et al., "LoRA", 2022)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from yinse.core.errors import CheckpointKeys


class LowRankUpdate(nn.Module):
    """Parametrisation of a weight of any shape, seen as a matrix `(out, rest)`; the update starts at zero."""

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        rows, columns = weight.shape[0], weight[0].numel()
        self.down = nn.Parameter(torch.randn(rank, columns) / math.sqrt(columns))
        self.up = nn.Parameter(torch.zeros(rows, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The updated weight, of the shape `(N, …)` of the weight given."""
        return weight + (self.up @ self.down).view_as(weight)


def add_low_rank(model: nn.Module, names: Iterable[str], *, rank: int) -> list[nn.Parameter]:
    """Freeze a model and give the named weights trainable low-rank updates.

    Args:
        model: changed in place.
        names: parameter names ("trunk_blocks.0.first.weight").
        rank: of the updates.

    Returns:
        the trainable parameters.
    """
    model.requires_grad_(False)
    trainable: list[nn.Parameter] = []
    for name in names:
        owner, attribute = name.rsplit(".", 1)
        module = model.get_submodule(owner)
        update = LowRankUpdate(getattr(module, attribute), rank)
        parametrize.register_parametrization(module, attribute, update)
        trainable += [update.down, update.up]
    return trainable


def low_rank_state(model: nn.Module) -> dict[str, Tensor]:
    """The updates of a model by `NAME.down` and `NAME.up`."""
    state = {}
    for owner, module in model.named_modules():
        if parametrize.is_parametrized(module):
            assert isinstance(module.parametrizations, nn.ModuleDict)
            for attribute, updates in module.parametrizations.items():
                assert isinstance(updates, parametrize.ParametrizationList)
                for update in updates:
                    if isinstance(update, LowRankUpdate):
                        state[f"{owner}.{attribute}.down"] = update.down.detach()
                        state[f"{owner}.{attribute}.up"] = update.up.detach()
    return state


@torch.no_grad()
def merge_low_rank(model: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Add updates to the weights of a model in place.

    Raises:
        CheckpointKeys: an update names a weight that the model lacks, or has another shape.
    """
    parameters = dict(model.named_parameters())
    for name in {key.rsplit(".", 1)[0] for key in state}:
        up, down = state.get(f"{name}.up"), state.get(f"{name}.down")
        weight = parameters.get(name)
        if up is None or down is None or weight is None or up.shape[0] * down.shape[1] != weight.numel():
            raise CheckpointKeys("adapter", missing=(), unexpected=[name])
        weight.add_((up.float() @ down.float()).view_as(weight))
