"""Our mapper beside its peers, judged by one judge, in one run.

    python benchmarks/mapping.py [NAME …] [--quick] [--list] [--rates 0.1|lognormal]
        [--effort fast|quality] [--networks FOLDER] [--peers FOLDER] [--plot FILE] [--out FOLDER]

NAME is a case or a part (``--list`` prints them); without names everything is measured, which
takes hours of CPU time, ``--quick`` minutes. With ``--out`` every figure is kept in a file as it
comes, with what made it; a second call goes on from there and prints the whole. Our rows are made
anew where the mapper's code is another one; a peer's rows where its version is, and by hand, by
removing their files, where `mapping_peers` was changed.

A case is a network on a target. Every policy of ours and every baseline is a line: cores, messages,
hops and greatest link load per step, energy on the network on chip (SANA-FE's prices of Loihi 1),
CPU seconds; then the ratios that are aimed at. The messages of our mappings are counted neuron by
neuron as well; it ends where the two counts differ.

Baselines, built here: ``chunks`` (one-dimensional, row order), ``tiles`` (exact best tile of each
layer, one layer per core), ``compiler`` (the rule read off Intel's tables); ``metis`` and
``kahypar`` on atoms (16 channels at one position; parts that do not fit are halved until all are
legal) and on grains (boxes of a third of a core; more parts until all are legal, or else halved),
along a Hilbert curve. A partitioner that has found nothing legal after 300 CPU seconds is stopped.
``+ours`` is the same partition, if legal, with our placer. A baseline that needs more cores than
the target has gets more chips; one that breaks limits is marked, and where no legal one of its kind
is there compared without a verdict.

METIS, rig and nengo-loihi run in environments of their own, below --peers:

    python3.10 -m venv .peers/metis && .peers/metis/bin/pip install pymetis==2025.2.2 numpy
    python3.10 -m venv .peers/rig && .peers/rig/bin/pip install rig==2.4.1 rig-c-sa==0.4.0
    python3.10 -m venv .peers/nengo-map &&
    .peers/nengo-map/bin/pip install nengo-loihi==1.1.0 'numpy<1.24'

Mt-KaHyPar comes with the extra ``hypergraph``: ``pip install mtkahypar==1.7.post1``; where it is
installed our quality mode uses it as well. What is not there is left out, and a line says so.

Parts: the placer beside rig's annealer, CPU time against size, the 9.2 M network, equal bytes of
equal seeds, and networks over many chips.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from mapping_peers import hypergraph, metis
from mapping_peers.cases import Case, cases
from mapping_peers.clock import timed
from mapping_peers.cut import OURS
from mapping_peers.judge import Score, judged, measured, placed
from mapping_peers.kept import Kept
from mapping_peers.networks import lognormal_rates
from mapping_peers.neurons import agree
from mapping_peers.parts import PARTS, run
from mapping_peers.peers import partitioner_rows, sliced_rows
from mapping_peers.verdict import COMPILER, HEADER, line, verdict

from neurocomp.errors import FitError
from neurocomp.hw.bound import lower_bound_cores
from neurocomp.ir import Graph
from neurocomp.mapping import map_graph
from neurocomp.mapping.activity import Given, rates_of
from neurocomp.mapping.effort import EFFORTS
from neurocomp.mapping.flow import flow
from neurocomp.spec.policy import policy_names
from neurocomp.spec.target import Target

QUICK = ("pilotnet", "vgg9-8bit", "dense-1024@loihi1", "placer-120", "bytes")


def main() -> None:
    """Map every case and print its table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", help="cases; all if none is named")
    parser.add_argument("--quick", action="store_true", help="few cases, without partitioners")
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--rates", choices=("0.1", "lognormal"), default="0.1")
    parser.add_argument("--effort", choices=sorted(EFFORTS), default="quality")
    parser.add_argument("--networks", type=Path, help="folder of lava-dl's network files")
    parser.add_argument("--peers", type=Path, help="folder of the peers' environments")
    parser.add_argument("--plot", type=Path, help="draw time against size to this file")
    parser.add_argument("--out", type=Path, help="folder of what is measured, to go on with")
    options = parser.parse_args()
    every = cases(options.networks)
    if options.list:
        print("\n".join([*every, *PARTS]))
        return
    if not metis.ENVIRONMENT.available(options.peers):
        print("METIS is left out: name the folder of its environment with --peers")
    if not hypergraph.available():
        print("Mt-KaHyPar is left out: it is not installed")
    names = options.names or (QUICK if options.quick else [*every, *PARTS])
    unknown = [name for name in names if name not in every and name not in PARTS]
    if unknown:
        sys.exit(f"unknown name {unknown[0]}; --list prints the known ones")
    with tempfile.TemporaryDirectory() as nowhere:
        folder = options.out or Path(nowhere)
        for name in names:
            if name in PARTS:
                run(name, Kept(folder), options.peers, options.plot)
            else:
                report(name, every[name], Kept(folder / f"rates-{options.rates}" / name), options)


