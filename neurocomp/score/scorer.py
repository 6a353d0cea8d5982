"""Eq. 1 for many candidates of one space: what they share is computed once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from neurocomp.errors import InputError
from neurocomp.ir import Array, Graph, Projection, verify
from neurocomp.ir.schedule import topological_order
from neurocomp.score.fresh import (
    base_name,
    channels_last,
    drive,
    fires,
    fresh_weight,
    run,
    shown,
    spikes,
    window,
)
from neurocomp.score.kernel import Kind, kernel, log_determinant
from neurocomp.snn.synapses import normalised, value_scale

MEMORY_BYTES = 256 << 20  # of activity that may be asked for again


class Score(NamedTuple):
    """What a scoring saw.

    Attributes:
        value: Eq. 1, mean over the batches; −∞ where two samples of a batch spike alike.
        spikes: per sample, all populations together.
    """

    value: float
    spikes: float


class _Seen(NamedTuple):
    """Activity of a population: spikes (T, B, C, H, W), Σ_t K_t, and spikes per sample."""

    spikes: Tensor
    kernel: Tensor
    fired: float


class Scorer:
    """Scores networks on the same samples, each projection with fresh weights of the same seed.

    Networks whose first populations have the same projections behind them share their activity.
    """

    def __init__(
        self, values: Array, *, kind: Kind = "paper", seed: int = 0, batches: int = 1
    ) -> None:
        """Cut the samples into batches.

        Args:
            values: input integers (batches·B, C, H, W) or (batches·B, T, C, H, W); each of the
                ``batches`` equal parts has a kernel of its own. B of 16 to 256.
            kind: normalisation of the Hamming distance, see `kernel`.

        Raises:
            InputError: batches that are not equal or of fewer than two samples.
        """
        size, rest = divmod(len(values), batches)
        if rest or size < 2:
            raise InputError(
                f"{len(values)} samples cannot be cut into {batches} equal batches of two or more"
            )
        self._kind, self._seed = kind, seed
        samples = channels_last(torch.from_numpy(values).to(torch.float32))
        self._batches = [samples[k : k + size] for k in range(0, len(samples), size)]
        self._memos = [_Memo() for _ in self._batches]
        self._weights: dict[Hashable, Tensor] = {}

    @torch.no_grad()
    def __call__(self, graph: Graph, *, prune: float = 0.0, batches: int | None = None) -> Score:
        """Score a network.

        Args:
            prune: share of each trained projection's weights that is zero.
            batches: only so many of the batches.

        Raises:
            InputError: a graph that cannot be trained, or that takes values of another shape.
        """
        self._require_suited(graph)
        weights = {e.name: self._weight(graph, e, prune) for e in graph.projections}
        scale = value_scale(graph, graph.inputs[0].name)
        found = []
        for part, memo in list(zip(self._batches, self._memos, strict=True))[:batches]:
            if any(e.delay for e in graph.projections):
                seen = self._settled(graph, weights, part / scale)
            else:
                seen = self._shared(graph, weights, part / scale, memo, prune)
            total = torch.stack([s.kernel for s in seen]).sum(0) / (len(seen) * window(graph))
            found.append((log_determinant(total), sum(s.fired for s in seen)))
        values, counts = zip(*found, strict=True)
        return Score(sum(values) / len(found), sum(counts) / len(found))

    def _settled(self, graph: Graph, weights: dict[str, Tensor], values: Tensor) -> list[_Seen]:
        """All populations of a network with feedback."""
        norms = normalised(graph)
        return [self._seen(x) for _, x in run(graph, weights, norms, values)]

    def _shared(
        self, graph: Graph, weights: dict[str, Tensor], values: Tensor, memo: _Memo, prune: float
    ) -> list[_Seen]:
        """All populations of a feed-forward network, from the memo where it knows them."""
        norms, steps = normalised(graph), window(graph)
        source = graph.inputs[0].name
        numbers, sent, found = {source: -1}, {source: shown(values)}, []
        for name in topological_order(graph):
            if not fires(graph, name):
                continue
            p = graph.population(name)
            incoming = graph.incoming(name)
            behind = tuple((_what(e, e.name in norms), numbers[e.source]) for e in incoming)
            key = memo.number((p.shape, p.neuron, steps, prune, behind))
            seen = memo.get(key)
            if seen is None:
                drives = [
                    drive(e, p, sent[e.source], weights[e.name], e.name in norms) for e in incoming
                ]
                seen = self._seen(spikes(p, drives, steps))
                memo.put(key, seen)
            numbers[name], sent[name] = key, seen.spikes
            found.append(seen)
        return found

    def _seen(self, x: Tensor) -> _Seen:
        vectors = x.movedim(2, -1).flatten(2)  # as they lie in memory; their order is all one
        return _Seen(x, kernel(vectors, self._kind), float(x.sum()) / x.shape[1])

    def _weight(self, graph: Graph, e: Projection, prune: float) -> Tensor:
        shapes = graph.population(e.source).shape, graph.population(e.target).shape
        key = (_what(e, norm=False), shapes, prune)
        if key not in self._weights:
            self._weights[key] = channels_last(fresh_weight(graph, e, self._seed, prune))
        return self._weights[key]

    def _require_suited(self, graph: Graph) -> None:
        verify(graph)
        if graph.timesteps is None or len(graph.inputs) != 1:
            raise InputError(f"network '{graph.name}': a score needs a window and one input")
        steps, shape = self._batches[0].shape[1:-3], tuple(self._batches[0].shape[-3:])
        if shape != graph.inputs[0].shape:
            raise InputError(
                f"network '{graph.name}' takes values (samples, {graph.inputs[0].shape}), "
                f"got {(sum(map(len, self._batches)), *steps, *shape)}"
            )
        if steps not in ((), (graph.timesteps,)):
            raise InputError(
                f"network '{graph.name}' has a window of {graph.timesteps} steps, the values have "
                f"{steps[0]}"
            )


def _what(e: Projection, norm: bool) -> Hashable:
    """What makes a projection's weights and what it delivers."""
    weight = None if e.weight is None else e.weight.tobytes()
    mask = None if e.mask is None else e.mask.tobytes()
    return base_name(e), e.op, e.weight_bits, weight, mask, norm


@dataclass(slots=True)
class _Memo:
    """Activity by what is behind it, the least recently used forgotten first."""

    _numbers: dict[Hashable, int] = field(default_factory=dict)
    _kept: OrderedDict[int, _Seen] = field(default_factory=OrderedDict)
    _bytes: int = 0

    def number(self, what: Hashable) -> int:
        """A number that stands for what makes a population's activity."""
        return self._numbers.setdefault(what, len(self._numbers))

    def get(self, key: int) -> _Seen | None:
        """The activity, if it is still there."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: int, seen: _Seen) -> None:
        """Keep an activity, and forget old ones where memory is used up."""
        self._kept[key] = seen
        self._bytes += seen.spikes.nbytes
        while self._bytes > MEMORY_BYTES and len(self._kept) > 1:
            _, old = self._kept.popitem(last=False)
            self._bytes -= old.spikes.nbytes
