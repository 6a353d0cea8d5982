"""The search, measured: every line of what it must reach, beside its baseline, in one run.

    python benchmarks/search.py [PART …] [--images FOLDER] [--table CSV] [--keep FOLDER]
        [--reference C,BATCH,BATCHES] [--candidates N] [--seconds N] [--seeds N] [--storage URL]

Without a PART all are run. What a part needs and is not given is named, and the part left out:
FOLDER holds CIFAR-10 as images (train/CLASS/*, test/CLASS/*), CSV is SpikeNAS-Bench's log or a
part of it, URL an empty PostgreSQL database.

- equation: score and spikes against a plain reading of Eq. 1, which is given the weights alone, in
  its three normalisations.
- parameters, cells, shares: Eq. 2 against published counts, distinct cells, shares within 10 M.
- limits: microseconds in which a limit rejects a candidate at its first meeting, all spaces.
- cores: the estimate of cores against mapped networks.
- speed: candidates per second of one core, with Kendall's τ against the reference score and with
  itself over seeds. The reference is Eq. 1 with weights fresh for every candidate, at --reference;
  SNASNet's own settings are 128,256,2 (two minutes of CPU time per candidate). It is kept in
  --keep, and computed for --seconds at a time. How well anything can agree with it, for it is noisy
  itself, and the standard error of so few candidates are printed.
- snasnet: CPU time per candidate against SNASNet's own settings.
- thousand: 1000 candidates within 10 M parameters, searched; whole: the whole forward space.
- predictors: without training, and the evaluator that learned from 200 labels, on the table; the
  split is printed.
- searches: searches of 60 evaluations on the table, random search beside them.
- front: cores as an objective against parameters alone, at equal evaluations.
- workers: four processes on one study, two of them killed, and evaluations per second with 1, 2, 4
  and 8 workers; on a journal, and on --storage.

CPU seconds are of one thread; a busy machine makes them longer.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from search_parts import cores, counts, fronts, limits, processes, scores, tables
from search_parts.common import Missing

PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "equation": counts.equation,
    "parameters": counts.parameters,
    "cells": counts.cells,
    "shares": counts.shares,
    "limits": limits.limits,
    "cores": cores.cores,
    "speed": scores.speed,
    "snasnet": scores.snasnet_ratio,
    "thousand": scores.thousand,
    "whole": scores.whole,
    "predictors": tables.predictors,
    "searches": tables.searches,
    "front": fronts.front,
    "workers": processes.workers,
}


def main() -> None:
    """Run what was asked for; a row for each figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--images", type=Path, help="CIFAR-10 as a tree of images")
    parser.add_argument("--table", type=Path, help="SpikeNAS-Bench's log, or a part of it")
    parser.add_argument("--keep", type=Path, default=Path("runs/benchmark-search"))
    parser.add_argument("--reference", default="32,256,2", help="channels,batch,batches")
    parser.add_argument("--candidates", type=int, default=32, help="of the reference")
    parser.add_argument("--seconds", type=float, default=240.0, help="for the reference")
    parser.add_argument("--seeds", type=int, default=20, help="of searches and splits")
    parser.add_argument("--storage", help="URL of an empty PostgreSQL database")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    import torch

    torch.set_num_threads(1)
    options.keep.mkdir(parents=True, exist_ok=True)
    for name in options.parts or PARTS:
        print(name, flush=True)
        try:
            PARTS[name](options)
        except Missing as missing:
            print(f"  not measured: {missing.what}", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    main()
