"""A HiFi-GAN generator made ready for speaking on a CPU: the same network, arranged for the machine.

Four things make it faster than the modules of `hifigan`, each by measurement (`benchmarks/gpt_sovits_decoder.py`):

- samples lie in memory with their channels side by side, which oneDNN's convolutions and matrix products like;
- wide convolutions with long kernels are computed in the frequency domain, in short blocks: 47 multiplications give 22
  samples of a kernel of 11, where the plain sum takes 242;
- transposed convolutions are one matrix product, whose parts are added where they overlap;
- each stage runs through time in pieces that stay in the cache, so memory grows with one tensor per stage only.

In single precision all results are those of the network up to rounding. In bfloat16 the products are rounded, also
those of the frequency domain; its transforms are not.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from yinse.models.hifigan import LEAKY_SLOPE, HifiGanGenerator, ResidualBlock

PIECE_FRAMES = 480
"""Frames made at a time when there are more; each piece sees its neighbours' frames as far as the network reaches."""
_PIECE_VALUES = 512 * 1024
"""Numbers in a stage's piece: two to four arrays of this size fit into a second-level cache with their transforms."""
_FOURIER_KERNEL = 7
_FOURIER_SIZE = {torch.float32: 64 * 7, torch.bfloat16: 128 * 11}
"""From this kernel, and this product of channels and kernel, the frequency domain is faster than oneDNN's sum."""


