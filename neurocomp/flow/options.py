"""What a run is asked to do: a recipe with the user's changes, on a target, from a seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from neurocomp.errors import InputError
from neurocomp.flow.folder import RunFolder
from neurocomp.flow.unread import refuse_unread
from neurocomp.progress import Progress, quiet
from neurocomp.shipped import DEFAULT_RECIPE, DEFAULT_TARGET
from neurocomp.spec.joint import Baseline
from neurocomp.spec.read import SpecT, faults_of, parse
from neurocomp.spec.recipe import Recipe, load_recipe, steps_of
from neurocomp.spec.target import Target, load_target

if TYPE_CHECKING:
    from neurocomp.data import Dataset

IDENTITY_KEYS = ("recipe", "target", "seed", "data_dir", "samples")
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class Options:
    """Everything that decides the numbers of a run, and how it is executed.

    Attributes:
        samples: test samples that are executed in Lava; None = all.
        workers: processes that evaluate candidates; device: where training runs; storage: URL of a
            database for the search's evaluations, None = a journal in the run folder. These change
            how fast a run is, not what it is about.
    """

    recipe: Recipe
    target: Target
    seed: int = 0
    data_dir: Path | None = None
    samples: int | None = None
    workers: int = 1
    device: str = "auto"
    storage: str | None = None

    def identity(self) -> dict[str, Any]:
        """What makes two runs the same run, as JSON values."""
        return {
            "recipe": self.recipe.model_dump(mode="json"),
            "target": self.target.model_dump(mode="json"),
            "seed": self.seed,
            "data_dir": None if self.data_dir is None else str(self.data_dir),
            "samples": self.samples,
        }

    @classmethod
    def of_run(cls, run: RunFolder) -> Options:
        """The options of a run that was started before.

        Raises:
            InputError: another version of neurocomp wrote them; names what this one cannot read.
        """
        identity = run.identity()
        faults = [f"{key}: is missing" for key in IDENTITY_KEYS if key not in identity]
        specs: dict[str, Any] = {}
        for key, model in (("recipe", Recipe), ("target", Target)):
            try:
                specs[key] = model.model_validate(identity.get(key, {}), strict=False)
            except ValidationError as fault:
                faults += [f"{key}.{said}" for said in faults_of(fault)] * (key in identity)
        if faults:
            raise InputError.from_faults(
                f"{run.path}: is a run of another version of neurocomp; run the search again in "
                "another folder, or use that version",
                faults,
            )
        data_dir = identity["data_dir"]
        return cls(
            **specs,
            seed=identity["seed"],
            data_dir=None if data_dir is None else Path(data_dir),
            samples=identity["samples"],
        )

    def dataset(self, progress: Progress = quiet) -> Dataset:
        """The recipe's data set; `InputError` where it cannot be had."""
        from neurocomp.data import load

        return load(
            self.recipe.data,
            self.data_dir,
            self.recipe.input_bits,
            coding=self.recipe.coding,
            steps=steps_of(self.recipe),
            seed=self.seed,
            progress=progress,
        )

    def default_folder(self) -> Path:
        """``runs/RECIPE-TARGET-HASH``: the same options give the same folder again."""
        text = json.dumps(self.identity(), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:8]
        return Path("runs") / f"{self.recipe.name}-{self.target.name}-{digest}"


def make_options(
    hw: str = DEFAULT_TARGET,
    recipe: str = DEFAULT_RECIPE,
    *,
    data: str | None = None,
    data_dir: Path | None = None,
    strategy: str | None = None,
    evaluator: str | None = None,
    candidates: int | None = None,
    evaluations: int | None = None,
    objectives: Sequence[str] | None = None,
    budgets: Mapping[str, float] | None = None,
    max_params: int | None = None,
    max_cores: int | None = None,
    max_bits: int | None = None,
    max_bit_synops: int | None = None,
    baselines: bool | None = None,
    storage: str | None = None,
    epochs: int | None = None,
    samples: int | None = None,
    workers: int = 1,
    device: str = "auto",
    seed: int = 0,
) -> Options:
    """A shipped or the user's own recipe and target, with what the user changes about them.

    Args:
        hw: target, recipe: experiment; each a shipped name or the path of a YAML file.
        strategy, evaluator, candidates, evaluations, objectives, budgets, max_params, max_cores,
            max_bits: of the search, see `neurocomp.spec.recipe.SearchSpec`.
        workers: processes that evaluate; a script that asks for several needs the guard
            ``if __name__ == "__main__":``, because each of them imports it.
        storage: URL of a database that several machines share, for the search's evaluations.
        max_bit_synops: limit of a joint search's network, for which max_bits is one as well.
        baselines: compare a joint search's network with all known baselines, or with none.
        epochs: of the float phase; a None of any option leaves the recipe's value.

    Raises:
        InputError: an unknown name, a file with faults, or an option that the recipe's kind of
            search does not read.
    """
    given = load_recipe(recipe)
    refuse_unread(
        given,
        {
            "strategy": strategy,
            "evaluator": evaluator,
            "candidates": candidates,
            "evaluations": evaluations,
            "objectives": objectives,
            "budgets": budgets,
            "max_params": max_params,
            "storage": storage,
        },
    )
    jointly = given.joint is not None
    changed = adapted(
        given,
        data,
        epochs,
        strategy=strategy,
        evaluator=evaluator,
        candidates=candidates,
        evaluations=evaluations,
        objectives=None if objectives is None else tuple(objectives),
        budgets=None if budgets is None else dict(budgets),
        max_params=max_params,
        max_cores=max_cores,
        max_bits=None if jointly else max_bits,
    )
    limits = {"bits": max_bits if jointly else None, "bit_synops": max_bit_synops}
    changed = with_joint(changed, limits, baselines)
    if device not in DEVICES:
        raise InputError.unknown("device", device, list(DEVICES))
    return Options(
        recipe=changed,
        target=load_target(hw),
        seed=seed,
        data_dir=data_dir,
        samples=samples,
        workers=workers,
        device=device,
        storage=storage,
    )


def adapted(
    recipe: Recipe,
    data: str | None,
    epochs: int | None,
    *,
    engine: str | None = None,
    **search: Any,
) -> Recipe:
    """A recipe with another data set, float epochs, engine or other values of its search."""
    return _changed(
        recipe,
        data=data,
        search=_changed(recipe.search, **search),
        train=_changed(recipe.train, epochs=epochs, engine=engine),
    )


def with_joint(recipe: Recipe, budgets: dict[str, int | None], baselines: bool | None) -> Recipe:
    """A recipe whose joint search has other limits, and all baselines or none.

    Raises:
        InputError: one of them is given, but the recipe has no joint search.
    """
    limits = {term: float(limit) for term, limit in budgets.items() if limit is not None}
    if not limits and baselines is None:
        return recipe
    if recipe.joint is None:
        raise InputError(
            f"recipe {recipe.name}: --max-bit-synops and --baselines are for recipes "
            "with a joint search, as litesnn-digits"
        )
    chosen = recipe.joint.baselines if baselines is None else get_args(Baseline) * baselines
    joint = _changed(recipe.joint, budgets={**recipe.joint.budgets, **limits}, baselines=chosen)
    return _changed(recipe, joint=joint)


def _changed(spec: SpecT, **changes: Any) -> SpecT:
    given = {key: value for key, value in changes.items() if value is not None}
    return parse({**dict(spec), **given}, type(spec), "options")
