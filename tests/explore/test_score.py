"""Eq. 1 of SpiKernel against a plain reading of it, and the network it looks at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from networks import dag, images
from plain_score import plain_score, plain_spikes

from neurocomp.arch import Task, build, draw
from neurocomp.errors import InputError
from neurocomp.ir import CubaLif, LoihiLif
from neurocomp.score import Kind, Scorer, score
from neurocomp.score.fresh import fresh_weight, run
from neurocomp.score.kernel import kernel, log_determinant
from neurocomp.snn.synapses import normalised, value_scale
from neurocomp.spec.space import load_space

KINDS: tuple[Kind, ...] = ("paper", "plain", "head")


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("number", range(8))
def test_equals_a_plain_reading(number: int) -> None:
    task = Task((3, 8, 8), input_bits=5, classes=10)
    choices = {"channels": (4,), "final_pool": (2,), "hidden": (32,)}
    space = load_space("snasnet").model_copy(update=choices)
    candidate = draw(space, np.random.default_rng(number)).canonical()
    g, values = build(candidate, task), images(8, shape=task.shape)
    weights = {e.name: fresh_weight(g, e, 7) for e in g.projections}
    layers = plain_spikes(candidate, weights, torch.from_numpy(values) / 2**task.input_bits)
    assert len(layers) == len(g.populations) - 2  # all but the input and the output, a membrane
    for kind in KINDS:
        found = score(g, values, kind=kind, seed=7)
        assert found == pytest.approx(plain_score(layers, kind), abs=5e-5)


def test_every_layer_is_seen_that_fires() -> None:
    g, values = dag(timesteps=4), images(12)
    weights = {e.name: fresh_weight(g, e, 7) for e in g.projections}
    scaled = torch.from_numpy(values) / value_scale(g, g.inputs[0].name)
    with torch.no_grad():
        layers = [x.flatten(2) for _, x in run(g, weights, normalised(g), scaled)]
    assert [s.shape[2] for s in layers] == [256, 256, 256, 384, 96, 12]  # the readout does not fire
    assert score(g, values, seed=7) == pytest.approx(
        plain_score([x.double() for x in layers], "paper"), abs=5e-5
    )


def test_two_samples_by_hand() -> None:
    # one layer, one step, c₁ = 1100, c₂ = 1010: d_H = 2, r = ½, e = ½; plain K = [4 2; 2 4],
    # det 12; head's a = 0.5/2.001
    spikes = torch.tensor([[[1.0, 1.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]]])
    plain = kernel(spikes, "plain")
    assert plain.tolist() == [[4.0, 2.0], [2.0, 4.0]]
    assert log_determinant(plain) == pytest.approx(np.log(12))
    assert kernel(spikes, "head")[0, 1].item() == pytest.approx(4 - 2 * 0.5 / 2.001)
    assert kernel(spikes, "paper")[0, 1].item() == pytest.approx(4 - 2 * 0.5 / 0.501)


def test_batches_are_averaged() -> None:
    g, values = dag(timesteps=2), images(12)
    halves = [score(g, values[part], seed=1) for part in (slice(6), slice(6, 12))]
    assert score(g, values, seed=1, batches=2) == pytest.approx(sum(halves) / 2)


def test_seed_bits_and_kind_count() -> None:
    g, values = dag(timesteps=3), images(10)
    first = score(g, values, seed=0)
    assert score(g, values, seed=0) == first
    assert score(g, values, seed=1) != first
    one_bit = tuple(replace(e, weight_bits=1) for e in g.projections)
    assert score(replace(g, projections=one_bit), values, seed=0) != first
    assert len({score(g, values, seed=0, kind=k) for k in KINDS}) == 3


def test_weights_lie_on_their_levels() -> None:
    g = dag()
    weights = {e.name: fresh_weight(g, e, 0) for e in g.projections}
    assert len(weights["stem-n1.conv3"].unique()) == 2  # 1 bit
    assert len(weights["n1-concat"].unique()) <= 16  # 4 bits
    assert weights["concat-pool"].unique().tolist() == [0.25]  # a constant
    pruned = next(e for e in g.projections if e.name == "stem-n2.conv5")
    assert pruned.mask is not None
    assert not weights["stem-n2.conv5"][torch.from_numpy(~pruned.mask)].any()


def test_what_networks_share_is_computed_once_and_changes_nothing() -> None:
    values, scorer = images(12), Scorer(images(12), seed=3)
    for steps in (2, 3, 2):
        g = dag(timesteps=steps)
        assert scorer(g).value == score(g, values, seed=3)


def test_equal_samples_have_no_score() -> None:
    values = np.repeat(images(1), 4, axis=0)
    assert score(dag(timesteps=2), values, seed=0) == -np.inf


class TestRefused:
    def test_shape(self) -> None:
        with pytest.raises(InputError, match=r"takes values \(samples, \(2, 8, 8\)\).*got \(4, 1"):
            score(dag(), images(4, shape=(1, 8, 8)), seed=0)

    @pytest.mark.parametrize(("n", "batches"), [(5, 2), (4, 4)])
    def test_batches(self, n: int, batches: int) -> None:
        with pytest.raises(InputError, match=f"{n} samples cannot be cut into {batches} equal"):
            score(dag(), images(n), seed=0, batches=batches)

    def test_integer_neurons(self) -> None:
        g = dag()
        populations = tuple(
            replace(p, neuron=LoihiLif(64)) if isinstance(p.neuron, CubaLif) else p
            for p in g.populations
        )
        with pytest.raises(InputError, match=r"'stem': only CubaLif neurons are scored"):
            score(replace(g, populations=populations), images(4), seed=0)
