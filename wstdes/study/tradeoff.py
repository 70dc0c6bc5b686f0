"""What the surveys cost each other: fibres that several of them wanted."""

from __future__ import annotations

import numpy as np

from wstdes.study.columns import Floats, Ints, floats, ints, texts
from wstdes.study.run import Run

__all__ = ["contested", "fibre_hours"]

_HOUR_S = 3600.0


def _given(run: Run) -> tuple[list[str], Floats, Floats, Floats, Ints]:
    """Surveys, and by visit and survey: wanted, assigned; hours and mode of each such row.

    Rows are visits by mode; surveys of other modes have nothing in them.
    """
    table = run.table("assignments")
    names = list(run.scenario.surveys)
    place = {n: i for i, n in enumerate(names)}
    modes = ("lr", "hr", "ifs")
    visits = run.table("visits", ["visit", "open_shutter_s"])
    length = int(max(ints(visits, "visit").max(initial=-1), ints(table, "visit").max(initial=-1)))
    hours = np.zeros(length + 1)
    hours[ints(visits, "visit")] = np.nan_to_num(floats(visits, "open_shutter_s")) / _HOUR_S
    survey = np.array([place[n] for n in texts(table, "survey")], dtype=np.int64)
    mode = np.array([modes.index(m) for m in texts(table, "mode")], dtype=np.int64)
    key, row = np.unique(ints(table, "visit") * len(modes) + mode, return_inverse=True)
    wanted = np.zeros((len(key), len(names)))
    assigned = np.zeros_like(wanted)
    wanted[row, survey] = floats(table, "wanted")
    assigned[row, survey] = floats(table, "assigned")
    return names, wanted, assigned, hours[key // len(modes)], key % len(modes)


def fibre_hours(run: Run) -> dict[str, float]:
    """Fibres on targets times open-shutter hours, by survey that fibres serve [fibre h]."""
    names, _, assigned, hours, _ = _given(run)
    sums = hours @ assigned
    return {n: float(sums[i]) for i, n in enumerate(names) if run.scenario.surveys[n].mode != "ifs"}


def contested(run: Run) -> dict[tuple[str, str], float]:
    """What the surveys cost each other [fibre h].

    Parameters
    ----------
    run : Run
        Complete or partial.

    Returns
    -------
    dict of tuple of str to float
        By the survey that wanted more fibres and the survey of the same mode that had them: in
        each visit, the targets without a fibre, as far as others had fibres, shared among these
        others by what each had.
    """
    names, wanted, assigned, hours, _ = _given(run)
    short = np.maximum(wanted - assigned, 0.0)
    others = assigned.sum(axis=1, keepdims=True) - assigned
    taken = np.minimum(short, others)
    found = {}
    for i, name in enumerate(names):
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(others[:, i] > 0, taken[:, i] / others[:, i], 0.0)
        by = (hours * each) @ assigned
        for k, other in enumerate(names):
            if k != i and by[k] > 0.0:
                found[name, other] = float(by[k])
    return found
