"""Evaluating batches of candidates: what is known is looked up, the rest is shared out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from neurocomp.arch import Candidate
from neurocomp.cost import Price
from neurocomp.explore.outcome import FULL, Outcome
from neurocomp.explore.store import Store
from neurocomp.explore.workers import Job, Lost, Workers

POLL_S = 1.0  # how often is looked whether somebody else has finished


class Evaluation:
    """Evaluates candidates of one study with workers, and keeps what they said."""

    def __init__(self, store: Store, workers: Workers, on_done: Callable[[str], None]) -> None:
        self._store, self._workers, self._on_done = store, workers, on_done

    def full(self, prices: dict[Candidate, Price]) -> dict[Candidate, Outcome]:
        """The outcomes of candidates with full effort."""
        return self._at(FULL, prices)

    def halved(
        self, prices: dict[Candidate, Price], factor: int
    ) -> dict[Candidate, tuple[Outcome, float]]:
        """Outcomes of successive halving: each with the share of the effort that it got.

        All get ``1/factor²`` of the effort, the best of ``factor`` of them ``1/factor``, the best
        of ``factor`` of these all of it; at least one goes on. Equal scores go by stored bits.
        """
        found: dict[Candidate, tuple[Outcome, float]] = {}
        staying = prices
        for share in (factor**-2, factor**-1, FULL):
            outcomes = self._at(share, staying)
            found |= {candidate: (outcome, share) for candidate, outcome in outcomes.items()}
            scored = {c: o.score for c, o in outcomes.items() if o.score is not None}
            order = sorted(scored, key=lambda c: (-scored[c], prices[c].stored_bits, c.id))
            staying = {c: prices[c] for c in order[: max(len(order) // factor, 1)]}
        return found

    def _at(self, share: float, prices: dict[Candidate, Price]) -> dict[Candidate, Outcome]:
        keys = {candidate: key_of(candidate, share) for candidate in prices}
        # Neighbours in this order have most of their network in common.
        todo = sorted(prices, key=lambda c: (c.cell, keys[c]))
        start = self._store.start(len(todo))
        todo = todo[start:] + todo[:start]
        while todo:
            for job, said in self._workers.run(self._claimed(todo, keys, share, prices)):
                key = keys[job.candidate]
                if isinstance(said, Lost):
                    self._store.drop(key)
                    continue
                self._store.finish(key, said)
                self._on_done(job.candidate.id)
            todo = [c for c in todo if self._store.known(keys[c]) is None]
            if todo and all(self._store.busy(keys[c]) for c in todo):
                time.sleep(POLL_S)
                self._store.refresh()
        outcomes = {c: self._store.known(keys[c]) for c in prices}
        return {c: outcome for c, outcome in outcomes.items() if outcome is not None}

    def _claimed(
        self,
        todo: Sequence[Candidate],
        keys: dict[Candidate, str],
        share: float,
        prices: dict[Candidate, Price],
    ) -> Iterator[Job]:
        """Jobs that nobody else is at, claimed when they are taken."""
        for candidate in todo:
            key = keys[candidate]
            if self._store.known(key) is None and not self._store.busy(key):
                about: dict[str, Any] = {"price": asdict(prices[candidate])}
                if self._store.claim(key, {"candidate": candidate.as_dict(), **about}):
                    yield Job(candidate, share)


def key_of(candidate: Candidate, share: float) -> str:
    """What an evaluation is kept under: the candidate's id, with the effort if it is not full."""
    return candidate.id if share == FULL else f"{candidate.id}@{share:.4f}"
