"""What no network of a joint search's space can fit is told before the first epoch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from joint_networks import LOIHI2, TASK, job, space, spec, stripes

from neurocomp import shipped
from neurocomp.arch import Task
from neurocomp.cost.litesnn import figures
from neurocomp.errors import FitError
from neurocomp.hw.mesh import n_live_cores
from neurocomp.spec.joint import load_lite_space
from neurocomp.spec.recipe import load_recipe
from neurocomp.spec.target import load_target
from neurocomp.train.joint import Kept, search
from neurocomp.train.joint.backbone import Backbone
from neurocomp.train.joint.build import build
from neurocomp.train.joint.design import Design
from neurocomp.train.joint.judge import kept_bits
from neurocomp.train.joint.room import least_room, require_room

SHAPES = {"cifar10": (3, 32, 32), "digits": (1, 8, 8)}
SPEECH = (1, 40, 94)  # 40 coefficients of 94 frames
JOINT = [name for name in shipped.names("search/recipes") if name.startswith("litesnn-")]
HUGE = 4000  # channels


class TestLeastRoom:
    def test_neurons_by_hand(self) -> None:
        """Stem and cell 1: 2·4000·36 each; cell 2: 2·8000·9; pools 2·8000; 3 classes.

        736,003 neurons, 4,095 a core: 179.7. Skips need no weights to speak of, conv1 ever more.
        """
        room = least_room(Backbone(space(ops=("conv1", "skip")), TASK, HUGE), None, LOIHI2)
        assert (room.resource, room.cores, room.layer) == ("neurons", 180, "stem.0")

    def test_given_edges_count_as_they_are(self) -> None:
        """Cell 2 alone: 2 nodes·2 sources·4000·8000 weights of 2 bits in words of 64."""
        nodes = ((Kept(1, "conv1"),), (Kept(1, "conv1"),))
        room = least_room(Backbone(space(), TASK, HUGE), nodes, LOIHI2)
        words = 4 * 4000 * 8000 * 2 / 64
        assert room.resource == "synapse_words"
        assert room.layer == "cell2.n0"
        assert room.cores > words / LOIHI2.core.synapse_words.value

    def test_what_fits_passes(self) -> None:
        require_room(Backbone(space(), TASK, 2), None, LOIHI2, 1)


class TestRefusal:
    def test_before_the_first_epoch(self, tmp_path: Path) -> None:
        wide = job(spec=spec(channels=HUGE), space=space(ops=("skip", "conv1")))
        said = (
            r"space 'tiny' at 4000 channels: the neurons of even its smallest network need 180 "
            r"cores \(most of them 'stem.0'\), loihi2 has 128; use fewer channels "
            r"\(joint.channels\), take --hw kapoho-point, which has 1,024 cores"
        )
        with pytest.raises(FitError, match=said):
            search(wide, stripes(), tmp_path / "never", seed=0, device="cpu")
        assert not (tmp_path / "never").exists()

    def test_the_users_own_limit(self) -> None:
        """At 40 channels a hundredth of the neurons: 7,363, two cores."""
        with pytest.raises(FitError, match=r"need 2 cores.*the limit is 1; .*, raise the limit$"):
            require_room(Backbone(space(), TASK, 40), None, LOIHI2, 1)

    def test_no_shipped_board_is_large_enough(self) -> None:
        """The whole Hala Point has 140,544 cores of 4,095 neurons."""
        vast = Backbone(space(ops=("skip", "conv1")), Task((1, 4096, 4096), 4, 3), 10)
        with pytest.raises(
            FitError, match=r"loihi2 has 128; use fewer channels \(joint.channels\)$"
        ):
            require_room(vast, None, LOIHI2, 128)


def recipe_backbone(name: str) -> Backbone:
    recipe = load_recipe(name)
    assert recipe.joint is not None
    task = Task(SHAPES.get(recipe.data, SPEECH), recipe.input_bits, 10)
    return Backbone(load_lite_space(recipe.joint.space), task, recipe.joint.channels)


class TestShipped:
    @pytest.mark.parametrize("name", JOINT)
    def test_the_board_that_a_recipe_names_has_room(self, name: str) -> None:
        named = re.search(r"--hw ([a-z0-9]+(-[a-z0-9]+)*)", load_recipe(name).summary)
        board = load_target(named[1] if named else shipped.DEFAULT_TARGET)
        require_room(recipe_backbone(name), None, board, n_live_cores(board))
        assert board == LOIHI2 or least_room(recipe_backbone(name), None, LOIHI2).cores > 128

    @pytest.mark.parametrize("name", JOINT)
    def test_a_network_of_it_keeps_the_other_limits(self, name: str) -> None:
        """A convolution per cell at 1 bit, else skips; T 2, a tenth of the neurons fires."""
        recipe, made = load_recipe(name), recipe_backbone(name)
        assert recipe.joint is not None
        space = made.space
        first = (Kept(0, "skip"), Kept(1, "conv3"))
        later = ((Kept(j, "skip"), Kept(j + 1, "skip")) for j in range(1, space.nodes))
        bits = ((1,) * 2 * space.nodes,) * len(space.cells)
        nodes = (first, *later)
        graph = build(Design(nodes, bits, 2), made)
        rates = dict.fromkeys((p.name for p in graph.populations), 0.1)
        kept = 1 - recipe.train.prune
        assert kept_bits(graph, kept) <= recipe.joint.budgets["bits"]
        work = kept * figures(graph, rates, LOIHI2).bit_synops
        assert work <= recipe.joint.budgets["bit_synops"]

    @pytest.mark.parametrize("scale", ["small", "medium"])
    def test_the_papers_size_differs_in_channels_and_pruning(self, scale: str) -> None:
        half, whole = load_recipe(f"litesnn-{scale}"), load_recipe(f"litesnn-{scale}-paper")
        assert half.joint is not None
        assert whole.joint == half.joint.model_copy(update={"channels": 48})
        assert half.train.model_copy(update={"prune": whole.train.prune}) == whole.train
