"""Target and policy files: what is shipped, what users write, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

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
OWN_CHIP = """
name: mine
summary: a chip of my own
core:
  format: loihi2
  weight_bits: [2, 4, 8]
  neurons: 512
  in_axons: {value: 99, source: data sheet, confidence: medium}
mesh: {columns: 5, rows: 7, cores_per_tile: 4}
board: {columns: 1, rows: 1}
"""


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


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


def test_own_file_with_bare_values(tmp_path: Path) -> None:
    chip = load_target(write(tmp_path / "mine.yaml", OWN_CHIP))
    assert chip.core.neurons == Figure(value=512)
    assert chip.core.in_axons == Figure(value=99, source="data sheet", confidence="medium")
    assert chip.core.weight_bits.value == (2, 4, 8)
    assert chip.limits.total_words is None
    assert chip.cores_per_chip == 5 * 7 * 4
    assert chip.flags == (False, False, False, False)


def test_extends_replaces_what_it_says_and_keeps_the_rest(tmp_path: Path) -> None:
    write(
        tmp_path / "base.yaml",
        "name: base\nsummary: s\nextends: loihi2\ncore: {neurons: 100, axon_mem: null}\n",
    )
    text = (
        "name: top\nsummary: s\nextends: base.yaml\ncore: {neurons: {value: 50, source: mine}}\n"
        "dead_cores: [{chip: 0, core: 3}]\n"
    )
    top = load_target(write(tmp_path / "top.yaml", text))
    assert (top.name, top.extends) == ("top", "base.yaml")
    assert (top.limits.neurons, top.limits.axon_mem) == (50, None)
    assert top.limits.synapse_words == 16000
    assert top.core.synapse_words.source == load_target("loihi2").core.synapse_words.source
    assert not top.core.neurons.inferred  # the base's marks do not stick to a replaced figure
    assert top.flags.padded_x
    assert [(d.chip, d.core) for d in top.dead_cores] == [(0, 3)]


def test_extends_in_a_circle_is_refused(tmp_path: Path) -> None:
    for own, other in (("a", "b"), ("b", "a")):
        write(tmp_path / f"{own}.yaml", f"name: {own}\nsummary: s\nextends: {other}.yaml\n")
    with pytest.raises(InputError, match=r"extends: goes in a circle: a\.yaml → b\.yaml → a\.yaml"):
        load_target(str(tmp_path / "a.yaml"))


def test_extends_what_is_not_there(tmp_path: Path) -> None:
    beside = write(tmp_path / "a.yaml", "name: a\nsummary: s\nextends: b.yaml\n")
    with pytest.raises(InputError, match=r"extends: there is no file b\.yaml beside it"):
        load_target(beside)
    shipped = write(tmp_path / "c.yaml", "name: c\nsummary: s\nextends: loihi3\n")
    with pytest.raises(InputError, match="unknown target 'loihi3'; did you mean"):
        load_target(shipped)
    number = write(tmp_path / "d.yaml", "name: d\nsummary: s\nextends: 3\n")
    with pytest.raises(InputError, match="extends: should be a valid string, got 3"):
        load_target(number)


def test_all_faults_come_at_once_with_their_keys(tmp_path: Path) -> None:
    text = """
name: bad
summary: s
extends: loihi1
core:
  neurons: 4k
  in_axons: {value: -1}
  out_axons: true
  synapse_words: 1.5
  weight_bits: [8, 4]
  index_bits: 3
  colour: red
rules: {padded_x: maybe}
mesh: {columns: 0}
dead_cores: [{chip: 0}]
costs:
  davies2018:
    synapse: {pj: 81e-12, source: s}
    neuron_active: {pj: -1.0, ns: 2, source: s}
    hop_east_west: {pj: 3.0e-12, source: s}
"""
    with pytest.raises(InputError) as raised:
        load_target(write(tmp_path / "bad.yaml", text))
    message = str(raised.value)
    for fault in (
        "core.neurons: must be a positive integer, got '4k'",
        "core.in_axons.value: must be a positive integer, got -1",
        "core.out_axons: must be a positive integer, got True",
        "core.synapse_words: must be a positive integer, got 1.5",
        "core.weight_bits: must be ascending bit widths from 0 to 32, got [8, 4]",
        "core.index_bits: must be a list of bit widths, got 3",
        "core.colour: unknown key; remove it",
        "rules.padded_x: must be true or false, got 'maybe'",
        "mesh.columns: must be a positive integer, got 0",
        "dead_cores.0.core: is missing",
        "costs.davies2018.synapse.pj: must be a number (YAML reads 81e-12 as text, 81.0e-12 as a "
        "number), got '81e-12'",
        "costs.davies2018.neuron_active.pj: must be a number that is not negative, got -1.0",
        "costs.davies2018.hop_east_west.pj: must be in picojoules or nanoseconds; this looks like "
        "joules or seconds, got 3e-12",
    ):
        assert fault in message
    assert message.startswith(f"{tmp_path / 'bad.yaml'}: 13 faults")


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ("dead_cores: [{chip: 0, core: 140}]", "dead core 140 of chip 0 does not exist"),
        ("dead_cores: [{chip: 1, core: 0}]", "there is 1 chip of 140 cores"),
    ],
)
def test_dead_cores_must_exist(tmp_path: Path, extra: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_target(write(tmp_path / "mine.yaml", OWN_CHIP + extra + "\n"))


def test_a_list_format_needs_an_index_for_all_neurons(tmp_path: Path) -> None:
    text = "name: n\nsummary: s\nextends: loihi1\ncore: {neurons: 5000}\n"
    with pytest.raises(InputError, match=r"tells 4096 apart, a core has 5000$"):
        load_target(write(tmp_path / "n.yaml", text))


def test_parts_that_do_not_agree_come_at_once(tmp_path: Path) -> None:
    text = """
