"""Limits of a search: what is rejected before a score, what is mapped after it, in which words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_search import LOIHI2, TASK, StandIn, ids, run, small

from neurocomp.arch import Candidate, Task, build, draw, for_task
from neurocomp.cost import Pricer
from neurocomp.errors import FitError
from neurocomp.explore import (
    confirm,
)
from neurocomp.explore.limits import Gate
from neurocomp.explore.result import Rejected
from neurocomp.mapping import map_graph
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec
from neurocomp.spec.target import DeadCore, Target


def test_what_breaks_a_limit_is_never_evaluated(tmp_path: Path) -> None:
    free = run(tmp_path)
    for limit, name in (("max_params", "params"), ("max_bits", "model_bits")):
        values = sorted(getattr(s.price, name) for s in free.ranking)
        middle = values[len(values) // 2]
        tight = run(tmp_path, **{limit: middle})
        assert all(getattr(s.price, name) <= middle for s in tight.ranking)
        assert {r.limit for r in tight.rejected} <= {limit}
        assert len(tight.ranking) + len(tight.rejected) == free.distinct
    with pytest.raises(FitError, match=r"none of \d+ distinct candidates .* raise --max-params"):
        run(tmp_path, max_params=10)


def test_the_limit_on_cores_is_on_the_mapped_network(tmp_path: Path) -> None:
    free = run(tmp_path, candidates=4)
    assert min(s.price.cores for s in free.ranking) >= 1
    tight = run(tmp_path, candidates=4, max_cores=4)
    assert ids(tight) == ids(free)
    for s in tight.ranking:
        mapping = map_graph(build(s.candidate, TASK), LOIHI2, "balanced", effort="fast")
        assert s.mapped_cores == s.row()["mapped_cores"] == mapping.n_cores <= 4
    wide = small(channels=[128], hidden=[512])
    with pytest.raises(FitError, match=r"least of these has \d+ cores in any .* raise --max-cores"):
        run(tmp_path, space=wide, candidates=2, max_cores=1)


def test_what_the_target_cannot_hold_is_out() -> None:
    spec = parse({"candidates": 9, "batch": 2}, SearchSpec, "spec")
    pictures = Task((3, 128, 128), 5, 10)
    gate = Gate(spec, LOIHI2, Pricer(pictures, LOIHI2), StandIn())
    # 128 channels of 128·128 neurons in the stem alone: 2,097,152 of 4,095 each.
    rng = np.random.default_rng(0)
    wide = draw(for_task(small(channels=[128], final_pool=[8]), pictures), rng)
    rejected = gate.judge(wide.canonical())
    assert isinstance(rejected, Rejected)
    assert (rejected.limit, rejected.reason) == ("target", "does not fit loihi2")
    assert int(rejected.detail.split()[0].replace(",", "")) > 513
    assert not gate.passes(wide.canonical())
    # Not seen before the network is priced: 64·16·16 axons of a word each do not fit one core.
    pictures = Task((3, 32, 32), 5, 10)
    flat = draw(for_task(small(channels=[32], final_pool=[1]), pictures), rng).canonical()
    gate = Gate(spec, LOIHI2, Pricer(pictures, LOIHI2), StandIn())
    assert gate.passes(flat)
    rejected = gate.judge(flat)
    assert isinstance(rejected, Rejected)
    assert rejected.detail.startswith("fc: one neuron with its synapses needs")


def test_a_limit_on_cores_is_not_blamed_for_weights_that_no_core_stores() -> None:
    spec = parse({"candidates": 9, "batch": 2, "max_cores": 12}, SearchSpec, "spec")
    candidate = draw(small(), np.random.default_rng(0))
    gate = Gate(spec, LOIHI2, Pricer(TASK, LOIHI2), StandIn())
    rejected = gate.judge(replace(candidate, macro_bits=9).canonical())
    assert isinstance(rejected, Rejected)
    assert rejected.limit == "target"
    assert "9" in rejected.detail


def test_those_that_move_up_are_mapped_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confirm, "RANKING_ROWS", 1)
    ranking = run(tmp_path, candidates=4).ranking
    fields = {"candidates": 9, "batch": 2, "max_cores": 5, "objectives": ["score"]}
    spec = parse(fields, SearchSpec, "spec")
    cores = dict(zip((s.candidate for s in ranking), (7, 6, 4, 9), strict=True))
    kept, out = confirm.confirmed(ranking, spec, LOIHI2, cores.__getitem__)
    assert [s.mapped_cores for s in kept] == [4, None]  # the last is not shown, nor mapped
    assert [r.detail for r in out] == ["7 cores as mapped", "6 cores as mapped"]
    with pytest.raises(FitError, match=r"none of 4 .* at most 5 cores .* least uses 9"):
        confirm.confirmed(ranking, spec, LOIHI2, lambda candidate: 9)


def test_what_a_board_may_not_hold_is_mapped_before_it_is_shown(tmp_path: Path) -> None:
    """One layer per core always fits a board of as many cores; beyond that the mapping says."""
    ranking = run(tmp_path, candidates=4).ranking
    most = max(s.price.cores_alone for s in ranking)
    spec = parse({"candidates": 9, "batch": 2, "objectives": ["score"]}, SearchSpec, "spec")

    def board(cores: int) -> Target:
        dead = tuple(DeadCore(chip=0, core=core) for core in range(cores, 128))
        return LOIHI2.model_copy(update={"dead_cores": dead})

    def refused(candidate: Candidate) -> int:
        raise FitError(f"{candidate.id}: too large")

    assert confirm.confirmed(ranking, spec, board(most), refused) == (ranking, [])
    sure = [s for s in ranking if s.price.cores_alone < most]
    kept, out = confirm.confirmed(ranking, spec, board(most - 1), lambda candidate: 3)
    assert [s.mapped_cores for s in kept] == [None if s in sure else 3 for s in ranking]
    assert out == []
    with pytest.raises(FitError, match=r"none of 4 .* fits loihi2 as it is mapped, .*: too large"):
        confirm.confirmed(ranking, spec, board(1), refused)
    limited = spec.model_copy(update={"max_cores": 5})
    first = ranking[0].candidate
    kept, out = confirm.confirmed(
        ranking, limited, LOIHI2, lambda c: refused(c) if c == first else 4
    )
    assert [s.candidate for s in kept] == [s.candidate for s in ranking[1:]]
    assert [(r.limit, r.detail) for r in out] == [("target", f"{first.id}: too large")]
