"""Batches for backends that run one sample at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator

import numpy as np

from neurocomp.backend.execution import Executed, Form, formed
from neurocomp.ir import Array, Graph
from neurocomp.quant.reference import Trace


def sample_by_sample(
    graph: Graph,
    form: Form,
    batches: Iterable[Array],
    run: Callable[[Iterable[Array]], Iterator[Executed]],
    *,
    resets: bool,
) -> Generator[Executed, None, None]:
    """Run batches, and put the samples of each together again.

    Args:
        run: executes samples, each a batch of one, in order.
        resets: whether one call of it takes all samples; else each needs its own.
    """
    sizes: list[int] = []

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
