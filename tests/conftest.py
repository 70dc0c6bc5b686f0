"""What several tests share: small runs, made once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from wstdes.study.run import Run

# The first example of a property compiles what it calls, or loads it: no deadline for that.
settings.register_profile("wstdes", deadline=None)
settings.load_profile("wstdes")


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Three nights of the small scenario."""
    import wstdes

    return wstdes.run("small", out=tmp_path_factory.mktemp("runs") / "small")


@pytest.fixture(scope="session")
def stormy_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Four nights with a small buffer, a failing link, frequent faults and many alerts."""
    import wstdes

    overrides = [
        "network.links.mountain-santiago.fault_interval=12 h",
        "network.links.mountain-santiago.fault_repair=20 h",
        "network.checksum_failure_fraction=0.05",
        "computing.sites.mountain.capacity=2 TB",
        "telescope.fault_interval=3 h",
        "quality.defect_fraction=0.2",
        "alerts.prompt.rate=20 / d",
        "alerts.urgent.rate=10 / d",
        "focal_plane.broken_per_year=0.5",
    ]
    out = tmp_path_factory.mktemp("runs") / "stormy"
    return wstdes.run("small", nights=4, out=out, overrides=overrides)


@pytest.fixture(scope="session")
def reference() -> Path:
    """Reference data beside the checkout; tests that need them are skipped where they are not."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip(f"no reference data at {folder}")
    return folder
