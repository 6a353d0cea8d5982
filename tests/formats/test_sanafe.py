"""SANA-FE's files: what stands in them, and that they fire our spikes and count our traffic."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import backend_networks
import networks
import numpy as np
import pytest
import sanafe_model
from hypothesis import given, settings
from hypothesis import strategies as st

from neurocomp.errors import InputError
from neurocomp.flow.export import layout_of
from neurocomp.formats.sanafe import Layout, Place, Written, write_sanafe
from neurocomp.formats.sanafe.groups import Group
from neurocomp.formats.sanafe.soma import unlike
from neurocomp.formats.sanafe.synapses import synapses
from neurocomp.formats.sanafe.units import seats
from neurocomp.ir import (
    Array,
    Conv,
    Dense,
    Graph,
    Input,
    LoihiLif,
    Population,
    Projection,
    SigmaDelta,
    Slice,
)
from neurocomp.ir.schedule import depths
from neurocomp.mapping import Mapping, map_graph
from neurocomp.mapping.activity import rates_of
from neurocomp.mapping.flow import flow
from neurocomp.mapping.traffic import traffic
from neurocomp.quant import reference
from neurocomp.spec.target import Target, load_target


def small(name: str, neurons: int = 48, **changes: Any) -> Target:
    """A target whose cores hold few neurons, so that small networks cross the mesh."""
    raw = load_target(name).model_dump()
    raw["core"]["neurons"]["value"] = neurons
    for key, value in changes.items():
        raw[key].update({k: {"value": v} for k, v in value.items()})
    return Target.model_validate(raw)


def sent_by(graph: Graph, values: Array) -> dict[str, Array]:
    """What every population sends in the first sample."""
    trace = reference.run(graph, values)
    shown = reference.input_frames(graph, values)[0]
    return {name: s[0] for name, s in trace.spikes.items()} | {graph.inputs[0].name: shown}


def export(
    graph: Graph, target: Target, values: Array, folder: Path
) -> tuple[Written, Mapping, dict[str, Array]]:
    sent = sent_by(graph, values)
    mapping = map_graph(graph, target, "balanced")
    return write_sanafe(graph, layout_of(mapping, target), target, sent, folder), mapping, sent


def require_equal(graph: Graph, target: Target, values: Array, folder: Path) -> Written:
    """The files fire the reference's spikes, and send our messages over our hops."""
    written, mapping, sent = export(graph, target, values, folder)
    result = sanafe_model.run(folder, written.steps)
    start, expected = depths(graph), set()
    for i, p in enumerate(graph.populations):
        if not isinstance(p.neuron, Input):
            fired = sent[p.name].reshape(len(sent[p.name]), -1) != 0
            name = f"p{i}_{p.name}"
            expected |= {(name, int(n), int(t) + start[p.name]) for t, n in np.argwhere(fired)}
    own = {s for s in result.spikes if not s[0].endswith("_bias") and not s[0].startswith("p0_")}
    assert own == expected
    assert any(name.startswith(f"p{len(graph.populations) - 2}") for name, _, _ in own)
    rates = {name: (s != 0).mean(axis=0) for name, s in sent.items()}
    ours = traffic(
        flow(graph, mapping.partition, rates_of(graph, rates)), mapping.placement, target
    )
    window = len(sent[graph.output])
    assert result.away == round(ours.messages * window)
    assert result.hops == round(ours.spike_hops * window)
    assert result.hops > 0
    return written


@pytest.mark.parametrize("hw", ["loihi1", "loihi2"])
def test_a_window_with_graded_input_and_biases(tmp_path: Path, hw: str) -> None:
    graph = backend_networks.chain("spikes")
    target = small(hw, 24, mesh={"cores_per_tile": 2})
    written = require_equal(graph, target, backend_networks.images(graph, 1), tmp_path)
    assert written.given == {}
    assert written.steps == 4 + 3  # T, and three projections one after the other
    assert written.costs == ("sanafe" if hw == "loihi1" else None)


