"""Tables as plain data, the same for the terminal and for the page.

A table is its headers and rows; cells are words, or numbers that the printer formats.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple, TypeAlias

Cell: TypeAlias = str | int | float | None
Row: TypeAlias = tuple[Cell, ...]


BITS_PER_KIB: Final = 8 * 1024
MARKS: Final = {"exact": "", "upper bound": "≤ {:,}", "lower bound": "≥ {:,}", "unknown": "{:,} ?"}


class Table(NamedTuple):
    """Headers and rows; every row has as many cells as there are headers."""

    headers: tuple[str, ...]
    rows: tuple[Row, ...]


class Binding(NamedTuple):
    """The resource that a layer uses the greatest share of."""

    resource: str
    share: float


def words(key: str) -> str:
    """A key of the JSON contract as words: ``synapse_words`` is "synapse words"."""
    return key.replace("_", " ")


def limits(map_row: dict[str, Any]) -> dict[str, int]:
    """What a core holds of each resource whose limit is known, in the row's order."""
    pairs = (item for layer in map_row["layers"] for item in layer["used"].items())
    return {key: limit for key, (_, limit) in pairs if limit is not None}


def binding(layer: dict[str, Any]) -> Binding | None:
    """What limits a layer on its fullest core: the greatest used/limit of all its resources."""
    shares = [Binding(key, used / limit) for key, (used, limit) in layer["used"].items() if limit]
    return max(shares, key=lambda b: b.share) if shares else None


def count(layer: dict[str, Any], key: str) -> Cell:
    """What a layer uses of a resource: a number, or where it is not exact words that say so."""
    used, mark = layer["used"][key][0], MARKS[layer["basis"][key]]
    return mark.format(used) if mark else int(used)


def legend(map_row: dict[str, Any]) -> str:
    """What the marks of `layer_table` mean, nothing where it has none."""
    bases = {basis for layer in map_row["layers"] for basis in layer["basis"].values()}
    return "≤ at most, ≥ at least, ? not known" if bases - {"exact"} else ""


def layer_table(map_row: dict[str, Any]) -> Table:
    """One row per layer of ``neurocomp map --json``: shape, size, cores, use of the fullest core.

    A column per resource with a known limit, which its header names; the last column names the
    resource that binds, with its share of the limit. A count that is no more than a bound is marked
    with ≤ or ≥, one that may be either with a question mark.
    """
    known = limits(map_row)
    rows: list[Row] = []
    for layer in map_row["layers"]:
        used = (count(layer, key) for key in known)
        shape = "×".join(str(n) for n in layer["shape"])
        head = (layer["name"], shape, layer["parameters"], layer["weight_bits"], layer["n_cores"])
        rows.append((*head, *used, _binds(layer)))
    columns = (f"{words(key)} /{limit:,}" for key, limit in known.items())
    return Table(("layer", "shape", "parameters", "bits", "cores", *columns, "binds"), tuple(rows))


def policy_table(mappings: dict[str, dict[str, Any]]) -> Table:
    """One row per policy: chips, cores, the lower bound, and traffic per network step."""
    rows: list[Row] = []
    for policy, row in mappings.items():
        traffic = row["traffic"]
        rows.append(
            (
                policy,
                row["n_chips"],
                row["n_cores"],
                row["lower_bound_cores"],
                traffic["messages_per_step"],
                traffic["spike_hops_per_step"],
                traffic["max_link_per_step"],
            )
        )
    headers = ("policy", "chips", "cores", "lower bound", "messages", "hops", "busiest link")
    return Table(headers, tuple(rows))


def cost_table(map_row: dict[str, Any]) -> Table:
    """One row per published basis: energy of a step by part, its time, power if it was asked for.

    Nothing is counted for what a basis does not price; the last column names that.
    """
    parts = ("neurons", "synapses", "messages", "mesh", "total")
    powers: tuple[str, ...] = ()
    rows: list[Row] = []
    for name, by_basis in map_row["costs"].items():
        for basis, cost in by_basis.items():
            energy = (cost["energy_pj"][part] / 1000 for part in parts)
            times = (cost[key] / 1000 for key in ("makespan_ns", "step_ns"))
            power = cost["power_mw"]
            powers = () if power is None else ("dynamic", "static")
            watts = (power[key] for key in powers)
            without = words(", ".join(cost["unpriced"]))
            rows.append((f"{words(name)}, {basis}", *energy, *times, *watts, without or "–"))
    head = ("basis", *(f"{part} nJ" for part in parts), "busiest core µs", "step µs")
    return Table((*head, *(f"{key} mW" for key in powers), "without a price"), tuple(rows))


def ranking_table(candidates: list[dict[str, Any]], limit: int) -> Table:
    """The best-scored candidates, the count of live convolutions beside the score."""
    scored = [c for c in candidates if c["score"] is not None]
    best = sorted(scored, key=lambda c: (-c["score"], c["id"]))[:limit]
    headers = ("candidate", "score", "convolutions", "parameters", "stored KiB", "SynOps", "cores")
    rows: list[Row] = []
    for c in best:
        stored = round(c["stored_bits"] / BITS_PER_KIB, 1)
        synops = round(c["synops"])
        head = (c["id"], c["score"], c["convolutions"], c["params"])
        rows.append((*head, stored, synops, c["cores"]))
    return Table(headers, tuple(rows))


def rejection_table(candidates: list[dict[str, Any]]) -> Table:
    """How many candidates were priced out before scoring, by reason, most frequent first."""
    counts = Counter(c["rejected"] for c in candidates if c["rejected"] is not None)
    return Table(("rejected because", "candidates"), tuple(counts.most_common()))


def mismatch_table(simulate_row: dict[str, Any]) -> Table:
    """Spikes of each layer in the backend, and how many differ from the reference."""
    keys = ("name", "spikes", "mismatches")
    rows = tuple(tuple(layer[key] for key in keys) for layer in simulate_row["layers"])
    return Table(("population", "spikes", "differing"), rows)


def _binds(layer: dict[str, Any]) -> str:
    found = binding(layer)
    return "–" if found is None else f"{words(found.resource)} {found.share:.0%}"
