"""LitE-SNN's published figures, reproduced by formula; every sum is written out."""

from __future__ import annotations

import numpy as np
import pytest

from neurocomp.arch import Task
from neurocomp.cost.litesnn import energy_mj, figures, macs
from neurocomp.cost.size import model_bits, trained_weights
from neurocomp.ir import Conv, CubaLif, Dense, Graph, Input, Population, Projection, skip
from neurocomp.spec.joint import load_lite_space
from neurocomp.spec.target import load_target
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.build import build
from neurocomp.train.joint.design import Design, Kept

CIFAR10 = Task((3, 32, 32), 4, 10)
CHANNELS = 48  # per node at scale 1 after the search: 144 of the stem, 576 of the last cell


def published(states: tuple[tuple[int, int], ...], bits: tuple[int, ...], timesteps: int) -> Graph:
    """A published cell: the two states of each node, all conv3×3, bits by cell."""
    nodes = tuple(tuple(Kept(s, "conv3") for s in node) for node in states)
    design = Design(nodes, tuple((b,) * 6 for b in bits), timesteps)
    return build(design, Backbone(load_lite_space("litesnn"), CIFAR10, CHANNELS))


def medium() -> Graph:
    """LitE-SNN's medium network as its public code retrains it."""
    return published(((0, 1), (1, 2), (1, 2)), (4, 4, 4, 4, 2, 4, 1, 4), timesteps=5)


TABLE_5 = [
    # additions, multiplications (M), energy (mJ)
    ("ANN (large)", 970.12, 970.12, 4.46),  # 0.9·970.12 + 3.7·970.12 = 873.108 + 3589.444
    ("ANN (medium)", 413.53, 413.53, 1.90),  # 372.177 + 1530.061 = 1902.238
    ("ANN (small)", 221.63, 221.63, 1.02),  # 199.467 + 820.031 = 1019.498
    ("AutoSNN", 585.60, 28.31, 0.63),  # 527.040 + 104.747 = 631.787
    ("SpikeDHS", 1305.65, 23.89, 1.26),  # 1175.085 + 88.393 = 1263.478
    ("LitE-SNN (large)", 705.01, 11.94, 0.68),  # 634.509 + 44.178 = 678.687
    ("LitE-SNN (medium)", 271.41, 4.78, 0.26),  # 244.269 + 17.686 = 261.955
    ("LitE-SNN (small)", 129.74, 2.39, 0.13),  # 116.766 + 8.843 = 125.609
]


@pytest.mark.parametrize(("name", "additions", "multiplications", "energy"), TABLE_5)
def test_table_5_energy(name: str, additions: float, multiplications: float, energy: float) -> None:
    by_hand = 0.9 * additions + 3.7 * multiplications  # µJ: millions of picojoules
    assert round(by_hand / 1000, 2) == energy
    assert energy_mj(additions * 1e6, multiplications * 1e6) == pytest.approx(by_hand / 1000)


@pytest.mark.parametrize(
    ("name", "kept", "multiplications"),
    [("SpikeDHS", 1.0, 23.89), ("large", 0.5, 11.94), ("medium", 0.2, 4.78), ("small", 0.1, 2.39)],
)
def test_table_5_multiplications_give_the_keep_rates(
    name: str, kept: float, multiplications: float
) -> None:
    """Only the stem multiplies: 3·3·3·144·32·32 = 3,981,312 per step, 6 steps, times what is kept.

    The paper counts six steps for every scale, also where it chose five or four.
    """
    stem = 3 * 3 * 3 * 144 * 32 * 32
    assert stem == 3_981_312
    assert round(kept * 6 * stem / 1e6, 2) == multiplications
    graph = published(((0, 1), (1, 2), (1, 2)), (4,) * 8, timesteps=6)
    rates = {p.name: 0.0 for p in graph.neurons}
    assert kept * figures(graph, rates, load_target("loihi2")).multiplications == kept * 6 * stem


def test_412_7_million_macs_of_the_medium_network() -> None:
    """Per node two conv3×3: from s0 and s1, from s1 and node 0, from s1 and node 0.

    A cell's kernels sum to 9·C·(s0 + 3·s1 + 2·C), C = 48, 96, 192 and s0, s1 = 144, 288 or 576
    channels (three nodes side by side), on 32·32, 16·16 or 8·8 pixels.
    """
    on_1024 = 2 * 9 * 48 * (144 + 3 * 144 + 2 * 48)
    on_256 = 9 * 96 * ((144 + 3 * 144) + (144 + 3 * 288) + (288 + 3 * 288) + 3 * 2 * 96)
    on_64 = 9 * 192 * ((288 + 3 * 288) + (288 + 3 * 576) + (576 + 3 * 576) + 3 * 2 * 192)
    assert (on_1024, on_256, on_64) == (580_608, 2_861_568, 11_446_272)
    stem, classifier = 27 * 144 * 1024, 576 * 10
    cells = on_1024 * 1024 + on_256 * 256 + on_64 * 64
    assert cells == 594_542_592 + 732_561_408 + 732_561_408 == 2_059_665_408
    total = 0.2 * (stem + cells + classifier)
    assert total == pytest.approx(412_730_496)
    assert round((total - 0.2 * classifier) / 1e6, 1) == 412.7
    assert macs(medium(), kept=0.2) == pytest.approx(total)
    # Table 5's ANN (medium) has 413.53 M: the same with the stem counted twice.
    assert round((total - 0.2 * classifier + 0.2 * stem) / 1e6, 2) == 413.53


