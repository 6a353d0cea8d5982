"""The parts of a candidate's network, and what each of them adds to a price."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple, TypeAlias

from neurocomp.errors import FitError
from neurocomp.hw.layer import ENDLESS
from neurocomp.hw.needs import Needs, heard_needs, sent_needs
from neurocomp.hw.words import stored_width
from neurocomp.ir import Conv, Op, Shape, average_pool, skip
from neurocomp.ir.shapes import n_weights
from neurocomp.spec.target import Target

AMOUNTS = ("params", "model_bits", *Needs._fields)


class Population(NamedTuple):
    """A population without its projections; what no other hears goes to the host."""

    shape: Shape
    unheard: bool = False


class Source(NamedTuple):
    """Where a projection comes from; what lies outside is on no core."""

    shape: Shape
    outside: bool = False


class Joint(NamedTuple):
    """A projection into a population of a shape."""

    op: Op
    source: Source
    shape: Shape
    bits: int
    trained: bool = True


Part: TypeAlias = Population | Joint


@cache
def conv(kernel: int, stride: int) -> Conv:
    """A convolution that keeps rows and columns, or divides them by the stride."""
    around = kernel // 2
    return Conv((kernel, kernel), (stride, stride), (around, around))


pool = cache(average_pool)


class Prices:
    """What parts add to each of `AMOUNTS`.

    Attributes:
        of: a function of a part by amount; weights that are wider than the target stores need
            more words than `ENDLESS` cores have.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._known: dict[Part, Needs] = {}
        needs = (partial(self._need, k) for k in range(len(Needs._fields)))
        self.of: tuple[Callable[[Part], float], ...] = (params, model_bits, *needs)

    def _need(self, k: int, part: Part) -> float:
        found = self._known.get(part)
        if found is None:
            found = self._known[part] = self._needs(part)
        return found[k]

    def _needs(self, part: Part) -> Needs:
        target = self._target
        if isinstance(part, Population):
            size = part.shape[0] * part.shape[1] * part.shape[2]
            own = Needs(neurons=size, total_words=size)
            return _sum(own, sent_needs(None, part.shape, target)) if part.unheard else own
        op, (source, outside), shape, bits, _ = part
        if not outside:
            heard = heard_needs(op, source, shape, self._width(bits), target)
            return _sum(heard, sent_needs(op, source, target))
        if target.core.format == "loihi2" and op == skip(shape[0]):  # its values are handed in
            return Needs()
        return heard_needs(op, source, shape, self._width(bits), target)

    def _width(self, bits: int) -> int:
        try:
            return stored_width(bits, self._target.core.weight_bits.value)
        except FitError:
            return ENDLESS * ENDLESS


def params(part: Part) -> int:
    """Eq. 2: trained weights, batch-norm's two values per filter."""
    if isinstance(part, Population) or not part.trained:
        return 0
    filters = part.shape[0] if isinstance(part.op, Conv) else 0
    return n_weights(part.op, part.source.shape, part.shape) + 2 * filters


def model_bits(part: Part) -> int:
    """Trained weights at their designed width."""
    if isinstance(part, Population) or not part.trained:
        return 0
    return n_weights(part.op, part.source.shape, part.shape) * part.bits


def _sum(a: Needs, b: Needs) -> Needs:
    return Needs(*[x + y for x, y in zip(a, b, strict=True)])
