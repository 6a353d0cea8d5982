"""The mapping benchmark's own logic: what is kept, and how partitioners are asked for parts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from mapping_peers.clock import cpu
from mapping_peers.cut import Cut
from mapping_peers.kept import Kept
from mapping_peers.partitioners import Partitioner, halved, more
from mapping_peers.problem import Ints, Problem

from neurocomp.mapping.flow import Flow
from neurocomp.mapping.model import CoreAddress, Placement


class Form:
    """Vertices in a row, of which so many fit a core."""

    def __init__(self, n: int, room: int) -> None:
        nets = [[i, i + 1] for i in range(n - 1)]
        self.problem = Problem(np.ones(n, np.int64), nets, np.ones(n - 1))
        self.room = room

    def faults(self, part: Ints) -> list[dict[str, float]]:
        """Vertices over room where there are more."""
        counts = np.bincount(part).tolist()
        return [{"neurons": c / self.room} if c > self.room else {} for c in counts]


def even(problem: Problem, n: int) -> Ints:
    """Equal runs."""
    return np.arange(len(problem.sizes)) * n // len(problem.sizes)


def asked(calls: list[int]) -> Partitioner:
    """`even`, which notes how many parts it was asked for."""

    def cut(problem: Problem, n: int) -> Ints:
        calls.append(n)
        return even(problem, n)

    return Partitioner("even", "1", cut)


def test_a_kept_figure_is_not_measured_again_unless_another_thing_makes_it(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    assert kept.value("case/row", lambda: [1, 2.5], "a 1.0") == [1, 2.5]
    assert kept.value("case/row", lambda: pytest.fail("measured again"), "a 1.0") == [1, 2.5]
    assert kept.value("case/row", lambda: [3], "a 1.1") == [3]
    assert kept.value("case/row", lambda: pytest.fail("measured again"), "a 1.1") == [3]


def test_a_figure_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        Kept(tmp_path).value("row", lambda: 1 / 0, "a")
    assert list(tmp_path.iterdir()) == []


def test_a_cut_is_the_same_after_it_was_kept(tmp_path: Path) -> None:
    between = csr_array(([2.0, 0.5], ([0, 1], [1, 0])), shape=(2, 2))
    places = Placement((CoreAddress(0, 3), CoreAddress(1, 0)))
    cut = Cut(Flow(2, between, np.array([0.0, 7.0])), places, 1.5, "neurons 1.02×")

    def made() -> dict[str, Any]:
        return cut.to_json()

    Kept(tmp_path).value("cut", made, "a")
    again = Cut.from_json(Kept(tmp_path).value("cut", made, "a"))
    assert again.sent.between.toarray().tolist() == [[0.0, 2.0], [0.5, 0.0]]
    assert (again.sent.inputs.tolist(), again.places) == ([0.0, 7.0], places)
    assert (again.seconds, again.broken) == (1.5, "neurons 1.02×")


def test_the_fewest_parts_that_fit_are_found_by_bisection() -> None:
    # 40 vertices, 8 to a core, asked for 4, 5, … 16 parts: 5 is the least
    calls: list[int] = []
    found = more(asked(calls), Form(40, 8), first=4, most=16, until=cpu() + 60)
    assert (found.n, found.wrong) == (5, [])
    assert calls == [10, 6, 4, 5]  # indices 6, 2, 0, 1 of 4 … 16


def test_parts_that_do_not_fit_are_halved() -> None:
    # 32 vertices, 6 to a core: 2 parts of 16, then 4 of 8, then 8 of 4
    calls: list[int] = []
    found = halved(asked(calls), Form(32, 6), first=2, most=16, until=cpu() + 60)
    assert (found.n, found.wrong) == (8, [])
    assert calls == [2] + [2] * 6


@pytest.mark.parametrize(
    ("room", "most", "seconds"),
    [
        (1, 64, 60),  # 16 in a part for 1: hopeless
        (6, 7, 60),  # would become 8 parts
        (6, 16, -1),  # no time
    ],
)
def test_halving_ends_before_all_fit(room: int, most: int, seconds: float) -> None:
    found = halved(asked([]), Form(32, room), first=2, most=most, until=cpu() + seconds)
    assert found.wrong
    assert found.passed == {"neurons": pytest.approx(32 / found.n / room)}
