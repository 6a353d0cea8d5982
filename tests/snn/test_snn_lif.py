"""The neuron's dynamics: worked by hand, against the integer rules, and its gradients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.ir import LoihiLif, Population
from neurocomp.quant import fixed
from neurocomp.snn.lif import (
    Dynamics,
    Surrogate,
    SurrogateKind,
    compiled,
    descended,
    fire,
    integrated,
    membrane,
)
from neurocomp.snn.population import Neurons

HALF = Dynamics(threshold=1.0, current_keep=0.0, voltage_keep=0.5)


def drive(*steps: float, requires_grad: bool = False) -> torch.Tensor:
    """One neuron's drive, a value per step, as (T, 1, 1, 1, 1)."""
    return torch.tensor(steps, requires_grad=requires_grad).view(-1, 1, 1, 1, 1)


class TestFloat:
    def test_leak_fire_reset(self) -> None:
        # v: 0.75, 1.125 → fires, 0.75, 1.125 → fires
        spikes = fire(drive(0.75), None, 4, HALF, Surrogate())
        assert spikes.flatten().tolist() == [0, 1, 0, 1]

    def test_threshold_is_strict(self) -> None:
        spikes = fire(drive(1.0, 0.5, 0.75), None, 3, HALF, Surrogate())  # v: 1, 1, 1.25
        assert spikes.flatten().tolist() == [0, 0, 1]

    def test_bias_and_current_memory(self) -> None:
        # u: 1, 0.5, 0.25; v = u + ¼ without memory of v
        constants = Dynamics(threshold=0.6, current_keep=0.5, voltage_keep=0.0)
        spikes = fire(drive(1.0, 0.0, 0.0), torch.tensor([0.25]), 3, constants, Surrogate())
        assert spikes.flatten().tolist() == [1, 1, 0]

    def test_membrane_never_fires(self) -> None:
        keep = Dynamics(threshold=1.0, current_keep=0.0, voltage_keep=1.0)
        assert membrane(drive(2.0), torch.tensor([-0.5]), 3, keep).item() == 4.5


class TestGrid:
    def test_truncation_is_toward_zero(self) -> None:
        # −64 units of 1/64 keep 4095/4096: −63.98 → −63, not −64
        keep = Dynamics(threshold=1.0, current_keep=0.0, voltage_keep=4095 / 4096, grid=0)
        assert membrane(drive(-1.0, 0.0), None, 2, keep).item() == -63 / 64

    def test_rounding_error_of_a_sum_is_taken_back(self) -> None:
        keep = Dynamics(threshold=1.0, current_keep=0.0, voltage_keep=1.0, grid=2)
        assert membrane(drive(0.7500001), None, 1, keep).item() == 0.75

    def test_membrane_is_clipped_to_24_bits(self) -> None:
        keep = Dynamics(threshold=1.0, current_keep=0.0, voltage_keep=1.0, grid=0)
        assert membrane(drive(-100_000.0), None, 2, keep).item() == -(2**23 - 1) / 64

    @settings(max_examples=60, deadline=None)
    @given(
        lost_current=st.integers(0, 4095),
        lost_voltage=st.integers(0, 4096),
        vth=st.integers(0, 600),
        bias=st.integers(-40, 40),
        grid=st.integers(0, 12),
        reach=st.sampled_from([8, 300, 100_000]),
        steps=st.integers(1, 8),
        seed=st.integers(0, 2**20),
    )
    def test_equals_the_integer_rules(
        self,
        lost_current: int,
        lost_voltage: int,
        vth: int,
        bias: int,
        grid: int,
        reach: int,
        steps: int,
        seed: int,
    ) -> None:
        """Every membrane and spike, wraps and clips included, for any decay of 12 bits."""
        sums = np.random.default_rng(seed).integers(-reach, reach + 1, (steps, 20))
        neuron = LoihiLif(vth=vth, du=lost_current, dv=lost_voltage)
        u = v = np.zeros(20, np.int64)
        expected = []
        for a in sums:
            u, v, spikes = fixed.step(u, v, a, bias, neuron)
            expected.append(spikes)
        constants = Dynamics(
            threshold=vth / 2**grid,
            current_keep=1 - (lost_current + 1) / 4096,
            voltage_keep=1 - lost_voltage / 4096,
            grid=grid,
        )
        a_real = torch.tensor(sums, dtype=torch.float32).view(steps, 1, 1, 4, 5) / 2**grid
        b_real = torch.tensor([bias / 2**grid])
        fired = fire(a_real, b_real, steps, constants, Surrogate())
        assert np.array_equal(fired.view(steps, 20).bool().numpy(), np.array(expected))