class _Convolution(nn.Module):
    """Convolution over rows `(S, C)` that keeps their number: the plain sum, by oneDNN."""

    weight: Tensor
    bias: Tensor | None

    def __init__(self, weight: Tensor, bias: Tensor | None, *, dilation: int, precision: torch.dtype) -> None:
        super().__init__()
        self.dilation = dilation
        self.padding = dilation * (weight.shape[2] // 2)
        picture = weight[:, :, None].to(precision).contiguous(memory_format=torch.channels_last)
        self.register_buffer("weight", picture, persistent=False)
        self.register_buffer("bias", None if bias is None else bias.to(precision), persistent=False)

    def forward(self, rows: Tensor, *, slope: float = 1.0) -> Tensor:
        """`(S, O)` of `(S, C)`, whose negative entries are first multiplied by `slope`."""
        if slope != 1.0:
            rows = nn.functional.leaky_relu(rows, slope)
        made = nn.functional.conv2d(
            rows.T[None, :, None], self.weight, self.bias, padding=(0, self.padding), dilation=(1, self.dilation)
        )
        return made[0, :, 0].T


class _FourierConvolution(nn.Module):
    """The same in the frequency domain: overlap-save with short real transforms.

    A complex product is three real ones (Gauss), and the sums around them are part of the transforms' matrices, so
    everything is a product of real matrices.
    """

    weight: Tensor
    bias: Tensor
    forth: Tensor
    back: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, *, dilation: int, precision: torch.dtype) -> None:
        super().__init__()
        outputs, inputs, kernel = weight.shape
        self.kernel, self.dilation = kernel, dilation
        self.block = 8 * math.ceil((2 * kernel + 10) / 8)  # fastest for kernels 7 and 11
        self.step = self.block - kernel + 1
        forth, spectra, back = _transforms(self.block, kernel)
        by_tap = weight.float().permute(2, 1, 0).reshape(kernel, inputs * outputs)
        self.register_buffer("weight", (spectra @ by_tap).view(-1, inputs, outputs).to(precision), persistent=False)
        # a constant lives in the lowest frequency, the first row
        self.register_buffer("bias", bias.float() * self.block, persistent=False)
        self.register_buffer("forth", forth, persistent=False)
        self.register_buffer("back", back, persistent=False)

    def forward(self, rows: Tensor, *, slope: float = 1.0) -> Tensor:
        """`(S, O)` of `(S, C)`, whose negative entries are first multiplied by `slope`."""
        count, channels = rows.shape
        dilation, step, block = self.dilation, self.step, self.block
        blocks = math.ceil(math.ceil(count / dilation) / step)
        before = dilation * (self.kernel // 2)
        padded = self.forth.new_empty(dilation * (blocks * step + self.kernel - 1), channels)
        padded[:before] = 0
        padded[before + count :] = 0
        torch.ops.aten.leaky_relu.out(rows.float(), slope, out=padded[before : before + count])
        spectra = padded.new_empty(dilation, blocks, len(self.forth), channels)
        forth = self.forth.expand(blocks, -1, -1)
        for phase in range(dilation):  # each d-th row, from another one: what a dilated kernel sees
            shape, strides = (blocks, block, channels), (step * dilation * channels, dilation * channels, 1)
            torch.bmm(forth, padded[phase:].as_strided(shape, strides, phase * channels), out=spectra[phase])
        given = spectra.flatten(0, 1).transpose(0, 1)
        if self.weight.dtype != given.dtype:
            given = given.new_empty(given.shape, dtype=self.weight.dtype).copy_(given)
        products = torch.bmm(given, self.weight).float()
        products[0] += self.bias
        made = torch.bmm(self.back.expand(dilation * blocks, -1, -1), products.transpose(0, 1))
        in_order = made.view(dilation, blocks * step, -1).transpose(0, 1)
        return in_order.to(rows.dtype).reshape(dilation * blocks * step, -1)[:count]


class _Upsampling(nn.Module):
    """Transposed convolution over rows, `(S, C)` to `(S * factor, O)`."""

    weight: Tensor
    bias: Tensor

    def __init__(self, module: nn.Module, *, scale: float, precision: torch.dtype) -> None:
        super().__init__()
        assert isinstance(module, nn.ConvTranspose1d)
        weight = module.weight.detach() * scale
        inputs, self.outputs, self.kernel = weight.shape
        self.factor, self.padding = int(module.stride[0]), int(module.padding[0])
        self.parts = math.ceil(self.kernel / self.factor)
        flat = weight.permute(0, 2, 1).reshape(inputs, self.kernel * self.outputs)
        self.register_buffer("weight", flat.to(precision), persistent=False)
        assert module.bias is not None
        self.register_buffer("bias", module.bias.detach().to(precision), persistent=False)

    def forward(self, rows: Tensor, *, slope: float) -> Tensor:
        """`(S * factor, O)` of `(S, C)`, whose negative entries are first multiplied by `slope`."""
        count, factor = len(rows), self.factor
        made = rows.new_empty(count + self.parts - 1, factor, self.outputs)
        made[:] = self.bias
        size = max(1, _PIECE_VALUES // (self.kernel * self.outputs))
        for start in range(0, count, size):
            piece = nn.functional.leaky_relu(rows[start : start + size], slope) @ self.weight
            spread = piece.view(len(piece), self.kernel, self.outputs)
            for part in range(self.parts):
                taps = spread[:, part * factor : (part + 1) * factor]
                made[start + part : start + part + len(piece), : taps.shape[1]] += taps
        return made.view(-1, self.outputs)[self.padding : self.padding + count * factor]


class _Block(nn.Module):
    """Residual block over rows."""

    def __init__(self, block: ResidualBlock, *, precision: torch.dtype) -> None:
        super().__init__()
        self.steps = nn.ModuleList(
            nn.ModuleList(_prepared(convolution, precision=precision) for convolution in step) for step in block.steps()
        )
        self.reach = sum(_reach(convolution) for step in block.steps() for convolution in step)

    def forward(self, rows: Tensor) -> Tensor:
        """`(S, C)` to the same shape."""
        for step in self.steps:
            inside = rows
            for convolution in step.children():
                inside = convolution(inside, slope=LEAKY_SLOPE)
            rows = inside + rows
        return rows


class PreparedGenerator(nn.Module):
    """A generator for speaking only: it holds no parameters and cannot be trained or saved.

    Args:
        generator: the network; its weights are copied.
        precision: of the wide part; bfloat16 pays where the processor has its products (AVX-512 BF16, AMX).
    """

    def __init__(self, generator: HifiGanGenerator, *, precision: torch.dtype = torch.float32) -> None:
        super().__init__()
        config = generator.config
        self.config = config
        self.precision = precision
        self.enter = _prepared(generator.conv_pre, precision=torch.float32)
        self.condition = None
        if generator.cond is not None:
            self.condition = _Convolution(*_weight(generator.cond), dilation=1, precision=torch.float32)
        parallel = len(config.resblock_kernels)
        self.upsamplings = nn.ModuleList()
        self.stages = nn.ModuleList()
        for stage, upsampling in enumerate(generator.ups):
            # the mean over a stage's blocks is their sum here; what reads it makes up for that
            scale = 1 / parallel if stage else 1.0
            self.upsamplings.append(_Upsampling(upsampling, scale=scale, precision=precision))
            self.stages.append(nn.ModuleList(_Block(block, precision=precision) for block in _blocks(generator, stage)))
        weight, bias = _weight(generator.conv_post)
        self.leave = _Convolution(weight / parallel, bias, dilation=1, precision=precision)
        self.reach_frames = _reach_frames(generator)

    @torch.no_grad()
    def forward(self, frames: Tensor, condition: Tensor | None = None) -> Tensor:
        """Waveform `(B, T * hop)` of `frames (B, C, T)` and, if configured, `condition (B, D)`."""
        added = None
        if self.condition is not None and condition is not None:
            added = self.condition(condition)
        rows = [self._row(frames[row], None if added is None else added[row]) for row in range(len(frames))]
        return torch.stack(rows)

    def _row(self, frames: Tensor, added: Tensor | None) -> Tensor:
        """Waveform `(T * hop,)` of one row of frames `(C, T)`."""
        hop, count = self.config.hop_samples, frames.shape[1]
        made = []
        for low, start, end, high in _pieces(count, PIECE_FRAMES, self.reach_frames):
            samples = self._samples(frames[:, low:high], added)
            made.append(samples[(start - low) * hop : (end - low) * hop])
        return torch.cat(made)

    def _samples(self, frames: Tensor, added: Tensor | None) -> Tensor:
        rows = self.enter(frames.T.contiguous().float())
        if added is not None:
            rows = rows + added
        rows = rows.to(self.precision)
        for upsample, blocks in zip(self.upsamplings, self.stages, strict=True):
            rows = upsample(rows, slope=LEAKY_SLOPE)
            rows = _sum_of_blocks(rows, blocks)  # type: ignore[arg-type]
        # the published code uses PyTorch's default slope of 0.01 here
        return torch.tanh(self.leave(rows, slope=0.01)[:, 0].float())


def bfloat16_pays() -> bool:
    """Whether this processor multiplies numbers of bfloat16 faster than those of single precision."""
    # unknown to older versions of PyTorch
    capabilities: dict[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(bool(capabilities.get(name)) for name in ("avx512_bf16", "amx_bf16", "amx_tile"))


def _sum_of_blocks(rows: Tensor, blocks: nn.ModuleList) -> Tensor:
    """Sum over residual blocks, piece by piece through time."""
    total = torch.empty_like(rows)
    size = _PIECE_VALUES // rows.shape[1]
    for index, block in enumerate(blocks):
        for low, start, end, high in _pieces(len(rows), size, block.reach):  # type: ignore[arg-type]
            made = block(rows[low:high])[start - low : end - low]
            if index:
                total[start:end] += made
            else:
                total[start:end] = made
    return total


def _pieces(count: int, size: int, reach: int) -> Iterator[tuple[int, int, int, int]]:
    """Where each piece's surroundings begin, where it begins and ends, and where its surroundings end."""
    parts = max(1, math.ceil(count / size))
    edges = [count * part // parts for part in range(parts + 1)]
    for start, end in zip(edges[:-1], edges[1:], strict=True):
        yield max(0, start - reach), start, end, min(count, end + reach)


def _blocks(generator: HifiGanGenerator, stage: int) -> list[ResidualBlock]:
    """Residual blocks that run side by side in a stage."""
    parallel = len(generator.config.resblock_kernels)
    blocks = list(generator.resblocks)[stage * parallel : (stage + 1) * parallel]
    return [block for block in blocks if isinstance(block, ResidualBlock)]


def _reach(convolution: nn.Module) -> int:
    """Rows seen to either side."""
    assert isinstance(convolution, nn.Conv1d)
    return int(convolution.padding[0])


def _reach_frames(generator: HifiGanGenerator) -> int:
    """Frames that a sample depends on to either side of its own."""
    config = generator.config
    reach, rate = float(_reach(generator.conv_pre)), 1
    for stage, (factor, kernel) in enumerate(zip(config.upsampling, config.upsampling_kernels, strict=True)):
        reach += kernel / factor / rate
        rate *= factor
        sums = (sum(_reach(one) for step in block.steps() for one in step) for block in _blocks(generator, stage))
        reach += max(sums) / rate
    return math.ceil(reach + _reach(generator.conv_post) / rate)


def _weight(convolution: nn.Module) -> tuple[Tensor, Tensor | None]:
    """Weight, with its weight norm multiplied in, and bias."""
    assert isinstance(convolution, nn.Conv1d)
    bias: Tensor | None = convolution.bias
    return convolution.weight.detach(), bias if bias is None else bias.detach()


def _prepared(convolution: nn.Module, *, precision: torch.dtype) -> nn.Module:
    """The faster of the two kinds of convolution."""
    weight, bias = _weight(convolution)
    assert isinstance(convolution, nn.Conv1d)
    dilation = int(convolution.dilation[0])
    channels, kernel = min(weight.shape[:2]), weight.shape[2]
    if bias is not None and kernel >= _FOURIER_KERNEL and channels * kernel >= _FOURIER_SIZE[precision]:
        return _FourierConvolution(weight, bias, dilation=dilation, precision=precision)
    return _Convolution(weight, bias, dilation=dilation, precision=precision)


def _transforms(block: int, kernel: int) -> tuple[Tensor, Tensor, Tensor]:
    """Matrices to the frequency domain `(R, block)`, of a kernel's taps `(R, kernel)`, and back `(step, R)`.

    With `X = p + iq` of a block and `W = u + iv` of the taps, conjugated: `u(p + q) - q(u + v)` is the real and
    `u(p + q) + p(v - u)` the imaginary part of their product. The lowest and the highest frequency are real.
    """
    place = torch.arange(block, dtype=torch.float64)
    forth, spectra, back = [], [], []
    for frequency in range(block // 2 + 1):
        turn = 2 * math.pi * frequency / block * place
        cosine, sine = turn.cos(), turn.sin()
        if frequency in (0, block // 2):
            forth.append(cosine)
            spectra.append(cosine)
            back.append(cosine / block)
        else:
            forth += [cosine - sine, cosine, -sine]
            spectra += [cosine, sine - cosine, cosine + sine]
            back += [2 / block * part for part in (cosine - sine, -sine, -cosine)]
    step = block - kernel + 1
    return (
        torch.stack(forth).float(),
        torch.stack(spectra)[:, :kernel].float().contiguous(),
        torch.stack(back, dim=1)[:step].float().contiguous(),
    )