def test_a_graph_with_everything_is_given_what_a_soma_cannot_compute(tmp_path: Path) -> None:
    graph = backend_networks.dag()
    target = small("loihi1", mesh={"rows": 5, "columns": 7})
    written = require_equal(graph, target, backend_networks.images(graph, 1, seed=3), tmp_path)
    memory = "its current has a memory"
    assert written.given == {"n2": memory, "pool": memory}
    text = (tmp_path / "network.yaml").read_text()
    assert '# "pool" fires the spikes it is given: its current has a memory' in text


def test_a_network_without_window_on_two_chips(tmp_path: Path) -> None:
    """Delays of one to three steps, biases of the soma, and hops over the chips' border."""
    rng = np.random.default_rng(1)
    populations = (
        Population("in", (5, 1, 1), Input(1)),
        Population("a", (9, 1, 1), LoihiLif(vth=9, dv=300), rng.integers(-3, 6, 9)),
        Population("b", (8, 1, 1), LoihiLif(vth=9, dv=4096)),
    )
    late = rng.integers(0, 3, (8, 9))
    projections = (
        backend_networks.projection(rng, "in", "a", Dense(), (9, 5), delay=1),
        replace(backend_networks.projection(rng, "a", "b", Dense(), (8, 9), delay=3), delays=late),
        backend_networks.projection(rng, "b", "b", Dense(), (8, 8), delay=1),
    )
    graph = Graph("two chips", populations, projections, "b", readout="spikes")
    target = small("loihi2", 2, mesh={"rows": 2, "columns": 2}, board={"rows": 2, "columns": 2})
    values = backend_networks.images(graph, 1, steps=12)
    written = require_equal(graph, target, values, tmp_path)
    assert (written.given, written.steps) == ({}, 12)
    arch = sanafe_model.read(tmp_path / "architecture.yaml")["architecture"]
    assert (arch["attributes"]["width"], arch["attributes"]["height"]) == (4, 4)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), data=st.data())
