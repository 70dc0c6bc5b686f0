"""DESI's own list of tiles is a list of tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wstdes.survey.tiles import read_tiles, serve


def test_the_tiles_of_desis_main_survey_are_read(reference: Path) -> None:
    table = read_tiles(reference / "desi" / "tile-info.fits")
    assert len(table) == 16071
    tiling = serve(
        table, ("dark", "bright"), {"DARK": ["dark"], "GRAY": ["dark"], "BRIGHT": ["bright"]}
    )
    assert tiling.inside.sum(axis=0).tolist() == [8038 + 2005, 6028]
    assert np.isfinite(tiling.design_ha_rad).all()
    assert np.abs(np.degrees(tiling.design_ha_rad)).max() < 60.0
    assert tiling.extinction_mag.min() > 0.0
    assert len(set(tiling.ids)) == 16071
    assert sorted(set(tiling.pass_.tolist())) == list(range(8))
