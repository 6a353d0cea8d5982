"""Which populations a NIR graph has, and which linear ways lead from one to another.

A walk from each population follows the edges through nodes without neurons to the next
populations. Biases walk on from where they are added. Cycles are cut at neurons: a population's way
back to itself takes a step; a cycle without neurons has no meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from neurocomp.formats.hdf5 import MAX_VALUES
from neurocomp.formats.nir.inputs import input_signal, own_signal
from neurocomp.formats.nir.neurons import READOUTS, SPIKING
from neurocomp.formats.nir.nodes import Node
from neurocomp.formats.nir.routes import Route, along, through
from neurocomp.formats.nir.signals import Signal
from neurocomp.formats.nir.steps import STEPS, WEIGHTED, step_of
from neurocomp.formats.nir.subgraphs import Net
from neurocomp.ir import Array, Dense

NEURONS = (*SPIKING, *READOUTS)
MAX_ROUTES = 2**14


@dataclass(frozen=True, eq=False)
class Arrival:
    """A way from one population to another: a projection.

    Attributes:
        trail: the nodes in between that have weights.
    """

    source: str
    target: str
    route: Route
    trail: tuple[Node, ...]


@dataclass(eq=False)
class Found:
    """Populations with their signals in the order of their discovery, and the ways between them.

    Attributes:
        biases: per population what constant inputs add, shaped as its signal.
        outputs: the populations that an output node hears.
    """

    signals: dict[str, Signal] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    biases: dict[str, Array] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)


class Walker:
    """Walks a flattened graph once.

    Raises (`walk`):
        InputError: shapes that do not fit, cycles without neurons, too many ways, or nodes that no
            input reaches.
    """

    def __init__(self, net: Net, dt: float) -> None:
        self._net, self._nodes, self._dt = net, net.nodes, dt
        self._behind: dict[str, list[str]] = {name: [] for name in self._nodes}
        for source, target in net.edges:
            self._behind[source].append(target)
        self._found = Found()
        self._biased: set[str] = set()
        self._done: set[str] = set()
        self._routes = 0
        self._values = MAX_VALUES

    def walk(self) -> Found:
        """All that there is to find."""
        found = self._found
        for name, node in self._nodes.items():
            if node.kind == "Input":
                found.signals[name] = input_signal(self._nodes, self._behind, node)
        if not found.signals:
            raise self._net.node.fault("there is no Input node")
        self._discover()
        for name, node in self._nodes.items():
            if node.kind in NEURONS and name not in found.signals:  # no input leads to it
                found.signals[name] = own_signal(node)
                self._discover()
        return found

    def _discover(self) -> None:
        """Walk from every population that is known, and from those found on the way."""
        signals = self._found.signals
        while waiting := [name for name in signals if name not in self._done]:
            for name in waiting:
                self._done.add(name)
                self._follow(self._nodes[name], Route(signals[name].shape, signals[name]))

    def _follow(self, origin: Node, start: Route) -> None:
        """Walk from a population to the next ones."""
        open_ends: list[tuple[str, Route, tuple[Node, ...]]]
        open_ends = [(n, start, (origin,)) for n in reversed(self._behind[origin.name])]
        while open_ends:
            name, route, trail = open_ends.pop()
            node = self._nodes[name]
            if node.kind == "Output":
                self._put_out(origin, route, node)
            elif node.kind not in STEPS:
                self._arrive(node, route, trail)
            else:
                if node in trail:
                    raise node.fault(f"lies on a cycle without neurons, from '{origin.name}'")
                self._charge(node, 0)
                step = step_of(node, route.signal, self._dt)
                on = along(route, step, node)
                self._charge(node, 0 if on.linear is None else on.linear[1].size)
                if step.bias is not None and name not in self._biased:
                    self._biased.add(name)
                    self._spread(node, step.bias, step.signal)
                open_ends += [(n, on, (*trail, node)) for n in reversed(self._behind[name])]

    def _spread(self, origin: Node, bias: Array, signal: Signal) -> None:
        """Walk a bias from where it is added to the populations that it drives."""
        open_ends: list[tuple[str, Array, Signal, tuple[Node, ...]]]
        open_ends = [(n, bias, signal, (origin,)) for n in self._behind[origin.name]]
        while open_ends:
            name, image, signal, trail = open_ends.pop()
            node = self._nodes[name]
            if node.kind in STEPS:
                if node in trail:
                    raise node.fault(f"lies on a cycle without neurons, from '{origin.name}'")
                self._charge(node, 0)
                step = step_of(node, signal, self._dt)
                image = through(image, step, node)
                open_ends += [(n, image, step.signal, (*trail, node)) for n in self._behind[name]]
            elif node.kind != "Output":
                so_far = self._found.biases.get(name)
                flat = image.reshape(-1)
                self._found.biases[name] = flat if so_far is None else so_far + flat

    def _arrive(self, node: Node, route: Route, trail: tuple[Node, ...]) -> None:
        source = trail[0].name
        self._charge(node, route.signal.shape[0])
        if node.kind == "Input":
            raise node.fault(
                f"an Input node hears nothing, but an edge leads to it from '{source}'"
            )
        if self._nodes[source].kind in READOUTS:
            raise self._nodes[source].fault(
                f"{self._nodes[source].kind} sends its membrane, which no spike carries; it can "
                "only be the last node before Output"
            )
        known = self._found.signals.setdefault(node.name, route.signal)
        dense = route.linear is not None and isinstance(route.linear[0], Dense)
        if known.dims != route.signal.dims or not (dense or known.shape == route.signal.shape):
            raise node.fault(
                f"its inputs have different shapes, {known.dims} and {route.signal.dims} "
                f"(from '{source}')"
            )
        trail = tuple(n for n in trail[1:] if n.kind in WEIGHTED)
        self._found.arrivals.append(Arrival(source, node.name, route, trail))

    def _put_out(self, origin: Node, route: Route, node: Node) -> None:
        if origin.kind == "Input" or route.linear is not None or route.delay:
            raise node.fault(
                f"what comes out must come from neurons, not through weights, pooling or a delay "
                f"behind '{origin.name}'; put LI or LIF neurons before the Output node"
            )
        self._found.outputs.append(origin.name)

    def _charge(self, node: Node, values: int) -> None:
        """One more step of a walk, which made so many weights: only so much is walked."""
        self._routes += 1
        self._values -= values
        if self._routes > MAX_ROUTES or self._values < 0:
            raise node.fault(
                f"the ways between neurons have more than {MAX_ROUTES:,} steps or "
                f"{MAX_VALUES:,} weights in all"
            )
