"""Short training of a float network, to see how candidates compare; nothing is made integer."""

from __future__ import annotations

from pathlib import Path

import torch

from neurocomp import data
from neurocomp.errors import RunError
from neurocomp.ir import Graph
from neurocomp.snn import Network
from neurocomp.spec.train import TrainSpec
from neurocomp.train.accuracy import TORCH_BATCH, network_accuracy
from neurocomp.train.fit import fit
from neurocomp.train.phase import Phase
from neurocomp.train.samples import Samples
from neurocomp.train.training import float_network, torch_device


def train_short(
    graph: Graph, dataset: data.Dataset, spec: TrainSpec, folder: Path, seed: int, device: str
) -> tuple[float, float]:
    """Train the float phase only.

    Args:
        dataset: its test samples judge; give it a part of the training set.
        spec: with ``prune`` above 0 the share is learnt by scores while training. All epochs are
            trained, without a teacher.
        folder: for checkpoints.

    Returns:
        Accuracy (NaN where the loss is not finite) and spikes per sample.
    """
    where = torch_device(device)
    spec = spec.model_copy(update={"early_stop": None, "distill": None})
    network = float_network(graph, spec, seed, 1 - spec.prune)
    phase = Phase("float", network, spec, seed, lambda epoch: None)
    try:
        fit(phase, Samples(dataset.train_values, dataset.train_labels, where), folder, where)
    except RunError as fault:
        if isinstance(fault.__cause__, FloatingPointError):
            return float("nan"), 0.0
        raise
    phase.to(where)
    return network_accuracy(network, dataset, where), _spikes(network, dataset, where)


@torch.no_grad()
def _spikes(network: Network, dataset: data.Dataset, device: torch.device) -> float:
    """Spikes per sample of some test samples, all populations together."""
    values = torch.from_numpy(dataset.test_values[:TORCH_BATCH]).to(device)
    fired = network.run(values).spikes.values()
    return sum(float(x.sum()) for x in fired) / len(values)
