"""Ways through nodes without neurons: from a population's spikes, or from a bias."""

from __future__ import annotations

from dataclasses import dataclass

from neurocomp.errors import InputError
from neurocomp.formats.nir.linear import Linear, apply, chain
from neurocomp.formats.nir.nodes import Node
from neurocomp.formats.nir.signals import Signal
from neurocomp.formats.nir.steps import Step
from neurocomp.ir import Array, Shape


@dataclass(frozen=True, eq=False)
class Route:
    """The way from a population to where a walk has got.

    Attributes:
        origin: shape of the population.
        linear: what the way does to its spikes, None where nothing.
        delay: steps that it takes.
    """

    origin: Shape
    signal: Signal
    linear: Linear | None = None
    delay: int = 0


def along(route: Route, step: Step, node: Node) -> Route:
    """The route through one more node."""
    linear = step.linear
    if linear is not None and route.linear is not None:
        shapes = route.origin, route.signal.shape, step.signal.shape
        try:
            linear = chain(route.linear, linear, *shapes)
        except InputError as fault:
            raise node.fault(str(fault)) from None
    return Route(route.origin, step.signal, linear or route.linear, route.delay + step.delay)


def through(image: Array, step: Step, node: Node) -> Array:
    """What a bias becomes behind one more node."""
    if step.delay:
        raise node.fault("a bias before a delay is not supported; put it behind")
    if step.linear is None:
        return image
    return apply(*step.linear, image, step.signal.shape)
