"""The whole training of a network: float with batch-norm, fold, prune, then on the chip's grids."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from neurocomp import data
from neurocomp.atomic import write_json
from neurocomp.errors import InputError
from neurocomp.ir import Graph, Input
from neurocomp.progress import Progress
from neurocomp.quant.discretize import Plan, discretize, plan
from neurocomp.snn import Network, Surrogate, to_graph
from neurocomp.spec.recipe import TrainSpec
from neurocomp.train.accuracy import integer_accuracy, network_accuracy
from neurocomp.train.fit import fit
from neurocomp.train.phase import Epoch, Phase
from neurocomp.train.prune import prune
from neurocomp.train.samples import Samples

IDENTITY = "training.json"


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training gave.

    Attributes:
        graph: the integer graph, what the chip stores.
        float_graph: the float phase's network with batch-norm folded, before pruning by magnitude.
        accuracy_float: of the float phase, on the test set.
        accuracy_integer: of ``graph`` in the integer reference, on the test set.
        epochs: of both phases.
        images_per_second: training images over time, mean of all epochs.
        history: one row per epoch (`neurocomp.train.phase.Epoch`), as plain values.
        regridded: weights grew past the plan's headroom, so ``graph`` stands on coarser grids than
            those that were trained on.
    """

    graph: Graph
    float_graph: Graph
    accuracy_float: float
    accuracy_integer: float
    epochs: int
    images_per_second: float
    history: tuple[dict[str, Any], ...]
    regridded: bool


def train(
    graph: Graph,
    dataset: data.Dataset,
    spec: TrainSpec,
    out: Path,
    *,
    seed: int,
    device: str = "auto",
    progress: Progress | None = None,
) -> Trained:
    """Train an architecture in two phases and make it integer.

    Each phase keeps a checkpoint per epoch in ``out``; called again with the same arguments it
    goes on from there and ends with the same numbers.

    Args:
        device: "auto", "cpu" or "cuda".

    Raises:
        InputError: graph and data set do not suit each other, ``out`` holds another training, or
            the device is not there.
        RunError: see `neurocomp.train.fit.fit`.
    """
    _require_suited(graph, dataset)
    _claim(out, graph, dataset, spec, seed)
    where = torch_device(device)
    samples = Samples(dataset, where)
    surrogate = surrogate_of(spec)
    watch = _watcher(progress, spec)

    learns = spec.prune_by == "scores"
    kept = 1 - spec.prune if learns else 1.0
    network = Network.floating(graph, seed=seed, kept=kept, surrogate=surrogate)
    history = _run(Phase("float", network, spec, seed, watch), samples, out, where)
    accuracy_float = network_accuracy(network, dataset, where)
    float_graph = to_graph(network)

    trained = frozenset(e.name for e in graph.projections if e.weight is None)
    pruned = float_graph if learns else prune(float_graph, spec.prune, trained)
    grids = plan(pruned)
    fixed = frozenset(e.name for e in graph.projections) - trained  # skips, average pooling
    network = Network.quantised(pruned, grids, fixed=fixed, surrogate=surrogate)
    history += _run(Phase("qat", network, spec, seed, watch), samples, out, where)
    integer, regridded = _integer(to_graph(network), grids)
    return Trained(
        graph=integer,
        float_graph=float_graph,
        accuracy_float=accuracy_float,
        accuracy_integer=integer_accuracy(integer, dataset),
        epochs=len(history),
        images_per_second=sum(e.images for e in history) / sum(e.seconds for e in history),
        history=tuple(asdict(row) for row in history),
        regridded=regridded,
    )


def surrogate_of(spec: TrainSpec) -> Surrogate:
    """The spike function's derivative that a recipe asks for."""
    return Surrogate(spec.surrogate, spec.surrogate_width, spec.surrogate_temperature)


def torch_device(name: str) -> torch.device:
    """The device of "auto" (a GPU where there is one), "cpu" or "cuda"; `InputError` otherwise."""
    if name not in ("auto", "cpu", "cuda"):
        raise InputError.unknown("device", name, ["auto", "cpu", "cuda"])
    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise InputError("device 'cuda': torch sees no GPU here; use 'cpu' or 'auto'")
    return torch.device("cuda" if there and name != "cpu" else "cpu")


def _run(phase: Phase, samples: Samples, out: Path, device: torch.device) -> list[Epoch]:
    fit(phase, samples, out, device)
    phase.to(device)
    return phase.history


def _integer(graph: Graph, grids: Plan) -> tuple[Graph, bool]:
    """The integer graph, and whether it had to leave the grids that were trained.

    Where weights grew past the plan's headroom a sum would not fit the chip any more; then grids
    are planned afresh. The accuracy is measured on what comes out.
    """
    try:
        return discretize(graph, grids), False
    except InputError:
        return discretize(graph), True


def _watcher(progress: Progress | None, spec: TrainSpec) -> Callable[[Epoch], None]:
    total = spec.epochs + spec.qat_epochs

    def watch(row: Epoch) -> None:
        if progress is not None:
            done = row.epoch if row.phase == "float" else spec.epochs + row.epoch
            progress(
                "train",
                done,
                total,
                f"{row.phase} {row.epoch}/{row.epochs}: loss {row.loss:.3f}, "
                f"accuracy {row.accuracy:.2%}, {row.images_per_second:.0f} images/s",
            )

    return watch


def _require_suited(graph: Graph, dataset: data.Dataset) -> None:
    source, output = graph.inputs[0], graph.population(graph.output)
    bits = source.neuron.bits if isinstance(source.neuron, Input) else None
    if dataset.steps not in (None, graph.timesteps):
        raise InputError(
            f"network '{graph.name}' has a window of {graph.timesteps} steps, data set "
            f"'{dataset.name}' was made for {dataset.steps}"
        )
    if source.shape != dataset.shape or bits != dataset.bits:
        raise InputError(
            f"network '{graph.name}' takes {source.shape} of {bits} bits, data set "
            f"'{dataset.name}' gives {dataset.shape} of {dataset.bits} bits"
        )
    if output.size != len(dataset.classes):
        raise InputError(
            f"network '{graph.name}' has {output.size} outputs, data set '{dataset.name}' has "
            f"{len(dataset.classes)} classes"
        )


def _claim(out: Path, graph: Graph, dataset: data.Dataset, spec: TrainSpec, seed: int) -> None:
    """Mark the folder as this training's; `InputError` if it is another's."""
    identity = {
        "network": graph.digest(),
        "data": [dataset.name, len(dataset.train_values), dataset.bits, dataset.steps],
        "train": spec.model_dump(mode="json"),
        "seed": seed,
    }
    path = out / IDENTITY
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_json(path, identity)
        found = json.loads(path.read_text())
    except (OSError, ValueError) as fault:
        raise InputError(f"{path}: cannot be used ({fault}); name another folder") from fault
    if found != identity:
        different = [key for key in identity if found.get(key) != identity[key]]
        raise InputError(
            f"{out}: holds another training (other {', '.join(different)}); name another folder"
        )
