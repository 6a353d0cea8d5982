"""The joint search, measured: against sequential design, over λ, on the target's terms, in time.

    python benchmarks/litesnn.py joint  [--quick] [--seeds 5] [--data digits|folder:PATH]
    python benchmarks/litesnn.py front  [--quick] [--seeds 3]
    python benchmarks/litesnn.py terms  --data folder:PATH [--quick] [--seeds 3] [--tolerance 0.005]
    python benchmarks/litesnn.py speech --data folder:PATH [--seeds 1]
    python benchmarks/litesnn.py cost   [--image 16] [--batch 8] [--steps 2] [--space litesnn]

`joint` designs networks jointly and by A + P + Q + T, both under one limit on weight bits and one
on bit-SynOps: accuracies are compared seed by seed. `front` draws the paper's Figure 3: accuracy
against size against bit-SynOps over λ1 and λ2. `terms` compares searches that pay for bits and
bit-SynOps with such that pay for the target's cores and messages, at equal accuracy, on images as
large as MNIST's: on digits the smallest network has as many cores as most others. `speech` is the
recipe litesnn-fsdd on recordings (the Free Spoken Digit Dataset unpacked: a folder of wav files).
Every run has a folder in --out and an interrupted benchmark goes on; --quick has shorter trainings,
with folders of its own. `cost` times one step of the search against the step structure of the
paper's public code on the same supernet: two full passes in float32, a loop over time outermost,
one convolution and one batch-norm per op and step, nothing compiled.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from litesnn_parts.compared import Pair, Point, Sized, draw, judge_front, judge_pairs, judge_terms
from litesnn_parts.cost import cost
from search_parts.common import aim

from neurocomp.errors import FitError
from neurocomp.flow import search as main_job
from neurocomp.spec.joint import load_lite_space
from neurocomp.spec.read import write_yaml
from neurocomp.spec.recipe import load_recipe

SAMPLES = 20  # executed in Lava in every run
SMALL = {"cells": [1, 2, 4], "timesteps": [2, 3]}
RATES = {
    "psi_warmup": 2, "alpha_rate": 0.03, "beta_rate": 0.1, "psi_rate": 0.03, "dual_rate": 0.02,
}  # fmt: skip
LENGTHS = {  # epochs of the search, and of both phases of training
    "full": ({"epochs": 20}, {"epochs": 12, "qat_epochs": 10}),
    "quick": ({"epochs": 12}, {"epochs": 6, "qat_epochs": 5}),
}
PAPER_OPS = ["skip", "conv3"]  # with them any architecture can be brought to the limits
LIMITS = {"bits": 36_000, "bit_synops": 600_000}
FRONT: list[tuple[float, float]] = [
    # λ1 per bit, λ2 per bit-SynOp
    (0.0, 0.0), (1e-6, 0.0), (1e-6, 1e-7), (3e-6, 1e-7), (3e-6, 1e-6), (1e-5, 1e-6),
]  # fmt: skip
TERM_OPS = ["skip", "avgpool3", "conv1", "conv3"]
TERMS: dict[
    str, list[dict[str, float]]
] = {  # from next to nothing to what nothing but costs decides
    "paper": [{"bits": v, "bit_synops": v / 100} for v in (1e-8, 1e-7, 1e-6)],
    "target": [{"cores": v, "messages": v / 1e4} for v in (3e-3, 3e-2, 3e-1)],
}
SPEECH = {"accuracy": 0.96, "MB": 0.30, "M bit-SynOps": 37.0, "T": 3}


def main() -> None:
    """Run what was asked for and print a row each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=list(BENCHMARKS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--out", type=Path, default=Path("runs/benchmark-litesnn"))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tolerance", type=float, default=0.005)
    parser.add_argument("--space", default="litesnn")
    parser.add_argument("--image", type=int, default=16)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--steps", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(1)
    BENCHMARKS[options.what](options)


def joint(options: argparse.Namespace) -> None:
    """Integer accuracy of both ways to design, at equal size."""
    space = {"ops": PAPER_OPS}
    path = recipe(options, "joint", space, budgets=LIMITS, baselines=["sequential"])
    pairs, none = [], 0
    print("seed  design      integer   kbit  bit-SynOps k   T  cores  design hours")
    for seed in range(options.seeds):
        made = run(path, options, f"joint-{Path(options.data).name}-{seed}", seed=seed)
        other = made["baselines"][0] if made else {"fault": "no joint network"}
        if made is None or other["fault"]:
            print(f"{seed:4}  {other['fault']}", flush=True)
            none += 1
            continue
        own = as_row(made)
        for name, row in (("joint", own), ("sequential", other)):
            print(f"{seed:4}  {name:10} {_shown(row)}", flush=True)
        pairs.append(Pair(seed, _size(own), _size(other)))
    judge_pairs(pairs, none)


def front(options: argparse.Namespace) -> None:
    """Figure 3 of the paper, for every seed."""
    lambdas = [{"bits": first, "bit_synops": second} for first, second in FRONT]
    points = swept(options, "front", lambdas, {})
    judge_front(points)
    draw(points, options.out / "front.svg")


