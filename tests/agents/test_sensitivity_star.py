"""One moment's image and signal are those of the models."""

from __future__ import annotations

import pytest

from wstdes.agents.conditions import Sensitivity
from wstdes.facility import load

ARCSEC = 4.848136811095360e-06


@pytest.mark.parametrize("mode", ["lr", "hr", "ifs"])
def test_one_moment_is_as_the_arrays_are(mode: str) -> None:
    sensitivity = Sensitivity(load("small").scenario)
    for seeing, mass in ((0.4, 1.0), (0.72, 1.3), (1.6, 2.1), (0.9, 1.73)):
        fwhm, signal = sensitivity.star(mode, seeing * ARCSEC, mass)
        assert fwhm == pytest.approx(float(sensitivity.image_quality(mode, seeing * ARCSEC, mass)))
        clear = sensitivity._clear(mode, seeing * ARCSEC, mass)
        assert signal == pytest.approx(float(clear), rel=1e-12)
