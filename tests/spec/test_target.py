"""Target and policy files: what is shipped, what users write, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from target_files import OWN_CHIP, write

from neurocomp import shipped
from neurocomp.errors import InputError
from neurocomp.flow.listing import target_rows, target_sheet
from neurocomp.hw.mesh import live_cores
from neurocomp.spec.extend import FIGURE_KEYS
from neurocomp.spec.figure import OWN, Figure
from neurocomp.spec.policy import load_policy, policy_names
from neurocomp.spec.read import Spec, read_yaml
from neurocomp.spec.target import KIND, Target, load_target

TARGETS = shipped.names(KIND)


def sourced(spec: object) -> list[object]:
    """All figures and event costs below a spec."""
    if hasattr(spec, "source"):
        return [spec]
    if isinstance(spec, Spec):
        return [found for value in dict(spec).values() for found in sourced(value)]
    if isinstance(spec, dict):
        return [found for value in spec.values() for found in sourced(value)]
    return []


@pytest.mark.parametrize("name", TARGETS)
def test_every_shipped_figure_has_a_source(name: str) -> None:
    figures = sourced(load_target(name))
    assert len(figures) > 12
    assert [f for f in figures if f.source in ("", OWN)] == []


@pytest.mark.parametrize("name", TARGETS)
def test_every_shipped_figure_says_its_source_and_confidence_in_the_file_itself(name: str) -> None:
    """Event costs, which are figures of energy and time, included."""
    own = read_yaml(shipped.find(KIND, "target", name))
    figures = list(stated(own, ()))
    assert [key for key, figure in figures if not figure.get("source")] == []
    assert [key for key, figure in figures if "confidence" not in figure] == []
    assert [key for key, _ in leaves(own, ()) if not describes(key)] == []


def stated(value: Any, key: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Mappings that hold a value or a cost."""
    if isinstance(value, dict) and FIGURE_KEYS & value.keys():
        yield key, value
    elif isinstance(value, dict | list):
        for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from stated(inner, (*key, part))


