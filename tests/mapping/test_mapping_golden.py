"""The resource tables that Intel's compiler printed, from the rules, to the core and to the word.

The tables stand in lava-dl's tutorials: netx/mnist/run.ipynb (limits of 2024),
netx/oxford/run.ipynb, netx/pilotnet_sdnn/benchmark.ipynb, netx/pilotnet_snn/benchmark.ipynb (limits
of 2023; a row's numbers are means over its cores) and netx/yolo_kp/run.ipynb (2024, a board; a row
shows its first core).
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from mapping_networks import mlp, pilotnet, spiking_pilotnet, yolo

from neurocomp.hw import Demand, demand
from neurocomp.ir import Graph
from neurocomp.mapping import Mapping, map_graph, summary
from neurocomp.mapping.listening import listening, reach
from neurocomp.spec.target import Target, load_target

NEW, OLD, BOARD = (load_target(name) for name in ("loihi2", "loihi2-2023", "kapoho-point"))


def demands(graph: Graph, mapping: Mapping, target: Target) -> dict[str, list[Demand]]:
    """What each core of each layer needs, one layer to a core."""
    entries = reach(graph, target, mapping.partition, list(listening(graph, mapping.partition)))
    found: dict[str, list[Demand]] = {}
    for core, slices in enumerate(mapping.partition.cores):
        (s,) = slices
        found.setdefault(s.population, []).append(demand(graph, slices, target, entries[core]))
    return found


def mean(needs: list[Demand], resource: str) -> int:
    """Mean over the cores, cut to an integer as the tables do."""
    return int(Fraction(sum(getattr(need, resource).used for need in needs), len(needs)))


def test_mnist() -> None:
    """784 → 128 → 64 → 10 at 8 bits: a synapse takes 20 bits, a list 4 more.

    784→128 whole: 784 × ceil(2564/64) = 784 × 41 = 32144 words, 3 times 16000 rounded up, so the
    4095 neurons per core become 1365, 455, 151 and then 50: 784 × ceil(1004/64) = 784 × 16 = 12544.
    128→64: 128 × ceil(1284/64) = 128 × 21 = 2688. 64→10: 64 × ceil(204/64) = 64 × 4 = 256.
    """
    graph = mlp("mnist", 784, 128, 64, 10)
    mapping = map_graph(graph, NEW, "compiler")
    needs = demands(graph, mapping, NEW)
    assert [len(needs[name]) for name in ("l1", "l2", "l3")] == [3, 1, 1]
    assert [need.neurons.used for need in needs["l1"]] == [50, 50, 28]
    assert [needs[n][0].synapse_words.used for n in needs] == [12544, 2688, 256]
    # axons + 1 group + neurons + words + 1 map entry per neuron: printed 67.14, 14.72 and 1.71 %
    assert [needs[n][0].total_words.used for n in needs] == [
        784 + 1 + 50 + 12544 + 50, 128 + 1 + 64 + 2688 + 64, 64 + 1 + 10 + 256 + 10,
    ]  # fmt: skip
    for name, printed in (("l1", 67.14), ("l2", 14.72), ("l3", 1.71)):
        assert needs[name][0].total_words.used / 200 == pytest.approx(printed, abs=0.01)


def test_mnist_row_as_the_command_prints_it() -> None:
    graph = mlp("mnist", 784, 128, 64, 10)
    row = summary(graph, map_graph(graph, NEW, "compiler"), NEW)
    assert (row["n_cores"], row["n_chips"], row["target"], row["policy"]) == (
        5, 1, "loihi2", "compiler",
    )  # fmt: skip
    first = row["layers"][0]
    assert (first["n_cores"], first["weight_bits"], first["binding"]) == (3, 8, "synapse_words")
    assert first["used"]["neurons"] == [50, 4095]
    assert first["used"]["synapse_words"] == [12544, 16000]
    assert first["used"]["total_words"] == [13429, 20000]


def test_oxford() -> None:
    """200 → 256 at 8 bits and 256 → 200 at 7 (stored at 8), 12000 words.

    Whole: 200 × ceil(5124/64) = 200 × 81 = 16200 and 256 × ceil(4004/64) = 256 × 63 = 16128, ratio
    2 each, so the 4095 neurons per core become 2047, 1023, 511 and 255, where the second layer is
    still whole and the first has 255 on a core: 200 × ceil(5104/64) = 200 × 80 = 16000, the fifth
    violation that the compiler prints. At 127: 127 + 127 + 2 neurons with
    200 × (40 + 40 + 1) / 3 = 5400 words, and 127 + 73 with 256 × (40 + 23) / 2 = 8064.
    """
    graph = mlp("oxford", 200, 256, 200, bits=(8, 7))
    mapping = map_graph(graph, OLD, "compiler")
    needs = demands(graph, mapping, OLD)
    said = [layer["mean"]["synapse_words"] for layer in summary(graph, mapping, OLD)["layers"]]
    assert said == [5400, 8064]
    assert [n.neurons.used for n in needs["l1"]] == [127, 127, 2]
    assert [n.neurons.used for n in needs["l2"]] == [127, 73]
    printed = {"l1": (200, 1, 85, 5400, 85, 0), "l2": (256, 1, 100, 8064, 100, 0)}
    assert printed == {name: row(found) for name, found in needs.items()}


def row(needs: list[Demand]) -> tuple[int, ...]:
    """A line of the tables of 2023."""
    columns = ("in_axons", "neuron_groups", "neurons", "synapse_words", "axon_map", "axon_mem")
    return tuple(mean(needs, column) for column in columns)


PILOTNET = {
    # layer: cores, (axons, groups, neurons, synapse words, axon map, axon memory)
    "l1": (25, (2, 1, 3072, 81, 253, 93)),
    "l2": (13, (2, 1, 2160, 864, 113, 32)),
    "l3": (3, (2, 1, 2688, 1620, 112, 46)),
    "l4": (3, (1, 1, 2048, 2592, 29, 9)),
    "l5": (2, (1, 1, 2048, 2880, 1280, 0)),
    "l6": (12, (2560, 1, 8, 7253, 8, 0)),
    "l7": (1, (100, 1, 50, 1500, 50, 0)),
    "l8": (1, (50, 1, 10, 150, 10, 0)),
    "l9": (1, (10, 1, 1, 10, 1, 0)),
}


def test_pilotnet() -> None:
    """Columns halved from the padded width until the neurons fit; then, for one row of each kind:

    l1, 24 channels of 32 × 99: 24·32·8 = 6144 neurons do not fit, 24·32·4 = 3072 do, 99/4 → 25
    cores. Words 3·9 taps × (ceil(100/64) + ceil(52/64)) = 27 × 3 = 81. Map: chunks 16 + 8 at 4 × 32
    positions = 256, on the last core 3 × 32 × 2 = 192, mean 253.4. Lists: 12 cores feed two of l2's
    tiles (the last of them has 192 entries), 13 one: (256 × 35 + 192 × 2) / 4 / 25 = 93.4.
    l6, 2560 → 100 at 4 bits: 2560 × ceil(1604/64) = 66560 words are 6 times 12000 rounded up: 4095,
    682, 113, 18 neurons; 18 take 2560 × ceil(292/64) = 12800, ratio 2: 9. 11 × 9 + 1 neurons with
    2560 × (11 × 3 + 1) / 12 = 7253.
    """
    graph = pilotnet()
    mapping = map_graph(graph, OLD, "compiler")
    needs = demands(graph, mapping, OLD)
    assert {name: len(found) for name, found in needs.items()} == {
        name: cores for name, (cores, _) in PILOTNET.items()
    }
    assert mapping.n_cores == 25 + 13 + 3 + 3 + 2 + 12 + 1 + 1 + 1 == 61
    printed = {name: printed for name, (_, printed) in PILOTNET.items()}
    # the tables count the padded tile on every core, also on the last, narrower one
    full = {name: found[:1] for name, found in needs.items() if name in ("l2", "l4", "l5")}
    neurons = {name: mean(full.get(name, found), "neurons") for name, found in needs.items()}
    assert neurons == {name: values[2] for name, values in printed.items()}
    others = {name: (*row(found)[:2], *row(found)[3:]) for name, found in needs.items()}
    assert others == {name: (*values[:2], *values[3:]) for name, values in printed.items()}


def test_spiking_pilotnet_with_its_input_layer() -> None:
    """The same tiles; other bits, and 13 cores that only hand the image on.

    Input layer, 3 channels of 66 × 200 in tiles of 16 columns: no synapses, one map entry per
    position, 66 × 200 / 13 = 1015.4. Lists: 2 tiles hear the first core and the last, which has
    8 columns, 3 the others: 66 × (16 × (2 + 3 × 11) + 8 × 2) / 4 / 13 = 731.1.
    """
    graph = spiking_pilotnet()
    mapping = map_graph(graph, OLD, "compiler")
    needs = demands(graph, mapping, OLD)
    assert mapping.n_cores == 74
    assert [len(found) for found in needs.values()] == [13, 25, 13, 3, 3, 2, 12, 1, 1, 1]
    assert needs["l1"][0].neurons.used == 3168
    assert (*row(needs["l1"])[:2], *row(needs["l1"])[3:]) == (1, 1, 0, 1015, 731)
    words = [mean(found, "synapse_words") for found in needs.values()]
    assert words == [0, 81, 864, 1620, 2160, 2880, 7253, 1300, 150, 10]
    memory = [mean(found, "axon_mem") for found in needs.values()]
    assert memory == [731, 93, 32, 46, 9, 0, 0, 0, 0, 0]


YOLO = {
    # layer: cores, tile (channels, rows, columns), words, map, memory, total in % of the table
    "l1": (224, (16, 28, 8), 54, 224, 112, 19.88),
    "l2": (112, (32, 14, 8), 576, 112, 56, 21.65),
    "l3": (56, (64, 14, 4), 1728, 56, 28, 26.99),
    "l4": (28, (128, 7, 4), 6336, 28, 56, 50.03),
    "l5": (56, (128, 7, 4), 12672, 28, 28, 81.57),
    "l6": (16, (64, 7, 8), 11520, 56, 448, 78.05),
    "l7": (32, (64, 7, 8), 13824, 56, 56, 87.61),
    "l8": (14, (256, 7, 2), 10752, 14, 56, 72.04),
    "l9": (32, (64, 7, 8), 13824, 56, 28, 87.47),
    "l10": (4, (48, 14, 4), 3072, 2688, 0, 42.26),
}


def test_yolo_on_a_board() -> None:
    """Channels halved until the kernels fit, rows cut into 2^floor(log2(R)/2) bands, then columns.

    l6, 256 channels of 14 × 14, 3×3 from 256 at 4 bits: 2304 taps × ceil(260/64) = 2304 × 5 for 64
    channels (128 take 20736 of 16000). R = ceil(64·14·14 / 4095) = 4, so 2 bands of 7 rows; 8
    columns of 16: 64·7·8 = 3584 neurons. Its first core is heard by 2 × 2 tiles of each of 8
    channel pieces, 56 map entries: 56 × 32 / 4 = 448.
    l10: 48 channels are 2 neuron groups, its spikes go to the host, one map entry each.
    """
    graph = yolo()
    mapping = map_graph(graph, BOARD, "compiler")
    needs = demands(graph, mapping, BOARD)
    first = {
        core[0].population: core[0] for core in reversed(mapping.partition.cores) if len(core) == 1
    }
    found = {
        name: (
            len(cores),
            first[name].shape,
            *(getattr(cores[0], key).used for key in ("synapse_words", "axon_map", "axon_mem")),
        )
        for name, cores in needs.items()
    }
    assert found == {name: values[:5] for name, values in YOLO.items()}
    assert mapping.n_cores == 574
    for name, values in YOLO.items():
        total = needs[name][0].total_words.used / 200
        assert total == pytest.approx(values[5], abs=0.01), name
    assert {
        n: c[0].neuron_groups.used for n, c in needs.items() if c[0].neuron_groups.used > 1
    } == {"l10": 2}


def test_the_compiler_fills_chip_after_chip() -> None:
    """574 cores: 4 chips of 128 and 62 on the fifth, in order."""
    addresses = map_graph(yolo(), BOARD, "compiler").placement.addresses
    assert addresses[:3] == ((0, 0), (0, 1), (0, 2))
    assert addresses[128] == (1, 0)
    assert addresses[-1] == (4, 61)


def test_balanced_needs_at_least_a_fifth_less_on_pilotnet() -> None:
    mapping = map_graph(pilotnet(), OLD, "balanced")
    assert mapping.n_cores <= 0.8 * 61
    assert mapping.n_cores >= summary(pilotnet(), mapping, OLD)["lower_bound_cores"]
