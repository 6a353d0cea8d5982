"""Sections on the mapping and on the execution in Lava; each says what is not there."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

from neurocomp.report.cores import core_table
from neurocomp.report.markup import Child, el
from neurocomp.report.overview import counted
from neurocomp.report.parts import facts, figure, folded, missing, section, table, tag
from neurocomp.report.results import RunResults
from neurocomp.report.tables import cost_table, legend, mismatch_table, policy_table, words
from neurocomp.report.usage import layer_bars
from neurocomp.shown import shown


def mapping_section(results: RunResults, pictures: dict[str, Element]) -> Element:
    """Layers, cores, policies, traffic."""
    lead = "Which slice of which population stands on which core, and what it uses there."
    row = results.stage("mapping")
    if row is None:
        return section("mapping", "Mapping", lead, missing("Nothing has been mapped onto cores."))
    cores = (
        "One square per core, by chip and mesh position; its number and colour name the "
        "population, the height of the colour is the share of the fullest resource. A core that "
        "holds several populations has a stripe of each. The list below says the same in words."
    )
    return section(
        "mapping",
        "Mapping",
        lead,
        el(
            "p",
            tag("inferred"),
            f" {counted(row['n_cores'], 'core')} on "
            f"{counted(row['n_chips'], 'chip')} of {row['target']} by the policy "
            f"“{row['policy']}”. Use is counted from the final mapping; the limits are the "
            "target file's (see the last section).",
        ),
        el("h3", "Layers: used and limit on the fullest core"),
        layer_bars(row),
        *([el("p", legend(row))] if legend(row) else []),
        el(
            "div",
            figure("cores", pictures, cores, natural=True),
            el("div", *_policies(results.mappings, row["policy"]), *_traffic(row, pictures)),
            class_="columns",
        ),
        *_costs(row),
        _cores(results),
    )


def execution_section(results: RunResults, pictures: dict[str, Element]) -> Element:
    """What ran in Lava, and whether it was exact."""
    lead = "The mapped network in Lava's simulator, compared with the integer reference."
    row = results.stage("simulate")
    if row is None:
        gap = missing("The mapped network has not been executed in Lava.")
        return section("execution", "Execution in Lava", lead, gap)
    wrong = row["mismatches"]
    outcome = (
        f" Every one of {row['spikes']:,} spikes of {counted(row['samples'], 'sample')} is where "
        "the reference has it: no population differs at any step."
        if not wrong
        else f" {wrong:,} spikes differ from the reference. The mapped network is not exact."
    )
    raster = (
        "One block per population in the order of depth, neurons from top to bottom, steps of the "
        "window from left to right; where neurons outnumber the rows, a row is a group of "
        "neighbours, stronger in colour the more of them fire. Pipeline latency is taken out."
    )
    return section(
        "execution",
        "Execution in Lava",
        lead,
        el("p", tag("exact"), outcome, class_=None if not wrong else "notice"),
        el("div", facts(_run_facts(row)), table(mismatch_table(row)), class_="columns"),
        figure("raster", pictures, raster),
    )


def _cores(results: RunResults) -> Element | None:
    graph, mapping, target = results.graph, results.mapping, results.target
    if graph is None or mapping is None or target is None:
        return None
    rows = core_table(graph, mapping, target)
    return folded(f"What each of {counted(mapping.n_cores, 'core')} holds", table(rows))


def _costs(row: dict[str, Any]) -> list[Child]:
    found = cost_table(row)
    if not found.rows:
        return []
    basis = (
        " Events of the mapped network times published prices; a basis says where those are from. "
        "A core does one thing after another, and a step ends when the busiest core, the message "
        "that goes farthest and the barrier are through."
    )
    return [el("h3", "Energy and time of a step"), el("p", tag("estimated"), basis), table(found)]


def _policies(mappings: dict[str, dict[str, Any]], chosen: str) -> list[Element]:
    if len(mappings) < 2:
        return []
    caption = "The same network by each policy; traffic per network step. The marked row ran."
    return [el("h3", "Policies compared"), table(policy_table(mappings), caption, chosen)]


def _traffic(row: dict[str, Any], pictures: dict[str, Element]) -> list[Child]:
    traffic = row["traffic"]
    basis = (
        " Spike rates were measured on training samples."
        if traffic["rates"] == "measured"
        else " No activity was measured: every neuron is assumed to fire at one constant rate."
    )
    numbers = ((k, v) for k, v in traffic.items() if isinstance(v, int | float))
    lines = [(words(key), shown(value)) for key, value in numbers]
    caption = (
        "Messages per network step of the sample in the spike raster, on each link between tiles; "
        "every message goes along its row first. Values stand in the tooltips."
    )
    return [
        el("h3", "Traffic"),
        el("p", tag(traffic["rates"]), basis),
        facts(lines),
        figure("traffic", pictures, caption, natural=True),
    ]


def _run_facts(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("backend", row["backend"]),
        ("samples", shown(row["samples"])),
        ("steps per sample", shown(row["steps"])),
        ("accuracy", "–" if row["accuracy"] is None else f"{row['accuracy']:.2%}"),
        ("latency in steps", shown(row["latency_steps"])),
        ("synaptic operations, all samples", shown(row["synops"])),
        ("CPU time per step", f"{row['cpu_ms_per_step']:,.3g} ms (simulator, not the chip)"),
    ]
