"""How results look on a terminal; the same values as --json, in tables and sentences."""

from __future__ import annotations

from typing import Any

from neurocomp.cli.console import Console
from neurocomp.errors import MismatchError

REGRIDDED = "weights outgrew the grids they were trained on; the integers stand on coarser ones"


def show_summary(out: Console, summary: dict[str, Any]) -> None:
    """The whole run, as far as it got."""
    if "search" in summary:
        _show_search(out, summary)
    if "accuracy" in summary:
        parts = [
            f"{kind} {value:.4f}"
            for kind, value in summary["accuracy"].items()
            if value is not None
        ]
        samples = summary.get("simulate", {}).get("samples")
        on = "" if samples is None else f" (Lava: {samples} test samples)"
        out.line(f"accuracy: {' → '.join(parts)}{on}")
    if summary.get("train", {}).get("regridded"):
        out.line(
            "weights outgrew the grids they were trained on; the integers stand on coarser ones"
        )
    if "mapping" in summary:
        show_mapping(out, summary["mapping"])
    if "simulate" in summary:
        show_simulation(out, summary["simulate"])
    out.line(f"run folder: {summary['run']}")
    out.line(f"report: {summary['report']}")


def _show_search(out: Console, summary: dict[str, Any]) -> None:
    from neurocomp.report.overview import counted

    found, best = summary["search"], summary["best"]
    if found.get("strategy") == "joint":
        _show_joint(out, summary)
        return
    out.line(
        f"searched {found['candidates']} candidates, {found['distinct']} distinct, "
        f"{found['feasible']} feasible, in {found['seconds']:.1f} s "
        f"({found['candidates_per_second']:.1f} candidates/s)"
    )
    if "ended" in found:  # not in runs of earlier versions
        out.line(f"ended because {found['ended']}")
    headers = ("candidate", "score", "convolutions", "parameters", "stored bits", "cores, about")
    keys = ("id", "score", "convolutions", "params", "stored_bits", "cores")
    rows = [[row[key] for key in keys] for row in found["ranking"][:10]]
    out.table("best candidates", headers, rows)
    if front := summary.get("pareto"):
        out.line(
            f"front of {', '.join(found['objectives'])}: {counted(len(front), 'network')}, in the "
            "report and summary.json; by score is chosen"
        )
    mapped = best.get("mapped_cores")  # not in runs of earlier versions
    used = "" if mapped is None else f", {counted(mapped, 'core')} as mapped"
    out.line(
        f"chosen: {best['id']}, score {best['score']:.2f}, "
        f"about {counted(best['cores'], 'core')}{used}"
    )


def _show_joint(out: Console, summary: dict[str, Any]) -> None:
    found, best = summary["search"], summary["best"]
    out.line(
        f"searched {found['candidates']} epochs, {found['distinct']} distinct designs, "
        f"{found['feasible']} within the limits, in {found['seconds']:.1f} s"
    )
    edges = [
        f"node {j} ← {edge['state']} {edge['op']}"
        for j, node in enumerate(best["nodes"])
        for edge in node
    ]
    out.line(
        f"chosen: {best['id']} ({', '.join(edges)}), T = {best['timesteps']}, "
        f"{best['model_bits']:,.0f} weight bits, {best['cores']} cores"
    )
    if found["early"]:
        out.line(
            f"the design is that of epoch {found['epoch']}: later ones broke a limit or were less "
            "accurate; more epochs or a wider limit may find a better one"
        )
    if "limits" in summary:
        from neurocomp.report import limits_table

        out.table("limits", *limits_table(summary))
    if "figures" in summary:
        from neurocomp.report import paper_table

        headers, rows = paper_table(summary)
        headers = tuple(header.replace(" ", "\n") for header in headers)
        out.table("as in the paper's tables, per image", headers, rows)


def show_mapping(out: Console, row: dict[str, Any]) -> None:
    """Layer table with used/limit per resource, then the totals."""
    from neurocomp.report import cost_table, layer_table, legend
    from neurocomp.report.overview import counted

    headers, rows = layer_table(row)
    headers = tuple(header.replace(" ", "\n") for header in headers)
    out.table(f"{row['network']} on {row['target']}, policy {row['policy']}", headers, rows)
    if legend(row):
        out.line(legend(row))
    traffic = row["traffic"]
    out.line(
        f"{counted(row['n_cores'], 'core')} on {counted(row['n_chips'], 'chip')}, at least "
        f"{row['lower_bound_cores']:,} needed · per step {traffic['messages_per_step']:.1f} "
        f"messages between cores (and {traffic['input_messages_per_step']:.1f} from inputs), "
        f"{traffic['spike_hops_per_step']:.1f} hops (any placement of these cores at least "
        f"{traffic['lower_bound_hops_per_step']:.1f}), busiest link "
        f"{traffic['max_link_per_step']:.1f} messages; rates {_rates(traffic)}"
    )
    headers, rows = cost_table(row)
    if rows:
        headers = tuple(header.replace(" ", "\n") for header in headers)
        out.table("energy and time of a step", headers, rows)
    if "without_rules" in row:
        out.line(f"without the chip's rules: {row['without_rules']['n_cores']} cores")
    if "pareto" in row:
        headers = ("cores", "chips", "messages", "hops", "busiest link")
        found = [[round(value) for value in choice.values()] for choice in row["pareto"]]
        out.table("what can be had, per step", headers, found)
    for file in row.get("files", ()):
        out.line(f"written: {file}")


def _rates(traffic: dict[str, Any]) -> str:
    if traffic["rates"] == "measured":
        return "measured"
    told: dict[float, list[str]] = {}
    for name, rate in traffic["assumed_rates"].items():
        told.setdefault(rate, []).append(name)
    each = "; ".join(f"{rate:g} of {', '.join(names)}" for rate, names in sorted(told.items()))
    return f"{traffic['rates']}, spikes per neuron and step: {each}; a run brings its own"


def require_exact(row: dict[str, Any], where: str) -> None:
    """End with exit code 4 where a simulation's spikes differ from the reference."""
    if row.get("mismatches"):
        layers = [layer["name"] for layer in row["layers"] if layer["mismatches"]]
        raise MismatchError(
            f"{where}: {row['mismatches']} spikes and readout values differ from the reference "
            f"(layers: {', '.join(layers) or 'readout only'})"
        )


def show_simulation(out: Console, row: dict[str, Any]) -> None:
    """Spikes and mismatches per layer, then the totals."""
    keys = ("name", "spikes", "mismatches", "synops", "messages")
    out.table(
        f"{row['backend']}: {row['samples']} samples of {row['steps']} steps",
        ("layer", "spikes", "mismatches", "SynOps", "messages between cores"),
        [[layer.get(key) for key in keys] for layer in row["layers"]],
    )
    accuracy = "" if row["accuracy"] is None else f"accuracy {row['accuracy']:.4f} · "
    compared = {None: "not compared", 0: "exact"}
    verdict = compared.get(row["mismatches"], f"{row['mismatches']} spikes differ")
    out.line(
        f"{accuracy}{verdict} · {row['synops']:,.0f} SynOps in all · latency "
        f"{row['latency_steps']} steps · {row['cpu_ms_per_step']:.2f} cpu-ms per step"
    )
    files = [row[key] for key in ("trace", "picture") if row.get(key)]
    if files:
        out.line(f"written: {', '.join(files)}")
