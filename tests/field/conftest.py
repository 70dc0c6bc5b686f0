"""A small focal plane with both regimes of arms, and a field of targets for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wstdes.library import HARDWARE, shipped


@pytest.fixture(scope="session")
def small_plane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A YAML file: wst-2026 with 600 LR and 60 HR fibres."""
    from wstdes.config.tree import read_yaml

    document = read_yaml(shipped(HARDWARE, "focal_plane")["wst-2026"], [])
    assert document is not None
    text = shipped(HARDWARE, "focal_plane")["wst-2026"].read_text(encoding="utf-8")
    lines = []
    for line in text.splitlines():
        key = line.partition(":")[0]
        small = {"lr_fibres": 600, "hr_fibres": 60, "spectrographs_lr": 2, "spectrographs_hr": 1}
        if key in small:
            line = f'{key}: {{value: {small[key]}, source: "test", confidence: assumed}}'
        if key == "hole_radius":
            line = 'hole_radius: {value: 10, unit: mm, source: "test", confidence: assumed}'
        lines.append(line)
    path = tmp_path_factory.mktemp("hardware") / "small-plane.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def field(n: int, seed: int, ra: float, dec: float, radius: float = 0.15) -> dict[str, Any]:
    """Targets around a centre [deg]."""
    rng = np.random.default_rng(seed)
    r, a = radius * np.sqrt(rng.uniform(size=n)), rng.uniform(0.0, 2.0 * np.pi, n)
    decs = dec + r * np.cos(a)
    return {
        "id": np.arange(n) + 1000,
        "ra": (ra + r * np.sin(a) / np.cos(np.radians(decs))) % 360.0,
        "dec": decs,
        "priority": rng.integers(1, 100, n).astype(float),
        "survey": rng.choice(["cosmology", "stars"], n),
        "mode": np.where(rng.uniform(size=n) < 0.1, "HR", "LR"),
        "purpose": np.where(rng.uniform(size=n) < 0.05, "standard", "science"),
        "required_visits": rng.integers(1, 4, n),
    }


@pytest.fixture(scope="session")
def targets() -> dict[str, Any]:
    return field(3000, 5, 359.99, -30.0)
