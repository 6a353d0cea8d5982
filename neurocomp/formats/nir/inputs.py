"""Shapes of what comes from outside, and of neurons that nothing from outside reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import prod

from neurocomp.formats.nir.nodes import FIELDS, PORT, Node
from neurocomp.formats.nir.signals import MAX_SIGNAL, Signal, signal_of

AXES = {"Linear": 1, "Affine": 1, "Conv1d": 2, "Conv2d": 3, "SumPool2d": 3, "AvgPool2d": 3}


def input_signal(
    nodes: Mapping[str, Node], behind: Mapping[str, Sequence[str]], node: Node
) -> Signal:
    """What an Input node gives: axes in front of what the nodes behind it take are a batch's."""
    dims = node.integers("shape", node.array("shape").size, MAX_SIGNAL)
    for axes, size in _wanted(nodes, behind, node.name):
        while len(dims) > 1 and (len(dims) > axes or (size and prod(dims) > size)):
            dims = dims[1:]
    return signal_of(node, dims[-3:])


def own_signal(node: Node) -> Signal:
    """The signal of neurons that no input leads to, as their own parameters shape it."""
    key = next(k for k in ("v_threshold", "threshold", "r") if k in FIELDS[node.kind])
    dims = node.array(key).shape
    if not dims:
        raise node.fault("no Input node leads to it")
    return signal_of(node, dims)


def _wanted(
    nodes: Mapping[str, Node], behind: Mapping[str, Sequence[str]], name: str
) -> Iterator[tuple[int, int | None]]:
    """How many axes, or how many neurons, the nodes behind an input take."""
    flat, seen, names = False, {name}, list(behind[name])
    while names:
        node = nodes[names.pop()]
        if node.name in seen:
            continue
        seen.add(node.name)
        if node.kind in ("Flatten", PORT):
            flat |= node.kind == "Flatten"
            names += behind[node.name]
        elif flat and AXES.get(node.kind) == 1:
            yield 3, node.array("weight").shape[-1]
        elif not flat and node.kind in AXES:
            yield AXES[node.kind], None