class TestGradient:
    """With θ = 1 and width 1 the triangle's slope is 1 − |v − 1|."""

    def test_through_time(self) -> None:
        # v = 0.75, 1.125: slopes 0.75, 0.875; step 1 reaches step 2 through the leak of ½
        a = drive(0.75, 0.75, requires_grad=True)
        a.retain_grad()
        fire(a, None, 2, HALF, Surrogate()).sum().backward()
        assert a.grad is not None
        assert a.grad.flatten().tolist() == [0.75 + 0.5 * 0.875, 0.875]

    def test_reset_cuts_the_path(self) -> None:
        # v = 1.5 fires (slope 0.5), then 0.25 (slope 0.25)
        a = drive(1.5, 0.25, requires_grad=True)
        a.retain_grad()
        fire(a, None, 2, HALF, Surrogate()).sum().backward()
        assert a.grad is not None
        assert a.grad.flatten().tolist() == [0.5, 0.25]

    def test_constant_drive_and_bias_gather_all_steps(self) -> None:
        # drive 0.5 + bias 0.25 as in test_through_time
        a, bias = drive(0.5, requires_grad=True), torch.tensor([0.25], requires_grad=True)
        a.retain_grad()
        fire(a, bias, 2, HALF, Surrogate()).sum().backward()
        assert a.grad is not None
        assert bias.grad is not None
        assert a.grad.item() == bias.grad.item() == 0.75 + 0.5 * 0.875 + 0.875

    def test_current_memory(self) -> None:
        # v₂ = ½v₁ + u₂, u₂ = ½a₁ + a₂: the membrane is a₁ + a₂
        constants = Dynamics(threshold=1.0, current_keep=0.5, voltage_keep=0.5)
        a = drive(0.3, 0.9, requires_grad=True)
        a.retain_grad()
        membrane(a, None, 2, constants).sum().backward()
        assert a.grad is not None
        assert a.grad.flatten().tolist() == [1.0, 1.0]

    def test_grid_passes_gradients_straight(self) -> None:
        grid = Dynamics(threshold=1.0, current_keep=0.0, voltage_keep=0.5, grid=2)
        a = drive(0.75, 0.75, requires_grad=True)
        a.retain_grad()
        fire(a, None, 2, grid, Surrogate()).sum().backward()
        assert a.grad is not None
        assert a.grad.flatten().tolist() == [0.75 + 0.5 * 0.875, 0.875]

    @pytest.mark.parametrize(
        ("kind", "excess", "slope"),
        [
            ("triangle", 0.0, 1 / 0.5),
            ("triangle", -0.25, 0.5 / 0.5),  # half a width away: half the height
            ("triangle", 0.75, 0.0),
            ("atan", 0.0, 1 / 0.5),
            ("atan", 0.5 / math.pi, 0.5 / 0.5),
            ("slayer", 0.0, 0.5 / 0.5),
            ("slayer", -0.5 * math.log(2), 0.25 / 0.5),
        ],
    )
    def test_surrogates(self, kind: SurrogateKind, excess: float, slope: float) -> None:
        """Threshold 2 and width ¼ make w = ½."""
        constants = Dynamics(threshold=2.0, current_keep=0.0, voltage_keep=0.0)
        a = drive(2.0 + excess, requires_grad=True)
        a.retain_grad()
        fire(a, None, 1, constants, Surrogate(kind, 0.25)).sum().backward()
        assert a.grad is not None
        assert a.grad.item() == pytest.approx(slope, rel=1e-5, abs=1e-6)

    def test_constants(self) -> None:
        """θ, keep_u and keep_v, by hand; the triangle's slope is 1 − |v − 1|.

        Drives ½, ¼, ¾ and keeps ½: u = 0.5, 0.5, 1; v = 0.5, 0.75, 1.375, which fires. Slopes ½,
        ¾, ⅝. ∂v₃ = ⅝, ∂v₂ = ¾ + 5/16, ∂v₁ = ½ + ½·∂v₂; ∂u₃ = ∂v₃, ∂u₂ = ∂v₂ + ½·∂u₃.
        """
        constants = torch.tensor([1.0, 0.5, 0.5], requires_grad=True)
        dynamics = Dynamics(threshold=1.0, current_keep=0.5, voltage_keep=0.5)
        fired = fire(drive(0.5, 0.25, 0.75), None, 3, dynamics, Surrogate(), constants)
        assert fired.flatten().tolist() == [0, 0, 1]
        fired.sum().backward()
        assert constants.grad is not None
        of_v2, of_v3 = 0.75 + 0.3125, 0.625
        of_u2 = of_v2 + 0.5 * of_v3
        expected = [-(0.5 + 0.75 + 0.625), of_u2 * 0.5 + of_v3 * 0.5, of_v2 * 0.5 + of_v3 * 0.75]
        assert constants.grad.tolist() == pytest.approx(expected)

    def test_constants_with_bias_and_reset(self) -> None:
        """v = 1.5 fires and leaves nothing to keep; then 0.5 and 0.75."""
        constants = torch.tensor([1.0, 0.0, 0.5], requires_grad=True)
        fired = fire(drive(1.25, 0.25, 0.25), torch.tensor([0.25]), 3, HALF, Surrogate(), constants)
        fired.sum().backward()
        assert constants.grad is not None
        assert constants.grad[2].item() == pytest.approx(0.75 * 0.5)


