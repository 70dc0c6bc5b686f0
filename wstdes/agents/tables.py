"""The tables of a run: what a row is, and what each column means.

Times are seconds of the run (TAI, since local mean solar noon of the first evening). The same
descriptions stand in the metadata of the Parquet fields.
"""

from __future__ import annotations

from wstdes.kernel import Column, Table

__all__ = ["TABLES"]


def _time(name: str, description: str) -> Column:
    return Column(f"{name}_s", "float", description, "s")


def _seconds(name: str, description: str) -> Column:
    return Column(f"{name}_s", "float", description, "s")


def _text(name: str, description: str) -> Column:
    return Column(name, "text", description)


def _int(name: str, description: str, unit: str = "") -> Column:
    return Column(name, "int", description, unit)


def _float(name: str, description: str, unit: str = "") -> Column:
    return Column(name, "float", description, unit)


_NIGHT = _int("night", "number of the night, from 0")
_VISIT = _int("visit", "number of the visit, from 0 in the whole run")
_MODE = _text("mode", "lr, hr or ifs")
_START = _time("start", "start of the interval")
_END = _time("end", "end of the interval")

TABLES: tuple[Table, ...] = (
    Table(
        "nights",
        "a night",
        (
            _NIGHT,
            _text("date", "date of its evening at the site"),
            _time("sunset", "end of civil day: Sun below the twilight limit"),
            _time("science_start", "Sun below the science limit"),
            _time("science_end", "Sun above the science limit"),
            _time("sunrise", "Sun above the twilight limit"),
            _float("moon_illumination", "lit share of the Moon at the middle of the night"),
            _int("visits", "visits made"),
            _text("closed", "the closure that took the night; or nothing"),
        ),
    ),
    Table(
        "time_use",
        "an interval between the twilights and what the telescope did in it",
        (
            _NIGHT,
            _START,
            _END,
            _text(
                "state",
                "science, standard, acquisition, slew, reconfiguration, readout, calibration, "
                "focus, weather, fault, idle, closed or twilight",
            ),
            Column("visit", "int", "visit it belongs to; null where it belongs to none"),
            _text(
                "cause",
                "what limited it: cloud, wind, humidity, telescope, no tile, or a closure",
            ),
        ),
    ),
    Table(
        "conditions",
        "a step of the weather",
        (
            _START,
            _END,
            _float("seeing_arcsec", "FWHM at zenith, 500 nm", "arcsec"),
            _float("transparency", "of the clouds, 1 is clear"),
            _float("wind_m_per_s", "wind speed", "m/s"),
            _float("humidity", "relative humidity, share of 1"),
            Column("open", "bool", "whether the dome may be open"),
            _text("closed_by", "cloud, wind, humidity, reopening, measured; or nothing"),
            _text("measured", "what was measured, not drawn: seeing, cloud, ...; or nothing"),
        ),
    ),
    Table(
        "visits",
        "a pointing with one configuration of the fibres",
        (
            _VISIT,
            _NIGHT,
            Column("tile", "int", "tile of the tiling; null for a field set on an alert"),
            _int("pointing", "the visit that began the stay at this field"),
            _text("reason", "survey, switch or abort"),
            _float("ra_deg", "ICRS right ascension of the centre", "deg"),
            _float("dec_deg", "ICRS declination of the centre", "deg"),
            _float("ifs_ra_deg", "ICRS right ascension of the integral field; null: none", "deg"),
            _float("ifs_dec_deg", "ICRS declination of the integral field", "deg"),
            _time("decided", "when it was chosen"),
            _time("start", "first shutter opening"),
            _time("end", "last shutter closing"),
            _float("airmass", "at the start"),
            _float("sky", "sky brightness over a dark zenith, at the start"),
            _float("signal_expected", "light in the fibres over reference, expected when chosen"),
            _seconds("slew", "time to move the telescope"),
            _seconds("reconfiguration", "time to move the positioners"),
            _int("exposures", "exposures taken"),
            _seconds("open_shutter", "open-shutter time"),
            _seconds("planned_open", "open-shutter time that it was to have"),
            _seconds("goal", "effective time after which it was to end; null: by exposures"),
            Column(
                "allocation_gap",
                "float",
                "how far the sum of priorities may be from the greatest, relative; "
                "null where arms are not considered and it is the greatest",
            ),
            _float("score", "the scheduling policy's score"),
            Column("runner_up", "int", "the next best tile"),
            _float("runner_up_score", "its score"),
            _text("interrupted_by", "weather, fault, alert, night; or nothing"),
        ),
    ),
    Table(
        "scores",
        "a term of the score of a visit's tile, or of the next best",
        (
            _VISIT,
            _int("rank", "0: the tile that was chosen, 1: the next best"),
            _int("tile", "the tile"),
            _text("term", "what it counts"),
            _float("value", "what it counts for"),
        ),
    ),
    Table(
        "fidelity",
        "what the statistical fidelity makes of a survey's targets in fields held out of its "
        "calibration, beside their exact allocation",
        (
            _text("survey", "the survey"),
            _int("visit", "number of the visit of a field, from 1; 0: all of them together"),
            _float("assigned", "targets with a fibre in a field, assigned exactly, in the mean"),
            _float("assigned_error", "mean of expected less exact"),
            _float("assigned_rms", "root mean square of expected less exact"),
            _float("completed", "targets of a field finished by then, assigned exactly"),
            _float("completed_error", "mean of expected less exact"),
            _float("completed_rms", "root mean square of expected less exact"),
        ),
    ),
    Table(
        "fibres",
        "how the fibres of a mode were used in a visit",
        (
            _VISIT,
            _MODE,
            _int("science", "on targets of surveys"),
            _int("standard", "on flux standards"),
            _int("sky", "on blank sky"),
            _int("unassigned", "usable, on nothing"),
            _int("broken", "not usable"),
            _int("candidates", "targets in reach of the field that wanted a fibre"),
            _seconds(
                "unused_time",
                "fibre-time of unassigned fibres",
            ),
        ),
    ),
    Table(
        "assignments",
        "what a survey got in a visit",
        (
            _VISIT,
            _text("survey", "the survey"),
            _MODE,
            _int("wanted", "its unfinished targets in the field"),
            _int("assigned", "of these, with a fibre"),
        ),
    ),
    Table(
        "exposures",
        "an exposure of a mode",
        (
            _int("exposure", "number of the exposure, shared by the modes"),
            _VISIT,
            _NIGHT,
            _MODE,
            _time("shutter_open", "shutter opens"),
            _time("shutter_close", "shutter closes"),
            _time("readout_end", "last pixel read"),
            _seconds("open_shutter", "open-shutter time"),
            _seconds("effective", "effective time for a faint source, under the sky's noise"),
            _float("signal", "light in the fibres over that in reference conditions"),
            _float("airmass", "in the middle"),
            _float("seeing_arcsec", "at zenith, mean", "arcsec"),
            _float("image_quality_arcsec", "FWHM on the fibre or spaxel", "arcsec"),
            _float("transparency", "of the clouds, mean"),
            _float("sky", "sky brightness over a dark zenith"),
            _float("saturation_mag", "AB magnitude above which a star saturates", "mag"),
            _int("product", "the raw product it was written as"),
            Column("truncated", "bool", "stopped before its time"),
        ),
    ),
    Table(
        "verdicts",
        "quality control's verdict on an exposure of a mode",
        (
            _int("exposure", "number of the exposure"),
            _VISIT,
            _MODE,
            _time("judged", "when the verdict was given"),
            Column("passed", "bool", "whether it counts"),
            _text("reason", "why it failed: conditions, defect, short, lost; or nothing"),
            _float("signal", "light in the fibres over that in reference conditions"),
        ),
    ),
    Table(
        "calibrations",
        "a calibration frame of a mode",
        (
            _NIGHT,
            Column("visit", "int", "the visit it is attached to; null for twilight and day"),
            _MODE,
            _text("kind", "standard, attached, twilight or day"),
            _int("frames", "how many in a row: 1, but where the flow of data is coarse"),
            _time("start", "start of the first"),
            _time("end", "end of the last one's read-out"),
            _int("product", "the raw product it was written as"),
        ),
    ),
    Table(
        "alerts",
        "a visit that an alert wanted, when it was settled",
        (
            _int("alert", "number of the alert"),
            _text("alert_class", "its class"),
            _int("follow_up", "which visit of the alert, 0 for the first"),
            _text("response", "what it is owed: insert, switch or abort"),
            _float("ra_deg", "ICRS right ascension", "deg"),
            _float("dec_deg", "ICRS declination", "deg"),
            _time("arrival", "when the alert came in"),
            _time("asked", "from when on the visit could be made: the arrival for the first"),
            _time("expiry", "when it could no longer be made"),
            _time("dropped", "when the target dropped out; null if it did not before expiry"),
            _time(
                "possible",
                "when it was first up at night, whatever the weather; null if never, and "
                "not computed for alerts of response insert that expired",
            ),
            _text("outcome", "observed, expired or dropped"),
            Column("visit", "int", "the visit that observed it"),
            _time("decided", "when the observer took it up"),
            _time("shutter_open", "shutter opening of the exposure that answered it"),
            _time("shutter_close", "its shutter closing"),
            _time("quicklook", "its spectrum was reduced on site and passed"),
            _seconds(
                "target_response",
                "time its class is owed from alert to shutter; the width of its window for a "
                "follow-up",
            ),
        ),
    ),
    Table(
        "faults",
        "something that failed, when it was repaired",
        (
            _text("agent", "what failed"),
            _text("kind", "what went wrong"),
            _time("start", "when it failed"),
            _time("end", "when it worked again; null for what stays broken"),
            _int("count", "how many parts"),
        ),
    ),
    Table(
        "transfers",
        "a file that crossed the network",
        (
            _int("transfer", "number of the transfer"),
            _int("product", "the product"),
            _text("kind", "kind of the product"),
            _text("source", "site it came from"),
            _text("destination", "site it went to"),
            _float("bytes", "size", "byte"),
            _time("queued", "when it was asked for"),
            _time("end", "when the last byte arrived"),
            Column("intact", "bool", "whether the checksum held; if not it is sent again"),
        ),
    ),
    Table(
        "jobs",
        "a computing job that ran to its end",
        (
            _int("job", "number of the job"),
            _text("stage", "stage of the pipeline"),
            _text("role", "quicklook, reduction or products"),
            _MODE,
            Column("visit", "int", "the visit; null for a night's job"),
            Column("exposure", "int", "the exposure; null for a visit's or night's job"),
            _NIGHT,
            _text("site", "compute site"),
            _text("pool", "cpu or gpu"),
            _int("nodes", "nodes it ran on"),
            _int("times", "exposures (visits) it covers: 1, but where the flow of data is coarse"),
            _time("ready", "when what it needs existed somewhere"),
            _time("queued", "when all inputs were at the site"),
            _time("start", "when it first ran"),
            _time("end", "when it was done"),
            _float("node_s", "node-seconds used", "node s"),
            Column("output_product", "int", "the product it made"),
        ),
    ),
    Table(
        "products",
        "a product when it came to its end: in the archive, deleted or lost",
        (
            _int("product", "number of the product"),
            _text(
                "kind", "raw, calibration, quicklook, intermediate, reduced, products, telemetry"
            ),
            _text("stage", "what made it: an exposure, a calibration frame, a pipeline stage"),
            _MODE,
            Column("visit", "int", "its visit"),
            Column("exposure", "int", "its exposure"),
            _NIGHT,
            _float("bytes", "size", "byte"),
            _time("created", "when it was written"),
            _time("shutter_close", "last shutter closing it holds data of"),
            _text("outcome", "archived, deleted or lost"),
            _time("end", "when it was archived, deleted or lost"),
            _time("public", "when it is public; null if it is not archived"),
            _text("lost_because", "why it was lost; or nothing"),
            _text("parents", "products it was made from, separated by blanks"),
            _text("software", "name and version of what made it"),
        ),
    ),
    Table(
        "stocks",
        "what was kept at a noon, by site, kind and state",
        (
            _NIGHT,
            _time("t", "the noon that ends the night"),
            _text("site", "where; 'network' for what is on its way to the archive"),
            _text("kind", "kind of the products"),
            _text(
                "state",
                "archived, queued (waits for the archive), in transit, ingesting, "
                "or working (not meant for the archive)",
            ),
            _int("files", "products"),
            _float("bytes", "their size", "byte"),
        ),
    ),
    Table(
        "levels",
        "an interval in which a level kept its value",
        (
            _START,
            _END,
            _float("value", "the level, in the unit of its name"),
            _text("site", "where"),
            _text(
                "level",
                "stored_bytes, queued_jobs, busy_cpu_nodes, busy_gpu_nodes, "
                "flows, link_bytes_per_s",
            ),
        ),
    ),
    Table(
        "power",
        "an interval in which a load kept its power",
        (
            _START,
            _END,
            _float("value", "power", "W"),
            _text("agent", "who draws it"),
            _text("load", "which of its loads; or nothing"),
            _text("site", "where"),
            _text("state", "power state"),
        ),
    ),
    Table(
        "supply",
        "an interval in which a site's supply kept its powers",
        (
            _START,
            _END,
            _text("site", "where"),
            _float("load_w", "what is drawn", "W"),
            _float("solar_w", "solar output available", "W"),
            _float("solar_used_w", "solar output used or stored", "W"),
            _float("battery_w", "into the battery; negative when it gives", "W"),
            _float("grid_w", "from the grid", "W"),
            _float("carbon_kg_per_j", "carbon intensity of the grid", "kg/J"),
            _float("stored_j", "energy in the battery at the end", "J"),
        ),
    ),
    Table(
        "progress",
        "where a survey stands at a noon",
        (
            _NIGHT,
            _time("t", "the noon that ends the night"),
            _text("survey", "the survey"),
            _float("observed", "exposures of its targets that count (fields for ifs)"),
            _int("completed", "targets (fields) with all the effective time they need"),
            _int("started", "targets (fields) with some of it"),
            _seconds("effective", "effective time given, summed over targets"),
        ),
    ),
    Table(
        "tiles",
        "a tile of the tiling",
        (
            _int("tile", "the tile"),
            _text("name", "what people call it"),
            _float("ra_deg", "ICRS right ascension of the centre", "deg"),
            _float("dec_deg", "ICRS declination of the centre", "deg"),
            _int("pass", "which covering of the sky it belongs to, from 0"),
        ),
    ),
    Table(
        "coverage",
        "where a survey stands in a tile: at every thirtieth noon, and at the last",
        (
            _NIGHT,
            _int("tile", "the tile"),
            _text("survey", "a survey that the tile serves"),
            _float("remaining", "targets not finished, as far as visits have shown (ifs: share)"),
            _float("total", "targets expected in its field (ifs: one field)"),
        ),
    ),
    Table(
        "telemetry",
        "a value of a channel in a telemetry file",
        (
            _time("t", "when it was read"),
            _text("channel", "what"),
            _float("value", "in the channel's unit"),
            _text("unit", "unit"),
            _int("product", "the telemetry file"),
        ),
    ),
)
