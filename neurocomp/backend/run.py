"""The backends by name, one signature: batches of values in, batches of spikes out.

Lava is imported when a backend that needs it starts, not before.
"""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from neurocomp.backend.execution import Executed, formed, opened
from neurocomp.errors import InputError
from neurocomp.interrupt import not_lost
from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.quant import reference
from neurocomp.quant.check import check
from neurocomp.quant.reference import UNWATCHED, Trace, Watch

TIMEOUT_S = 600.0
LAVA_PROCESSES = "lava.magma.runtime.message_infrastructure.multiprocessing"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a backend may want beside the graph.

    Attributes:
        mapping: "lava" needs it.
        file, skip_layers: the netx file that the graph was read from, which "netx" needs, and how
            many of its first layers were left out.
        block: network steps that "lava" makes in one Lava step; None chooses.
        watch: the states to keep.
        timeout_s: the longest that a batch may take, or the processes to start, in seconds;
            "reference" knows no limit.
    """

    mapping: Mapping | None = None
    file: Path | None = None
    skip_layers: int = 0
    block: int | None = None
    watch: Watch = UNWATCHED
    timeout_s: float = TIMEOUT_S


class Backend(Protocol):
    """Executes an integer graph on batch after batch, each sample from rest.

    Takes batches of integers (B, C, H, W), shown at each of the graph's timesteps, or
    (B, T, C, H, W), all of one shape but for fewer samples in a batch.
    """

    def __call__(
        self, graph: Graph, batches: Iterable[Array], setting: Setting
    ) -> Generator[Executed, None, None]: ...


def _lava(
    graph: Graph, batches: Iterable[Array], setting: Setting
) -> Generator[Executed, None, None]:
    """The mapped network, one Lava process per chip."""
    with _importing_lava():
        from neurocomp.backend.mapped import stream

    if setting.mapping is None:
        raise InputError(f"{graph.name}: backend 'lava' runs a mapped network; map it first")
    return stream(
        graph,
        setting.mapping,
        batches,
        watch=setting.watch,
        block=setting.block,
        timeout_s=setting.timeout_s,
    )


def _stock(
    graph: Graph, batches: Iterable[Array], setting: Setting
) -> Generator[Executed, None, None]:
    """The graph as plain lava-nc processes, one sample after the other."""
    with _importing_lava():
        from neurocomp.backend.plain.stock import stream

    return stream(graph, batches, watch=setting.watch, timeout_s=setting.timeout_s)


def _netx(
    graph: Graph, batches: Iterable[Array], setting: Setting
) -> Generator[Executed, None, None]:
    """What lava-dl's own loader makes of the network's file, one sample after the other."""
    with _importing_lava():
        from neurocomp.backend.plain.netx import stream

    if setting.file is None:
        raise InputError(
            f"{graph.name}: backend 'netx' runs a netx file (.net); write one with "
            "`neurocomp export --format netx`"
        )
    return stream(
        graph,
        setting.file,
        setting.skip_layers,
        batches,
        watch=setting.watch,
        timeout_s=setting.timeout_s,
    )


@contextmanager
def _importing_lava() -> Iterator[None]:
    """Forget the start method that something before has settled on, and do not lose Ctrl-C.

    Lava sets "fork" when it is imported and fails where any is set, even the same. Worker pools
    and torch settle on one unasked.
    """
    if LAVA_PROCESSES not in sys.modules:
        multiprocessing.set_start_method(None, force=True)
    with not_lost():
        yield


def _reference(
    graph: Graph, batches: Iterable[Array], setting: Setting
) -> Generator[Executed, None, None]:
    """The numpy reference, in this process; it cannot hang and knows no time limit."""
    check(graph)
    form, waiting = opened(graph, batches, setting.watch)
    for values in waiting:
        assert form is not None  # there is a batch
        formed(graph, form, values)
        start = time.process_time()
        trace = reference.run(graph, values, setting.watch)
        yield Executed(values, trace, form.window, time.process_time() - start)


BACKENDS: dict[str, Backend] = {
    "lava": _lava,
    "stock": _stock,
    "netx": _netx,
    "reference": _reference,
}


def stream(
    graph: Graph,
    mapping: Mapping | None,
    batches: Iterable[Array],
    *,
    backend: str = "lava",
    **settings: Any,
) -> Generator[Executed, None, None]:
    """Run batches of values, in order, in one start of the backend; see `Backend`.

    The batches are read one or two ahead. Close the iterator (`contextlib.closing`) where it may
    be left before its end.

    Args:
        settings: as in `Setting`.

    Raises:
        InputError: unknown backend; a graph that fails `quant.check.check`; a missing, malformed
            or foreign mapping; values that do not suit the graph or the first batch; a block below
            1, or no time allowed; what Lava cannot execute.
        RunError: a Lava process failed, was killed, or gave no result in ``timeout_s`` seconds.
    """
    if backend not in BACKENDS:
        raise InputError.unknown("backend", backend, list(BACKENDS))
    setting = Setting(mapping=mapping, **settings)
    if setting.block is not None and setting.block < 1:
        raise InputError(f"a block must have at least 1 step, got {setting.block}")
    if not setting.timeout_s > 0:
        raise InputError(f"the time allowed must be positive, got {setting.timeout_s} seconds")
    return BACKENDS[backend](graph, batches, setting)


def run(graph: Graph, mapping: Mapping | None, values: Array, **options: Any) -> Trace:
    """Run one batch of values; options and errors as in `stream`."""
    with closing(stream(graph, mapping, [values], **options)) as some:
        return next(some).trace
