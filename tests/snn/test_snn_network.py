"""Networks of SLAYER parts: their synapses, the fold, the grids, and equal spikes everywhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import dag, images

from neurocomp.errors import InputError
from neurocomp.ir import (
    Conv,
    CubaLif,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    average_pool,
    skip,
)
from neurocomp.quant import reference
from neurocomp.quant.discretize import Plan, discretize, plan
from neurocomp.snn import Network, to_graph
from neurocomp.snn.levels import Levels
from neurocomp.snn.population import Engine
from neurocomp.snn.synapses import Synapses, normalised

TWELVE_BITS = st.integers(1, 4095).map(lambda lost: lost / 4096)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def chain(neuron: CubaLif, readout: str = "membrane") -> Graph:
    """Input 4 bit (1, 4, 4) → conv → dense, with random float weights and biases."""
    rng, conv = np.random.default_rng(1), Conv((3, 3), padding=(1, 1))
    return Graph(
        "chain",
        (
            Population("in", (1, 4, 4), Input(4)),
            Population("a", (3, 4, 4), neuron, bias=rng.normal(0.1, 0.2, 3)),
            Population("b", (6, 1, 1), neuron, bias=rng.normal(0.1, 0.2, 6)),
            Population("out", (2, 1, 1), CubaLif(voltage_decay=0.0)),
        ),
        (
            Projection("in-a", "in", "a", conv, 4, rng.normal(0, 0.05, (3, 1, 3, 3))),
            Projection("a-b", "a", "b", Dense(), 8, rng.normal(0, 0.3, (6, 48))),
            Projection("b-out", "b", "out", Dense(), 2, rng.normal(0, 0.5, (2, 6))),
        ),
        output="out",
        timesteps=6,
        readout=readout,
    )  # fmt: skip


class TestSynapses:
    @pytest.mark.parametrize(
        ("op", "source", "target"),
        [
            (Conv((3, 3), padding=(1, 1)), (4, 6, 6), (6, 6, 6)),
            (Conv((3, 5), stride=(2, 1), padding=(1, 2), dilation=(1, 1)), (4, 6, 6), (2, 3, 6)),
            (Conv((2, 2), dilation=(2, 3), groups=2), (4, 6, 6), (6, 4, 3)),
            (skip(4), (4, 6, 6), (4, 6, 6)),
            (average_pool(4, 3, 1, 1), (4, 6, 6), (4, 6, 6)),
            (average_pool(4, 2, 2), (4, 6, 6), (4, 3, 3)),
            (Dense(), (4, 6, 6), (5, 1, 1)),
            (Dense(), (4, 6, 6), (5, 2, 2)),
        ],
    )
    def test_equal_slayers_own_forward(
        self, op: Conv | Dense, source: tuple[int, int, int], target: tuple[int, int, int]
    ) -> None:
        """Integer weights and spikes, so that both sums are exact; SLAYER's axes are NCHWT."""
        generator = torch.Generator().manual_seed(2)
        e = Projection("e", "s", "t", op)
        g = Graph(
            "g", (Population("s", source, Input()), Population("t", target, CubaLif())), (e,), "t"
        )
        shape = (target[0], source[0] // op.groups, *op.kernel) if isinstance(op, Conv) else (
            int(np.prod(target)), int(np.prod(source)),
        )  # fmt: skip
        weight = torch.randint(-8, 8, shape, generator=generator).float()
        x = torch.randint(0, 2, (3, 2, *source), generator=generator).float()  # T, B, C, H, W
        ours = Synapses(g, e, weight)
        stock = ours.synapse(x.permute(1, 2, 3, 4, 0)).permute(4, 0, 1, 2, 3)
        assert torch.equal(ours(x), stock.reshape(3, 2, *target))

    def test_levels(self) -> None:
        # 2 bits of ½: −2 … 1 halves; 1 bit: the sign, 0 → +1; a masked weight is 0
        weight = torch.tensor([-3.0, -0.6, 0.1, 2.0], requires_grad=True)
        assert Levels(2, 0.5)(weight).tolist() == [-1.0, -0.5, 0.0, 0.5]
        assert Levels(1, 0.5)(torch.tensor([-0.1, 0.0])).tolist() == [-0.5, 0.5]
        mask = torch.tensor([True, False, True, True])
        levels = Levels(2, 0.5, mask)(weight)
        assert levels.tolist() == [-1.0, 0.0, 0.0, 0.5]
        levels.sum().backward()
        assert weight.grad is not None
        assert weight.grad.tolist() == [1.0, 0.0, 1.0, 1.0]


