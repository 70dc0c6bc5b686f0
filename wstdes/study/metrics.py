"""The summary: each metric from the tables alone, with its unit and what it means.

A metric is a function of a run that yields :class:`Metric`. Others are found by entry point
(group ``wstdes.metrics``), so that a new metric never needs a new run.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from wstdes.config.alerts import AlertClass
from wstdes.study.accounts import accounts, energy_by_agent, supply_by_site
from wstdes.study.alerts import Answers, alert_price
from wstdes.study.columns import texts
from wstdes.study.merit_metrics import efficiency, merit
from wstdes.study.metric import Metric, MetricFunction
from wstdes.study.run import Run

__all__ = ["EXPOSED", "METRICS", "Metric", "MetricFunction", "summarise"]

EXPOSED = ("exposure", "visit", "night")
"""Stages of raw products with exposures in them, by the grain of the data."""
TB = 1e12
MWH = 3.6e9


def _column(table: pa.Table, name: str) -> NDArray[np.float64]:
    return np.asarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.float64)


def _where(table: pa.Table, **equal: str) -> pa.Table:
    for name, value in equal.items():
        table = table.filter(pc.equal(table.column(name), value))
    return table


def _quantile(values: NDArray[np.float64], share: float) -> float | None:
    known = values[np.isfinite(values)]
    return float(np.quantile(known, share)) if len(known) else None


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None


def observing(run: Run) -> Iterator[Metric]:
    """How the nights were used."""
    table = run.table("time_use", ["start_s", "end_s", "state"])
    seconds = _column(table, "end_s") - _column(table, "start_s")
    state = texts(table, "state")
    total = float(seconds[state != "twilight"].sum())
    visits = run.table("visits", ["exposures"])
    yield Metric(
        "visits",
        int(np.sum(_column(visits, "exposures") > 0)),
        "",
        "visits with at least one exposure",
    )
    yield Metric("night_hours", total / 3600.0, "h", "time with the Sun below the science limit")
    for name, meaning in (
        ("science", "share of the night with the shutter open on science"),
        ("weather", "share of the night lost to weather"),
        ("fault", "share of the night lost to technical faults"),
        ("slew", "share of the night spent slewing"),
        ("reconfiguration", "share of the night spent waiting for positioners"),
        ("acquisition", "share of the night spent acquiring fields"),
        ("standard", "share of the night spent on short standard-star frames"),
        ("readout", "share of the night spent reading detectors"),
        ("calibration", "share of the night spent on attached calibration"),
        ("focus", "share of the night spent focusing"),
        ("closed", "share of the night closed by the calendar"),
        ("idle", "share of the night with nothing worth observing"),
    ):
        value = _share(float(seconds[state == name].sum()), total)
        yield Metric(f"share_{name}", value, "", meaning, name == "science")
    usable = total - float(seconds[np.isin(state, ["weather", "fault", "closed"])].sum())
    yield Metric(
        "open_shutter_fraction",
        _share(float(seconds[state == "science"].sum()), usable),
        "",
        "open-shutter share of the time that weather, faults and closed nights left",
    )


def fibres(run: Run) -> Iterator[Metric]:
    """How the fibres were used."""
    table = run.table("fibres")
    for mode in run.scenario.spectrographs.modes:
        if mode == "ifs":
            continue
        mine = _where(table, mode=mode)
        usable = sum(
            _column(mine, use).sum() for use in ("science", "standard", "sky", "unassigned")
        )
        yield Metric(
            f"fibres_{mode}_science",
            _share(_column(mine, "science").sum(), usable),
            "",
            f"share of usable {mode.upper()} fibres on targets, mean of the visits",
        )


def surveys(run: Run) -> Iterator[Metric]:
    """Where each survey stands."""
    table = run.table("progress")
    last = table.filter(pc.equal(table.column("night"), run.nights - 1)).to_pylist()
    for row in last:
        what = "fields" if run.scenario.surveys[row["survey"]].mode == "ifs" else "targets"
        yield Metric(
            f"completed_{row['survey']}",
            row["completed"],
            "",
            f"{what} of {row['survey']} with all the effective time they need",
        )
        yield Metric(
            f"observed_{row['survey']}",
            int(row["observed"]),
            "",
            f"exposures of {what} of {row['survey']} that count",
        )
    fibre = [r for r in last if run.scenario.surveys[r["survey"]].mode != "ifs"]
    yield Metric(
        "targets_completed",
        sum(r["completed"] for r in fibre),
        "",
        "targets of all fibre surveys with all the effective time they need",
        True,
    )


def integral_field(run: Run) -> Iterator[Metric]:
    """What the integral-field spectrograph gave, where there is one."""
    spectrograph = run.scenario.spectrographs.ifs
    if spectrograph is None:
        return
    progress = run.table("progress")
    last = progress.filter(pc.equal(progress.column("night"), run.nights - 1)).to_pylist()
    fields = [r for r in last if run.scenario.surveys[r["survey"]].mode == "ifs"]
    yield Metric(
        "ifs_spectra",
        sum(r["completed"] for r in fields) * spectrograph.spectra,
        "",
        "spectra of the integral-field fields that are finished, each counted once",
    )
    area = float(np.degrees(run.scenario.telescope.ifs_field_rad) ** 2)
    yield Metric(
        "ifs_area",
        sum(r["started"] for r in fields) * area,
        "deg2",
        "area of the integral-field fields that were begun, summed over surveys",
    )


def quality(run: Run) -> Iterator[Metric]:
    """What quality control found."""
    table = run.table("verdicts", ["passed"])
    failed = int(pc.sum(pc.invert(table.column("passed"))).as_py() or 0)
    yield Metric(
        "exposures_failed",
        _share(failed, table.num_rows),
        "",
        "share of exposures (by mode) that quality control sent back",
    )


def data(run: Run) -> Iterator[Metric]:
    """What was written, archived, lost, and how long it took."""
    products = run.table("products")
    stocks = run.table("stocks")
    last = stocks.filter(pc.equal(stocks.column("night"), run.nights - 1))
    archived = _column(_where(last, state="archived"), "bytes").sum()
    yield Metric("archived", archived / TB, "TB", "in the archive at the end, all kinds", True)
    raw = _where(last, kind="raw")
    here = {
        s: _column(_where(raw, state=s), "bytes").sum()
        for s in ("archived", "in transit", "queued", "ingesting")
    }
    lost = _column(_where(_where(products, kind="raw"), outcome="lost"), "bytes").sum()
    written = sum(here.values()) + lost
    yield Metric("raw_written", written / TB, "TB", "raw data written on the mountain")
    yield Metric(
        "raw_written_per_year",
        written / 1e15 * 365.25 / run.nights,
        "PB/yr",
        "raw data a year at this rate; WST expects 1 to 3 with products",
    )
    yield Metric(
        "raw_on_the_way",
        (written - here["archived"] - lost) / TB,
        "TB",
        "raw data written but not yet archived at the end",
    )
    yield Metric("raw_lost", lost / TB, "TB", "raw data lost, each with its reason")
    yield from _latencies(products)


def _latencies(products: pa.Table) -> Iterator[Metric]:
    done = _where(products, outcome="archived")
    for kind, stages, name, meaning in (
        ("raw", EXPOSED, "raw_latency", "shutter close to raw data in the archive"),
        ("reduced", (), "reduced_latency", "last shutter close to reduced data in the archive"),
        (
            "products",
            (),
            "products_latency",
            "last shutter close to science products in the archive",
        ),
    ):
        mine = _where(done, kind=kind)
        if stages:
            mine = mine.filter(pc.is_in(mine.column("stage"), pa.array(stages)))
        hours = (_column(mine, "end_s") - _column(mine, "shutter_close_s")) / 3600.0
        yield Metric(
            f"{name}_median", _quantile(hours, 0.5), "h", f"{meaning}, median", kind == "products"
        )
        yield Metric(f"{name}_95", _quantile(hours, 0.95), "h", f"{meaning}, 95 of 100 are faster")


def alerts(run: Run) -> Iterator[Metric]:
    """How fast alerts were answered; of those alone whose time was over before the run ended.

    An observed alert is settled at once and another only when it expires: to count all that are
    settled would flatter the shares.
    """
    found = Answers.read(run)
    for name, alert_class in run.scenario.alerts.items():
        yield from _answers(name, alert_class, found, found.of(name, later=False))
        if alert_class.follow_up is not None:
            mine = found.of(name, later=True)
            yield Metric(
                f"alerts_{name}_later_observed",
                _share(int((mine & found.observed).sum()), int(mine.sum())),
                "",
                f"made share of the visits that {name} alerts wanted after the first, and whose "
                "time was over before the run ended",
            )
    if run.scenario.alerts:
        yield from _price_of_alerts(run)


def _answers(
    name: str, alert_class: AlertClass, found: Answers, mine: NDArray[np.bool_]
) -> Iterator[Metric]:
    """How the first visits of a class were answered."""
    seen, count = mine & found.observed, int(mine.sum())
    minutes = (found.shutter_open_s[seen] - found.possible_s[seen]) / 60.0
    possible = int((mine & np.isfinite(found.possible_s)).sum())
    owed = alert_class.target_response_s / 60.0
    over = f"{name} alerts whose time was over before the run ended"
    yield Metric(f"alerts_{name}_over", count, "", over)
    share = _share(int(seen.sum()), count)
    yield Metric(f"alerts_{name}_observed", share, "", f"observed share of {over}")
    if alert_class.drop_out_per_s > 0:
        share = _share(int((mine & found.dropped).sum()), count)
        meaning = f"of {over}: share that dropped out before they were observed"
        yield Metric(f"alerts_{name}_dropped", share, "", meaning)
    for key, part, words in (("median", 0.5, "median"), ("p90", 0.9, "90 % within")):
        yield Metric(
            f"alerts_{name}_response_{key}",
            _quantile(minutes, part),
            "min",
            f"{name} alerts that were observed: from being up at night to shutter, {words}",
            alert_class.response == "switch" and key == "median",
        )
    if alert_class.response != "insert":
        yield Metric(
            f"alerts_{name}_in_time",
            _share(float((minutes <= owed).sum()), possible),
            "",
            f"of {over} and that were up at night: share with the shutter open within "
            f"{owed:g} min of it",
        )


def _price_of_alerts(run: Run) -> Iterator[Metric]:
    price = alert_price(run)
    yield Metric(
        "alerts_visits_hours", price.night_s / 3600.0, "h", "the night's time of visits for alerts"
    )
    yield Metric(
        "alerts_cut_hours",
        price.lost_s / 3600.0,
        "h",
        "open-shutter time that visits of the surveys lost to alerts that interrupted them",
    )
    yield Metric(
        "alerts_displaced",
        price.displaced,
        "",
        "fibres on alerts in fields of the surveys where none was left over: at most so many "
        "targets waited for another visit",
    )


def power(run: Run) -> Iterator[Metric]:
    """What was drawn and supplied."""
    supply = supply_by_site(run)
    total = sum(s["load"] for s in supply.values())
    yield Metric("energy", total / MWH, "MWh", "drawn at all sites", True)
    for site, sums in supply.items():
        yield Metric(f"energy_{site}", sums["load"] / MWH, "MWh", f"drawn at the site '{site}'")
    mountain = supply["mountain"]
    own = mountain["load"] - mountain["grid"]
    yield Metric(
        "solar_share_mountain",
        _share(own, mountain["load"]),
        "",
        "share of the mountain's load that Sun and battery covered",
    )
    computing = sum(v for (_, a), v in energy_by_agent(run).items() if a.startswith("computing@"))
    yield Metric("energy_computing", computing / MWH, "MWh", "drawn by computing nodes")


def carbon_and_money(run: Run) -> Iterator[Metric]:
    """What it cost."""
    entries = accounts(run)

    def total(account: str, *, observatory: bool = False, **equal: str) -> float:
        return sum(
            e.value
            for e in entries
            if e.account == account
            and (e.site == "observatory") == observatory
            and all(getattr(e, k) == v for k, v in equal.items())
        )

    yield Metric(
        "carbon",
        total("carbon") / 1e3,
        "tCO2e",
        "electricity, and the share of nodes, storage and power plant",
        True,
    )
    yield Metric(
        "carbon_electricity",
        total("carbon", item="electricity") / 1e3,
        "tCO2e",
        "from the grids' electricity",
    )
    yield Metric(
        "money_data_and_power",
        total("money") / 1e3,
        "kEUR",
        "electricity, links, and the share of nodes, storage and power plant",
        True,
    )
    yield Metric(
        "money_electricity", total("money", item="electricity") / 1e3, "kEUR", "electricity bought"
    )
    yield Metric(
        "money_observatory",
        total("money", observatory=True) / 1e3,
        "kEUR",
        "the run's share of building and operating the observatory",
    )


METRICS: dict[str, MetricFunction] = {
    "observing": observing,
    "fibres": fibres,
    "efficiency": efficiency,
    "surveys": surveys,
    "merit": merit,
    "quality": quality,
    "integral-field": integral_field,
    "data": data,
    "alerts": alerts,
    "power": power,
    "carbon-and-money": carbon_and_money,
}


def summarise(run: Run) -> dict[str, dict[str, Any]]:
    """Compute all metrics of a run.

    Parameters
    ----------
    run : Run
        With at least one night.

    Returns
    -------
    dict
        Metric to value, unit, meaning and headline.
    """
    found = {**METRICS, **{e.name: e.load() for e in entry_points(group="wstdes.metrics")}}
    return {
        m.name: {"value": m.value, "unit": m.unit, "meaning": m.meaning, "headline": m.headline}
        for function in found.values()
        for m in function(run)
    }
