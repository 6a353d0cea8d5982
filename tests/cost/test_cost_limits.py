"""Amounts without a network: equal to those of the one that is built, in microseconds."""

from dataclasses import replace
from unittest.mock import ANY

import numpy as np
import pytest
from hand_candidate import CANDIDATE, DIGITS, LAYERS

from neurocomp import shipped
from neurocomp.arch import Task, build, draw, for_task
from neurocomp.arch.cell import SKIP, ZEROIZE, CellKind, conv
from neurocomp.cost import Pricer, model_bits, parameters, price
from neurocomp.cost.copies import of_sums
from neurocomp.cost.parts import AMOUNTS
from neurocomp.hw import layer_cores
from neurocomp.hw.bound import lower_bound_cores
from neurocomp.hw.layer import ENDLESS
from neurocomp.hw.mesh import n_live_cores
from neurocomp.hw.needs import Needs, filled
from neurocomp.mapping import map_graph
from neurocomp.spec.read import parse
from neurocomp.spec.space import Space, load_space
from neurocomp.spec.target import DeadCore, load_target

CIFAR = Task((3, 32, 32), 5, 10)
SUMS = CellKind(sums=True)
MADE_UP = {  # what no shipped space has
    "sums, resized cells, and one behind another": {
        "nodes": 4, "carries": "sums", "ops": ["zeroize", "skip", "conv"], "thresholds": [1.0, 2.0],
        "kernel_sets": {"a": [1, 3]}, "macro": ["conv3", "cell", "cell x2 /2", "pool2", "cell"],
    },
    "sums, own cells": {
        "nodes": 4, "carries": "sums", "cells": "own", "thresholds": [1.0, 2.0],
        "kernel_sets": {"a": [1]}, "macro": ["conv3", "cell", "pool2", "cell", "cell", "hidden"],
        "hidden": [8],
    },
    "two inputs, one edge each, own cells": {
        "nodes": 4, "inputs": 2, "fan_in": 1, "cells": "own", "ops": ["skip", "conv", "avgpool3"],
        "kernel_sets": {"a": [3]}, "final_pool": [1, 2],
        "macro": ["conv3", "cell", "cell x2 /2", "conv1 /2", "cell", "final_pool"],
    },
    "pooled before a cell, shared cells of which one is resized": {
        "nodes": 3, "ops": ["zeroize", "skip", "conv"], "kernel_sets": {"a": [1, 3]},
        "macro": ["conv3 /2", "final_pool", "cell", "cell x2 /2"], "final_pool": [1, 2],
    },
}  # fmt: skip


def made_up(name: str) -> Space:
    common = {
        "name": "made-up", "summary": "s", "source": "s", "channels": [4, 6],
        "cell_bits": [2, 8], "macro_bits": [4, 8], "timesteps": [2], "prune": [0.0, 0.5],
        "neurons": {"one": {"threshold": 1.0, "voltage_decay": 0.5}},
    }  # fmt: skip
    return parse(common | MADE_UP[name], Space, name)


SHIPPED = [n for n in shipped.names("search/spaces") if not n.startswith("litesnn")]


@pytest.mark.parametrize("chip", ["loihi2", "loihi1", "dynap-cnn"])
@pytest.mark.parametrize("name", [*SHIPPED, *MADE_UP])
def test_amounts_are_those_of_the_network_that_is_built(name: str, chip: str) -> None:
    """Of candidates as they are drawn, dead edges included; what is limited is never built."""
    space = for_task(load_space(name) if name in SHIPPED else made_up(name), CIFAR)
    target = load_target(chip)
    pricer = Pricer(CIFAR, target)
    for seed in range(6):
        candidate = draw(space, np.random.default_rng(seed))
        graph, kept = build(candidate, CIFAR), 1.0 - candidate.prune
        bits, least = round(kept * model_bits(graph)), lower_bound_cores(graph, target)
        assert pricer.total(candidate, "params") == parameters(graph)
        assert pricer.total(candidate, "model_bits") == bits
        assert pricer.total(candidate, "cores") == least
        room = n_live_cores(target)
        for limit, most in (("params", parameters(graph)), ("model_bits", bits), ("cores", least)):
            inside = pricer.excess(candidate, [(limit, most)])
            assert inside is None if least <= room else inside == ("target", ANY)
            broken, found = pricer.excess(candidate, [(limit, most - 1)]) or ("", 0)
            if limit == "cores" and least > room:
                assert broken == "target"
            else:
                assert (broken, found) == (limit, most)