class TestFloating:
    def test_which_projections_have_a_norm(self) -> None:
        """All trained ones but the readout's; a constant one only where no trained one joins it."""
        g = dag()
        constant = {"stem-n1.skip", "n1-n2.pool", "concat-pool"}
        trained = {e.name for e in g.projections} - constant
        assert normalised(g) == (trained - {"fc-out"}) | {"concat-pool"}

    def test_same_seed_same_weights_and_global_generator_untouched(self) -> None:
        before = torch.random.get_rng_state()
        first, again, other = (Network.floating(dag(), seed=s).state_dict() for s in (3, 3, 4))
        assert all(torch.equal(first[k], again[k]) for k in first)
        assert any(not torch.equal(first[k], other[k]) for k in first)
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_constant_weights_stay_and_pruned_ones_are_zero(self) -> None:
        network = Network.floating(dag(), seed=0)
        network(torch.from_numpy(images(4))).sum().backward()
        by_name = dict(zip((e.name for e in dag().projections), network.synapses, strict=True))
        pool = by_name["n1-n2.pool"].stored_weight()
        assert pool.flatten().tolist() == pytest.approx([1 / 9] * 36)
        assert by_name["n1-n2.pool"].synapse.weight.grad is None
        mask = next(e.mask for e in dag().projections if e.name == "stem-n2.conv5")
        assert mask is not None
        assert not by_name["stem-n2.conv5"].stored_weight()[torch.from_numpy(~mask)].any()

    def test_spike_counts_as_readout(self) -> None:
        # one neuron, weight 1/16, value 15: v = 0.9375, 1.40625 → fires; twice in four steps
        g = Graph(
            "g",
            (Population("in", (1, 1, 1), Input(4)), Population("n", (1, 1, 1), CubaLif())),
            (Projection("e", "in", "n", Dense(), weight=np.full((1, 1), 1 / 16)),),
            "n",
            timesteps=4,
            readout="spikes",
        )
        network = Network.floating(g, seed=0)
        network.synapses[0].norm = None
        assert network(torch.full((1, 1, 1, 1), 15)).item() == 2.0

    def test_batch_norm_folds(self) -> None:
        """γ 2, σ 2, μ 1, β ¼: gain 1, bias ¼ − 1 + ½; 4-bit inputs put 1/16 into the weight."""
        n = Population("n", (1, 1, 1), CubaLif(0.3), bias=np.array([0.5]))
        g = Graph(
            "g",
            (Population("in", (1, 1, 1), Input(4)), n),
            (Projection("e", "in", "n", Dense()),),
            "n",
            timesteps=4,
            readout="spikes",
        )
        network = Network.floating(g, seed=0)
        norm = network.synapses[0].norm
        with torch.no_grad():
            network.synapses[0].synapse.weight.fill_(0.5)
            for tensor, value in zip(
                (norm.weight, norm.bias, norm.running_mean, norm.running_var),
                (2.0, 0.25, 1.0, 4.0 - norm.eps),
                strict=True,
            ):
                tensor.fill_(value)
        folded = to_graph(network)
        (e,) = folded.projections
        assert e.weight is not None
        assert e.weight.tolist() == [[0.5 / 16]]
        n = folded.population("n")
        assert n.bias is not None
        assert n.bias.tolist() == [-0.25]
        # SLAYER keeps thresholds in steps of 1/4096: 0.3·4096 = 1228.8 → 1228
        assert n.neuron == CubaLif(1228 / 4096, 1.0, 0.5)


