"""Evaluators that learn, and every strategy with every evaluator."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from neurocomp.arch import Candidate, Task, all_candidates, draw
from neurocomp.data import Dataset
from neurocomp.errors import InputError
from neurocomp.explore import (
    STRATEGIES,
    Counted,
    Evaluator,
    Outcome,
    Predictor,
    ScoreEvaluator,
    SearchResult,
    Trained,
    labels_of_journal,
    labels_of_table,
    learned,
    read_table,
    search,
)
from neurocomp.flow.explored import evaluator_of
from neurocomp.flow.options import Options
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec, load_recipe
from neurocomp.spec.space import Space, load_space, narrowed
from neurocomp.spec.target import load_target

TASK = Task((1, 8, 8), input_bits=4, classes=2)
LOIHI2 = load_target("loihi2")
CHOICES = {
    "ops": ["skip", "conv"], "kernel_sets": ["set1"], "channels": [8], "final_pool": [2],
    "hidden": [32], "cell_bits": [8], "macro_bits": [8], "timesteps": [2], "neurons": ["leaky"],
}  # fmt: skip
VALUES = np.random.default_rng(0).integers(0, 16, (8, *TASK.shape)).astype(np.uint8)
SPACE = narrowed(load_space("spikernel"), CHOICES)
NETWORKS = sorted(all_candidates(SPACE), key=lambda c: c.id)


def worth(candidate: Candidate) -> float:
    """A value that a candidate's cell decides."""
    return float(sum(op.kernel for op in candidate.cell))


def labels(n: int = 40) -> dict[Candidate, float]:
    return {candidate: worth(candidate) for candidate in NETWORKS[:n]}


def run(tmp_path: Path, evaluator: Evaluator, space: Space = SPACE, **fields) -> SearchResult:
    options = {k: fields.pop(k) for k in ("workers",) if k in fields}
    spec = parse({"candidates": 30, "batch": 8} | fields, SearchSpec, "spec")
    journal = tmp_path / "journal.log"
    return search(space, spec, LOIHI2, TASK, evaluator, storage=journal, **options)


def ids(result: SearchResult) -> list[str]:
    return [s.candidate.id for s in result.ranking]


@dataclass(frozen=True)
class Worth:
    """`worth` as an evaluator."""

    about: str = "worth"

    def knows(self, candidate: Candidate) -> bool:
        return True

    def __call__(self, candidate: Candidate, share: float) -> Outcome:
        return Outcome(worth(candidate))


def own_table(tmp_path: Path, n: int) -> Path:
    path = tmp_path / "own.csv"
    rows = [f"{candidate.id},{value}" for candidate, value in labels(n).items()]
    path.write_text("\n".join(["candidate,value", *rows]))
    return path


def trained() -> Trained:
    data = Dataset("mine", ("a", "b"), TASK.shape, 4, VALUES, np.arange(8) % 2, VALUES, np.ones(8))
    return Trained(data, load_recipe("spikernel-digits").train, 0.25, device="cpu")


EVALUATORS: dict[str, Callable[[Path], Evaluator]] = {
    "score": lambda folder: ScoreEvaluator(TASK, VALUES),
    "drive": lambda folder: Counted("drive"),
    "train": lambda folder: trained(),
    "table": lambda folder: read_table(own_table(folder, len(NETWORKS)), SPACE),
    "learned": lambda folder: learned(labels(), "ridge"),
}


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
@pytest.mark.parametrize("name", EVALUATORS)
def test_every_strategy_works_with_every_evaluator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, strategy: str
) -> None:
    monkeypatch.setattr("neurocomp.train.train_short", lambda graph, *rest: (len(graph.name), 1.0))
    evaluator = EVALUATORS[name](tmp_path)
    limits = {"candidates": 40, "evaluations": 6, "population": 4, "strategy": strategy}
    found = run(tmp_path, evaluator, **limits)
    assert 1 <= len(found.ranking) <= found.evaluated <= 6
    assert all(s.score == evaluator(s.candidate, 1.0).score for s in found.ranking)
    journal = (tmp_path / "journal.log").read_text()
    again = run(tmp_path, EVALUATORS[name](tmp_path), **limits)
    assert ids(again) == ids(found)
    assert again.accounts == found.accounts
    # It was opened again, no more: no line is about a trial.
    added = (tmp_path / "journal.log").read_text().removeprefix(journal)
    assert "trial_id" not in added


