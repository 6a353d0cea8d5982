"""The baselines' rows of a case: partitions by others, placed in their own way and in ours."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from mapping_peers.clock import cpu, timed
from mapping_peers.cut import Cut, rows
from mapping_peers.forms import Atoms, Grains, shares
from mapping_peers.hilbert import hilbert
from mapping_peers.judge import Score, assembled, board_for, complaints
from mapping_peers.kept import Kept, chips
from mapping_peers.partitioners import Partitioner, halved, installed, more
from mapping_peers.slices import chunks, tiles
from neurocomp.hw.bound import lower_bound_cores
from neurocomp.ir import Graph
from neurocomp.mapping.activity import Rates
from neurocomp.mapping.flow import flow
from neurocomp.mapping.model import Placement
from neurocomp.mapping.place.order import first_cores
from neurocomp.spec.target import Target

CPU_LIMIT = 300.0  # seconds in which a partitioner has to find a legal partition
SLICED = {"chunks": chunks, "tiles": tiles}
FORMS = {"": (Atoms, halved, 2), "-grains": (Grains, more, 4)}  # most parts: times the tiles' cores


def sliced_rows(graph: Graph, target: Target, rates: Rates, kept: Kept) -> Iterator[Score]:
    """Chunks and tiles, placed in row order and by our placer."""
    for name in SLICED:
        value = kept.value(name, partial(_sliced, name, graph, target, rates), chips())
        yield from rows(name, "", Cut.from_json(value), target, kept)


def _sliced(name: str, graph: Graph, target: Target, rates: Rates) -> dict[str, Any]:
    partition, seconds = timed(partial(SLICED[name], graph, target))
    sent = flow(graph, partition, rates)
    board = board_for(sent.n, target)
    places = Placement(tuple(first_cores(sent.n, board)))
    whole = assembled(name, graph, target, partition, places)
    return Cut(sent, places, seconds, complaints(graph, whole, board)).to_json()


def partitioner_rows(
    graph: Graph, target: Target, rates: Rates, kept: Kept, peers: Path | None, tiled: int
) -> Iterator[Score]:
    """METIS and Mt-KaHyPar on atoms and on grains, along a Hilbert curve and by our placer.

    Args:
        peers: folder of their environments; what is not there is left out.
        tiled: cores of the tiles, from which it follows how many parts are tried.
    """
    for peer in installed(peers):
        for suffix in FORMS:
            name = peer.name + suffix
            work = partial(_partitioned, peer, suffix, graph, target, rates, tiled)
            value = kept.value(name, work, peer.version)
            yield from rows(name, "+hilbert", Cut.from_json(value), target, kept)


def _partitioned(
    peer: Partitioner, suffix: str, graph: Graph, target: Target, rates: Rates, tiled: int
) -> dict[str, Any]:
    kind, search, times = FORMS[suffix]
    form = kind(graph, target, rates)
    first = lower_bound_cores(graph, target)
    work = partial(search, peer, form, first, times * tiled, cpu() + CPU_LIMIT)
    parts, seconds = timed(work)
    sent = form.flow(parts.part)
    board = board_for(sent.n, target)
    places = hilbert(graph, sent, shares(graph, form.cores(parts.part), sent.n), board)
    broken = [f"{name} {most:.2f}×" for name, most in parts.passed.items()]
    broken += [] if broken else filter(None, [form.judge(parts.part, places, board)])
    if broken and seconds > CPU_LIMIT:
        broken.append(f"stopped after {seconds:.0f} CPU seconds")
    return Cut(sent, places, seconds, ", ".join(broken)).to_json()
