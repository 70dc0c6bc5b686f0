"""What the report says of measured weather."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from wstdes.report.view import Rows
from wstdes.report.weather import _measured


def test_the_share_that_was_measured_is_said_by_quantity() -> None:
    rows = Rows(pa.table({"measured": ["seeing", "seeing, cloud", "", "cloud"]}))
    text = _measured(rows, np.array([900.0, 900.0, 1800.0, 0.0]))
    assert "cloud in 25 %" in text
    assert "seeing in 50 %" in text
    assert _measured(Rows(pa.table({"measured": ["", ""]})), np.ones(2)) == ""
    assert _measured(Rows(pa.table({"open": [True]})), np.ones(1)) == ""
