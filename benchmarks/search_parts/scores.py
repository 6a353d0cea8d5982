"""How fast and how like the reference the score is; against SNASNet's own settings."""

from __future__ import annotations

import argparse
import json
import time
from itertools import islice
from pathlib import Path

import numpy as np
from search_parts.common import CIFAR, aim, distinct, images, snasnet, tau

from neurocomp.arch import Candidate, build
from neurocomp.atomic import write_json
from neurocomp.explore import ScoreEvaluator
from neurocomp.score import Scorer

OWN = "128,256,2"  # channels, samples of a batch, batches: SNASNet's own settings


def reference(options: argparse.Namespace) -> dict[Candidate, list[float]]:
    """The score of each batch at the reference's settings, weights fresh for every candidate.

    What was computed before is read from --keep; the run ends when --seconds are over.
    """
    channels, batch, batches = map(int, options.reference.split(","))
    values = images(options)
    path = Path(options.keep) / f"reference-{options.reference.replace(',', '-')}.json"
    known = json.loads(path.read_text()) if path.is_file() else {}
    start, found = time.monotonic(), {}
    for number, candidate in enumerate(islice(distinct(snasnet(channels)), options.candidates)):
        if candidate.id not in known:
            if time.monotonic() - start > options.seconds:
                break
            began = time.process_time()
            graph = build(candidate, CIFAR)
            parts = [
                Scorer(values[k * batch :][:batch], seed=1 + number * batches + k)(graph).value
                for k in range(batches)
            ]
            known[candidate.id] = [time.process_time() - began, *parts]
            write_json(path, known)
        found[candidate] = known[candidate.id]
    cpu = [row[0] for row in found.values()]
    print(
        f"reference: {len(found)} candidates of snasnet, C = {channels}, {batches} batches of "
        f"{batch}, T = 5, {np.mean(cpu):.1f} CPU-s each",
        flush=True,
    )
    return {candidate: row[1:] for candidate, row in found.items()}