def report(name: str, case: Case, kept: Kept, options: argparse.Namespace) -> None:
    """The table and the verdict of one case."""
    loaded = case.load()
    if loaded is None:
        print(f"{name}: its network file is not there; name its folder with --networks")
        return
    graph, target = loaded
    rates = lognormal_rates(graph) if options.rates == "lognormal" else None
    bound = lower_bound_cores(graph, target)
    print(
        f"\n{name} on {target.name}: at least {bound} cores; rates {options.rates}, effort "
        f"{options.effort}\n{HEADER}"
    )
    ours: list[Score] = []
    baselines: list[Score] = []
    for score in our_rows(graph, target, rates, options.effort, kept):
        (baselines if score.name.startswith(COMPILER) else ours).append(score)
        print(line(score), flush=True)
    for score in peer_rows(graph, target, rates, kept, options):
        baselines.append(score)
        print(line(score), flush=True)
    for own in ours:
        print(f"  {'yes' if own.legal else 'NO '} {own.name:12} legal")
    if case.ratios:
        print("\n".join(verdict(ours, baselines, bound)), flush=True)


def our_rows(
    graph: Graph, target: Target, given: Given | None, effort: str, kept: Kept
) -> Iterator[Score]:
    """Every policy; ``compiler``, which is Intel's and not ours, also with our placer."""
    for policy in policy_names():
        work = partial(_mapped, graph, target, given, policy, effort)
        found = kept.value(f"{policy}-{effort}", work)
        if found["fault"]:
            print(f"  {policy:24}{found['fault']}")
        yield from (Score(**row) for row in found["rows"])


def _mapped(
    graph: Graph, target: Target, given: Given | None, policy: str, effort: str
) -> dict[str, Any]:
    """The rows of a policy, or why there is none."""
    rates = rates_of(graph, given)
    try:
        work = partial(map_graph, graph, target, policy, rates=given, effort=effort)
        mapping, seconds = timed(work)
    except FitError as reason:
        return {"rows": [], "fault": str(reason)}
    if not agree(graph, mapping.partition, rates):
        sys.exit(f"{policy}: messages counted neuron by neuron are others than those of boxes")
    rows = [judged(policy, graph, target, rates, mapping, seconds)]
    if policy == COMPILER:
        sent = flow(graph, mapping.partition, rates)
        places, placing = timed(partial(placed, sent, target))
        rows.append(measured(policy + OURS, sent, places, target, seconds + placing))
    return {"rows": [asdict(row) for row in rows], "fault": ""}


def peer_rows(
    graph: Graph, target: Target, given: Given | None, kept: Kept, options: argparse.Namespace
) -> Iterator[Score]:
    """The baselines."""
    rates = rates_of(graph, given)
    tiled = 0
    for score in sliced_rows(graph, target, rates, kept):
        tiled = score.cores if score.name.startswith("tiles") else tiled
        yield score
    if not options.quick:
        yield from partitioner_rows(graph, target, rates, kept, options.peers, tiled)


if __name__ == "__main__":
    main()
