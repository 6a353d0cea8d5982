"""Recipes: one experiment each, from the space that is searched to the policy that maps."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from neurocomp import shipped
from neurocomp.errors import InputError
from neurocomp.spec.extend import read_extended
from neurocomp.spec.joint import JointSpec, load_lite_space
from neurocomp.spec.read import LIST, Name, Spec, parse
from neurocomp.spec.space import Space, load_space, narrowed
from neurocomp.spec.train import TrainSpec

KIND = "search/recipes"
Count = Annotated[int, Field(gt=0)]
Positive = Annotated[float, Field(gt=0.0)]

Strategy = Literal["random", "exhaustive", "evolution", "nsga2", "tpe", "surrogate"]
ScoreKind = Literal["paper", "plain", "head", "drive", "depth", "convolutions"]
Model = Literal["ridge", "forest", "gp"]
Objective = Literal[
    "score", "params", "model_mb", "stored_mb", "cores", "synops", "bit_synops", "energy_mj"
]


def _with_score(names: tuple[Objective, ...]) -> tuple[Objective, ...]:
    if names[:1] != ("score",) or len(set(names)) != len(names):
        raise ValueError("objectives begin with score, and none stands twice")
    return names


def _evaluator(text: str) -> str:
    if text not in ("score", "train") and not re.match("(table|learned):.", text):
        raise ValueError("an evaluator is score, train, table:PATH or learned:PATH")
    return text


Objectives = Annotated[tuple[Objective, ...], LIST, AfterValidator(_with_score)]


class ProxySpec(Spec):
    """A smaller network that is scored in a candidate's place.

    Attributes:
        narrower: factor by which it has fewer channels and hidden neurons.
        smaller: factor by which its images are smaller.
        draws: how often its weights are drawn; the mean counts. Narrow networks need it more.
    """

    narrower: Count = 1
    smaller: Count = 1
    draws: Count = 1


class ShortSpec(Spec):
    """Short training, the evaluator ``train``; everything else is as the recipe trains.

    Attributes:
        epochs: float epochs of the full effort; epoch_images: of each, None = all.
        holdout: share of the training samples that judges.
    """

    epochs: Count = 3
    epoch_images: Count | None = None
    holdout: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2


class LearnedSpec(Spec):
    """What the evaluator ``learned:PATH`` learns with.

    Attributes:
        model: ridge regression, a random forest or a Gaussian process.
        scores: normalisations of Eq. 1 that it combines with what can be read off a candidate; a
            candidate is then scored as ``score`` scores it.
    """

    model: Model = "forest"
    scores: Annotated[tuple[Literal["paper", "plain", "head"], ...], LIST] = ()


class SearchSpec(Spec):
    """How candidates are chosen, limited and evaluated.

    Attributes:
        strategy: random draws genotypes; exhaustive takes every network; evolution is AutoSNN's;
            nsga2 and tpe are Optuna's samplers; surrogate learns from features of candidates.
        candidates: that the strategy may propose, those beyond a limit included.
        evaluations: that are evaluated at most; None = all within the limits.
        population: of a generation, or of what is proposed at once; None = the strategy's own.
        spike_exponent: AutoSNN's λ, with which evolution weighs spikes.
        evaluator: score, train (short training), table:PATH (measured values in a CSV file) or
            learned:PATH (learned from such a file, or from the evaluations of the run in a folder).
        score: normalisation of Eq. 1: paper (sparsity-aware), plain or head; or a predictor that
            looks at the candidate alone: drive, depth or convolutions.
        batch: samples per scoring batch (Eq. 1's N × N kernel); batches: kernels averaged over.
        proxy: a smaller network to be scored instead.
        short: of the evaluator train; learned: of the evaluator learned:PATH.
        halving: successive halving: each batch of candidates is evaluated with 1/h² of the
            effort, the best of h with 1/h, the best of h of these in full. None = all in full.
        objectives: what the front is about; nsga2 and tpe optimise all of them.
        budgets: the network that is chosen costs no more, by objective; the search may go beyond.
        rate: spikes per neuron and step that SynOps assume before anything is measured.
        max_params, max_bits: limits; what breaks one is never evaluated. Bits are the trained
            weights at their designed width, less those that are pruned.
        max_cores: limit on the cores of the mapped network: by a lower bound before anything is
            evaluated, by mapping what is shown after it. Objective and budget ``cores`` are an
            estimate before mapping, see `neurocomp.cost.Price`.
    """

    strategy: Strategy = "random"
    candidates: Count
    evaluations: Count | None = None
    population: Annotated[int, Field(ge=2)] | None = None
    spike_exponent: float = 0.0
    evaluator: Annotated[str, AfterValidator(_evaluator)] = "score"
    score: ScoreKind = "paper"
    batch: Count
    batches: Count = 1
    proxy: ProxySpec = ProxySpec()
    short: ShortSpec = ShortSpec()
    learned: LearnedSpec = LearnedSpec()
    halving: Annotated[int, Field(ge=2)] | None = None
    objectives: Objectives = ("score", "stored_mb", "cores")
    budgets: dict[Objective, Positive] = Field(default_factory=dict)
    rate: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    max_params: Count | None = None
    max_bits: Count | None = None
    max_cores: Count | None = None


class Recipe(Spec):
    """One experiment.

    Attributes:
        space: name of a file in ``search/spaces`` or a path to one.
        narrow: choices of the space that this recipe restricts, by the space's own keys: values,
            or the names of kernel sets and neurons.
        coding: direct: the input values are shown at every step; rate: at each step they fire
            with the probability value/peak, drawn with the run's seed; event: events of a camera
            fire where they are. Spikes need ``input_bits: 1`` and one choice of timesteps.
        input_bits: bits of the input values.
        policy: mapping policy for the network that is executed.
        joint: the network is designed by LitE-SNN's joint search; ``space``, ``narrow`` and
            ``search`` then describe the SpiKernel pick that it is compared with.
    """

    name: Name
    summary: str
    source: str
    space: str
    narrow: dict[str, list[int | float | str]] = Field(default_factory=dict)
    data: str
    coding: Literal["direct", "rate", "event"] = "direct"
    input_bits: Annotated[int, Field(ge=1, le=8)] = 4
    search: SearchSpec
    train: TrainSpec
    policy: str = "balanced"
    joint: JointSpec | None = None

    @model_validator(mode="after")
    def _spikes_have_one_bit(self) -> Recipe:
        if self.coding != "direct" and self.input_bits != 1:
            raise ValueError(f"coding '{self.coding}' gives spikes; set input_bits to 1")
        if self.coding != "direct" and self.joint is not None:
            raise ValueError("a joint search designs the window too; set coding to direct")
        return self


def load_recipe(name: str) -> Recipe:
    """A shipped recipe by name, or the user's own by path; its space is checked as well.

    A file with ``extends: NAME`` changes only the keys it gives, as targets do.

    Raises:
        InputError: an unknown name, faults in the file, in its space or in what it narrows.
    """
    path = shipped.find(KIND, "recipe", name)
    file = read_extended(path, KIND, "recipe")
    value = {key: section for key, section in file.value.items() if key != "extends"}
    recipe = parse(value, Recipe, path, file.origin)
    steps_of(recipe, f"{path}: narrow")
    if recipe.joint is not None:
        load_lite_space(recipe.joint.space)
    return recipe


def space_of(recipe: Recipe, where: str | None = None) -> Space:
    """The space that a recipe searches: the one it names, narrowed as it says.

    Args:
        where: file and key for the message; the recipe's name by default.
    """
    return narrowed(load_space(recipe.space), recipe.narrow, where or f"{recipe.name}: narrow")


def steps_of(recipe: Recipe, where: str | None = None) -> int | None:
    """The window that the recipe's input is coded for; None where it is shown at every step.

    Raises:
        InputError: the input is coded as spikes, and the space offers several windows; and as
            `space_of`.
    """
    timesteps = space_of(recipe, where).timesteps
    if recipe.coding == "direct":
        return None
    if len(timesteps) > 1:
        raise InputError(
            f"{where or recipe.name}: coding '{recipe.coding}' needs one choice of timesteps, the "
            f"space offers {', '.join(map(str, timesteps))}; narrow timesteps to one of them"
        )
    return timesteps[0]
