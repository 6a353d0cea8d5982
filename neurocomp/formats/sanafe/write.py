"""A mapped network → SANA-FE's two files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from neurocomp.atomic import writing
from neurocomp.formats.sanafe.architecture import BASIS, architecture_lines
from neurocomp.formats.sanafe.describe import describe
from neurocomp.formats.sanafe.layout import Layout
from neurocomp.formats.sanafe.network import network_lines
from neurocomp.formats.sanafe.units import seats
from neurocomp.ir import Array, Graph, verify
from neurocomp.spec.target import Target

ARCHITECTURE, NETWORK = FILES = "architecture.yaml", "network.yaml"


class Written(NamedTuple):
    """What was written.

    Attributes:
        steps: that SANA-FE must simulate.
        synapses: of the network file; SANA-FE takes about 2 KB of memory for each.
        given: populations that fire the spikes they are given instead of computing them, and why.
        costs: the target's cost table that the architecture file holds; None = all costs are 0.
    """

    architecture: Path
    network: Path
    steps: int
    synapses: int
    given: dict[str, str]
    costs: str | None


def write_sanafe(
    graph: Graph, layout: Layout, target: Target, sent: dict[str, Array], folder: Path
) -> Written:
    """Write ``architecture.yaml`` and ``network.yaml`` for one sample (SANA-FE 2.2).

    On the same spikes SANA-FE counts our messages as the packets that leave their core, and our
    spike hops. Its neurons fire the reference's spikes; a population that its soma cannot compute
    (`Written.given`) is told them, and its synapses have weight 0.

    Args:
        layout: the mapping; every neuron stands on one of its cores.
        sent: what every population, inputs included, sends at each step of one sample,
            (steps, C, H, W), as the integer reference gives it.
        folder: an existing folder.

    Raises:
        InputError: not an integer graph.
    """
    verify(graph, integer=True)
    described = describe(graph, layout, sent)
    placed, cores = seats(described.groups, len(layout.cores))
    files = {
        ARCHITECTURE: architecture_lines(target, layout, cores),
        NETWORK: network_lines(described, placed, target, layout),
    }
    for file, lines in files.items():
        _write(folder / file, lines)
    return Written(
        architecture=folder / ARCHITECTURE,
        network=folder / NETWORK,
        steps=described.steps,
        synapses=sum(len(edge.synapses.source) for edge in described.edges),
        given=described.given,
        costs=BASIS if BASIS in target.costs else None,
    )


def _write(path: Path, lines: Iterable[str]) -> None:
    with writing(path) as file:
        file.writelines(f"{line}\n".encode() for line in lines)
