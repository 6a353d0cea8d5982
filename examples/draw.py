"""Draw ten digits as strokes of a pen, as a folder that ``--data folder:PATH`` takes.

``python examples/draw.py examples/digits`` wrote what lies there: 28 × 28 grey pixels, upright for
the test set and slanted for the training set. They belong to nobody else, unlike MNIST's.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from PIL import Image, ImageDraw

Point = tuple[float, float]
SIDE, MARGIN, FINER = 28, 4, 8  # pixels; drawn so many times larger
PEN = 2.6
SLANTS = {"train": (-0.15, 0.15), "test": (0.0, 0.25)}  # to the right per row


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float) -> list[Point]:
    """Points of an ellipse around (x, y), clockwise in degrees from three o'clock."""
    angles = [math.radians(start + (end - start) * i / 40) for i in range(41)]
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


STROKES: dict[str, list[list[Point]]] = {  # x to the right and y down, 0 … 1
    "0": [arc(0.5, 0.5, 0.33, 0.5, 0, 360)],
    "1": [[(0.52, 0.0), (0.48, 1.0)]],
    "2": [[*arc(0.5, 0.28, 0.32, 0.28, 190, 390), (0.2, 1.0), (0.85, 0.97)]],
    "3": [[*arc(0.45, 0.25, 0.32, 0.25, 200, 440), *arc(0.45, 0.74, 0.36, 0.26, -80, 160)]],
    "4": [[(0.3, 0.0), (0.18, 0.55), (0.85, 0.52)], [(0.72, 0.05), (0.66, 1.0)]],
    "5": [[(0.8, 0.0), (0.3, 0.02), (0.25, 0.42), *arc(0.45, 0.7, 0.35, 0.3, -120, 140)]],
    "6": [[(0.65, 0.0), (0.35, 0.3), *arc(0.5, 0.72, 0.3, 0.28, 190, 550)]],
    "7": [[(0.15, 0.05), (0.85, 0.03), (0.42, 1.0)]],
    "8": [arc(0.5, 0.25, 0.27, 0.25, 90, 450), arc(0.5, 0.75, 0.33, 0.25, -90, 270)],
    "9": [[*arc(0.5, 0.28, 0.28, 0.28, 0, -360), (0.78, 0.3), (0.66, 1.0)]],
}


def drawn(strokes: list[list[Point]], slant: float) -> Image.Image:
    """A digit in the middle of its image."""
    image = Image.new("L", (SIDE * FINER, SIDE * FINER))
    pen = ImageDraw.Draw(image)
    size = SIDE - 2 * MARGIN
    for stroke in strokes:
        line = [
            ((MARGIN + size * (x + slant * (0.5 - y))) * FINER, (MARGIN + size * y) * FINER)
            for x, y in stroke
        ]
        width = PEN * FINER
        pen.line(line, fill=255, width=round(width), joint="curve")
        for x, y in (line[0], line[-1]):  # round ends
            pen.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=255)
    return image.resize((SIDE, SIDE), Image.Resampling.BOX)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for part, slants in SLANTS.items():
        for digit, strokes in STROKES.items():
            (folder / part / digit).mkdir(parents=True, exist_ok=True)
            for number, slant in enumerate(slants):
                drawn(strokes, slant).save(folder / part / digit / f"{number}.png", optimize=True)


if __name__ == "__main__":
    main()
