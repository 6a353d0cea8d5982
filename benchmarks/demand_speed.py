"""How long a layer's price takes on each target, over the layers of randomly drawn candidates.

    python benchmarks/demand_speed.py [--candidates 200] [--image 3,32,32] [--targets loihi2,loihi1]

Every line is one target. ``need`` is what a whole layer needs of a core (`hw.demand`'s count),
``cores`` the search for the fewest cores (`hw.layer_cores`): the first time that a distinct layer
is met, over the stream of candidates as a search meets them, and when all are known. CPU time in
microseconds per layer; the first line says how fast the interpreter is here, since a busy machine
slows everything down alike.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neurocomp.arch import Task, build, draw, for_task
from neurocomp.errors import FitError
from neurocomp.hw import layer_cores, loihi1, price
from neurocomp.hw.demand import need
from neurocomp.hw.layer import Layer, layer_of
from neurocomp.ir import Graph
from neurocomp.spec.space import load_space
from neurocomp.spec.target import Target, load_target

CACHES = (price._fewest, loihi1.axis_kinds, loihi1._lists)


class Place(NamedTuple):
    """A layer of a candidate."""

    graph: Graph
    name: str


def main() -> None:
    """Print a line per target."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", default="spikernel")
    parser.add_argument("--candidates", type=int, default=200)
    parser.add_argument("--image", default="3,32,32", help="channels,rows,columns")
    parser.add_argument("--targets", default="loihi2,loihi2-2023,loihi1,truenorth,dynap-cnn")
    options = parser.parse_args()
    channels, rows, columns = map(int, options.image.split(","))
    task = Task((channels, rows, columns), 8, 10)
    space, rng = for_task(load_space(options.space), task), np.random.default_rng(0)
    graphs = [build(draw(space, rng), task) for _ in range(options.candidates)]
    places = [Place(graph, p.name) for graph in graphs for p in graph.neurons]
    print(f"an empty loop turns in {1e3 * least(lambda: spin(10**6)):.0f} ns")
    print(f"{len(graphs)} candidates of {options.space}, {len(places)} layers, µs per layer:")
    print("target        distinct   need   cores: first time   in a search   known")
    for name in options.targets.split(","):
        print(line(name, load_target(name), places))


def line(name: str, target: Target, places: list[Place]) -> str:
    """What one target takes."""
    layers = [layer for place in places if (layer := view(place, target)) is not None]
    if not layers:
        return f"{name:13} cannot store or configure any of the layers"
    seen = [place for place in places if view(place, target) is not None]
    distinct = {layer: place for layer, place in zip(layers, seen, strict=True)}
    needs = least(lambda: [need(layer, [((0, 0, 0), layer.shape)], target) for layer in layers])
    forget()
    first = seconds(lambda: [priced(place, target) for place in distinct.values()])
    forget()
    stream = seconds(lambda: [priced(place, target) for place in seen])
    known = least(lambda: [priced(place, target) for place in seen])
    each = [1e6 * s / len(layers) for s in (needs, stream, known)]
    once = 1e6 * first / len(distinct)
    return f"{name:13} {len(distinct):8} {each[0]:6.1f} {once:19.1f} {each[1]:13.1f} {each[2]:7.1f}"


def view(place: Place, target: Target) -> Layer | None:
    """The layer, None where no core can store it at all."""
    try:
        return layer_of(*place, target)
    except FitError:
        return None


def priced(place: Place, target: Target) -> None:
    """Price a layer, or find that it does not fit."""
    try:
        layer_cores(*place, target)
    except FitError:
        pass


def forget() -> None:
    """Empty what the hardware model remembers."""
    for cache in CACHES:
        cache.cache_clear()


def spin(turns: int) -> None:
    """An empty loop."""
    for _ in range(turns):
        pass


def least(work: Callable[[], object]) -> float:
    """CPU seconds of the fastest of five calls."""
    return min(seconds(work) for _ in range(5))


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds that a call takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