class TestSlayer:
    """SLAYER's own neuron on the CPU fires at the same steps, bit for bit, everywhere."""

    @settings(max_examples=80, deadline=None)
    @given(
        decays=st.tuples(st.integers(1, 4096), st.integers(0, 4096)),
        threshold=st.integers(1, 300_000).map(lambda n: n / 4096),
        steps=st.integers(1, 32),
        shape=st.tuples(*[st.integers(1, 4)] * 4),
        bias=st.booleans(),
        seed=st.integers(0, 2**20),
    )
    def test_spikes_are_equal(
        self,
        decays: tuple[int, int],
        threshold: float,
        steps: int,
        shape: tuple[int, int, int, int],
        bias: bool,
        seed: int,
    ) -> None:
        """Drives on the grid of 1/64, as synapses of integer weights give them."""
        rng = np.random.default_rng(seed)
        reach = max(round(64 * threshold), 4)
        sums = torch.tensor(rng.integers(-reach, 2 * reach, (steps, *shape)) / 64).float()
        start = rng.integers(-reach, reach, shape[1]) / 64 if bias else None
        neuron = LoihiLif(vth=max(round(64 * threshold), 1), du=decays[0] - 1, dv=decays[1])
        population = Population("n", shape[1:], neuron, bias=start)
        ours, stock = (
            Neurons(
                population, fires=True, biased=bias, grid=6, surrogate=Surrogate(), engine=engine
            )
            for engine in ("exact", "slayer")
        )
        with torch.no_grad():
            fired = ours(sums, steps)
            assert torch.equal(fired, stock(sums, steps))


def test_channels_last_stay_so_and_give_the_same() -> None:
    generator = torch.Generator().manual_seed(0)
    constants = Dynamics(1.0, 0.5, 0.5)
    sums = torch.randn((3, 2, 4, 5, 6), generator=generator)
    last = sums.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    found = []
    for laid in (sums, last):
        a, bias = laid.requires_grad_(), torch.tensor([0.1, 0.2, -0.1, 0.0], requires_grad=True)
        a.retain_grad()
        fired = fire(a, bias, 3, constants, Surrogate())
        assert fired[0].is_contiguous(memory_format=torch.channels_last) == (laid is last)
        (fired * torch.arange(720.0).view(fired.shape)).sum().backward()
        found.append((fired, a.grad, bias.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.slow
def test_compiled_over_time_gives_the_same() -> None:
    """What a GPU runs, here compiled for the CPU: bit for bit on a grid."""
    generator = torch.Generator().manual_seed(1)
    dynamics, surrogate = Dynamics(1.0, 0.3, 0.7, grid=6), Surrogate("atan")
    for neurons in range(40, 50):  # more forms than torch allows by itself
        sums = torch.randint(-64, 128, (3, neurons), generator=generator) / 64
        plain = integrated(sums, None, 3, dynamics, True)
        fused = compiled(integrated)(sums, None, 3, dynamics, True)
        for one, other in zip(plain, fused, strict=True):
            assert one is not None
            assert torch.equal(one, other)
    args = (torch.ones(3, 49), *plain, dynamics, surrogate)
    for one, other in zip(descended(*args), compiled(descended)(*args), strict=True):
        torch.testing.assert_close(one, other)
