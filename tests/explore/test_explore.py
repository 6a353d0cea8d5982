"""The search: same candidates whatever happens, prices before scores, nothing evaluated twice."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from small_search import (
    LOIHI2,
    TASK,
    TINY,
    Always,
    Deadly,
    Faulty,
    Nothing,
    StandIn,
    ids,
    run,
    small,
)

from neurocomp.arch import all_candidates, build
from neurocomp.cost import Price, price
from neurocomp.data import Dataset
from neurocomp.errors import FitError, InputError, RunError
from neurocomp.explore import (
    STRATEGIES,
    Outcome,
    ScoreEvaluator,
    SearchResult,
    read_table,
)
from neurocomp.explore.dashboard import serve
from neurocomp.explore.evaluators import Trained
from neurocomp.explore.front import front, hypervolume
from neurocomp.explore.store import Store
from neurocomp.flow.explored import storage_of
from neurocomp.spec.recipe import load_recipe
from neurocomp.spec.space import Space, load_space, narrowed


def test_more_candidates_extend_the_same_set(tmp_path: Path) -> None:
    few, many = run(tmp_path, candidates=10), run(tmp_path, candidates=25)
    assert set(ids(few)) <= set(ids(many))
    assert few.drawn == 10


def test_exhaustive_looks_at_every_network_once(tmp_path: Path) -> None:
    result = run(tmp_path, space=small(**TINY), strategy="exhaustive", candidates=9_999)
    # Nothing is zeroize, so every edge is alive and nodes keep their names: 3 ops on 6 edges.
    assert result.drawn == result.distinct == result.feasible == 3**6
    whole = load_space("spikernel")
    with pytest.raises(InputError, match=r"'spikernel': has .* genotypes.*narrow it"):
        run(tmp_path, space=whole, strategy="exhaustive")


def test_a_small_space_is_listed_not_sampled(tmp_path: Path) -> None:
    result = run(tmp_path, space=small(**TINY), candidates=9_999)
    assert result.drawn == result.distinct == 3**6


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_is_the_same_again_and_evaluates_nothing_twice(
    tmp_path: Path, strategy: str
) -> None:
    first, second = StandIn(), StandIn()
    options = {"strategy": strategy, "candidates": 60, "evaluations": 24, "population": 8}
    a = run(tmp_path, first, small(**TINY), **options)
    b = run(tmp_path, second, small(**TINY), **options)
    assert ids(a) == ids(b)
    assert len(first.calls) == len(set(first.calls)) == a.evaluated <= 24
    assert second.calls == []
    assert b.evaluating_seconds == pytest.approx(a.evaluating_seconds)
    assert b.candidates_per_second > 0


def test_what_is_left_is_ranked_and_priced(tmp_path: Path) -> None:
    result = run(tmp_path, candidates=40)
    scores = [s.score for s in result.ranking]
    assert scores == sorted(scores, reverse=True)
    for s in result.ranking[:3]:
        assert s.price.params == price(build(s.candidate, TASK), LOIHI2).params


def test_scores_that_are_not_finite_reject(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"none of the .* candidates .* has a finite score"):
        run(tmp_path, Nothing("nothing"))


def test_an_interrupted_search_goes_on_and_ends_the_same(tmp_path: Path) -> None:
    expected = run(tmp_path, StandIn("whole"))
    first, second = StandIn("cut", fail_at=8), StandIn("cut")
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, first)
    result = run(tmp_path, second)
    assert ids(result) == ids(expected)
    assert not set(first.calls[:7]) & set(second.calls)
    assert result.accounts == {
        "scored": result.evaluated,
        "unscored": 0,
        "lost": 1,
        "running": 0,
    }


def test_killed_workers_lose_their_trial_alone(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    result = run(tmp_path, Deadly(marks=str(marks)), workers=2, candidates=12)
    assert len(result.ranking) == result.distinct
    assert result.accounts["lost"] == len(list(marks.iterdir())) >= 1
    assert result.accounts["scored"] == result.distinct
    assert result.accounts["running"] == 0


def test_a_worker_that_dies_twice_ends_the_search(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="was killed twice"):
        run(tmp_path, Always("always"), workers=2, candidates=2)


def test_a_fault_in_a_worker_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"evaluator failed \(ZeroDivisionError: of nothing\)"):
        run(tmp_path, Faulty("faulty"), workers=2, candidates=2)


def test_it_is_said_why_a_search_ended(tmp_path: Path) -> None:
    assert run(tmp_path, candidates=10).ended == "all 10 candidates are proposed"
    few = run(tmp_path, evaluations=5)
    assert few.ended == few.as_row()["search"]["ended"] == "all 5 evaluations are made"
    tiny = small(**TINY | {"ops": ["skip"]})  # every edge that is there is a skip
    assert run(tmp_path, space=tiny, candidates=99).ended == "there are no more networks to propose"
    again = run(tmp_path, space=tiny, strategy="tpe", candidates=9_999, batch=2)
    assert again.ended == "the last 20 batches of tpe brought no new network"


def test_an_evaluator_names_all_that_its_values_depend_on() -> None:
    values = np.zeros((20, *TASK.shape), dtype=np.uint8)
    labels = np.arange(20) % 2
    data = Dataset("mine", ("a", "b"), TASK.shape, 4, values, labels, values[:1], labels[:1])
    spec = load_recipe("spikernel-digits").train
    base = Trained(data, spec, 0.2, device="cpu")
    others = (
        Trained(data, spec, 0.5, device="cpu"),
        Trained(data, spec, 0.2, 1, device="cpu"),
        Trained(replace(data, train_values=values + 1), spec, 0.2, device="cpu"),
        Trained(replace(data, train_labels=1 - labels), spec, 0.2, device="cpu"),
        Trained(data, spec.model_copy(update={"epochs": 1}), 0.2, device="cpu"),
    )
    assert base.about == Trained(data, spec, 0.2, device="cpu").about
    assert len({base.about, *(other.about for other in others)}) == 6


def test_successive_halving_gives_most_effort_to_few(tmp_path: Path) -> None:
    result = run(tmp_path, halving=2, candidates=20)
    n = result.distinct
    assert len(result.ranking) == n // 2 // 2
    assert sum(r.limit == "halving" for r in result.rejected) == n - len(result.ranking)
    assert sum(result.accounts.values()) == n + n // 2 + n // 2 // 2


def test_budgets_pick_and_do_not_limit(tmp_path: Path) -> None:
    free = run(tmp_path)
    least = min(s.price.params for s in free.ranking)
    picked = run(tmp_path, budgets={"params": float(least)})
    assert ids(picked) == ids(free)
    assert picked.best.price.params == least
    with pytest.raises(FitError, match=r"within the budgets; .* params"):
        _ = run(tmp_path, budgets={"params": 1.0}).best


def test_the_front_and_its_volume_by_hand() -> None:
    points = np.array([[0.0, 2.0], [1.0, 1.0], [1.0, 1.5], [2.0, 0.0], [1.0, 1.0]])
    assert sorted(front(points)) == [0, 1, 3]
    # From (3, 3): 1·1 above (0, 2), 1·2 above (1, 1), 1·3 above (2, 0).
    assert hypervolume(points, (3.0, 3.0)) == pytest.approx(6.0)
    assert hypervolume(np.array([[0.0, 0.0, 0.0], [5.0, 5.0, 5.0]]), (2.0, 3.0, 4.0)) == 24.0
    assert hypervolume(points, (0.0, 0.0)) == 0.0


def test_claims_of_two_processes(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Store(path, "s") as one, Store(path, "s") as two:
        assert one.claim("a", {})
        assert not two.claim("a", {})
        assert two.busy("a")
        one.finish("a", Outcome(1.5, 2.0, 0.5))
        two.refresh()
        assert two.known("a") == Outcome(1.5, 2.0, 0.5)
        assert not two.claim("a", {})
        assert two.claim("b", {})
    with Store(path, "s") as three:
        assert three.known("b") is None
        assert three.accounts() == {"scored": 1, "unscored": 0, "lost": 3, "running": 0}


def test_processes_begin_at_different_places(tmp_path: Path) -> None:
    with Store(tmp_path / "j", "study") as first:
        assert first.start(10) == 0  # alone
        with Store(tmp_path / "j", "study") as second:
            assert {first.start(10), second.start(10)} == {0, 5}


def test_a_half_written_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Store(path, "s") as store:
        store.claim("a", {})
        store.finish("a", Outcome(1.0))
    path.write_bytes(path.read_bytes() + b'{"op_code":4,"wor')
    with Store(path, "s") as again:
        assert again.known("a") == Outcome(1.0)


def test_other_files_and_places_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("Chapter 1\nIn which we begin")
    with pytest.raises(InputError, match=r"thesis\.txt: not a readable search journal"):
        Store(path, "s")
    assert path.read_text() == "Chapter 1\nIn which we begin"
    with pytest.raises(InputError, match=r"cannot be used as a journal \(No such file"):
        Store(tmp_path / "nowhere" / "j", "s")
    with pytest.raises(InputError, match="the database cannot be used"):
        Store(f"sqlite:///{tmp_path}/nowhere/x.db", "s")


def test_a_database_keeps_a_study_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with Store(url, "s") as store:
        assert store.claim("a", {})
        store.finish("a", Outcome(None, None, 0.25))
    with Store(url, "s") as again:
        assert again.known("a") == Outcome(None, None, 0.25)


def bench() -> Space:
    return narrowed(load_space("spikenas-bench"), {"channels": [16], "hidden": [64]})


def test_a_table_of_spikenas_bench(tmp_path: Path) -> None:
    # 1·5² = 25: a skip from 0 to 3. 2·1 + 1·5⁴ = 627 and 2·5 + 1·5⁵ = 3135: conv to node 1 or 2
    # and a skip on, the same network under two names. 2: node 1 leads nowhere.
    path = tmp_path / "table.csv"
    path.write_text(
        "arch_id,val_acc_epoch10,val_acc_epoch40,test_acc,firing_rate_0\n"
        "25,10,40,80,-1\n627,20,50,90,0.25\n3135,30,60,92,0.75\n2,10,10,10,-1\n"
    )
    table = read_table(path, bench())
    assert len(table.values) == 2
    by_id = {v[-1][1]: v for v in table.values.values()}
    assert by_id[91.0] == ((0.1, 25.0), (0.4, 55.0), (1.0, 91.0))
    assert list(table.spikes.values()) == [0.5]
    with pytest.raises(InputError, match="is about the space spikenas-bench, not 'spikernel'"):
        read_table(path, small())
    with pytest.raises(InputError, match="says nothing about channels, hidden"):
        read_table(path, load_space("spikenas-bench"))
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="no table: columns candidate and value are needed"):
        read_table(path, bench())
    path.write_text("arch_id,test_acc\n25,good\n")
    with pytest.raises(InputError, match="test_acc: a number is needed, got 'good'"):
        read_table(path, bench())
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "none.csv", bench())


def test_a_table_of_ones_own_is_searched(tmp_path: Path) -> None:
    space = small(**TINY)
    known = run(tmp_path, space=space, candidates=20)
    path = tmp_path / "own.csv"
    rows = [f"{name},{k}" for k, name in enumerate(ids(known))]
    path.write_text("\n".join(["candidate,value", *rows]))
    found = run(tmp_path, read_table(path, space), space, candidates=9_999)
    assert found.best.candidate.id == ids(known)[-1]
    assert {r.limit for r in found.rejected} == {"table"}


def test_the_row_is_the_contract_of_the_command_line(tmp_path: Path) -> None:
    result = run(tmp_path, candidates=60)
    row = json.loads(json.dumps(result.as_row(), allow_nan=False))
    assert set(row) == {"search", "best", "pareto"}
    assert row["search"]["candidates"] == 60
    assert {"strategy", "evaluator", "taus", "hypervolume", "trials"} <= row["search"].keys()
    assert {"id", "params", "weight_bits", "timesteps", "score", "cores"} <= set(row["best"])
    assert row["best"] == row["search"]["ranking"][0] == result.rows()[0]
    assert row["search"]["hypervolume"][-1][0] == len(result.order)
    assert len(result.rows()) == result.distinct


def test_the_front_holds_what_nothing_beats(tmp_path: Path) -> None:
    first = run(tmp_path).ranking[0]
    rows = [(9.0, 500, 5), (8.0, 600, 5), (8.0, 400, 9), (6.0, 500, 4), (5.0, 300, 9)]
    ranking = tuple(
        replace(first, score=score, price=Price(1, 2, bits, 3.0, cores, 1))
        for score, bits, cores in rows
    )
    result = SearchResult(9, 8, ranking, (), 5, 5, 2.0, 4.0)
    assert [s.score for s in result.pareto] == [9.0, 8.0, 6.0, 5.0]
    assert result.pareto[1].price.stored_bits == 400


def test_the_dashboard_shows_a_journal_or_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path)
    served = []
    there = ModuleType("optuna_dashboard")
    there.run_server = lambda storage, **place: served.append(
        (storage.get_all_studies()[0].study_name, place)
    )
    monkeypatch.setitem(sys.modules, "optuna_dashboard", there)
    serve(tmp_path / "journal.log", "localhost", 8081)
    ((study, place),) = served
    assert study.startswith("stand-in; ")
    assert place == {"host": "localhost", "port": 8081}
    monkeypatch.setitem(sys.modules, "optuna_dashboard", None)
    with pytest.raises(InputError, match=r"pip install neurocomp\[dashboard\]"):
        serve(tmp_path / "journal.log", "localhost", 8081)


def test_draws_of_weights_are_averaged() -> None:
    values = np.random.default_rng(0).integers(0, 16, (8, *TASK.shape)).astype(np.uint8)
    candidate = next(iter(all_candidates(small(**TINY))))
    alone = [ScoreEvaluator(TASK, values, seed=seed)(candidate, 1.0).score for seed in (6, 7)]
    both = ScoreEvaluator(TASK, values, seed=3, draws=2)
    assert both(candidate, 1.0).score == pytest.approx(sum(alone) / 2)
    assert "2 draws" in both.about


def test_where_a_dashboard_looks(tmp_path: Path) -> None:
    assert storage_of(None, "postgresql://x") == "postgresql://x"
    with pytest.raises(InputError, match="give the folder of a run, or --storage"):
        storage_of(None, None)
    with pytest.raises(InputError, match=r"has no search/journal\.log: no search has begun there"):
        storage_of(tmp_path, None)
