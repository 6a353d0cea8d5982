"""Target files that tests write."""

from __future__ import annotations

from pathlib import Path

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
