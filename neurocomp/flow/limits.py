"""The limits of a joint search, held against the trained and mapped network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neurocomp.cost.litesnn import BITS_PER_MB
from neurocomp.errors import FitError
from neurocomp.spec.joint import Term

OPTIONS: dict[Term, str] = {  # how each limit is given; no option takes less than 1
    "bits": "--max-bits {}",
    "bit_synops": "--max-bit-synops {}",
    "cores": "--max-cores {}",
    "messages": "`messages: {}` under joint.budgets in the recipe",
}


def limits_row(
    limits: Mapping[Term, float],
    judged: Mapping[Term, float | None],
    figures: Mapping[str, Any],
    mapped: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """By limited term: ``limit``, what the search ``judged``, the ``final`` cost, and ``kept``.

    Args:
        judged: costs of the decoded design; None or absent where the search did not judge them.
        figures: of the trained network, as `neurocomp.flow.joint.figures_row`.
        mapped: `neurocomp.mapping.summary` of it, from measured rates.
    """
    final: dict[Term, float] = {
        "bits": round(BITS_PER_MB * figures["size_mb"]),
        "bit_synops": figures["bit_synops"],
        "cores": mapped["n_cores"],
        "messages": figures["timesteps"] * mapped["traffic"]["messages_per_step"],
    }
    return {
        term: {
            "limit": limit,
            "judged": judged.get(term),
            "final": final[term],
            "kept": final[term] <= limit,
        }
        for term, limit in limits.items()
    }


def require_kept(rows: Mapping[Term, Mapping[str, Any]], where: str) -> None:
    """End with exit code 3 where the trained network breaks a limit that its design kept.

    Raises:
        FitError: names each limit, by how much it is broken, and what to search with instead.
    """
    broken = {term: row for term, row in rows.items() if not row["kept"]}
    if not broken:
        return
    told = [
        f"{term}: {row['final']:,.0f} after training, {row['limit']:,.0f} allowed, "
        f"{row['final'] / row['limit'] - 1:.1%} more"
        for term, row in broken.items()
    ]
    lower = ", ".join(
        OPTIONS[term].format(max(1, int(row["limit"] ** 2 / row["final"])))
        for term, row in broken.items()
    )
    raise FitError(
        f"{where}: the design kept every limit, the trained network does not ({'; '.join(told)}); "
        f"all results are kept; search again with a limit lower by as much: {lower}"
    )
