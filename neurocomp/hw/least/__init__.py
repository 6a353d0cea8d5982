"""Lower bounds of the cores that a layer takes, without a search for its tiling.

A search that asks for thousands of layers can throw out those that are too large before it prices
them: `least_cores` never says more than `neurocomp.hw.layer_cores`. Every resource is bounded by
itself, as if the others were free, but neurons together with the channels whose kernels fit. What
depends on shapes and kernels alone is remembered by them.
"""

from __future__ import annotations

from collections.abc import Callable

from neurocomp.hw.layer import Layer
from neurocomp.hw.least import loihi1, loihi2, truenorth
from neurocomp.spec.target import Target


def least_cores(layer: Layer, target: Target) -> int:
    """A lower bound of the fewest cores on which equal tiles of a population fit.

    `neurocomp.hw.layer.ENDLESS` where it is certain that not even one neuron fits. The bound holds
    for cores that no other population shares.
    """
    return _LEAST[target.core.format](layer, target)


_LEAST: dict[str, Callable[[Layer, Target], int]] = {
    "dynap-cnn": lambda layer, target: 1,  # which takes a layer as a whole or not at all
    "loihi1": loihi1.least,
    "loihi2": loihi2.least,
    "truenorth": truenorth.least,
}
