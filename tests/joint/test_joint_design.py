"""From choices to a design, from a design to a graph, and what both cost."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from joint_networks import LOIHI2, TASK, backbone, pictures, space, supernet
from mapping_networks import CONV, chain

from neurocomp.arch import Task
from neurocomp.cost.litesnn import figures
from neurocomp.cost.size import is_fixed
from neurocomp.errors import InputError
from neurocomp.hw.demand import need
from neurocomp.hw.layer import layer_of
from neurocomp.ir import Conv, verify
from neurocomp.mapping import map_graph
from neurocomp.spec.joint import LiteSpace, load_lite_space
from neurocomp.spec.read import parse
from neurocomp.spec.target import load_target
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.build import build
from neurocomp.train.joint.choices import Choices, Given
from neurocomp.train.joint.costs import Costs
from neurocomp.train.joint.design import Design, Kept, from_dict
from neurocomp.train.joint.judge import Judge, kept_bits, stored_bits
from neurocomp.train.joint.menu import Menu

OPS = space().ops
SKIP, POOL, CONV3 = "skip", "avgpool3", "conv3"
SAMPLE = Design(
    ((Kept(0, SKIP), Kept(1, CONV3)), (Kept(1, "conv1"), Kept(2, POOL))),
    ((1, 2, 4, 4), (4, 4, 1, 2)),
    2,
)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@st.composite
def designs(draw: st.DrawFn) -> Design:
    """Designs of the tiny space that listen to every cell."""
    first = tuple(Kept(s, draw(st.sampled_from(OPS))) for s in (0, 1))
    states = draw(st.sampled_from([(0, 1), (0, 2), (1, 2)]))
    second = tuple(Kept(s, draw(st.sampled_from(OPS))) for s in states)
    widths = st.tuples(*[st.sampled_from((1, 2, 4))] * 4)
    return Design((first, second), (draw(widths), draw(widths)), draw(st.sampled_from((1, 2, 3))))


class TestSpace:
    @pytest.mark.parametrize(
        "name", ["litesnn", "litesnn-wide", "litesnn-speech", "litesnn-digits"]
    )
    def test_shipped(self, name: str) -> None:
        assert load_lite_space(name).name == name

    @pytest.mark.parametrize(
        ("change", "fault"),
        [
            ({"cells": (2, 4)}, "the first cell must have scale 1"),
            ({"cells": (1, 3)}, "scales must be powers of two that never fall"),
            ({"cells": (1, 2, 1)}, "scales must be powers of two that never fall"),
            ({"ops": ("skip",)}, "a node needs a convolution to choose"),
            ({"ops": ("conv3", "conv3")}, "no op may stand twice"),
            ({"ops": ("conv4",)}, "conv4"),
        ],
    )
    def test_faults(self, change: dict[str, object], fault: str) -> None:
        with pytest.raises(InputError, match=fault):
            parse({**space().model_dump(), **change}, LiteSpace, "x.yaml")

    def test_maps_that_vanish(self) -> None:
        with pytest.raises(InputError, match=r"scale 8 leaves nothing of images of 6×6 pixels"):
            _ = backbone(cells=(1, 8)).cells


class TestBuild:
    def test_projections_by_hand(self) -> None:
        graph = verify(build(SAMPLE, backbone()))
        shapes = {p.name: p.shape for p in graph.populations}
        assert shapes == {
            "input": (1, 6, 6),
            "stem.0": (2, 6, 6),
            "stem.1": (2, 6, 6),
            "cell1.n0": (2, 6, 6),
            "cell1.n1": (2, 6, 6),
            "cell2.n0": (4, 3, 3),
            "cell2.n1": (4, 3, 3),
            "pool.0": (4, 1, 1),
            "pool.1": (4, 1, 1),
            "out": (3, 1, 1),
        }
        bits = {e.name: e.weight_bits for e in graph.projections}
        # cell 2 sees the stem (state 0) and cell 1 (state 1), both at twice its resolution
        assert {n for n in bits if "-cell2.n0." in n} == {
            "stem.0-cell2.n0.skip",
            "stem.1-cell2.n0.skip",
            "cell1.n0-cell2.n0.conv3",
            "cell1.n1-cell2.n0.conv3",
        }
        assert (bits["cell1.n0-cell2.n0.conv3"], bits["stem.0-cell1.n0.conv3"]) == (4, 2)
        assert (bits["input-stem.0.conv3"], bits["pool.0-out.dense"]) == (4, 8)
        skip = next(e for e in graph.projections if e.name == "stem.1-cell2.n0.skip")
        assert skip.op == Conv((1, 1), stride=(2, 2), groups=2)
        assert skip.weight is not None
        assert (skip.weight == 1.0).all()
        assert is_fixed(graph, skip)
        assert graph.timesteps == 2

    def test_what_nobody_listens_to_is_left_out(self) -> None:
        """All nodes take the cell before the last, so the last cell but one feeds nothing."""
        design = Design(((Kept(0, CONV3),), (Kept(0, CONV3),)), ((4, 4),) * 2, 1)
        names = {p.name for p in build(design, backbone()).populations}
        assert names == {
            "input", "stem.0", "stem.1", "cell2.n0", "cell2.n1", "pool.0", "pool.1", "out",
        }  # fmt: skip

    def test_odd_maps_are_rounded_up(self) -> None:
        made = Backbone(space(cells=(1, 2, 4)), Task((1, 5, 7), 4, 3), 2)
        assert [c.shape for c in made.cells] == [(2, 5, 7), (4, 3, 4), (8, 2, 2)]
        design = Design(
            ((Kept(0, SKIP), Kept(1, POOL)), (Kept(0, CONV3), Kept(2, SKIP))), ((4,) * 4,) * 3, 1
        )
        verify(build(design, made))

    def test_a_design_and_its_dict_are_the_same(self) -> None:
        assert from_dict(SAMPLE.as_dict()) == SAMPLE
        assert SAMPLE.id.startswith("0s1c3_1c12p-")


class TestDecode:
    def test_two_strongest_edges_and_skip_ranks_like_any_op(self) -> None:
        choices = Choices(space(), Given(), 0)
        alpha = torch.zeros(5, 4)
        alpha[0, 3] = 1.0  # node 0 has two edges, both stay
        alpha[1, 2] = 2.0
        alpha[2, 3] = 1.0  # node 1: a weak conv3 from the state two cells back is dropped,
        alpha[3, 0] = 3.0  # a strong skip stays,
        alpha[4, 1] = 2.0  # and a pooling of node 0
        choices.alpha.data = alpha
        choices.beta.data = torch.tensor([[[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]]])
        choices.psi.data = torch.tensor([0.0, 2.0, 1.0])
        assert choices.decode() == Design(
            ((Kept(0, CONV3), Kept(1, "conv1")), (Kept(1, SKIP), Kept(2, POOL))),
            ((4, 4, 4, 4), (1, 1, 1, 1)),
            2,
        )

    def test_bits_per_projection(self) -> None:
        choices = Choices(space(bits_per="projection"), Given(SAMPLE.nodes), 0)
        choices.beta.data.zero_()
        choices.beta.data[0, 1, 2] = 1.0  # cell 1, edge 1 (node 0 from the cell before): 4 bits
        assert choices.decode().bits == ((1, 4, 1, 1), (1, 1, 1, 1))

    def test_shares_of_a_given_design_are_zeros_and_ones(self) -> None:
        shares = Choices(space(), Given(SAMPLE.nodes, SAMPLE.bits), 0)()
        edges = [(0, SKIP), (1, CONV3), None, (1, "conv1"), (2, POOL)]
        for row, edge in zip(shares.ops, edges, strict=True):
            expected = [1.0 if edge and op == edge[1] else 0.0 for op in OPS]
            assert row.tolist() == expected
        assert shares.bits[0, 1].tolist() == [0.0, 1.0, 0.0]
        assert torch.equal(shares.ops, shares.kept)

    @settings(max_examples=10, deadline=None)
    @given(designs())
    def test_given_choices_decode_to_themselves(self, design: Design) -> None:
        choices = Choices(space(), Given(design.nodes, design.bits), 0)
        choices.psi.data[design.timesteps - 1] = 1.0
        assert choices.decode() == design
        assert choices.decided().lengths[design.timesteps - 1] == 1.0


class TestCosts:
    @settings(max_examples=15, deadline=None)
    @given(designs(), st.sampled_from(["loihi2", "loihi1"]))
    def test_of_one_design_are_those_of_its_graph(self, design: Design, name: str) -> None:
        target, built = load_target(name), backbone(4)
        menu = Menu(built, target)
        costs = Costs(menu, 0.5)
        choices = Choices(space(), Given(design.nodes, design.bits), 0)
        choices.psi.data[design.timesteps - 1] = 100.0
        rates = torch.full((2, 4, 3), 0.25)
        found = costs(choices(), rates, torch.full((3,), 0.5))
        graph = build(design, built)
        spikes = {p.name: 0.5 if p.name.startswith("pool") else 0.25 for p in graph.neurons}
        assert float(found["bits"]) == pytest.approx(kept_bits(graph, 0.5), rel=0.02)
        exact = 0.5 * figures(graph, spikes, target).bit_synops
        assert float(found["bit_synops"]) == pytest.approx(exact, rel=1e-5)
        shares = []
        for p in graph.neurons:
            whole = ((0, 0, 0), p.shape)
            counts = need(layer_of(graph, p.name, target), [whole], target)
            pairs = zip(counts, target.limits, strict=True)
            shares.append(max(used / limit for used, limit in pairs if limit))
        assert float(found["cores"]) == pytest.approx(sum(shares), rel=1e-4)

    def test_bits_by_hand(self) -> None:
        """Two stem populations of 2 channels, nodes of 2 and 4, a classifier of 8·3 at 8 bits."""
        choices = Choices(space(), Given(SAMPLE.nodes, SAMPLE.bits), 0)
        costs = Costs(Menu(backbone(), LOIHI2), 1.0)
        found = costs(choices(), torch.zeros(2, 4, 3), torch.zeros(3))
        stem, head = 4 * 9 * 1 * 4, 8 * 8 * 3
        cell1 = 2 * (9 * 4 * 2) + 4 * (1 * 4 * 2)  # conv3 at 2 bits, conv1 at 4
        cell2 = 4 * (9 * 4 * 4) + 1 * (1 * 4 * 4)
        assert float(found["bits"]) == stem + head + cell1 + cell2 == 1104

    def test_a_one_bit_weight_is_stored_as_two(self) -> None:
        taken = Menu(backbone(48), LOIHI2).taken
        words = [*LOIHI2.limits._fields].index("synapse_words")
        known = [i for i, n in enumerate(LOIHI2.limits) if n is not None].index(words)
        conv3 = taken[0, 0, OPS.index(CONV3), :, known]
        # 9 taps of 96 channels, chunks of 32 and 16: ⌈(32·2+4)/64⌉ + ⌈(16·2+4)/64⌉ = 2 + 1 words
        assert conv3[0] == conv3[1] == 9 * 96 * 3
        # 4 bits: ⌈132/64⌉ + ⌈68/64⌉ = 3 + 2 words
        assert conv3[2] == 9 * 96 * 5

    def test_shares_of_possible_edges(self) -> None:
        """Node 0 keeps both of its edges, node 1 two of its three."""
        assert Choices(space(), Given(), 0).kept_share.tolist() == pytest.approx(
            [1, 1, 2 / 3, 2 / 3, 2 / 3]
        )


class TestJudge:
    def test_limits_in_words(self) -> None:
        judge = Judge(backbone(), LOIHI2, "balanced", 0.5, {"bits": 100.0, "cores": 5.0})
        rates = dict.fromkeys((p.name for p in build(SAMPLE, backbone()).neurons), 0.1)
        verdict = judge(SAMPLE, rates)
        assert verdict.broken == ("more than 100 weight bits",)
        assert verdict.costs["cores"] == 2.0  # nine populations, a core has eight neuron groups
        assert verdict.costs["bits"] == 1104 / 2

    def test_what_does_not_fit(self) -> None:
        huge = Backbone(space(), Task((1, 256, 256), 4, 3), 64)
        judge = Judge(huge, LOIHI2, "balanced", 0.5, {})
        rates = dict.fromkeys((p.name for p in build(SAMPLE, huge).neurons), 0.1)
        verdict = judge(SAMPLE, rates)
        assert verdict.broken == ("does not fit loihi2",)
        assert verdict.costs["cores"] is None


class TestSupernet:
    def test_a_mixed_edge_is_the_sum_of_its_ops(self) -> None:
        """One convolution of the summed kernels = the ops one by one, weighted."""
        net, choices = supernet()
        cell = net.cells[1]
        edge, shares = cell.edges["1"], choices()
        source = cell.cell.states[1]
        x = torch.rand(2, source.channels, *source.shape[1:])
        whole = torch.nn.functional.conv2d(
            x, edge.kernel(shares.ops[1], shares.bits[1, 1]), None, 2, 1
        )
        halves = x[:, :2], x[:, 2:]  # the two populations of cell 1, two channels each
        skip = sum(h[:, :, ::2, ::2].repeat_interleave(2, 1) for h in halves)
        pool = torch.nn.functional.avg_pool2d
        pooled = sum(pool(h, 3, 2, 1).repeat_interleave(2, 1) for h in halves)
        expected = shares.ops[1, 0] * skip + shares.ops[1, 1] * pooled
        for o in ("2", "3"):
            weight = edge.synapses[o].weight
            mixed = edge.compress[o].mixed(weight, shares.bits[1, 1])[..., 0]
            gain = (0.5 * weight[0].numel()) ** 0.5
            padding = mixed.shape[-1] // 2
            made = torch.nn.functional.conv2d(x, mixed / gain, None, 2, padding)
            expected = expected + shares.ops[1, int(o)] * made
        torch.testing.assert_close(whole, expected)

    def test_shapes(self) -> None:
        net, choices = supernet()
        passed = net(pictures(4), choices())
        assert passed.outputs.shape == (3, 4, 3)
        assert passed.rates.shape == (2, 4, 3)
        assert passed.top.shape == (3,)
        assert np.isclose(TASK.shape[1] / 2, net.cells[1].cell.shape[1])


def test_stored_bits_are_words_of_the_target() -> None:
    """DYNAP-CNN: 1 channel · 2^(4 bits of 9 taps + 1 bit of 2 filters) = 32 words of 8 bits."""
    graph, target = chain("one", (1, 4, 4), ((2, 4, 4), CONV, 8)), load_target("dynap-cnn")
    assert stored_bits(graph, map_graph(graph, target, "balanced"), target) == 32 * 8
