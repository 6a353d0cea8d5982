"""From an integer graph and its mapping to one plain program per chip.

The routes alone decide what arrives: a core whose routes lack a source slice does not get its
spikes. Boxes of neighbouring cores of a chip are joined, so that the cost of a chip does not grow
with the number of its cores.
"""

from __future__ import annotations

from collections.abc import Iterator

from neurocomp.backend.emit.boxes import intersect, join
from neurocomp.backend.emit.deliver import Wiring, synapses_onto, wiring
from neurocomp.backend.emit.program import ChipProgram, Component, Link, Part, Program
from neurocomp.backend.emit.sound import require_sound
from neurocomp.errors import InputError
from neurocomp.ir import GRADED, Graph, Input, Population, Slice
from neurocomp.ir.schedule import components, split_delays
from neurocomp.mapping.model import Mapping
from neurocomp.quant.check import check


def emit(graph: Graph, mapping: Mapping) -> Program:
    """One program per chip of the mapping.

    Raises:
        InputError: the graph fails `quant.check.check` or has several inputs, or the mapping is
            malformed, was made for another graph or never delivers the input.
    """
    check(graph)
    if len(graph.inputs) != 1:
        raise InputError(f"{graph.name}: exactly one input is supported, got {len(graph.inputs)}")
    require_sound(graph, mapping)
    graph = split_delays(graph)
    source = graph.inputs[0]
    assert isinstance(source.neuron, Input)
    net = wiring(graph, mapping)
    parts = {
        chip: tuple(
            part for p in graph.neurons for part in _parts(net, p, _on_chip(mapping, p, chip))
        )
        for chip in mapping.chips
    }
    together = tuple(_component(graph, names) for names in components(graph))
    links = [*_links(mapping, parts, together)]
    chips = tuple(
        ChipProgram(
            chip=chip,
            parts=parts[chip],
            sends=tuple(x for x in links if x.source == chip),
            receives=tuple(x for x in links if x.target == chip),
        )
        for chip in mapping.chips
        if parts[chip]
    )
    if not any(chip.reads(source.name) for chip in chips):
        raise InputError(f"{graph.name}: no route brings '{source.name}' to a core that reads it")
    return Program(
        chips=chips,
        components=together,
        input=(source.name, source.shape, source.neuron),
        graded=frozenset(p.name for p in graph.neurons if isinstance(p.neuron, GRADED)),
        readout=graph.output if graph.readout == "membrane" else None,
    )


def _component(graph: Graph, names: tuple[str, ...]) -> Component:
    loops = any(e.source in names for name in names for e in graph.incoming(name))
    return Component(names, loops)


def _on_chip(mapping: Mapping, p: Population, chip: int) -> dict[Slice, int]:
    """The slices of a population on a chip, and the logical core that holds each."""
    return {
        s: core
        for core, held in enumerate(mapping.partition.cores)
        if mapping.placement.addresses[core].chip == chip
        for s in held
        if s.population == p.name
    }


def _parts(net: Wiring, p: Population, slices: dict[Slice, int]) -> Iterator[Part]:
    """The boxes that the slices of a population on one chip make up, with their synapses."""
    for box in join(slices):
        inside = {s: core for s, core in slices.items() if intersect(s, box)}
        onto = {
            e.name: tuple(synapses_onto(net, e, box, inside)) for e in net.graph.incoming(p.name)
        }
        peak = sum(max((s.peak for s in some), default=0) for some in onto.values())
        yield Part(
            box=box,
            neuron=p.neuron,
            bias=None if p.bias is None else p.bias[box.start[0] : box.stop[0]],
            peak=peak,
            synapses=tuple(s for some in onto.values() for s in some),
        )


def _links(
    mapping: Mapping, parts: dict[int, tuple[Part, ...]], together: tuple[Component, ...]
) -> Iterator[Link]:
    """What travels between chips: the slices with a route that leaves their chip."""
    chip = [a.chip for a in mapping.placement.addresses]
    crossing: dict[tuple[int, int], set[Slice]] = {}
    for r in mapping.routes:
        if r.source is not None:
            held = {s for s in mapping.partition.cores[r.source] if s.population == r.population}
            for target in {chip[t] for t in r.targets} - {chip[r.source]}:
                crossing.setdefault((chip[r.source], target), set()).update(held)
    for (source, target), slices in sorted(crossing.items()):
        boxes = [
            box
            for part in parts[source]
            for box in join(s for s in slices if intersect(s, part.box))
        ]
        by_component = (
            tuple(b for b in boxes if b.population in component.populations)
            for component in together
        )
        yield Link(source, target, tuple(by_component))