class TestQuantised:
    @settings(max_examples=25, deadline=None)
    @given(
        current=st.sampled_from([1.0, 0.5, 1234 / 4096]),
        voltage=st.one_of(st.sampled_from([0.0, 0.5]), TWELVE_BITS),
        threshold=st.floats(0.05, 3.0),
        readout=st.sampled_from(["membrane", "spikes"]),
        engine=st.sampled_from(["exact", "slayer"]),
        seed=st.integers(0, 1000),
    )  # fmt: skip
    def test_equals_reference(
        self, current: float, voltage: float, threshold: float, readout: str, engine: Engine,
        seed: int,
    ) -> None:  # fmt: skip
        graph = chain(CubaLif(threshold, current, voltage), readout)
        grids = plan(graph)
        values = images(5, seed, (1, 4, 4))
        with torch.no_grad():
            found = Network.quantised(graph, grids, engine=engine).run(torch.from_numpy(values))
        expected = reference.run(discretize(graph, grids), values)
        for name, spikes in found.spikes.items():
            ours = spikes.transpose(0, 1).bool().numpy()
            assert np.array_equal(ours, expected.spikes[name]), name
        unit = 2.0 ** (grids.grids["out"] + 6) if readout == "membrane" else 1.0
        assert np.array_equal(found.readout.double().numpy() * unit, expected.readout)

    def test_trained_weights_survive_export(self) -> None:
        """After steps of training: equal spikes, pruned synapses zero, fixed ones as they were."""
        network = Network.floating(dag(), seed=1)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = None  # the plain mean of what was seen
        network(torch.from_numpy(images(16)))
        graph = to_graph(network.eval())
        grids = plan(graph)
        fixed = frozenset({"stem-n1.skip", "n1-n2.pool"})
        trained = Network.quantised(graph, grids, fixed=fixed)
        optimizer = torch.optim.SGD([p for p in trained.parameters() if p.requires_grad], 0.05)
        for seed in range(3):
            optimizer.zero_grad()
            trained(torch.from_numpy(images(16, seed))).square().sum().backward()
            optimizer.step()
        exported = to_graph(trained)
        integer = discretize(exported, grids)
        values = images(6, 9)
        with torch.no_grad():
            found = trained.run(torch.from_numpy(values))
        expected = reference.run(integer, values)
        for name, spikes in found.spikes.items():
            assert np.array_equal(spikes.transpose(0, 1).bool().numpy(), expected.spikes[name])
        before = {e.name: e for e in discretize(graph, grids).projections}
        changed = {
            e.name
            for e in integer.projections
            if not np.array_equal(e.weight, before[e.name].weight)  # type: ignore[arg-type]
        }
        assert changed
        assert not changed & fixed
        pruned = next(e for e in integer.projections if e.name == "stem-n2.conv5")
        assert pruned.mask is not None
        assert pruned.weight is not None
        assert not pruned.weight[~pruned.mask].any()

    def test_values_per_step(self) -> None:
        graph = chain(CubaLif())
        network = Network.quantised(graph, plan(graph))
        once = torch.from_numpy(images(3, 0, (1, 4, 4)))
        with torch.no_grad():
            assert torch.equal(network(once), network(once[:, None].expand(-1, 6, -1, -1, -1)))

    def test_bias_is_held_within_13_bits(self) -> None:
        graph = chain(CubaLif())
        network = Network.quantised(graph, Plan(plan(graph).steps, plan(graph).grids))
        neurons = network.neurons[0]
        with torch.no_grad():
            neurons.bias.fill_(1000.0)
        assert neurons.stored_bias().tolist() == [4095 / 2**neurons.grid] * 3

    def test_grid_coarser_than_one(self) -> None:
        graph = chain(CubaLif(threshold=4e5))
        with pytest.raises(InputError, match=r"population 'a': its grid 2\^2 is coarser than 1"):
            Network.quantised(graph, plan(graph))


class TestRefused:
    def test_all_faults_at_once(self) -> None:
        g = dag()
        second = Population("in2", (1, 1, 1), Input())
        back = Projection("back", "out", "fc", Dense(), delay=3)
        bad = replace(
            g,
            timesteps=None,
            populations=(*g.populations, second),
            projections=(*g.projections, back),
        )
        with pytest.raises(
            InputError,
            match=r"(?s)training needs a window.*exactly one input, got 2.*'back': training needs "
            r"delay 0, got 3.*'out' is read as a membrane, so it cannot send spikes",
        ):
            Network.floating(bad, seed=0)

    def test_integer_neurons(self) -> None:
        g = dag()
        populations = tuple(
            replace(p, neuron=LoihiLif(64)) if p.name == "n1" else p for p in g.populations
        )
        with pytest.raises(InputError, match=r"population 'n1': float training needs CubaLif"):
            Network.floating(replace(g, populations=populations), seed=0)
