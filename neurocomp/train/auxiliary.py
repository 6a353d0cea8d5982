"""A second classifier for training only: it reads spikes in the middle of a deep network."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from neurocomp.errors import InputError
from neurocomp.ir import Graph
from neurocomp.ir.schedule import depths
from neurocomp.snn import Activity

PLACE = (2, 3)  # of the network's depth, as in LitE-SNN, whose head stands on cell 6 of 8


class Auxiliary(nn.Module):
    """A linear classifier of the mean activity per channel, at two thirds of the depth.

    Attributes:
        names: populations that it reads: the spiking ones at that depth.

    Raises:
        InputError: nothing but the output lies there.
    """

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        depth = depths(graph)
        place = max(depth[graph.output] * PLACE[0] // PLACE[1], 1)
        read = [p for p in graph.neurons if depth[p.name] == place and p.name != graph.output]
        if not read:
            raise InputError(
                f"network '{graph.name}' has no population between input and output; an auxiliary "
                "classifier needs one, set train.auxiliary to 0"
            )
        self.names = tuple(p.name for p in read)
        classes = graph.population(graph.output).size
        self.classifier = nn.Linear(sum(p.shape[0] for p in read), classes)

    def forward(self, activity: Activity) -> Tensor:
        """Logits (B, classes)."""
        rates = [activity.spikes[name].mean((0, 3, 4)) for name in self.names]
        logits: Tensor = self.classifier(torch.cat(rates, 1))
        return logits
