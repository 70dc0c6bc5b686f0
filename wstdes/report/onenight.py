"""A night as a picture: where the telescope looked, with what, under which sky."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from wstdes.clock import DAY_S, Clock
from wstdes.models.sky import DaySky, Horizon
from wstdes.report.figure import MONTHS, draw
from wstdes.report.palette import FAINT, GREY, INK, LIGHT, ORANGE, RED, SKY, STATES
from wstdes.report.section import Chart, Item, Nothing
from wstdes.report.text import count, figures, label
from wstdes.report.view import Floats, Rows, View

__all__ = ["chosen_nights", "night_pictures"]

HOUR_S = 3600.0
STEP_S = 300.0
TWILIGHT = "#F7E3C0"
NOBODY = "no survey's fibres"


def night_pictures(view: View) -> list[Item]:
    """The fullest night, and the one with the most alerts."""
    chosen = chosen_nights(view)
    if not chosen:
        return [Nothing("A night", "no night was used for science.")]
    return [_picture(_Night(view, n), key, why) for key, why, n in chosen]


def chosen_nights(view: View) -> list[tuple[str, str, int]]:
    """Key, reason and number of the nights worth a picture; each night once."""
    use = view.rows("time_use", ["night", "start_s", "end_s", "state"]).where(state="science")
    if not len(use):
        return []
    hours = np.bincount(use.num("night").astype(np.int64), use.seconds(), view.nights)
    chosen = [("fullest", "The fullest night", int(np.argmax(hours)))]
    alerts = view.interrupting.where(outcome="observed")
    nights = (alerts.num("shutter_open_s") // DAY_S).astype(np.int64)
    nights = nights[(nights >= 0) & (nights < view.nights)]
    if len(nights):
        busiest = int(np.argmax(np.bincount(nights)))
        if busiest != chosen[0][2]:
            chosen.append(("alerts-night", "The night with most alerts", busiest))
    return chosen


@dataclass(frozen=True)
class _Night:
    """The rows of a night."""

    view: View
    night: int

    def rows(self, name: str) -> Rows:
        """Rows of a table that has a column for the night."""
        return self.view.rows(name, where=pc.field("night") == self.night)

    @cached_property
    def sky(self) -> DaySky:
        site = self.view.run.scenario.site
        clock = Clock(self.view.start, site.longitude_rad)
        horizon = Horizon(site.latitude_rad, site.longitude_rad, site.height_m)
        return DaySky(clock, horizon, self.night * DAY_S)

    @cached_property
    def use(self) -> Rows:
        return self.rows("time_use")

    @cached_property
    def visits(self) -> Rows:
        rows = self.rows("visits")
        return rows.keep((rows.num("exposures") > 0) & np.isfinite(rows.num("start_s")))

    @cached_property
    def span(self) -> tuple[float, float]:
        """From the evening's twilight to the morning's [s]."""
        return float(self.use.num("start_s").min()), float(self.use.num("end_s").max())

    @cached_property
    def leaders(self) -> list[str]:
        """The survey with most fibres in each visit."""
        given = self.view.rows("assignments")
        given = given.keep(np.isin(given.num("visit"), self.visits.num("visit")))
        best: dict[int, tuple[float, str]] = {}
        for visit, n, survey in zip(
            given.num("visit"), given.num("assigned"), given.text("survey").tolist(), strict=True
        ):
            if n > best.get(int(visit), (0.0, ""))[0]:
                best[int(visit)] = (float(n), survey)
        return [best.get(int(v), (0.0, NOBODY))[1] for v in self.visits.num("visit")]

    @cached_property
    def alerts(self) -> tuple[Rows, Rows]:
        """Alerts that interrupt: those that came in this night, those that were answered in it."""
        rows, (begin, end) = self.view.interrupting, self.span
        came = (rows.num("arrival_s") >= begin) & (rows.num("arrival_s") <= end)
        shutter = rows.num("shutter_open_s")
        answered = (shutter >= begin) & (shutter <= end) & (rows.text("outcome") == "observed")
        return rows.keep(came), rows.keep(answered)

    def altitude(self, i: int, t_s: Floats) -> Floats:
        """Altitude of a visit's field [deg]."""
        ra, dec = np.radians(self.visits.num("ra_deg")), np.radians(self.visits.num("dec_deg"))
        ra, dec = self.sky.to_cirs(ra[i : i + 1], dec[i : i + 1])
        return np.degrees(self.sky.altaz(ra, dec, t_s)[0])


