"""Experiments: several runs of one recipe that differ in what is searched, and what is compared."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from neurocomp import shipped
from neurocomp.errors import InputError
from neurocomp.spec.read import Name, Spec, parse, read
from neurocomp.spec.recipe import Positive, Recipe, SearchSpec, load_recipe, space_of


class Variant(Spec):
    """What a run of an experiment changes about the recipe.

    Attributes:
        space: another space than the recipe's.
        narrow: choices of the space, beside and in place of the recipe's.
        search: keys of the recipe's search with other values.
    """

    space: str | None = None
    narrow: dict[str, list[int | float | str]] = Field(default_factory=dict)
    search: dict[str, Any] = Field(default_factory=dict)


class Experiment(Spec):
    """One table and picture of a paper.

    Attributes:
        recipe: what all variants have in common, the name of a shipped recipe or a path.
        variants: by the name that they have in the picture.
        baseline: name of the variant that the others are compared with.
        max_params: the network that is chosen has no more parameters.
    """

    name: Name
    summary: str
    source: str
    recipe: str
    variants: Annotated[dict[str, Variant], Field(min_length=1)]
    baseline: str | None = None
    max_params: Positive | None = None


def load_experiment(name: str) -> Experiment:
    """A shipped experiment by name, or the user's own by path; its recipes are checked as well.

    Raises:
        InputError: an unknown name, faults in the file or in a variant, no such baseline.
    """
    path = shipped.find("search/experiments", "experiment", name)
    found = read(path, Experiment)
    if found.baseline is not None and found.baseline not in found.variants:
        raise InputError(
            f"{path}: baseline: is one of {', '.join(found.variants)}, got {found.baseline!r}"
        )
    recipes_of(found, str(path))
    return found


def recipes_of(experiment: Experiment, where: str | None = None) -> dict[str, Recipe]:
    """The recipe of every variant, by its name.

    Args:
        where: file for the message; the experiment's name by default.

    Raises:
        InputError: a variant that names unknown keys, a space or choices that there are not.
    """
    common = load_recipe(experiment.recipe)
    found = {}
    for name, variant in experiment.variants.items():
        place = f"{where or experiment.name}: variants.{name}"
        search = parse({**dict(common.search), **variant.search}, SearchSpec, f"{place}.search")
        changed: dict[str, Any] = {"search": search, "narrow": common.narrow | variant.narrow}
        if variant.space is not None:
            changed["space"] = variant.space
        found[name] = parse({**dict(common), **changed}, Recipe, place)
        space_of(found[name], f"{place}.narrow")
    return found
