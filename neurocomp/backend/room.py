"""How many samples run at once: as many as there is room for what they send."""

from __future__ import annotations

import numpy as np

from neurocomp.backend.engine.messages import WORD, value_type
from neurocomp.ir import GRADED, Graph, Input
from neurocomp.quant.fixed import state_names
from neurocomp.quant.reference import Watch

ROOM = 2**26  # bytes that the messages of a batch may take in all places that hold them
MOST = 64  # samples; beyond, nothing gets faster
PLACES = 3  # the result, and two batches on their way to it


def at_once(graph: Graph, window: int, watch: Watch, *, room: int = ROOM) -> int:
    """Samples of so many steps whose messages and watched states fit into the room; at least 1."""
    return max(1, min(MOST, room // sample_bytes(graph, window, watch)))


def sample_bytes(graph: Graph, window: int, watch: Watch) -> int:
    """Memory of all that a sample shows, sends and reports, in all places that hold it.

    A spike is a byte in the result and a bit on its way; a state is an int64 in the result and an
    int32 on its way.
    """
    found = 0
    for p in graph.populations:
        if isinstance(p.neuron, GRADED):
            found += p.size * window * WORD * PLACES
        elif isinstance(p.neuron, Input):
            found += p.size * window * np.dtype(value_type(p.neuron)).itemsize * PLACES
        else:
            found += p.size * window + 2 * (p.size * window // 8)
        if p.name in watch.populations:
            steps = window if watch.every_step else 1
            found += len(state_names(p.neuron)) * p.size * steps * WORD * (PLACES + 1)
    return found