def terms(options: argparse.Namespace) -> None:
    """Cores of networks searched with the paper's terms and with the target's."""
    if not options.data.startswith("folder:"):
        raise SystemExit("terms: give images as large as MNIST's with --data folder:PATH")
    found = {
        kind: swept(options, f"terms-{kind}", each, {"ops": TERM_OPS})
        for kind, each in TERMS.items()
    }
    judge_terms(found["paper"], found["target"], options.tolerance)


def speech(options: argparse.Namespace) -> None:
    """Spoken digits, from recordings to a mapped network."""
    if not options.data.startswith("folder:"):
        raise SystemExit("speech: give the recordings with --data folder:PATH")
    for seed in range(options.seeds):
        made = run("litesnn-fsdd", options, f"speech-{seed}", seed=seed)
        if made is None:
            continue
        row = as_row(made)
        aim("integer accuracy", _accuracy(row), "≥", SPEECH["accuracy"])
        aim("weights", row["size_mb"], "≤", SPEECH["MB"], " MB")
        aim("bit-SynOps", row["bit_synops"] / 1e6, "≤", SPEECH["M bit-SynOps"], " M")
        aim("timesteps", row["timesteps"], "≤", SPEECH["T"])


def swept(
    options: argparse.Namespace,
    name: str,
    each: list[dict[str, float]],
    space: dict[str, Any],
    **changes: Any,
) -> list[Point]:
    """A network for every choice of λ and every seed; arguments as of `recipe`."""
    points = []
    print(f"{name}: seed  λ  integer   kbit  bit-SynOps k   T  cores  design hours")
    for i, lambdas in enumerate(each):
        path = recipe(options, f"{name}-{i}", space, lambdas=lambdas, **changes)
        label = f"({', '.join(f'{v:g}' for v in lambdas.values())})"
        for seed in range(options.seeds):
            made = run(path, options, f"{name}-{i}-{seed}", seed=seed, stop_after="map")
            if made is not None:
                row = as_row(made)
                work = row["bit_synops"] / 1e6
                points.append(Point(label, seed, _accuracy(row), _kbit(row), work, row["cores"]))
                print(f"{seed:4}  {label:20} {_shown(row)}", flush=True)
    return points


def recipe(options: argparse.Namespace, name: str, space: dict[str, Any], **changes: Any) -> Path:
    """The digits recipe cut down, with its own space, as files.

    Args:
        space: what differs from the digits recipe's. changes: of its section ``joint``.
    """
    folder = _folder(options)
    folder.mkdir(parents=True, exist_ok=True)
    shipped = load_recipe("litesnn-digits").model_dump(mode="json")
    digits = load_lite_space("litesnn-digits").model_dump(mode="json")
    write_yaml(folder / f"{name}-space.yaml", digits | SMALL | space)
    searching, training = LENGTHS["quick" if options.quick else "full"]
    own = {"space": str(folder / f"{name}-space.yaml"), "budgets": {}, **RATES, **searching}
    shipped["joint"] |= own | changes
    shipped["train"] |= training
    write_yaml(folder / f"{name}.yaml", shipped)
    return folder / f"{name}.yaml"


def run(
    path: Path | str, options: argparse.Namespace, name: str, **changes: Any
) -> dict[str, Any] | None:
    """The main job in a folder of its own; None, and the reason, where nothing fits."""
    out = _folder(options) / name
    try:
        return main_job("loihi2", str(path), out=out, data=options.data, samples=SAMPLES, **changes)
    except FitError as fault:
        print(f"{name}: {fault}", flush=True)
        return None


def as_row(made: dict[str, Any]) -> dict[str, Any]:
    """A summary's own network as the row of a baseline."""
    cores = made["mapping"]["n_cores"]
    return {**made["figures"], "accuracy": made["accuracy"], "cores": cores}


def _folder(options: argparse.Namespace) -> Path:
    folder: Path = options.out / ("quick" if options.quick else "full")
    return folder


def _accuracy(row: dict[str, Any]) -> float:
    return float(row["accuracy"]["integer"])


def _kbit(row: dict[str, Any]) -> float:
    return float(row["size_mb"]) * 8000


def _size(row: dict[str, Any]) -> Sized:
    return Sized(_accuracy(row), _kbit(row), row["bit_synops"] / 1e6)


def _shown(row: dict[str, Any]) -> str:
    return (
        f"{_accuracy(row):8.2%}  {_kbit(row):5.1f}  {row['bit_synops'] / 1e3:12.1f}  "
        f"{row['timesteps']:2}  {row['cores']:5}  {row['design_hours']:.4f}"
    )


BENCHMARKS: dict[str, Callable[[argparse.Namespace], None]] = {
    "joint": joint,
    "front": front,
    "terms": terms,
    "speech": speech,
    "cost": cost,
}

if __name__ == "__main__":
    main()
