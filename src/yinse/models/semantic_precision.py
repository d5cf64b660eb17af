"""In what form the semantic GPT's weights are kept while it writes: one token reads every weight once.

Nothing but reading weights takes time in that step, so half the bytes are half the time (docs/adr/0005). The published
checkpoints are stored in half precision; kept so, with sums in single precision, they give the same numbers as
if widened.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from yinse.models.semantic_gpt import SemanticGPT
from yinse.models.semantic_writing import SemanticText

Precision = Literal["exact", "int8"]
PARTS = ("query_key_value", "output", "feed_in", "feed_out")


class HalfLinear(nn.Module):
    """A linear layer whose weights are kept in half precision; inputs, sums and outputs are in single precision.

    Args:
        weight: `(outputs, inputs)`, in single precision.
        bias: `(outputs,)`.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.bias = bias
        with warnings.catch_warnings():
            # Announced to go "in a future release"; its successor (quantized.linear_dynamic_fp16) runs the same kernel
            # but takes 10 µs longer to call, a millisecond per token. `prepare` does without both.
            warnings.simplefilter("ignore", UserWarning)
            self.packed = torch.fbgemm_pack_gemm_matrix_fp16(weight)
            self(torch.zeros(1, weight.shape[1]))

    def forward(self, x: Tensor) -> Tensor:
        """`(B, T, C)` to `(B, T, D)`."""
        return torch.fbgemm_linear_fp16_weight_fp32_activation(x, self.packed, self.bias)


class Int8Linear(nn.Module):
    """A linear layer with 8-bit weights, one scale per output, and inputs brought to 8 bits call by call.

    Args:
        weight: `(outputs, inputs)`, in single precision.
        bias: `(outputs,)`.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        scale = weight.abs().amax(dim=1).clamp(min=1e-12) / 127
        zero = torch.zeros(len(weight), dtype=torch.long)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            whole = torch.quantize_per_channel(weight, scale, zero, 0, torch.qint8)
        self.packed = torch.ops.quantized.linear_prepack(whole, bias)
        # without VNNI instructions 8-bit products overflow 16-bit sums: give the inputs 7 bits
        self.short = not torch.cpu._is_vnni_supported()

    def forward(self, x: Tensor) -> Tensor:
        """`(B, T, C)` to `(B, T, D)`."""
        return torch.ops.quantized.linear_dynamic(x, self.packed, self.short)


def prepare(model: SemanticGPT, precision: Precision = "exact") -> None:
    """Bring a model on the CPU into the form that writes fastest, layer by layer: never two copies of the weights.

    Its weights may be memory-mapped and in half precision; afterwards it can write, but not train or be saved. Where
    this processor or build of torch has no such kernel, layers stay as they are, in single precision.

    Args:
        model: its parameters are replaced.
        precision: "exact": half precision where that changes no weight, as in every published checkpoint, else
            single; the numbers are the same but for the order of sums. "int8": faster still, but not the same codes.
    """
    on_cpu = model.code.weight.device.type == "cpu"
    if on_cpu and "fbgemm" in torch.backends.quantized.supported_engines:
        # one piece of memory for all widened weights: many would leave holes between the packed ones
        space = torch.empty(max(linear.weight.numel() for linear in model.modules() if isinstance(linear, nn.Linear)))
        for block in model.blocks:
            for name in PARTS:
                setattr(block, name, _packed(getattr(block, name), precision, space))
        model.logits = _packed(model.logits, "exact", space)  # type: ignore[assignment]
    model.float().eval().requires_grad_(False)


def _packed(linear: nn.Linear, precision: Precision, space: Tensor) -> nn.Module:
    stored = linear.weight.detach()
    weight = space[: stored.numel()].view_as(stored).copy_(stored)
    bias = dict(linear.named_parameters()).get("bias", torch.zeros(len(weight))).detach().float()
    if precision == "int8":
        return Int8Linear(weight, bias)
    lossless = stored.dtype == torch.float16 or torch.equal(weight.half().float(), weight)
    if lossless and hasattr(torch, "fbgemm_pack_gemm_matrix_fp16"):
        return HalfLinear(weight, bias)
    return linear


def int8_pays() -> bool:
    """Whether this build of torch multiplies 8-bit weights on this processor faster than those of half precision."""
    return "fbgemm" in torch.backends.quantized.supported_engines


@dataclass(frozen=True)
class Agreement:
    """How near a model of reduced precision comes to the exact one.

    Attributes:
        likeliest: share of steps whose likeliest code is the same.
        divergence: mean Kullback-Leibler divergence of the reduced from the exact distribution, in nats.
        steps: how many were compared.
    """

    likeliest: float
    divergence: float
    steps: int

    @property
    def good(self) -> bool:
        """Whether reduced precision may be offered: 97 % the same, at most 0.01 nats."""
        return self.likeliest >= 0.97 and self.divergence <= 0.01


@torch.inference_mode()
def agreement(
    exact: SemanticGPT, reduced: SemanticGPT, spoken: Sequence[tuple[SemanticText, Tensor]], *, start: int = 0
) -> Agreement:
    """Compare two models, both told the same codes.

    Args:
        exact, reduced: the models.
        spoken: texts and their codes `(T,)`, prompt included; best those that the exact model wrote.
        start: compare from that many codes on, the length of the prompt.
    """
    same = steps = 0
    divergence = 0.0
    for text, codes in spoken:
        context = None if text.context is None else text.context[None]
        given = {"phonemes": text.phonemes[None], "context": context}
        true, near = (model(codes[None], **given)[0, start:].log_softmax(dim=-1) for model in (exact, reduced))
        same += int((true.argmax(dim=-1) == near.argmax(dim=-1)).sum())
        divergence += float((true.exp() * (true - near)).sum())
        steps += len(true)
    return Agreement(likeliest=same / steps, divergence=divergence / steps, steps=steps)