@pytest.mark.parametrize("model", ["ridge", "forest", "gp"])
def test_what_was_learned_ranks_what_was_not_seen(model: str) -> None:
    evaluator, unseen = learned(labels(120), model), NETWORKS[120:220]
    best = sorted(unseen, key=lambda c: -(evaluator(c, 1.0).score or 0.0))[:10]
    # Six edges have a kernel of 0, 1 or 3 each: 8 in sum on average, the tenth part above 11.
    assert np.mean([worth(c) for c in unseen]) < 9
    assert np.mean([worth(c) for c in best]) > 12


def test_workers_agree_with_one_process(tmp_path: Path) -> None:
    evaluator = learned(labels(), "gp")
    for name in ("alone", "workers"):
        (tmp_path / name).mkdir()
    alone = run(tmp_path / "alone", evaluator, candidates=8)
    some = run(tmp_path / "workers", evaluator, candidates=8, workers=2)
    assert [(s.candidate, s.score) for s in some.ranking] == [
        (s.candidate, s.score) for s in alone.ranking
    ]


def test_it_names_all_that_its_values_depend_on() -> None:
    base, score = labels(), ScoreEvaluator(TASK, VALUES)
    first = next(iter(base))
    made = [
        learned(base, "ridge"),
        learned(base, "forest"),
        learned(base, "ridge", seed=1),
        learned(labels(41), "ridge"),
        learned(base | {first: 99.0}, "ridge"),
        learned(base, "ridge", scores=[score]),
        learned(base, "ridge", scores=[replace(score, seed=5)]),
    ]
    assert len({one.about for one in made}) == len(made)
    assert learned(dict(reversed(base.items())), "ridge").about == made[0].about
    assert pickle.loads(pickle.dumps(made[0])).about == made[0].about


def test_scores_are_combined_and_their_spikes_told() -> None:
    # The score itself is to be learned: a combination that has it needs nothing else.
    score = ScoreEvaluator(TASK, VALUES)
    known = {c: score(c, 1.0).score or 0.0 for c in NETWORKS[:60]}
    evaluator = learned(known, "ridge", scores=[score])
    outcomes = [evaluator(c, 1.0) for c in NETWORKS[100:140]]
    truth = [score(c, 1.0) for c in NETWORKS[100:140]]
    agreement = kendalltau([o.score for o in outcomes], [o.score for o in truth]).statistic
    assert agreement > 0.7
    assert [o.spikes for o in outcomes] == [o.spikes for o in truth]


def test_without_a_score_there_is_nothing_to_combine() -> None:
    same = ScoreEvaluator(TASK, np.repeat(VALUES[:1], 4, axis=0))  # Eq. 1 is −∞ for all
    with pytest.raises(
        InputError, match=r"labels: 0 networks .* \(\d+ more have no finite score\)"
    ):
        learned(labels(), "ridge", scores=[same])
    half = replace(learned(labels(), "ridge"), scores=(same,))
    assert half(NETWORKS[0], 1.0) == Outcome(None)


def test_names_of_nodes_do_not_count() -> None:
    """A network learnt from, or asked for, by any of its genotypes is the same network."""
    space = load_space("snasnet")
    drawn = [draw(space, np.random.default_rng(seed)) for seed in range(60)]
    assert any(c != c.canonical() for c in drawn)
    first = learned({c: worth(c) for c in drawn}, "ridge")
    second = learned({c.canonical(): worth(c) for c in drawn}, "ridge")
    assert first.about == second.about
    for candidate in drawn[:20]:
        values = {e(c, 1.0) for e in (first, second) for c in (candidate, candidate.canonical())}
        assert len(values) == 1