def test_spikedhs_has_14_27_million_parameters() -> None:
    """Two nodes on s0 + s1, one on nodes 0 + 1: 9·C·(2·s0 + 2·s1 + 2·C) per cell, and the stem."""
    graph = published(((0, 1), (0, 1), (2, 3)), (8,) * 8, timesteps=6)
    inputs = [(144, 144), (144, 144), (144, 144), (144, 288), (288, 288), (288, 288), (288, 576),
              (576, 576)]  # fmt: skip
    channels = [48, 48, 96, 96, 96, 192, 192, 192]
    cells = [
        9 * c * (2 * s0 + 2 * s1 + 2 * c) for c, (s0, s1) in zip(channels, inputs, strict=True)
    ]
    assert cells == [290_304, 290_304, 663_552, 912_384, 1_161_216, 2_654_208, 3_649_536, 4_644_864]
    assert sum(cells) + 27 * 144 == 14_270_256
    counted = {n: c for n, c in trained_weights(graph).items() if not n.endswith("dense")}
    assert sum(counted.values()) == 14_270_256


def test_the_medium_network_has_about_1_2_mb() -> None:
    """A fifth of the weights at 4, 2 and 1 bits: 1.12 MB; the paper says 1.23.

    With the public code's auxiliary head (1×1 to 128, 2×2 to 768, classifier, 4 bits) and two
    32-bit values of batch-norm per filter it is 1.22.
    """
    kernels = [290_304, 290_304, 663_552, 1_036_800, 1_161_216, 2_654_208, 4_147_200, 4_644_864]
    bits = [4, 4, 4, 4, 2, 4, 1, 4]
    cells = sum(n * b for n, b in zip(kernels, bits, strict=True))
    assert cells == 44_789_760
    total = 0.2 * (cells + 4 * 27 * 144 + 4 * 576 * 10)
    assert total == pytest.approx(0.2 * 44_828_352)
    assert 0.2 * model_bits(medium()) == pytest.approx(total)
    assert round(total / 8e6, 2) == 1.12
    head = 0.2 * 4 * (576 * 128 + 4 * 128 * 768 + 768 * 10)
    filters = 144 + 6 * (2 * 48 + 3 * 96 + 3 * 192) + 128 + 768 + 2 * 10  # six per cell
    norms = 2 * 32 * filters
    assert round((total + head + norms) / 8e6, 2) == 1.22


class TestFigures:
    """Input (1, 2, 2), 4 bits → A (2, 2, 2) conv 1×1 → B (2, 2, 2) conv 3×3 1 bit + skip → out."""

    def graph(self) -> Graph:
        mask = np.ones((2, 2, 3, 3), bool)
        mask.flat[:9] = False
        shape = (2, 2, 2)
        populations = (
            Population("in", (1, 2, 2), Input(4)),
            Population("A", shape, CubaLif()),
            Population("B", shape, CubaLif()),
            Population("out", (3, 1, 1), CubaLif(voltage_decay=0.0)),
        )
        projections = (
            Projection("stem", "in", "A", Conv((1, 1)), 4),
            Projection("conv", "A", "B", Conv((3, 3), padding=(1, 1)), 1, mask=mask),
            Projection("skip", "A", "B", skip(2), 8, weight=np.ones((2, 1, 1, 1))),
            Projection("dense", "B", "out", Dense(), 7),
        )
        return Graph("g", populations, projections, "out", timesteps=3)

    def test_by_hand(self) -> None:
        found = figures(self.graph(), {"A": 0.5, "B": 0.25, "out": 0.0}, load_target("loihi2"))
        stem = 3 * (1 * 2 * 4)  # T · cin·cout·H·W, a value in every step
        conv = 3 * 0.5 * 0.75 * (9 * 2 * 2 * 4)  # a quarter of the 36 weights is pruned
        skipped = 3 * 0.5 * (2 * 4)
        dense = 3 * 0.25 * (8 * 3)
        assert (stem, conv, skipped, dense) == (24, 162, 12, 18)
        assert found.multiplications == stem
        assert found.additions == conv + dense
        assert found.bit_synops == 4 * stem + 1 * conv + 7 * dense == 384
        # 1 bit is stored as 2, 7 as 8; the skip's weights are stored and added too
        assert found.stored_bit_synops == 4 * stem + 2 * conv + 8 * skipped + 8 * dense == 660
        assert found.size_mb == (4 * 2 + 1 * 27 + 7 * 24) / 8e6
        assert found.energy_mj == pytest.approx((0.9 * 180 + 3.7 * 24) * 1e-9)