def test_terms_of_a_cell_with_sums_by_hand() -> None:
    """Node 3's sum is fired once. Node 2, fired at 1 for its convolution, has the skip of node 0's
    terms; node 1's convolution is handed on to node 3, and fired at 2 for node 2.

    So node 1's terms lead into two populations, 1>2 and 3, and node 2's into one. Node 0 is fired
    at 2 for node 1; with node 2, which has its terms, they lead into two.
    """
    cell = (conv(3, 8, 2.0), SKIP, ZEROIZE, conv(3, 8, 2.0), SKIP, conv(3, 8))
    found = of_sums(cell, SUMS, 1.0, resized=False, after=None)
    edges = [n for n, op in zip(found.edges, cell, strict=True) if op.op == "conv"]
    assert edges == [2, 1, 1]  # into node 1, node 2, node 3
    assert found.others == (2, 1, 3)  # into node 0; populations of node 0; of nodes 1, 2, 3
    # A skip of a resized cell is a convolution: node 0 is fired at 1 as well, for node 2 alone.
    wide = of_sums(cell, SUMS, 1.0, resized=True, after=None)
    assert wide.others == (2, 2, 3)


def test_a_limit_does_not_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("neurocomp.cost.pricer.build", lambda *_, **__: pytest.fail("was built"))
    pricer = Pricer(DIGITS, load_target("loihi2"))
    by_hand = sum(w + 2 * f for w, f, _ in LAYERS.values()) + 10
    assert pricer.excess(CANDIDATE, [("params", by_hand)]) is None
    assert pricer.excess(CANDIDATE, [("params", by_hand - 1)]) == ("params", by_hand)


def test_weights_that_no_core_stores_need_more_cores_than_there_can_be() -> None:
    wide = replace(CANDIDATE, macro_bits=9)
    name, found = Pricer(DIGITS, load_target("loihi2")).excess(wide, []) or ("", 0)
    assert name == "target"
    assert found > ENDLESS


def test_a_limit_at_the_price_is_kept() -> None:
    """Three tenths of the bits go: what is left is no whole number, and rounds down."""
    left = 0.7 * sum(weights * bits for weights, _, bits in LAYERS.values())
    pricer, pruned = Pricer(DIGITS, load_target("loihi2")), replace(CANDIDATE, prune=0.3)
    assert pricer(pruned).model_bits == round(left) < left
    assert pricer.excess(pruned, [("model_bits", round(left))]) is None
    assert pricer.excess(pruned, [("model_bits", round(left) - 1)]) == ("model_bits", round(left))


def test_only_what_no_mapping_brings_within_the_limit_is_out() -> None:
    target = load_target("loihi2")
    pricer = Pricer(DIGITS, target)
    other = replace(CANDIDATE, cell=(*CANDIDATE.cell[:5], conv(5, 2)))
    for candidate in (CANDIDATE, other):
        mapped = map_graph(build(candidate, DIGITS), target, "balanced", effort="fast").n_cores
        assert pricer.excess(candidate, [("cores", mapped)]) is None
        assert pricer.total(candidate, "cores") <= min(mapped, pricer(candidate).cores)


def test_a_board_that_a_mapping_fits_is_large_enough() -> None:
    """One layer per core takes more cores than there are; layers that share cores do not."""
    dead = tuple(DeadCore(chip=0, core=core) for core in range(4, 128))
    small = load_target("loihi2").model_copy(update={"dead_cores": dead})
    graph = build(CANDIDATE, DIGITS)
    assert sum(layer_cores(graph, p.name, small).n_cores for p in graph.neurons) > 4
    assert map_graph(graph, small, "balanced", effort="fast").n_cores <= 4
    assert price(graph, small).cores <= 4
    assert Pricer(DIGITS, small).excess(CANDIDATE, []) is None


def test_needs_by_hand() -> None:
    # The neurons alone fill two cores and a half.
    target = load_target("loihi2")
    needs = Needs(neurons=2.5 * target.limits.neurons, axon_map=3.0)
    assert filled(needs, target) == 2.5
    assert filled(Needs(), target) == 0.0
    assert AMOUNTS[2:] == Needs._fields
