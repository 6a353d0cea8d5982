"""Every partial derivative of the joint loss, against finite differences in double precision.

Spikes, levels and masks jump; their gradients are surrogates. So the same supernet is made smooth
at one point: a spike is a steep sigmoid, and whatever passes gradients straight through is its
value at that point plus the change of its source. The derivatives of that function are exactly what
straight-through gradients are meant to be.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from joint_networks import LOIHI2, backbone, pictures, supernet
from torch import Tensor

from neurocomp.snn import Surrogate, compconv, population
from neurocomp.snn.lif import Dynamics
from neurocomp.train.joint.costs import Costs
from neurocomp.train.joint.menu import Menu
from neurocomp.train.joint.phase import cross_entropy

STEP = 1e-6
WIDE = 128  # channels that are built: kernels, not neurons, fill the cores of the second cell
LABELS = torch.tensor([0, 1, 2, 0, 1])
FLOWS = {
    "entropy": {"alpha", "beta", "psi", "scores", "weights"},
    "bits": {"alpha", "beta"},
    "bit_synops": {"alpha", "beta", "psi", "scores", "weights"},
    "cores": {"alpha", "beta"},
    "messages": {"alpha", "beta", "psi", "scores", "weights"},
}
"""Which choices each term depends on; the rest must get no gradient at all."""


class Straight:
    """Straight-through functions around the point at which they were first called."""

    def __init__(self) -> None:
        self.points: list[tuple[Tensor, Tensor]] = []
        self.calls = 0

    def __call__(self, value: Tensor, source: Tensor) -> Tensor:
        if self.calls == len(self.points):
            self.points.append((value.detach().clone(), source.detach().clone()))
        at, origin = self.points[self.calls]
        self.calls += 1
        return at + (source - origin)


def smooth_fire(
    drive: Tensor,
    bias: Tensor | None,
    steps: int,
    dynamics: Dynamics,
    surrogate: Surrogate,
    constants: Tensor | None,
) -> Tensor:
    """A LIF whose spike is a sigmoid: differentiable everywhere, reset included."""
    voltage = torch.zeros_like(drive[0])
    spikes = []
    for t in range(steps):
        voltage = dynamics.voltage_keep * voltage + drive[t % len(drive)]
        spikes.append(torch.sigmoid(4 * (voltage - dynamics.threshold)))
        voltage = voltage * (1 - spikes[-1])
    return torch.stack(spikes)


class Point:
    """A supernet with its choices and costs, all in double precision, and one batch."""

    def __init__(self, straight: Straight) -> None:
        self.straight = straight
        self.net, self.choices = supernet()
        self.costs = Costs(Menu(backbone(WIDE), LOIHI2), 0.5)
        for module in (self.net, self.choices, self.costs):
            module.double()
        generator = torch.Generator().manual_seed(1)
        for p in (self.choices.alpha, self.choices.beta, self.choices.psi):
            p.data = torch.randn(p.shape, generator=generator, dtype=torch.float64)
        self.parameters = {
            "alpha": self.choices.alpha,
            "beta": self.choices.beta,
            "psi": self.choices.psi,
            "scores": self.net.cells[0].edges["0"].compress["3"].scores,
            "weights": self.net.stem.weight,
        }
        self.terms()  # where straight-through functions stand

    def terms(self) -> dict[str, Tensor]:
        self.straight.calls = 0
        shares = self.choices()
        passed = self.net(pictures(), shares)
        costs = self.costs(shares, passed.rates, passed.top)
        entropy = cross_entropy(passed.outputs, LABELS, shares.lengths, self.costs.lengths)
        return {"entropy": entropy, **costs}

    def slope(self, term: str, parameter: Tensor, index: int) -> float:
        """Central difference along one coordinate."""
        ends = []
        with torch.no_grad():
            flat = parameter.view(-1)
            here = float(flat[index])
            for side in (STEP, -STEP):
                flat[index] = here + side
                ends.append(float(self.terms()[term]))
            flat[index] = here
        return (ends[0] - ends[1]) / (2 * STEP)


@pytest.fixture(scope="module")
def point() -> Iterator[Point]:
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        straight = Straight()
        patch.setattr(compconv, "straight_through", straight)
        patch.setattr(population, "fire", smooth_fire)
        yield Point(straight)


@pytest.mark.parametrize("term", FLOWS)
@pytest.mark.parametrize("name", ["alpha", "beta", "psi", "scores", "weights"])
def test_partial_derivative(point: Point, term: str, name: str) -> None:
    parameter = point.parameters[name]
    value = point.terms()[term]
    (slope,) = torch.autograd.grad(value, parameter, allow_unused=True)
    if name not in FLOWS[term]:
        assert slope is None or not slope.any()
        return
    assert slope is not None
    coordinates = slope.abs().flatten().topk(min(6, slope.numel())).indices.tolist()
    assert float(slope.flatten()[coordinates[0]]) != 0.0
    scale = max(1.0, float(value.detach().abs()))
    for index in coordinates:
        found = float(slope.flatten()[index])
        assert found == pytest.approx(
            point.slope(term, parameter, index), rel=1e-5, abs=1e-8 * scale
        )


def test_the_real_functions_give_the_same_kinds_of_gradient() -> None:
    """With true spikes, levels and masks every term still reaches the same choices."""
    net, choices = supernet()
    costs = Costs(Menu(backbone(WIDE), LOIHI2), 0.5)
    shares = choices()
    passed = net(pictures(), shares)
    entropy = cross_entropy(passed.outputs, LABELS, shares.lengths, costs.lengths)
    terms = {"entropy": entropy, **costs(shares, passed.rates, passed.top)}
    parameters = {
        "alpha": choices.alpha,
        "beta": choices.beta,
        "psi": choices.psi,
        "scores": net.cells[0].edges["0"].compress["3"].scores,
        "weights": net.stem.weight,
    }
    for term, flows in FLOWS.items():
        slopes = torch.autograd.grad(
            terms[term], list(parameters.values()), retain_graph=True, allow_unused=True
        )
        reached = {
            name
            for name, slope in zip(parameters, slopes, strict=True)
            if slope is not None and slope.any()
        }
        assert reached == flows, term
