"""How long a layer's price takes on each target, over the layers of randomly drawn candidates.

    python benchmarks/demand_speed.py [--candidates 200] [--image 3,32,32] [--targets loihi2,loihi1]

Every line is one target. ``view`` makes a layer's view from the graph (`hw.layer.layer_of`),
``need`` is what a whole layer needs of a core (`hw.demand`'s count), ``bound`` the lower bound of
its cores (`hw.least_cores`): over the stream of candidates with nothing known before it, and again.
``search`` looks for the fewest cores (`hw.layer_cores`): the first time that a distinct layer is
met, over the stream, and when all are known. CPU time in microseconds per layer; the first line
says how fast the interpreter is here, since a busy machine slows everything down alike. ``tight``
is the share of distinct layers whose bound is what the search finds, and the sum of all bounds as a
share of the cores found; the benchmark stops where a bound is above.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from neurocomp.arch import Task, build, draw, for_task
from neurocomp.errors import FitError
from neurocomp.hw import layer_cores, least_cores, loihi1, price
from neurocomp.hw.demand import need
from neurocomp.hw.layer import ENDLESS, Layer, layer_of
from neurocomp.hw.least import loihi2, positions, tiles
from neurocomp.ir import Graph
from neurocomp.spec.space import load_space
from neurocomp.spec.target import Target, load_target

CACHES = (
    price._fewest, loihi1.axis_kinds, loihi1._lists,
    loihi2.most_channels, positions.lists, positions.heard_by,
    positions._heard, positions._taps, tiles.tiles,
)  # fmt: skip
HEADERS = ("target", "distinct", "view", "need", "bound", "again", "search: first", "stream",
           "known", "tight")  # fmt: skip


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
    print("".join(f"{header:>13}" for header in HEADERS))
    for name in options.targets.split(","):
        print(line(name, load_target(name), places))


def line(name: str, target: Target, places: list[Place]) -> str:
    """What one target takes."""
    layers = [layer for place in places if (layer := view(place, target)) is not None]
    if not layers:
        return f"{name:>13} cannot store or configure any of the layers"
    seen = [place for place in places if view(place, target) is not None]
    distinct = {layer: place for layer, place in zip(layers, seen, strict=True)}
    views = least(lambda: [layer_of(*place, target) for place in seen])
    needs = least(lambda: [need(layer, [((0, 0, 0), layer.shape)], target) for layer in layers])
    bounds, again = cold(lambda: [least_cores(layer, target) for layer in layers])
    first, _ = cold(lambda: [priced(place, target) for place in distinct.values()])
    stream, known = cold(lambda: [priced(place, target) for place in seen])
    each = [1e6 * s / len(layers) for s in (views, needs, bounds, again, stream, known)]
    cells = [*each[:4], 1e6 * first / len(distinct), *each[4:]]
    numbers = "".join(f"{value:13.1f}" for value in cells)
    return f"{name:>13}{len(distinct):13}{numbers}{tightness(distinct, target)}"


def tightness(distinct: dict[Layer, Place], target: Target) -> str:
    """How many bounds are what the search finds, and the bounds' share of all cores."""
    pairs = [
        (least_cores(layer, target), priced(place, target)) for layer, place in distinct.items()
    ]
    if any(bound > found for bound, found in pairs):
        raise SystemExit(f"{target.name}: a bound is above what the search finds")
    fit = [(bound, found) for bound, found in pairs if found < ENDLESS]
    equal = sum(bound == found for bound, found in fit) / len(fit)
    return f"{equal:7.0%} {sum(b for b, _ in fit) / sum(f for _, f in fit):5.0%}"


def view(place: Place, target: Target) -> Layer | None:
    """The layer, None where no core can store it at all."""
    try:
        return layer_of(*place, target)
    except FitError:
        return None


def priced(place: Place, target: Target) -> int:
    """The cores of a layer, more than there can be where it does not fit."""
    try:
        return layer_cores(*place, target).n_cores
    except FitError:
        return ENDLESS


def cold(work: Callable[[], object]) -> tuple[float, float]:
    """CPU seconds of a call for which the hardware model remembers nothing, and of later ones."""
    for cache in CACHES:
        cache.cache_clear()
    return seconds(work), least(work)


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
