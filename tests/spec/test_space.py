"""Spaces and recipes: YAML in, validated choices out."""

import pytest

from neurocomp import shipped
from neurocomp.errors import InputError
from neurocomp.explore.strategies import STRATEGIES
from neurocomp.spec.read import parse
from neurocomp.spec.recipe import SearchSpec, load_recipe, space_of
from neurocomp.spec.space import Space, load_space, narrowed


@pytest.fixture
def space() -> Space:
    return load_space("spikernel")


def test_the_six_kernel_sets_of_the_paper(space: Space) -> None:
    assert space.kernel_sets == {
        "set1": (1, 3),
        "set2": (1, 5),
        "set3": (3, 5),
        "set4": (1, 7),
        "set5": (3, 7),
        "set6": (5, 7),
    }
    assert space.ops == ("zeroize", "skip", "conv", "avgpool3")
    assert space.nodes == 4


def test_snasnets_neuron_is_the_papers_with_its_input_scale_moved_to_the_threshold(
    space: Space,
) -> None:
    # v ← 0.25·v + 0.75·x fires above 1. With w = v/0.75: w ← 0.25·w + x fires above 1/0.75.
    neuron = space.neurons["snasnet"]
    assert neuron.voltage_decay == 0.75
    assert neuron.threshold == pytest.approx(1 / 0.75, rel=1e-15)


def test_all_faults_of_a_space_come_at_once(space: Space) -> None:
    wrong = space.model_dump() | {
        "ops": ["zeroize"],
        "kernel_sets": {"small": [2], "twice": [3, 3], "none": []},
        "channels": ["16"],
        "cell_bits": [9],
        "colour": "red",
    }
    with pytest.raises(InputError, match=r"mine\.yaml: 7 faults") as caught:
        parse(wrong, Space, "mine.yaml")
    message = str(caught.value)
    assert "ops: a cell needs an op besides zeroize, got ['zeroize']" in message
    assert "kernel_sets.small.0: a kernel size must be odd" in message
    assert "kernel_sets.twice: no value may stand twice, got [3, 3]" in message
    assert "kernel_sets.none: at least one value is needed, got []" in message
    assert "channels.0: should be a valid integer, got '16'" in message
    assert "cell_bits.0: should be less than or equal to 8, got 9" in message
    assert "colour: unknown key" in message


def test_unknown_space_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"unknown space 'spikernal'; did you mean 'spikernel'\?"):
        load_space("spikernal")


def test_narrowing_keeps_values_and_named_choices(space: Space) -> None:
    small = narrowed(space, {"channels": [32, 8], "kernel_sets": ["set3"], "neurons": ["leaky"]})
    assert small.channels == (32, 8)
    assert small.kernel_sets == {"set3": (3, 5)}
    assert list(small.neurons) == ["leaky"]
    assert small.timesteps == space.timesteps


def test_all_faults_of_a_narrowing_come_at_once(space: Space) -> None:
    choices = {
        "channels": [16, 17],
        "kernel_set": ["set3"],
        "neurons": ["leak"],
        "hidden": [],
        "cell_bits": [2, 2],
        "ops": ["zeroize"],
    }
    with pytest.raises(InputError, match="my recipe: 6 faults") as caught:
        narrowed(space, choices, "my recipe")
    message = str(caught.value)
    assert "channels: space 'spikernel' does not offer 17 (known: 8, 16," in message
    assert (
        "kernel_set: space 'spikernel' has no such choice (known: blocks, ops, kernel_sets,"
        in message
    )
    assert "neurons: space 'spikernel' does not offer 'leak' (known: leaky, snasnet)" in message
    assert "hidden: at least one of 32, 64" in message
    assert "cell_bits: no value may stand twice" in message
    assert "ops: a cell needs an op besides zeroize" in message


@pytest.mark.parametrize("name", shipped.names("search/recipes"))
def test_shipped_recipes_narrow_their_spaces_to_something(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert space_of(recipe).name == recipe.space


def test_the_default_recipe_leaves_the_search_its_choices() -> None:
    space = space_of(load_recipe("spikernel-digits"))
    assert len(space.kernel_sets) == 6
    assert space.cell_bits == (2, 4, 8)
    assert space.timesteps == (4, 6)


def test_the_papers_recipe_is_the_papers_experiment() -> None:
    recipe = load_recipe("spikernel-cifar10")
    space = space_of(recipe)
    assert (space.channels, space.final_pool, space.hidden) == ((128,), (4,), (1024,))
    assert space.timesteps == (5,)
    assert (recipe.search.candidates, recipe.search.max_params) == (1000, 10_000_000)
    assert (recipe.search.batch, recipe.search.batches) == (256, 2)
    train = recipe.train
    assert (train.epochs, train.batch, train.optimizer) == (300, 64, "sgd")
    assert (train.learning_rate, train.momentum, train.weight_decay) == (0.1, 0.9, 5e-4)


def test_a_recipe_that_narrows_wrongly_names_file_and_key(tmp_path) -> None:
    text = (shipped.folder("search/recipes") / "spikernel-digits.yaml").read_text()
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace("channels: [16]", "channels: [17]"))
    with pytest.raises(InputError, match=r"mine\.yaml: narrow: channels: .* does not offer 17"):
        load_recipe(str(path))


def test_a_recipe_may_name_any_strategy_and_no_other() -> None:
    for name in STRATEGIES:
        assert parse({"strategy": name, "candidates": 1, "batch": 2}, SearchSpec, "s").strategy
    with pytest.raises(InputError, match="strategy: should be 'random', 'exhaustive'"):
        parse({"strategy": "guess", "candidates": 1, "batch": 2}, SearchSpec, "s")