def test_what_all_labels_have_in_common_does_not_count() -> None:
    predictor = Predictor("gp")
    predictor.fit(list(labels(60)), list(labels(60).values()))
    wide = [replace(c, channels=128) for c in NETWORKS[100:140]]
    narrow, _ = predictor.predict(NETWORKS[100:140])
    assert predictor.predict(wide)[0] == pytest.approx(narrow)


def test_labels_of_a_table(tmp_path: Path) -> None:
    table = read_table(own_table(tmp_path, 5), SPACE)
    assert labels_of_table(table, SPACE) == labels(5)
    whole = load_space("spikernel")
    with pytest.raises(InputError, match=r"own\.csv: knows networks by their ids.* narrow space"):
        labels_of_table(table, whole)


def test_labels_of_an_earlier_search(tmp_path: Path) -> None:
    found = run(tmp_path, Worth(), halving=2)
    journal = tmp_path / "journal.log"
    with journal.open("ab") as file:  # it may still be written to: that is left alone
        file.write(b'{"op_code":')
    before = journal.read_bytes()
    known = labels_of_journal(journal, SPACE)
    assert journal.read_bytes() == before
    # What halving stopped was judged with less effort.
    assert known == {s.candidate: s.score for s in found.ranking}
    cells = narrowed(load_space("spikenas-bench"), {"channels": [16], "hidden": [64]})
    with pytest.raises(InputError, match=r"has other cells or stages than .* 'spikenas-bench'"):
        labels_of_journal(tmp_path / "journal.log", cells)
    run(tmp_path, Worth("another"))
    with pytest.raises(InputError, match="holds the scores of several evaluators"):
        labels_of_journal(tmp_path / "journal.log", SPACE)
    with pytest.raises(InputError, match=r"gone\.log: cannot be used as a journal \(No such file"):
        labels_of_journal(tmp_path / "gone.log", SPACE)


def test_two_different_values_are_needed() -> None:
    with pytest.raises(InputError, match=r"1 networks .* 1 of them different"):
        learned(labels(1), "ridge", source="x")
    same = {c: 1.0 for c in NETWORKS[:3]}
    with pytest.raises(InputError, match=r"x: 3 networks .* 1 of them different"):
        learned(same, "ridge", source="x")


def test_a_recipe_names_what_is_learned_from(tmp_path: Path) -> None:
    data = Dataset("mine", ("a", "b"), TASK.shape, 4, VALUES, np.arange(8) % 2, VALUES, np.ones(8))
    (tmp_path / "run" / "search").mkdir(parents=True)
    run(tmp_path / "run" / "search", Worth())
    own_table(tmp_path, 50)
    recipe = load_recipe("spikernel-digits").model_copy(update={"narrow": CHOICES})

    def evaluator(path: str, **fields) -> Evaluator:
        given = {"candidates": 3, "batch": 8, "evaluator": f"learned:{tmp_path}/{path}"}
        spec = parse(given | fields, SearchSpec, "spec")
        options = Options(recipe.model_copy(update={"search": spec}), LOIHI2)
        return evaluator_of(options, data, TASK)

    assert evaluator("run").about.startswith("forest 1 of 30 values ")
    beside = evaluator("own.csv", learned={"model": "gp", "scores": ["paper", "head"]}).about
    assert beside.startswith("gp 1 of 50 values ")
    assert " and paper 1, 1 × 8 of " in beside
    assert " and head 1, 1 × 8 of " in beside
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match=r"none: has no search/journal\.log"):
        evaluator("none")
    with pytest.raises(InputError, match=r"nowhere: cannot be read"):
        evaluator("nowhere")
    with pytest.raises(InputError, match=r"score, train, table:PATH or learned:PATH"):
        parse({"candidates": 3, "batch": 8, "evaluator": "learned:"}, SearchSpec, "spec")
