"""What a population costs before it is cut: cores of one-layer-per-core tiling, and what binds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product
from typing import NamedTuple

from neurocomp.errors import FitError
from neurocomp.hw.demand import FORMATS, need, with_limits
from neurocomp.hw.fields import axis_field
from neurocomp.hw.layer import ENDLESS, Layer, layer_of
from neurocomp.hw.least import least_cores
from neurocomp.hw.tiles import cuts, middle, tilings
from neurocomp.ir import Conv, Graph, Shape
from neurocomp.spec.target import Target

_REMEDIES = {
    "neurons": "use a target with larger cores",
    "neuron_groups": "use a target with larger cores",
    "synapse_words": "use fewer weight bits, a smaller kernel or fewer input channels",
    "in_axons": "feed it from fewer neurons, for instance through a pooling layer",
    "out_axons": "lead fewer projections out of it or make its consumers smaller",
    "axon_map": "lead fewer projections out of it",
    "axon_mem": "lead fewer projections out of it or make its consumers smaller",
    "total_words": "use fewer weight bits, a smaller kernel or fewer input channels",
}


class LayerCores(NamedTuple):
    """Cores that a population takes when no other population shares them.

    Attributes:
        binding: the resource of which a full tile uses the greatest share of the limit.
        tile: (channels, rows, columns) of the boxes.
        synapse_words: of all the cores, with every core's copy of a shared kernel.
    """

    n_cores: int
    binding: str
    tile: Shape
    synapse_words: int


def layer_cores(graph: Graph, name: str, target: Target) -> LayerCores:
    """Fewest cores on which equal tiles of a population fit.

    Its consumers are not cut yet: their destinations count as `neurocomp.hw.demand` says.

    Raises:
        FitError: not even one neuron with its synapses fits a core.
    """
    layer = layer_of(graph, name, target)
    found = _fewest(layer, target)
    if found is None:
        raise too_large(layer, target)
    return found


@lru_cache(maxsize=1 << 15)
def _fewest(layer: Layer, target: Target) -> LayerCores | None:
    """`layer_cores`, remembered: the candidates of a search have many layers in common."""
    best: tuple[int, Shape] | None = None
    least = least_cores(layer, target)
    if least == ENDLESS:
        return None
    for best in tilings(layer, target, worth=lambda fewest: fewest - 1):
        if best[0] == least:
            break
    if best is None:
        return None
    n, tile = best
    full = with_limits(need(layer, [((0, 0, 0), tile)], target), target.limits)
    return LayerCores(n, full.binding(), tile, _all_words(layer, tile, target))


def _all_words(layer: Layer, tile: Shape, target: Target) -> int:
    """Synapse words of all boxes of a tiling; boxes that store the same are counted at once."""
    words = 0
    for c, y, x in product(*(_alike(layer, axis, tile[axis], target) for axis in range(3))):
        box = (c.start, y.start, x.start), (c.stop, y.stop, x.stop)
        words += c.number * y.number * x.number * need(layer, [box], target).synapse_words
    return words


class _Pieces(NamedTuple):
    """Pieces of an axis that store the same: how many, and one of them."""

    number: int
    start: int
    stop: int


def _alike(layer: Layer, axis: int, step: int, target: Target) -> list[_Pieces]:
    """The pieces of an axis by their length and, where that counts, by what padding cuts off."""
    size = layer.shape[axis]
    convs = [(e, e.op) for e in layer.incoming if isinstance(e.op, Conv)]
    positional = FORMATS[target.core.format].positional
    if axis > 0 and not positional and len(convs) == len(layer.incoming):
        return [_Pieces(cuts(size, step), 0, step)]  # kernels do not depend on rows and columns
    grouped = axis == 0 and any(1 < op.groups < size for _, op in convs)
    found: dict[tuple[int, ...], _Pieces] = {}
    for start in range(0, size, step):
        stop = min(start + step, size)
        key = [stop - start, start if grouped else 0]
        for e, op in convs if positional and axis > 0 else ():
            field = axis_field(op, axis - 1, start, stop, e.source[axis])
            key.append(field << op.padding[axis - 1] >> start * op.stride[axis - 1])
        known = found.get(tuple(key), _Pieces(0, start, stop))
        found[tuple(key)] = known._replace(number=known.number + 1)
    return list(found.values())


def too_large(layer: Layer, target: Target, reach: Sequence[int] | None = None) -> FitError:
    """The error for a layer that cannot be cut small enough, naming the limit and a remedy.

    Args:
        reach: axon entries of one neuron, where the consumers are cut (see `demand`).
    """
    if FORMATS[target.core.format].uncut:
        what, box = "the layer", ((0, 0, 0), layer.shape)
    else:
        what, box = "one neuron with its synapses", middle(layer.shape)
    least = with_limits(need(layer, [box], target, reach), target.limits)
    limited = {name: use for name, use in least._asdict().items() if use.limit}
    resource, use = max(limited.items(), key=lambda item: item[1].used / item[1].limit)
    return FitError(
        f"{layer.name}: {what} needs {use.used:,} {resource.replace('_', ' ')}, "
        f"a core of {target.name} has {use.limit:,}; {_REMEDIES[resource]}"
    )
