"""Synaptic operations, and messages between cores: what the spikes of a run really caused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt

from neurocomp.backend.counts import Counts
from neurocomp.backend.emit.boxes import coverage, within
from neurocomp.backend.emit.deliver import Wiring, served, wiring
from neurocomp.backend.emit.program import Mask
from neurocomp.ir import Conv, Graph, Projection, Shape, Slice, whole
from neurocomp.ir.schedule import split_delays
from neurocomp.mapping.model import Mapping
from neurocomp.quant.fixed import IntArray
from neurocomp.quant.reference import synaptic_sum


def operations(graph: Graph, counts: Counts, mapping: Mapping | None) -> dict[str, IntArray]:
    """Synaptic operations of each projection, by target neuron (C, H, W).

    One for every message that meets a weight other than zero within the sample's window; pruned
    weights and the padding of a convolution count nothing.

    Args:
        mapping: what was executed: a message counts where a route brings it, on the core that holds
            the target. None where nothing was mapped, and all arrives.
    """
    net = None if mapping is None else wiring(graph, mapping)
    found = {}
    for e in graph.projections:
        alone = split_delays(graph.with_parts(graph.populations, (e,))).projections
        everywhere = np.ones(graph.population(e.source).shape, np.bool_)
        done = _reached(graph, alone, counts, everywhere)
        if mapping is not None and net is not None:
            done = _by_core(net, mapping, e, done, partial(_reached, graph, alone, counts))
        found[e.name] = done
    return found


def _reached(
    graph: Graph, alone: tuple[Projection, ...], counts: Counts, arrives: Mask
) -> IntArray:
    """Projections with a 1 for every weight, fed with the number of messages that arrive."""
    total = np.zeros(graph.population(alone[0].target).shape, np.int64)
    for e in alone:
        assert e.weight is not None  # a checked integer graph
        sent = counts.in_time[e.source, e.delay] if e.delay else counts.fired[e.source]
        live = replace(e, weight=(e.weight != 0).astype(np.int64))
        total += synaptic_sum(live, (sent * arrives)[None], total.shape)[0]
    return total


def _by_core(
    net: Wiring,
    mapping: Mapping,
    e: Projection,
    complete: IntArray,
    reached: Callable[[Mask], IntArray],
) -> IntArray:
    """The operations on each core's own neurons; none where no core holds a neuron.

    Args:
        complete: where all messages arrive, as on nearly every core.
        reached: where some do, of the source's shape.
    """
    source, target = net.graph.population(e.source), net.graph.population(e.target)
    done = np.zeros_like(complete)
    for core, held in enumerate(mapping.partition.cores):
        for s in held:
            if s.population != e.target:
                continue
            made, here = complete, within(s, whole(target))
            if served(net, e, s, core) is not None:
                arriving = net.arriving.get((e.source, core), [])
                made = reached(coverage(arriving, whole(source)) > 0)
            done[here] = made[here]
    return done


def per_core(mapping: Mapping, graph: Graph, by_neuron: dict[str, IntArray]) -> list[int]:
    """Sums over the neurons of each logical core, of values (C, H, W) by population."""
    return [
        sum(
            int(by_neuron[s.population][within(s, whole(graph.population(s.population)))].sum())
            for s in held
        )
        for held in mapping.partition.cores
    ]


def messages(graph: Graph, mapping: Mapping, fired: dict[str, IntArray]) -> dict[str, int]:
    """Messages that each population sent to cores other than a neuron's own.

    A spike is one message to each core to which a route leads and on which the neuron has a
    synapse, however many it has there. An input's neurons have no core of their own.
    """
    found = {}
    for p in graph.populations:
        held = [[s for s in core if s.population == p.name] for core in mapping.partition.cores]
        sent = 0
        for route in mapping.routes:
            if route.population != p.name:
                continue
            spikes = np.zeros(p.shape, np.int64)
            boxes = [whole(p)] if route.source is None else held[route.source]
            for s in boxes:
                here = within(s, whole(p))
                spikes[here] = fired[p.name][here]
            for core in set(route.targets) - {route.source}:
                listens = _heard(graph, p.name, p.shape, mapping.partition.cores[core])
                sent += int(spikes[listens].sum())
        found[p.name] = sent
    return found


def _heard(
    graph: Graph, source: str, shape: Shape, slices: tuple[Slice, ...]
) -> npt.NDArray[np.bool_]:
    """Neurons of a population that have a synapse onto any of a core's slices."""
    heard = np.zeros(shape, np.bool_)
    for e in graph.outgoing(source):
        for s in slices:
            if s.population != e.target:
                continue
            if isinstance(e.op, Conv):
                axes = [_under(graph, e, e.op, s, axis) for axis in range(3)]
                heard[np.ix_(*axes)] = True
            else:
                heard[:] = True
    return heard


def _under(graph: Graph, e: Projection, op: Conv, s: Slice, axis: int) -> IntArray:
    """Source indices along an axis that lie under a tap of the windows of a slice."""
    source, target = graph.population(e.source).shape, graph.population(e.target).shape
    made = np.arange(s.start[axis], s.stop[axis])
    if axis == 0:
        each = source[0] // op.groups
        groups = np.unique(made // (target[0] // op.groups))
        return np.ravel(groups[:, None] * each + np.arange(each))
    i = axis - 1
    taps = np.arange(op.kernel[i]) * op.dilation[i]
    at = np.unique(made[:, None] * op.stride[i] - op.padding[i] + taps)
    return at[(at >= 0) & (at < source[axis])]


def between_cores(graph: Graph, sent: dict[str, int]) -> int:
    """Messages that stand on the mesh: those of all populations but the inputs."""
    inputs = {p.name for p in graph.inputs}
    return sum(n for name, n in sent.items() if name not in inputs)
