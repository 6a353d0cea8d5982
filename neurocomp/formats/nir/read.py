"""A NIR graph → a float graph; one that we have written → the graph that it was.

The populations are the nodes with neurons; every way between two of them is a projection. In NIR
nothing takes time but Delay nodes, so a projection acts in its own step; a population's way back to
itself takes one step, as in every framework.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neurocomp.errors import InputError, InputWarning
from neurocomp.formats.nir.neurons import DEFAULT_DT, READOUTS, RESETTING
from neurocomp.formats.nir.nodes import Node, require_name
from neurocomp.formats.nir.parts import Parts
from neurocomp.formats.nir.restore import integer_graph
from neurocomp.formats.nir.source import load
from neurocomp.formats.nir.subgraphs import Net
from neurocomp.formats.nir.walk import Found, Walker
from neurocomp.ir import Graph, verify

if TYPE_CHECKING:
    from neurocomp.formats.nir.source import NirGraph

NAMED = 4  # populations that a warning names


def read_nir(
    source: Path | str | NirGraph,
    *,
    dt: float | None = None,
    weight_bits: int | None = None,
    input_bits: int = 1,
) -> Graph:
    """Read a NIR graph.

    Args:
        source: a ``.nir`` file, or a ``nir.NIRGraph``.
        dt: time step in seconds for forward Euler, which every framework uses; default is what our
            own files say, else 1e-4 (snnTorch, lava-dl). Norse uses 1e-3, Spyx 1.
        weight_bits: of every projection; default is what our own files say, else 8.
        input_bits: of the values from outside, where the file does not say; 1 = spikes.

    Returns:
        A float graph, or the integer graph that one of our own files holds. It has a window only
        if the file is ours and says so.

    Raises:
        InputError: no such file, damaged, not NIR, or what a graph cannot represent, naming the
            node: parameters that differ between the neurons of a population, values that come out
            of no neuron, linear nodes that no single projection equals, cycles without neurons.

    Warns:
        InputWarning: NIR resets a membrane to v_reset, and many frameworks write their reset by
            subtraction as the same node; or a time constant that no chip can tell from no leak.
    """
    net = load(source)
    ours = net.node
    is_integer = bool(ours.count("integer", 0))
    if weight_bits is not None and is_integer:
        raise ours.fault("holds an integer network, whose weight bits are set")
    dt = _time_step(ours, dt)
    found = Walker(net, dt).walk()
    output = _output(net, found)
    populations, projections = Parts(net.nodes, found, dt, weight_bits, input_bits).all()
    graph = Graph(
        name=require_name(ours.string("name") or _name(source), ours.where),
        populations=populations,
        projections=projections,
        output=output.name,
        timesteps=ours.count("timesteps", 0) or None,
        readout="membrane" if output.kind in READOUTS else "spikes",
    )
    if is_integer:
        return verify(integer_graph(graph, ours), integer=True)
    if ours.string("reset") != "zero":
        _warn_of_subtraction(net, found)
    return verify(graph, trained=True)


def _name(source: Path | str | NirGraph) -> str:
    return Path(source).stem if isinstance(source, (Path, str)) else "nir"


def _time_step(node: Node, dt: float | None) -> float:
    chosen = node.number("dt", DEFAULT_DT) if dt is None else dt
    if not 0 < chosen < np.inf:
        raise InputError(f"dt must be a positive number of seconds, got {chosen}")
    return chosen


def _output(net: Net, found: Found) -> Node:
    """The population that is read out."""
    if len(found.outputs) != 1:
        heard = ", ".join(map(repr, found.outputs)) or "none"
        raise net.node.fault(
            f"exactly one population must lead to an Output node, found {heard}; "
            "leave the others out"
        )
    output = net.nodes[found.outputs[0]]
    for name in found.signals:
        node = net.nodes[name]
        if node.kind in READOUTS and node is not output:
            raise node.fault(f"{node.kind} has a membrane that no Output node reads; leave it out")
    return output


def _warn_of_subtraction(net: Net, found: Found) -> None:
    names = [name for name in found.signals if net.nodes[name].kind in RESETTING]
    if names:
        shown = ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
        warnings.warn(
            f"{net.node.where}: a spike resets {shown} to v_reset, as NIR says. snnTorch's default "
            "reset_mechanism='subtract' is written as the same nodes and fires other spikes: train "
            "with 'zero', and compare with `neurocomp parity`",
            InputWarning,
            stacklevel=3,
        )
