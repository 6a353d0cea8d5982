"""Every shipped recipe: its network is built and makes one training step, as the recipe says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from neurocomp import shipped
from neurocomp.arch import Task, build
from neurocomp.arch.draw import draw
from neurocomp.data import Dataset
from neurocomp.ir import Graph
from neurocomp.spec.joint import load_lite_space
from neurocomp.spec.recipe import Recipe, load_recipe, space_of
from neurocomp.train import train
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.build import build as build_joint
from neurocomp.train.joint.design import Design, Kept

RECIPES = shipped.names("search/recipes")
SMALL = {"spikernel-digits", "spikernel-mnist", "spikenas-memory", "litesnn-digits"}
PAPERS = {
    "spikernel-cifar10": ("cifar10", {"epochs": 300, "learning_rate": 0.1, "batch": 64}),
    "spikernel-cifar100": ("cifar100", {"epochs": 300, "learning_rate": 0.1, "batch": 64}),
    "litesnn-large": ("cifar10", {"epochs": 200, "batch": 50, "prune": 0.5}),
    "litesnn-medium": ("cifar10", {"epochs": 200, "batch": 50, "prune": 0.5}),
    "litesnn-medium-paper": ("cifar10", {"epochs": 200, "batch": 50, "prune": 0.8}),
    "litesnn-small": ("cifar10", {"epochs": 200, "batch": 50, "prune": 0.5}),
    "litesnn-small-paper": ("cifar10", {"epochs": 200, "batch": 50, "prune": 0.9}),
    "litesnn-fsdd": ("folder:fsdd", {"batch": 32, "prune": 0.5}),
    "litesnn-speech": ("speech-commands", {"batch": 50, "prune": 0.8}),
}
CLASSES, SAMPLES = 10, 4


def tiny_images(recipe: Recipe) -> Dataset:
    """Random samples, 16 × 16 at most: just enough for the recipe's maps."""
    rng = np.random.default_rng(0)
    size = 8 if recipe.data == "digits" else 16
    shape = (3 if recipe.data.startswith("cifar") else 1, size, size)
    values = rng.integers(0, 2**recipe.input_bits, (SAMPLES, *shape)).astype(np.uint8)
    labels = np.arange(SAMPLES, dtype=np.int64)
    classes = tuple(map(str, range(CLASSES)))
    return Dataset(
        "tiny", classes, shape, recipe.input_bits, values, labels, values[:1], labels[:1]
    )


def network(recipe: Recipe, dataset: Dataset) -> Graph:
    """The first candidate of the recipe's space, or one design of its joint search."""
    task = Task(dataset.shape, dataset.bits, CLASSES)
    if recipe.joint is None:
        return build(draw(space_of(recipe), np.random.default_rng(1)), task)
    space = load_lite_space(recipe.joint.space)
    nodes = tuple(
        (Kept(j, "conv3"), Kept(j + 1, "conv3" if j else "skip")) for j in range(space.nodes)
    )
    bits = tuple((max(space.bits),) * 2 * space.nodes for _ in space.cells)
    design = Design(nodes, bits, min(space.timesteps))
    return build_joint(design, Backbone(space, task, recipe.joint.channels))


@pytest.mark.parametrize(
    "name", [n if n in SMALL else pytest.param(n, marks=pytest.mark.slow) for n in RECIPES]
)
def test_one_step(name: str, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    recipe = load_recipe(name)
    dataset = tiny_images(recipe)
    one = {"epochs": 1, "qat_epochs": 1, "epoch_images": None}
    made = train(
        network(recipe, dataset), dataset, recipe.train.model_copy(update=one), tmp_path,
        seed=0, device="cpu",
    )  # fmt: skip
    assert [(row["phase"], row["images"]) for row in made.history] == [("float", 4), ("qat", 4)]
    assert all(np.isfinite(row["loss"]) for row in made.history)


@pytest.mark.parametrize("name", PAPERS)
def test_the_papers_figures_stand_in_the_recipe(name: str) -> None:
    data, given = PAPERS[name]
    recipe = load_recipe(name)
    assert recipe.data == data
    found: dict[str, Any] = recipe.train.model_dump()
    assert {key: found[key] for key in given} == given
