"""A network's figures as LitE-SNN's tables have them, with those of the designs beside it."""

from __future__ import annotations

from typing import Any, Final

from neurocomp.report.tables import Cell, Row, Table

OWN: Final = "this network"
MEGA: Final = 1e6
UNITS: Final = {
    "bits": "weight bits",
    "bit_synops": "bit-SynOps per image",
    "cores": "cores",
    "messages": "messages per image",
}
_WORK: Final = ("bit_synops", "stored_bit_synops", "additions", "multiplications")
_HEADERS: Final = (
    "design", "float", "integer", "MB", "stored KiB", "cores", "bits", "T", "bit-SynOps (M)",
    "as stored (M)", "additions (M)", "multiplications (M)", "mJ at 45 nm", "design hours",
)  # fmt: skip


def paper_table(summary: dict[str, Any]) -> Table:
    """A row for the network and one per baseline; no rows before the network is mapped."""
    if "figures" not in summary:
        return Table(_HEADERS, ())
    own = {
        **summary["figures"],
        "accuracy": summary["accuracy"],
        "cores": summary["mapping"]["n_cores"],
    }
    rows = [_row(OWN, own)]
    for other in summary.get("baselines", []):
        faulty = (f"{other['name']}: none within the limits", *[None] * (len(_HEADERS) - 1))
        over = [t for t, r in other.get("limits", {}).items() if not r["kept"]]
        name = other["name"] + (f" (beyond the limits: {', '.join(over)})" if over else "")
        rows.append(faulty if other["fault"] else _row(name, other))
    return Table(_HEADERS, tuple(rows))


def limits_table(summary: dict[str, Any]) -> Table:
    """A row per limit of a joint search: what its design was judged by, what the network takes."""
    headers = ("limit of", "at most", "judged", "trained and mapped", "kept")
    each = summary.get("limits", {}).items()
    rows = (
        (UNITS[term], r["limit"], r["judged"], r["final"], "yes" if r["kept"] else "no")
        for term, r in each
    )
    return Table(headers, tuple(rows))


def _row(name: str, row: dict[str, Any]) -> Row:
    cells: tuple[Cell, ...] = (
        *(f"{row['accuracy'][kind]:.2%}" for kind in ("float", "integer")),
        row["size_mb"],
        row["stored_bytes"] / 1024,
        row["cores"],
        ", ".join(map(str, row["weight_bits"])),
        row["timesteps"],
        *(row[key] / MEGA for key in _WORK),
        row["energy_mj"],
        row["design_hours"],
    )
    return (name, *cells)
