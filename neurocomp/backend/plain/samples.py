"""Batches for backends that run one sample at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace

import numpy as np

from neurocomp.backend.execution import Executed, Form, formed, opened
from neurocomp.backend.runtime import session
from neurocomp.ir import Array, Graph
from neurocomp.quant.reference import Trace, Watch


def sample_by_sample(
    graph: Graph,
    batches: Iterable[Array],
    made: Callable[[Form], session.Network],
    *,
    watch: Watch,
    timeout_s: float,
    resets: bool,
) -> Generator[Executed, None, None]:
    """Run batches, and put the samples of each together again.

    Args:
        made: the network for a stream of samples, each a batch of one.
        resets: whether one Lava start takes all samples; else each needs its own.

    Raises:
        InputError: values do not suit the graph.
        RunError: a Lava process failed, or a sample took longer than ``timeout_s``.
    """
    form, batches = opened(graph, batches, watch)
    if form is None:
        return
    one = replace(form, batch=1)
    network = made(one)
    sizes: list[int] = []

    def run(samples: Iterable[Array]) -> Iterator[Executed]:
        return session.run(graph, one, network, samples, timeout_s)

    def samples() -> Iterator[Array]:
        for batch in batches:
            formed(graph, form, batch)
            sizes.append(len(batch))
            yield from (batch[i : i + 1] for i in range(len(batch)))

    found = run(samples()) if resets else (x for one in samples() for x in run([one]))
    done: list[Executed] = []
    for executed in found:
        done.append(executed)
        if len(done) == sizes[0]:
            yield _gathered(done)
            done.clear()
            del sizes[0]


def _gathered(samples: list[Executed]) -> Executed:
    """One batch of the samples that were run one by one."""
    traces = [x.trace for x in samples]

    def joined(parts: list[dict[str, Array]]) -> dict[str, Array]:
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return Executed(
        values=np.concatenate([x.values for x in samples]),
        trace=Trace(
            joined([t.spikes for t in traces]),
            np.concatenate([t.readout for t in traces]),
            joined([t.states for t in traces]),
        ),
        steps=sum(x.steps for x in samples),
        cpu_s=sum(x.cpu_s for x in samples),
    )