def leaves(value: Any, key: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Values that stand in no figure."""
    if isinstance(value, dict | list) and not (
        isinstance(value, dict) and FIGURE_KEYS & value.keys()
    ):
        for part, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*key, part))
    elif not isinstance(value, dict):
        yield key, value


def describes(key: tuple[Any, ...]) -> bool:
    """Keys that are no figures: names, formats, and numbers of cores that a kind is about."""
    return key[-1] in ("name", "summary", "extends", "format", "costs_like") or "cores" in key[:-1]


def test_secondary_sources_are_never_certain() -> None:
    """Other people's models of Loihi, and estimates from before the chip was made."""
    for name in TARGETS:
        for row in target_sheet(name)["figures"]:
            second = row["source"].startswith(("nengo-loihi", "SANA-FE", "Davies et al. 2018, "))
            if second and "lava" not in row["source"]:
                assert row["confidence"] != "high", row


def test_shipped_targets_have_the_published_limits() -> None:
    assert {"loihi1", "loihi2", "loihi2-2023", "kapoho-point"} <= set(TARGETS)
    new, old, one = (load_target(n) for n in ("loihi2", "loihi2-2023", "loihi1"))
    assert new.limits._asdict() == {
        "neurons": 4095, "neuron_groups": 8, "synapse_words": 16000, "in_axons": 16000,
        "out_axons": None, "axon_map": 16000, "axon_mem": 16000, "total_words": 20000,
    }  # fmt: skip
    assert old.limits == new.limits._replace(synapse_words=12000)
    assert (one.limits.neurons, one.limits.synapse_words) == (1024, 16384)
    assert (one.limits.in_axons, one.limits.out_axons) == (4096, 4096)
    assert [t.cores_per_chip for t in (new, old, one)] == [128, 128, 128]
    assert load_target("kapoho-point").n_chips == 8


def test_fitted_figures_are_marked_and_energy_of_loihi_2_is_not_invented() -> None:
    chip = load_target("loihi2")
    fitted = ("neurons", "neuron_groups", "synapse_words", "in_axons", "axon_map", "total_words")
    assert all(getattr(chip.core, name).inferred for name in fitted)
    assert chip.costs == {}
    costs = load_target("loihi1").costs
    assert set(costs) == {"davies2018", "sanafe"}
    assert costs["davies2018"].synapse is not None
    assert costs["davies2018"].synapse.pj == 23.6
    assert costs["sanafe"].synapse is None
    assert {n: cost.ns for n, cost in costs["sanafe"].barrier.items()} == {
        1: 600.0, 2: 1000.0, 4: 1400.0, 29: 1800.0,
    }  # fmt: skip


def test_a_target_is_frozen() -> None:
    chip = load_target("loihi2")
    with pytest.raises(ValueError, match="frozen"):
        chip.name = "other"  # type: ignore[misc]


def test_boards_say_how_many_chips_and_that_their_arrangement_is_a_guess() -> None:
    chips = {"oheo-gulch": 1, "kapoho-point": 8, "hala-point": 1152, "kapoho-bay": 2, "nahuku": 32,
             "pohoiki-springs": 768}  # fmt: skip
    boards = {name: load_target(name) for name in chips}
    assert {name: board.n_chips for name, board in boards.items()} == chips
    guessed = [b.board.columns for name, b in boards.items() if name != "oheo-gulch"]
    assert all(figure.inferred for figure in guessed)
    loihi2, loihi1 = load_target("loihi2"), load_target("loihi1")
    assert all(boards[n].limits == loihi2.limits for n in ("oheo-gulch", "hala-point"))
    assert all(boards[n].limits == loihi1.limits for n in ("nahuku", "pohoiki-springs"))


def test_hala_point_has_fewer_cores_than_its_meshes_have_places() -> None:
    board = load_target("hala-point")
    assert board.n_chips * board.cores_per_chip == 1152 * 122 == 140544
    assert board.mesh.places == 128
    assert list(live_cores(board))[120:123] == [(0, 120), (0, 121), (1, 0)]


def test_cores_of_several_kinds() -> None:
    chip = load_target("speck")
    own = [(chip.limits_of(n).synapse_words, chip.limits_of(n).neurons) for n in range(9)]
    ki = 1024
    assert own == [
        *[(16 * ki, 64 * ki)] * 3, *[(32 * ki, 32 * ki)] * 2, *[(64 * ki, 16 * ki)] * 2,
        *[(16 * ki, 16 * ki)] * 2,
    ]  # fmt: skip
    assert (chip.limits.synapse_words, chip.limits.neurons) == (64 * ki, 64 * ki)
    assert chip.shaped
    loihi = load_target("loihi2")
    assert loihi.limits_of(5) == loihi.limits
    assert not loihi.shaped


def test_facts_are_numbers_lists_or_words(tmp_path: Path) -> None:
    facts = """
facts:
  state_bits: 24
  range: [1, 63]
  form: a power of two
  sure: {value: true, source: here}
"""
    chip = load_target(write(tmp_path / "mine.yaml", OWN_CHIP + facts))
    assert {name: fact.value for name, fact in chip.facts.items()} == {
        "state_bits": 24, "range": [1, 63], "form": "a power of two", "sure": True,
    }  # fmt: skip
    with pytest.raises(
        InputError, match=r"facts\.deep: must be a number, words, true, false, null"
    ):
        load_target(write(tmp_path / "m.yaml", OWN_CHIP + "facts: {deep: [[1]]}\n"))


def test_a_target_can_be_a_key() -> None:
    chip, same = load_target("loihi1"), load_target("loihi1")
    assert len({chip, same, load_target("loihi2")}) == 2


def test_the_sheet_has_every_figure_with_unit_and_source() -> None:
    rows = {row["figure"]: row for row in target_sheet("dynap-cnn")["figures"]}
    assert rows["core_kinds.3-4.synapse_words"]["value"] == 32768
    assert rows["core_kinds.3-4.synapse_words"]["unit"] == "words"
    assert rows["shapes.strides"]["value"] == [1, 2, 4, 8]
    assert rows["core.axon_map"]["value"] is None
    rows = {row["figure"]: row for row in target_sheet("loihi1")["figures"]}
    assert rows["costs.davies2018.synapse.pj"] == {
        "figure": "costs.davies2018.synapse.pj", "value": 23.6, "unit": "pJ", "basis": "davies2018",
        "confidence": "medium", "inferred": False,
        "source": "Davies et al. 2018, IEEE Micro 38(1), table 2",
    }  # fmt: skip
    time = rows["costs.davies2018.synapse.ns"]
    assert (time["value"], time["unit"], time["basis"]) == (3.5, "ns", "davies2018")
    assert rows["costs.sanafe.barrier.29.ns"]["value"] == 1800.0
    assert "costs.sanafe.barrier.29.pj" not in rows  # not published
    assert rows["facts.state_bits"]["source"].startswith("lava")
    assert rows["mesh.link_buffer"]["value"] == 16
    keys = {"figure", "value", "unit", "basis", "confidence", "inferred", "source"}
    assert all(row.keys() == keys and row["source"] for row in rows.values())


def test_the_list_of_targets_says_how_many_cores() -> None:
    rows = {row["name"]: row for row in target_rows()}
    assert (rows["hala-point"]["chips"], rows["hala-point"]["cores_per_chip"]) == (1152, 122)


def test_unknown_names_list_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"unknown target 'lohi2'; did you mean .*loihi1,.* loihi2"
    ):
        load_target("lohi2")
    with pytest.raises(InputError, match=r"unknown policy 'best' .*balanced, compiler"):
        load_policy("best")


@pytest.mark.parametrize(
    ("base", "fixed", "given"), [("loihi2", 64, 32), ("loihi1", 64, 128), ("dynap-cnn", 8, 64)]
)
def test_the_words_of_a_format_are_what_they_are(
    tmp_path: Path, base: str, fixed: int, given: int
) -> None:
    text = f"extends: {base}\ncore: {{word_bits: {given}}}\n"
    words = rf"core.word_bits: the format {base} is made of words of {fixed} bits, not of {given}; "
    with pytest.raises(InputError, match=words):
        load_target(write(tmp_path / "n.yaml", text))


def test_policies_name_algorithms() -> None:
    assert {"balanced", "compiler"} <= set(policy_names())
    assert load_policy("compiler").placer == "in-order"
    assert load_policy("balanced").partitioner == "portfolio"


def test_a_policy_of_ones_own(tmp_path: Path) -> None:
    text = "name: mine\nsummary: s\npartitioner: balanced\nplacer: in-order\nrouter: multicast\n"
    assert load_policy(write(tmp_path / "mine.yaml", text)).placer == "in-order"
    with pytest.raises(InputError, match="router: is missing"):
        load_policy(write(tmp_path / "m.yaml", text.replace("router: multicast\n", "")))


def test_targets_are_equal_when_their_files_are() -> None:
    assert load_target("loihi2") == load_target("loihi2")
    assert isinstance(load_target("loihi2"), Target)


def test_what_was_inferred_is_never_certain() -> None:
    assert Figure.model_validate({"value": 3, "inferred": True}).confidence == "medium"
    with pytest.raises(ValueError, match="inferred figure cannot have the confidence 'high'"):
        Figure.model_validate({"value": 3, "inferred": True, "confidence": "high"})
