"""The whole training of a network: float with batch-norm, fold, prune, then on the chip's grids."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
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
from neurocomp.spec.train import TWIN, TrainSpec
from neurocomp.train.accuracy import integer_accuracy, network_accuracy
from neurocomp.train.checkpoints import load_weights
from neurocomp.train.failures import failures_named
from neurocomp.train.fit import fit
from neurocomp.train.phase import Epoch, Phase, PhaseName
from neurocomp.train.prune import prune
from neurocomp.train.ranks import rank
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
    tensorboard: bool = False,
    progress: Progress | None = None,
) -> Trained:
    """Train an architecture in two phases and make it integer.

    Each phase keeps a checkpoint per epoch in ``out``; called again with the same arguments it
    goes on from there and ends with the same numbers. Several processes of torchrun train together
    when each of them calls this with the same arguments; the first one writes.

    Args:
        device: "auto", "cpu" or "cuda".
        tensorboard: write curves into ``out/tensorboard``.

    Raises:
        InputError: graph and data set do not suit each other, ``out`` holds another training, or
            the device is not there.
        RunError: see `neurocomp.train.fit.fit`.
    """
    _require_suited(graph, dataset)
    _claim(out, graph, dataset, spec, seed)
    where = torch_device(device)
    with failures_named(out, spec.batch):
        samples, held_out = _samples(dataset, spec, seed, where)
        job = _Job(spec, samples, held_out, out, where, seed, tensorboard, _watcher(progress, spec))
        teacher = _teacher(graph, job) if spec.distill else None

        learns = spec.prune_by == "scores"
        network = float_network(graph, spec, seed, 1 - spec.prune if learns else 1.0)
        history = job.run("float", network, teacher)
        accuracy_float = network_accuracy(network, dataset, where)
        float_graph = to_graph(network)

        trained = frozenset(e.name for e in graph.projections if e.weight is None)
        pruned = float_graph if learns else prune(float_graph, spec.prune, trained)
        grids = plan(pruned)
        fixed = frozenset(e.name for e in graph.projections) - trained  # skips, average pooling
        network = Network.quantised(
            pruned, grids, fixed=fixed, surrogate=surrogate_of(spec), engine=spec.engine
        )
        history += job.run("qat", network, teacher)
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


def float_network(graph: Graph, spec: TrainSpec, seed: int, kept: float) -> Network:
    """An untrained architecture as the float phase of a spec trains it."""
    return Network.floating(
        graph,
        seed=seed,
        kept=kept,
        surrogate=surrogate_of(spec),
        engine=spec.engine,
        learn=spec.learn,
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


@dataclass(frozen=True, slots=True)
class _Job:
    """What all phases of a training have in common."""

    spec: TrainSpec
    samples: Samples
    held_out: Samples | None
    out: Path
    device: torch.device
    seed: int
    tensorboard: bool
    watch: Callable[[Epoch], None]

    def run(self, name: PhaseName, network: Network, teacher: Network | None = None) -> list[Epoch]:
        """Train a network to the end of a phase, in place; gives the rows of its epochs."""
        phase = Phase(name, network, self.spec, self.seed, self.watch, teacher)
        fit(
            phase,
            self.samples,
            self.out,
            self.device,
            held_out=self.held_out,
            tensorboard=self.tensorboard,
        )
        phase.to(self.device)
        return phase.history


def _samples(
    dataset: data.Dataset, spec: TrainSpec, seed: int, device: torch.device
) -> tuple[Samples, Samples | None]:
    """Samples that are trained on, and those that early stopping watches."""
    if spec.early_stop is None:
        return Samples(dataset.train_values, dataset.train_labels, device), None
    parts = dataset.held_out(spec.early_stop.holdout, seed)
    return (
        Samples(parts.train_values, parts.train_labels, device),
        Samples(parts.test_values, parts.test_labels, device),
    )


def _teacher(graph: Graph, job: _Job) -> Network:
    """The ANN twin, trained here or taken from a checkpoint; it learns no more.

    Raises:
        InputError: the checkpoint is none, or of another architecture.
    """
    assert job.spec.distill is not None  # the caller asks
    twin = Network.floating(graph, seed=job.seed, engine="relu")
    given = job.spec.distill.teacher
    if given == TWIN:
        update = {"distill": None, "auxiliary": 0.0, "synops": None}
        replace(job, spec=job.spec.model_copy(update=update)).run("teacher", twin)
    else:
        load_weights(twin, Path(given))
    return twin.to(job.device).eval().requires_grad_(False)


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
    twins = spec.epochs if spec.distill and spec.distill.teacher == TWIN else 0
    before = {"teacher": 0, "float": twins, "qat": twins + spec.epochs}
    total = before["qat"] + spec.qat_epochs

    def watch(row: Epoch) -> None:
        if progress is not None:
            progress(
                "train",
                before[row.phase] + row.epoch,
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
    """Mark the folder as this training's; `InputError` if it is another's.

    Of several processes the first one does; the others start what it starts.
    """
    if rank():
        return
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