def test_any_network_fires_its_own_spikes(
    tmp_path_factory: pytest.TempPathFactory, seed: int, data: Any
) -> None:
    rng = np.random.default_rng(seed)
    bits, window = data.draw(st.integers(1, 3)), data.draw(st.integers(1, 4))
    op = Conv((2, 2), (data.draw(st.integers(1, 2)), 1), (1, 0), groups=2)
    made = (4, (4 + 2 - 2) // op.stride[0] + 1, 3)
    populations = (
        Population("in", (2, 4, 4), Input(bits, signed=data.draw(st.booleans()) and bits > 1)),
        Population("a", made, LoihiLif(vth=3, dv=int(rng.integers(0, 4097)))),
        Population("b", (6, 1, 1), LoihiLif(vth=2, dv=1000), rng.integers(-9, 10, 6)),
    )
    size = made[0] * made[1] * made[2]
    projections = (
        backend_networks.projection(rng, "in", "a", op, (4, 1, 2, 2)),
        backend_networks.projection(rng, "a", "b", Dense(), (6, size)),
        backend_networks.projection(rng, "in", "b", Dense(), (6, 32), kept=0.5),
    )
    graph = Graph("any", populations, projections, "b", timesteps=window, readout="spikes")
    low, high = graph.inputs[0].neuron.limits  # type: ignore[union-attr]
    values = rng.integers(low, high + 1, (1, 2, 4, 4))
    target = small("loihi1", 12, mesh={"cores_per_tile": 1})
    written, mapping, sent = export(graph, target, values, tmp_path_factory.mktemp("any"))
    result = sanafe_model.run(written.network.parent, written.steps)
    for i, name, start in ((1, "a", 1), (2, "b", 2)):
        fired = np.argwhere(sent[name].reshape(window, -1))
        own = {(n, t) for group, n, t in result.spikes if group == f"p{i}_{name}"}
        assert own == {(int(n), int(t) + start) for t, n in fired}
    rates = rates_of(graph, {name: (s != 0).mean(axis=0) for name, s in sent.items()})
    ours = traffic(flow(graph, mapping.partition, rates), mapping.placement, target)
    assert (result.away, result.hops) == (
        round(ours.messages * window),
        round(ours.spike_hops * window),
    )


PAIR = Graph(
    "a pair",
    (
        Population("in", (2, 1, 1), Input(2)),
        Population("x", (1, 1, 1), LoihiLif(vth=7, dv=1024), np.array([-2])),
        Population("y.1 -> z", (2, 1, 1), LoihiLif(vth=0)),
    ),
    (
        Projection("e", "in", "x", Dense(), weight=np.array([[3, -1]])),
        Projection("f", "x", "y.1 -> z", Dense(), weight=np.array([[0], [5]])),
    ),
    "y.1 -> z",
    timesteps=2,
    readout="spikes",
)
LAYOUT = Layout(
    (
        (Slice("x", (0, 0, 0), (1, 1, 1)), Slice("y.1 -> z", (1, 0, 0), (2, 1, 1))),
        (Slice("y.1 -> z", (0, 0, 0), (1, 1, 1)),),
    ),
    (Place(0, 1, 2), Place(3, 2, 0)),
)


def test_the_files_to_the_word(tmp_path: Path) -> None:
    """Values 3 and 2 of two bits, shown twice; a bias of −2; three neurons on two cores.

    Tiles of loihi1 are numbered down columns of four: (0, 1) is 1, (3, 2) is 14. Value 3 sets both
    bits, 2 the higher one; the bits weigh 1 and 2, so that 3·w = 1·w + 2·w. x gets 9 − 2 − 2 = 5,
    then 5·¾ + 5 = 8.75 in units of 1/64 cut toward zero: above 7, it fires at step 2 of 0 to 3.
    """
    target = load_target("loihi1")
    sent = sent_by(PAIR, np.array([3, 2]).reshape(1, 2, 1, 1))
    written = write_sanafe(PAIR, LAYOUT, target, sent, tmp_path)
    assert written == (
        tmp_path / "architecture.yaml", tmp_path / "network.yaml", 4, 4 + 1 + 2, {}, "sanafe",
    )  # fmt: skip
    described = sanafe_model.read(written.network)
    assert described["network"]["name"] == "a_pair"
    lif = {"threshold": 7, "leak_decay": 0.75, "input_decay": 0.0}
    assert described["network"]["groups"] == [
        group("p0_in", {}, train(1, 1, 0, 0), train(0, 0, 0, 0), train(1, 1, 0, 0),
              train(1, 1, 0, 0)),
        {**group("p1_x", lif), "neurons": [{"0..0": {"soma": {}}}]},
        group("p1_x_bias", {}, train(1, 1, 0, 0)),
        {**group("p2_y_1____z", {"threshold": 0, "leak_decay": 0.5, "input_decay": 0.0}),
         "neurons": [{"0..1": {"soma": {}}}]},
    ]  # fmt: skip
    assert described["network"]["edges"] == [
        edges("p0_in -> p1_x", [[0, 0], [1, 0], [2, 0], [3, 0]], [3, -1, 6, -2]),
        edges("p1_x -> p2_y_1____z", [[0, 0], [0, 1]], [0, 5]),
        edges("p1_x_bias -> p1_x", [[0, 0]], [-2]),
    ]
    units = {"synapse": "loihi_dense_synapse"}
    seated = {name: value for seat in described["mappings"] for name, value in seat.items()}
    assert seated == {
        **{
            f"p0_in.{i}..{i}": {
                "core": "1.2", **units, "dendrite": "loihi_dendrites[0]",
                "soma": f"loihi_inputs[{i}]",
            }
            for i in range(4)
        },
        "p1_x.0..0": {
            "core": "1.2", **units, "dendrite": "loihi_dendrites[1]", "soma": "loihi_lif[0]",
        },
        "p1_x_bias.0..0": {
            "core": "1.2", **units, "dendrite": "loihi_dendrites[2]", "soma": "loihi_inputs[4]",
        },
        "p2_y_1____z.1..1": {
            "core": "1.2", **units, "dendrite": "loihi_dendrites[3]", "soma": "loihi_lif[1]",
        },
        "p2_y_1____z.0..0": {
            "core": "14.0", **units, "dendrite": "loihi_dendrites[0]", "soma": "loihi_lif[0]",
        },
    }  # fmt: skip
    result = sanafe_model.run(tmp_path, written.steps)
    assert {s for s in result.spikes if s[0] in ("p1_x", "p2_y_1____z")} == {
        ("p1_x", 0, 2),
        ("p2_y_1____z", 1, 3),
    }
    assert (result.away, result.hops) == (1, 3 + 1)  # from tile (0, 1) to (3, 2)


def group(name: str, soma: dict[str, Any], *neurons: dict[str, Any]) -> dict[str, Any]:
    """A group as the file has it."""
    return {
        "name": name,
        "attributes": {"log_spikes": True, "soma": soma},
        "neurons": [{str(i): {"soma": n}} for i, n in enumerate(neurons)],
    }


def train(*spikes: int) -> dict[str, Any]:
    return {"spikes": list(spikes)}


def edges(name: str, pairs: list[list[int]], weight: list[int]) -> dict[str, Any]:
    return {name: {"type": "sparse", "source_target_pairs": pairs, "weight": weight}}


def test_the_architecture_has_the_targets_costs(tmp_path: Path) -> None:
    sent = sent_by(PAIR, np.array([3, 2]).reshape(1, 2, 1, 1))
    write_sanafe(PAIR, LAYOUT, load_target("loihi1"), sent, tmp_path)
    arch = sanafe_model.read(tmp_path / "architecture.yaml")["architecture"]
    assert arch["attributes"]["latency_sync"] == {1: 6e-7, 2: 1e-6, 4: 1.4e-6, 29: 1.8e-6}
    assert len(arch["tile"]) == 32
    tile = arch["tile"][1]
    assert tile["name"] == "tile[1..1]"
    assert tile["attributes"] == {
        "energy_east_hop": 3e-12, "latency_east_hop": 4.1e-9,
        "energy_west_hop": 3e-12, "latency_west_hop": 4.1e-9,
        "energy_north_hop": 4.2e-12, "latency_north_hop": 6.5e-9,
        "energy_south_hop": 4.2e-12, "latency_south_hop": 6.5e-9,
    }  # fmt: skip
    core = tile["core"][2]
    assert core["attributes"]["max_neurons_supported"] == 4 + 1 + 1 + 1
    assert [(u["name"], u["attributes"]["energy_process_spike"]) for u in core["synapse"]] == [
        ("loihi_conv_synapse", 24e-12), ("loihi_dense_synapse", 35.5e-12),
    ]  # fmt: skip
    assert [(u["name"], u["attributes"]["energy_spike_out"]) for u in core["soma"]] == [
        ("loihi_lif[0..1]", 69.3e-12), ("loihi_inputs[0..4]", 0.0),
    ]  # fmt: skip
    assert core["axon_out"][0]["attributes"]["energy_message_out"] == 111e-12
    assert tile["core"][3]["soma"] == []


def test_a_target_without_costs_counts_only(tmp_path: Path) -> None:
    sent = sent_by(PAIR, np.array([3, 2]).reshape(1, 2, 1, 1))
    assert write_sanafe(PAIR, LAYOUT, load_target("loihi2"), sent, tmp_path).costs is None
    text = (tmp_path / "architecture.yaml").read_text()
    assert text.startswith('# "loihi2", costs: "no costs are published"\n')
    assert "e-" not in text


def test_float_networks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'stem': an integer graph needs a LoihiLif neuron"):
        write_sanafe(networks.dag(), LAYOUT, load_target("loihi1"), {}, tmp_path)
    assert not list(tmp_path.iterdir())


LIF = LoihiLif(vth=5, dv=0)


@pytest.mark.parametrize(
    ("neuron", "changes", "steps", "why"),
    [
        (LIF, {}, 8, None),
        (SigmaDelta(3), {}, 8, "its messages are numbers"),
        (replace(LIF, du=4094), {}, 8, "its current has a memory"),
        (LIF, {"delay": 2}, 8, "messages of its window arrive after its end"),
        (LIF, {"delays": np.array([[0, 6]])}, 8, "a message to it waits 6 steps"),
        (LIF, {"delays": np.array([[0, 5]])}, 8, None),
        # weights 1 and −4096, values up to 3: it falls by 12288 a step; 2^17 / 12288 = 10.67
        (LIF, {"weight": np.array([[1, -4096]])}, 10, None),
        (LIF, {"weight": np.array([[1, -4096]])}, 11, "the chip could clip its membrane"),
        # a leak of 410/4096 remembers 9.99 steps
        (LoihiLif(vth=5, dv=410), {"weight": np.array([[1, -4096]])}, 99, None),
    ],
)
def test_what_a_soma_computes(neuron: Any, changes: Any, steps: int, why: str | None) -> None:
    e = Projection("e", "in", "x", Dense(), **{"weight": np.array([[3, -1]]), **changes})
    populations = (Population("in", (2, 1, 1), Input(2)), Population("x", (1, 1, 1), neuron))
    graph = Graph("one", populations, (e,), "x", timesteps=steps)
    assert unlike(graph, graph.population("x"), steps) == why


def test_numbers_from_sigma_delta_neurons_are_not_felt() -> None:
    e = Projection("e", "in", "x", Dense(), weight=np.array([[3]]), delay=1)
    f = Projection("f", "x", "y", Dense(), weight=np.array([[3]]), delay=1)
    populations = (
        Population("in", (1, 1, 1), Input(2)),
        Population("x", (1, 1, 1), SigmaDelta(3)),
        Population("y", (1, 1, 1), LIF),
    )
    graph = Graph("two", populations, (e, f), "y")
    assert unlike(graph, graph.population("y"), 4) == "it receives numbers"


def test_synapses_of_a_strided_padded_dilated_grouped_convolution() -> None:
    """One by one, by the definition: row = y·stride − padding + ky·dilation."""
    op = Conv((2, 3), stride=(2, 1), padding=(1, 1), dilation=(1, 2), groups=2)
    source, target = (4, 5, 6), (6, 3, 4)
    weight = np.arange(6 * 2 * 2 * 3).reshape(6, 2, 2, 3)
    populations = (Population("in", source, Input()), Population("x", target, LIF))
    e = Projection("e", "in", "x", op, weight=weight, delays=weight % 3)
    found = synapses(Graph("g", populations, (e,), "x"), e, wait=2)
    expected = []
    for o, i, ky, kx in np.ndindex(*weight.shape):
        channel = o // 3 * 2 + i
        for y, x in np.ndindex(3, 4):
            row, column = 2 * y - 1 + ky, x - 1 + 2 * kx
            if 0 <= row < 5 and 0 <= column < 6:
                w = weight[o, i, ky, kx]
                expected.append(
                    ((channel * 5 + row) * 6 + column, (o * 3 + y) * 4 + x, w, w % 3 + 2)
                )
    assert sorted(zip(*(a.tolist() for a in found), strict=True)) == sorted(expected)


def test_a_unit_holds_1024_neurons() -> None:
    """2500 neurons on a core: 1024 + 1024 + 452; every other of 6 on another core: three runs."""
    many = Group("many", np.zeros(2500, np.int64), "loihi_lif")
    split = Group("split", np.array([0, 1, 0, 1, 0, 1]), "loihi_lif")
    told = Group("told", np.array([1, 1]), "loihi_given")
    placed, cores = seats((many, split, told), 2)
    assert [(s.group, s.first, s.last, s.core, s.dendrite, s.soma) for s in placed] == [
        ("many", 0, 1023, 0, "loihi_dendrites[0]", "loihi_lif[0]"),
        ("many", 1024, 2047, 0, "loihi_dendrites[1]", "loihi_lif[1]"),
        ("many", 2048, 2499, 0, "loihi_dendrites[2]", "loihi_lif[2]"),
        *(("split", i, i, 0, "loihi_dendrites[3]", "loihi_lif[3]") for i in (0, 2, 4)),
        *(("split", i, i, 1, "loihi_dendrites[0]", "loihi_lif[0]") for i in (1, 3, 5)),
        ("told", 0, 0, 1, "loihi_dendrites[1]", "loihi_given[0]"),
        ("told", 1, 1, 1, "loihi_dendrites[1]", "loihi_given[1]"),
    ]
    assert [core.neurons for core in cores] == [2503, 5]
    assert cores[0].units == {"loihi_dendrites": 4, "loihi_lif": 4}
    assert cores[1].units == {"loihi_dendrites": 2, "loihi_lif": 1, "loihi_given": 2}