name: n
summary: s
extends: loihi1
core: {neurons: 5000}
mesh: {cores: 200}
dead_cores: [{chip: 0, core: 400}, {chip: 3, core: 1}]
core_kinds:
  - {cores: [1, 2], neurons: 10}
  - {cores: [2, 300], synapse_words: 10}
"""
    with pytest.raises(InputError) as raised:
        load_target(write(tmp_path / "n.yaml", text))
    assert str(raised.value) == (
        f"{tmp_path / 'n.yaml'}: core.neurons: the longest index of core.index_bits tells 4096 "
        "apart, a core has 5000; mesh.cores: 200 do not fit a mesh with room for 128; "
        "dead core 400 of chip 0 does not exist: there is 1 chip of 200 cores; "
        "dead core 1 of chip 3 does not exist: there is 1 chip of 200 cores; "
        "core_kinds: core 2 stands in 2 kinds; "
        "core_kinds: core 300 does not exist: a chip has 200"
    )


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


def test_a_file_that_extends_another_is_called_as_its_file(tmp_path: Path) -> None:
    write(tmp_path / "between.yaml", "extends: loihi2\n")
    chip = load_target(write(tmp_path / "mine.yaml", "extends: between.yaml\n"))
    assert chip.name == "mine"
    assert chip.limits == load_target("loihi2").limits
    with pytest.raises(InputError, match="name: is missing"):
        load_target(write(tmp_path / "alone.yaml", OWN_CHIP.replace("name: mine", "")))


def test_a_fault_names_the_file_that_says_it(tmp_path: Path) -> None:
    write(tmp_path / "base.yaml", "extends: loihi2\ncore: {neurons: -4}\ndead_cores: [{chip: 0}]\n")
    top = write(tmp_path / "top.yaml", "extends: base.yaml\nmesh: {rows: 0}\n")
    with pytest.raises(InputError) as raised:
        load_target(top)
    base = tmp_path / "base.yaml"
    assert str(raised.value).splitlines() == [
        f"{top}: 3 faults",
        f"  in {base}: core.neurons: must be a positive integer, got -4",
        "  mesh.rows: must be a positive integer, got 0",
        f"  in {base}: dead_cores.0.core: is missing",
    ]


def test_quoted_numbers_and_misspelt_keys_come_with_a_remedy(tmp_path: Path) -> None:
    text = """
name: n
summary: s
extends: loihi1
core: {neurons: "1000", nuerons: 5}
rules: {padded_x: "true"}
mesh: {colums: 3}
core_kinds: [{cores: [1], neuron: 5}]
dead_cores: [{chip: "0", core: 1}]
costs: {mine: {summary: s, sinapse: {pj: 3.0, source: s}, synapse: {pj: "3.0", source: s}}}
"""
    with pytest.raises(InputError) as raised:
        load_target(write(tmp_path / "n.yaml", text))
    message = str(raised.value)
    for fault in (
        "core.neurons: must be a positive integer, got '1000' (text; remove the quotes)",
        "core.nuerons: unknown key; did you mean 'neurons'?",
        "rules.padded_x: must be true or false, got 'true' (text; remove the quotes)",
        "mesh.colums: unknown key; did you mean 'columns'?",
        "core_kinds.0.neuron: unknown key; did you mean 'neurons'?",
        "dead_cores.0.chip: should be a valid integer, got '0' (text; remove the quotes)",
        "costs.mine.sinapse: unknown key; did you mean 'synapse'?",
        "text, 81.0e-12 as a number), got '3.0' (text; remove the quotes)",
    ):
        assert fault in message
    assert message.startswith(f"{tmp_path / 'n.yaml'}: 8 faults")


@pytest.mark.parametrize(
    "own", ["mesh: {columns: 1000000000, rows: 1000000}", "board: {columns: 1001, rows: 1000}"]
)
def test_absurd_boards_are_refused_at_once(tmp_path: Path, own: str) -> None:
    with pytest.raises(InputError, match=r"places for cores, at most 1,000,000 are possible; use"):
        load_target(write(tmp_path / "huge.yaml", f"extends: truenorth\n{own}\n"))


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


@pytest.mark.parametrize("name", ["../../x", "a/b", ".hidden", "", "a\nb", 3])
def test_a_name_that_is_a_path_is_refused(name: object, tmp_path: Path) -> None:
    """Names become part of the names of run folders."""
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump({"extends": "loihi2", "name": name}))
    with pytest.raises(InputError, match="name: must be a name: letters, digits"):
        load_target(str(path))


def test_a_changed_target_says_whose_summary_it_has(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("extends: loihi1\ncore: {neurons: 512}\n")
    assert load_target(str(path)).summary == "Loihi 1, one chip; changed by own.yaml"