def _picture(night: _Night, key: str, why: str) -> Item:
    view = night.view
    use, visits = night.use, night.visits
    open_h = float(use.where(state="science").seconds().sum()) / HOUR_S
    dark_h = float(use.keep(use.text("state") != "twilight").seconds().sum()) / HOUR_S
    date = view.evening(night.night)
    came, answered = night.alerts
    title = (
        f"{why}, {date.day} {MONTHS[date.month - 1]} {date.year}: {count(len(visits))} visits, "
        f"shutter open {figures(open_h)} of {figures(dark_h)} h"
    )
    if len(came) or len(answered):
        title += f"; alerts that may interrupt: {len(came)} came in, {len(answered)} answered"

    def paint(figure: Any) -> None:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3.4, 1.25])
        _altitudes(upper, night)
        _strips(lower, night)
        handles = [*upper.get_legend_handles_labels()[0], *_state_handles(night)]
        figure.legend(handles=handles, loc="outside lower center", ncols=7, fontsize=8)

    caption = (
        "Above: altitude of each visit's field while its shutter was open and between its "
        "exposures, in the colour of the survey with most fibres in it; Sun and Moon; grey where "
        "the dome was closed. Below: exposures of the fibres and of the integral field, what the "
        "telescope did, and what of the light the clouds let through (the lighter the less; grey: "
        "closed). Alerts that may interrupt are marked when they came in, and at the shutter that "
        "answered."
    )
    columns = ["visit", "tile", "reason", "survey with most fibres", "shutter opens [h UTC]",
               "shutter closes [h UTC]", "airmass", "exposures"]  # fmt: skip
    zero = _midnight(night)
    data = [
        [int(v), None if np.isnan(t) else int(t), r, s, (a - zero) / HOUR_S, (b - zero) / HOUR_S,
         float(x), int(n)]
        for v, t, r, s, a, b, x, n in zip(
            visits.num("visit"), visits.num("tile"), visits.text("reason").tolist(), night.leaders,
            visits.num("start_s"), visits.num("end_s"), visits.num("airmass"),
            visits.num("exposures"), strict=True,
        )
    ]  # fmt: skip
    data = data or [[None] * len(columns)]
    return Chart(key, title, caption, draw(key, title, 5.9, paint), columns, data)


