"""What a report is made of: the artefacts of one run, as far as the run came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from neurocomp.ir import Array, Graph
from neurocomp.mapping.model import Mapping
from neurocomp.spec.target import Target

NORMALISATIONS = ("paper", "plain", "head")  # of Eq. 1, with which its evaluator's text begins


@dataclass(frozen=True, slots=True, eq=False)
class RunResults:
    """Results of one run; what a run that stopped early has not made stays at its default.

    Attributes:
        summary: the object that ``neurocomp search --json`` prints.
        candidates: one row per distinct candidate: id, params, stored_bits, synops, cores,
            convolutions, score (None if rejected), rejected (None or the reason in words).
        history: one row per training epoch: phase ("float" or "qat"), epoch, loss, accuracy,
            seconds; loss and accuracy are means over the training samples.
        graph: the integer graph.
        mapping: the mapping that was executed, on ``target``.
        mappings: the map row (as ``neurocomp map --json``) of each policy that was tried.
        raster: spikes of one sample: per population booleans shaped (T, C, H, W).
        sample: that sample's input values (C, H, W) or (T, C, H, W), with its label and the
            class that was predicted.
    """

    summary: dict[str, Any]
    candidates: list[dict[str, Any]] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    graph: Graph | None = None
    mapping: Mapping | None = None
    target: Target | None = None
    mappings: dict[str, dict[str, Any]] = field(default_factory=dict)
    raster: dict[str, Array] = field(default_factory=dict)
    sample: Array | None = None
    label: int | None = None
    prediction: int | None = None

    @property
    def judged_by(self) -> str | None:
        """What gave candidates their value; None for Eq. 1, of which older runs say nothing."""
        about = str((self.stage("search") or {}).get("evaluator", ""))
        return None if not about or about.split()[0] in NORMALISATIONS else about

    def stage(self, name: str) -> dict[str, Any] | None:
        """One stage's object of the summary, None where the run did not come that far."""
        made: dict[str, Any] | None = self.summary.get(name)
        return made or None
