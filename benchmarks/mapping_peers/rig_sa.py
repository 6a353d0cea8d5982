"""rig's simulated annealing in C (SpiNNaker), on the same quotient graph as our placer.

It runs in an environment of its own, made by

    python3.10 -m venv FOLDER/rig && FOLDER/rig/bin/pip install rig==2.4.1 rig-c-sa==0.4.0

Every pair of cores that talk is a net of two pins, whose bounding box is the Manhattan distance:
the annealer minimises exactly the hops. The machine has no links around its edges.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from mapping_peers.environment import Environment
from neurocomp.hw.mesh import live_cores, tile_of
from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import CoreAddress, Placement
from neurocomp.mapping.place.order import first_cores
from neurocomp.spec.target import Target

ENVIRONMENT = Environment("rig", ("rig", "rig-c-sa"))
SCRIPT = """
import json, random, sys, time
from collections import Counter, OrderedDict
from rig.links import Links
from rig.netlist import Net
from rig.place_and_route import Cores, Machine
from rig.place_and_route.place.sa import place
from rig.place_and_route.place.sa.c_kernel import CKernel
given = json.load(sys.stdin)
room = Counter(map(tuple, given["tiles"]))
width, height = (1 + max(axis) for axis in zip(*room))
inside = [(x, y) for x in range(width) for y in range(height)]
moves = {Links.east: (1, 0), Links.north: (0, 1), Links.north_east: (1, 1)}
moves.update({link.opposite: (-dx, -dy) for link, (dx, dy) in list(moves.items())})
cut = {
    (x, y, link) for x, y in inside for link, (dx, dy) in moves.items()
    if not (0 <= x + dx < width and 0 <= y + dy < height)
}
machine = Machine(
    width, height, chip_resources={Cores: max(room.values())},
    chip_resource_exceptions={at: {Cores: room[at]} for at in inside},
    dead_chips=set(at for at in inside if not room[at]), dead_links=cut)
assert not machine.has_wrap_around_links()
vertices = OrderedDict((i, {Cores: 1}) for i in range(given["n"]))
nets = [Net(i, [j], weight) for i, j, weight in given["pairs"]]
found = []
for seed in given["seeds"]:
    start = time.process_time()
    places = place(
        vertices, nets, machine, [], random=random.Random(seed), kernel=CKernel,
        effort=given["effort"])
    seconds = time.process_time() - start
    found.append({"places": [places[i] for i in range(given["n"])], "seconds": seconds})
json.dump(found, sys.stdout)
"""


def anneal(
    sent: Flow, target: Target, peers: Path, seeds: tuple[int, ...] = (0, 1, 2), effort: float = 1.0
) -> list[tuple[Placement, float]]:
    """A placement per seed on the chips that our placer uses, with its CPU seconds."""
    last = first_cores(sent.n, target)[-1].chip
    free: dict[tuple[int, int], list[CoreAddress]] = {}
    for address in map(CoreAddress._make, live_cores(target)):
        if address.chip <= last:
            free.setdefault(tile_of(target, *address), []).append(address)
    both = (sent.between + sent.between.T).tocoo()
    pairs = [
        (i, j, weight)
        for i, j, weight in zip(
            both.row.tolist(), both.col.tolist(), both.data.tolist(), strict=True
        )
        if i < j
    ]
    given = {
        "n": sent.n,
        "tiles": [tile for tile, places in free.items() for _ in places],
        "pairs": pairs,
        "seeds": seeds,
        "effort": effort,
    }
    done = subprocess.run(
        [ENVIRONMENT.python(peers), "-W", "ignore", "-c", SCRIPT],
        input=json.dumps(given),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found = []
    for run in json.loads(done.stdout):
        left = {tile: iter(places) for tile, places in free.items()}
        addresses = tuple(next(left[x, y]) for x, y in run["places"])
        found.append((Placement(addresses), float(run["seconds"])))
    return found