def _midnight(night: _Night) -> float:
    """0 h UTC of the evening's date, in seconds of the run."""
    start_s = night.sky.clock.start_unix_s
    return (start_s // DAY_S + night.night) * DAY_S - start_s


def _altitudes(axes: Any, night: _Night) -> None:
    begin, end = night.span
    t_s = np.arange(begin, end + STEP_S, STEP_S)
    states = [night.sky.at(float(t)) for t in t_s]
    for name, colour, style in (("sun", ORANGE, "-"), ("moon", FAINT, "--")):
        altitude = np.degrees([getattr(s, f"{name}_altitude_rad") for s in states])
        lit = f" ({100 * states[len(states) // 2].moon_illumination:.0f} % lit)"
        axes.plot(t_s, altitude, color=colour, lw=1.3, ls=style, zorder=1,
                  label=name.title() + (lit if name == "moon" else ""))  # fmt: skip
    seen: set[str] = set()
    for i, name in enumerate(night.leaders):
        a, b = night.visits.num("start_s")[i], night.visits.num("end_s")[i]
        moments = np.linspace(a, b, 12)
        axes.plot(moments, night.altitude(i, moments), lw=3.2, solid_capstyle="butt",
                  color=night.view.surveys.get(name, INK),
                  label="" if name in seen else label(name))  # fmt: skip
        seen.add(name)
    _closed(axes, night, seen)
    _mark_alerts(axes, night)
    axes.axhline(0.0, color=INK, lw=0.7)
    axes.set(xlim=(begin, end), ylim=(-32, 90), ylabel="altitude [deg]")
    axes.set_yticks([-30, 0, 30, 60, 90])


def _closed(axes: Any, night: _Night, seen: set[str]) -> None:
    use = night.use
    shut = use.keep(np.isin(use.text("state"), ["weather", "fault", "closed"]))
    for a, b in zip(shut.num("start_s"), shut.num("end_s"), strict=True):
        axes.axvspan(a, b, color=LIGHT, lw=0, zorder=0, label="" if "shut" in seen else "closed")
        seen.add("shut")


def _mark_alerts(axes: Any, night: _Night) -> None:
    came, answered = night.alerts
    if len(came):
        axes.scatter(came.num("arrival_s"), np.full(len(came), -27.0), marker="v", s=34, color=RED,
                     zorder=4, lw=0, label="alert comes in")  # fmt: skip
    if not len(answered):
        return
    place = {int(v): i for i, v in enumerate(night.visits.num("visit"))}
    x, y = [], []
    for visit, t in zip(answered.num("visit"), answered.num("shutter_open_s"), strict=True):
        if np.isfinite(visit) and int(visit) in place:
            x.append(t)
            y.append(float(night.altitude(place[int(visit)], np.array([t]))[0]))
    axes.scatter(x, y, marker="*", s=130, color=RED, zorder=5, ec="white", lw=0.7,
                 label="shutter opens on it")  # fmt: skip


def _strips(axes: Any, night: _Night) -> None:
    """Exposures, the use of time, the sky, one strip each."""
    exposures = night.rows("exposures")
    number = {int(v): i for i, v in enumerate(night.visits.num("visit"))}
    spans: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for row, fibres in ((3, True), (2, False)):
        mine = exposures.keep((exposures.text("mode") != "ifs") == fibres)
        for visit, a, b in zip(
            mine.num("visit"), mine.num("shutter_open_s"), mine.num("shutter_close_s"), strict=True
        ):
            lead = night.leaders[number[int(visit)]] if int(visit) in number else NOBODY
            name = lead if fibres else _ifs_survey(night.view)
            spans.setdefault((row, night.view.surveys.get(name, INK)), []).append((a, b - a))
    use = night.use
    for a, length, state in zip(use.num("start_s"), use.seconds(), use.text("state").tolist(),
                                strict=True):  # fmt: skip
        spans.setdefault((1, _colour(state)), []).append((a, length))
    for (row, colour), some in spans.items():
        axes.broken_barh(some, (row - 0.4, 0.8), lw=0, color=colour)
    _clouds(axes, night)
    axes.set(ylim=(-0.5, 3.5), xlabel=f"UTC [h], night of {night.view.evening(night.night)}")
    axes.set_yticks([3, 2, 1, 0], ["fibres", "integral field", "time", "sky"])
    zero, (begin, end) = _midnight(night), night.span
    hours = np.arange(np.ceil((begin - zero) / HOUR_S), np.floor((end - zero) / HOUR_S) + 1)
    axes.set_xticks(zero + hours * HOUR_S, [f"{h % 24:.0f}" for h in hours])
    axes.grid(visible=False, axis="y")


def _ifs_survey(view: View) -> str:
    names = [n for n, s in view.run.scenario.surveys.items() if s.mode == "ifs"]
    return names[0] if names else NOBODY


def _clouds(axes: Any, night: _Night) -> None:
    rows, (begin, end) = night.view.rows("conditions"), night.span
    rows = rows.keep((rows.num("end_s") > begin) & (rows.num("start_s") < end))
    columns = [rows.num(n) for n in ("start_s", "end_s", "transparency")]
    open_: NDArray[np.bool_] = rows.true("open")
    for a, b, clear, is_open in zip(*columns, open_, strict=True):
        left = max(a, begin)
        shade = float(np.clip(np.nan_to_num(clear, nan=1.0), 0.0, 1.0))
        axes.broken_barh([(left, min(b, end) - left)], (-0.4, 0.8), lw=0,
                         color=SKY if is_open else GREY,
                         alpha=0.25 + 0.75 * shade**2 if is_open else 1.0)  # fmt: skip


def _colour(state: str) -> str:
    return STATES.get(state, TWILIGHT if state == "twilight" else LIGHT)


def _state_handles(night: _Night) -> list[Any]:
    from matplotlib.patches import Patch

    there = set(night.use.text("state").tolist())
    known = {**STATES, "twilight": TWILIGHT}
    return [Patch(color=c, label=n) for n, c in known.items() if n in there]
