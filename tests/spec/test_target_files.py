"""Targets that users write: what is replaced, what is refused, and by what words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from target_files import OWN_CHIP, write

from neurocomp.errors import InputError
from neurocomp.spec.figure import Figure
from neurocomp.spec.target import load_target


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
