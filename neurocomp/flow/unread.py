"""Options of a search that a recipe's kind of search does not read."""

from __future__ import annotations

from typing import Any

from neurocomp.errors import InputError
from neurocomp.spec.recipe import Recipe

FLAGS = {
    "strategy": "--strategy",
    "evaluator": "--evaluator",
    "candidates": "--candidates",
    "evaluations": "--evaluations",
    "objectives": "--objective",
    "budgets": "--budget",
    "max_params": "--max-params",
    "storage": "--storage",
}


def refuse_unread(recipe: Recipe, given: dict[str, Any]) -> None:
    """Refuse options that a joint search would ignore; other recipes read all of them.

    Args:
        given: by the keys of `FLAGS` what the user asked for, None = nothing.

    Raises:
        InputError: naming every such option, and what a joint search has instead.
    """
    unread = [flag for key, flag in FLAGS.items() if given.get(key) is not None]
    if recipe.joint is None or not unread:
        return
    raise InputError(
        f"recipe {recipe.name}: a joint search does not read {', '.join(unread)}; its limits are "
        "--max-bits, --max-bit-synops and --max-cores, its length is joint.epochs; for the "
        "SpiKernel pick of --baselines write them into the section 'search' of an own recipe"
    )
