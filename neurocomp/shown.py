"""Values as people read them, the same in the terminal and on every page."""

from __future__ import annotations

from typing import Any

WHOLE, TENTHS = 1e5, 100.0  # from here on a fraction has no decimals, one decimal


def shown(value: Any) -> str:
    """A value as text: thousands separated, four digits of a small fraction, – for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= TENTHS:
        return f"{value:,.0f}" if abs(value) >= WHOLE else f"{value:,.1f}"
    return f"{value:.4g}"
