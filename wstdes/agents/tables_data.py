"""Tables of the data and of the power: files, jobs, products, levels, loads."""

from __future__ import annotations

from wstdes.agents.columns import END, MODE, NIGHT, START, integer, moment, number, text
from wstdes.kernel import Column, Table

__all__ = ["DATA_TABLES"]

DATA_TABLES: tuple[Table, ...] = (
    Table(
        "transfers",
        "a file that crossed the network",
        (
            integer("transfer", "number of the transfer"),
            integer("product", "the product"),
            text("kind", "kind of the product"),
            text("source", "site it came from"),
            text("destination", "site it went to"),
            number("bytes", "size", "byte"),
            moment("queued", "when it was asked for"),
            moment("end", "when the last byte arrived"),
            Column("intact", "bool", "whether the checksum held; if not it is sent again"),
        ),
    ),
    Table(
        "jobs",
        "a computing job that ran to its end",
        (
            integer("job", "number of the job"),
            text("stage", "stage of the pipeline"),
            text("role", "quicklook, reduction or products"),
            MODE,
            Column("visit", "int", "the visit; null for a night's job"),
            Column("exposure", "int", "the exposure; null for a visit's or night's job"),
            NIGHT,
            text("site", "compute site"),
            text("pool", "cpu or gpu"),
            integer("nodes", "nodes it ran on"),
            integer(
                "times", "exposures (visits) it covers: 1, but where the flow of data is coarse"
            ),
            moment("ready", "when what it needs existed somewhere"),
            moment("queued", "when all inputs were at the site"),
            moment("start", "when it first ran"),
            moment("end", "when it was done"),
            number("node_s", "node-seconds used", "node s"),
            Column("output_product", "int", "the product it made"),
        ),
    ),
    Table(
        "products",
        "a product when it came to its end: in the archive, deleted or lost",
        (
            integer("product", "number of the product"),
            text("kind", "raw, calibration, quicklook, intermediate, reduced, products, telemetry"),
            text("stage", "what made it: an exposure, a calibration frame, a pipeline stage"),
            MODE,
            Column("visit", "int", "its visit"),
            Column("exposure", "int", "its exposure"),
            NIGHT,
            number("bytes", "size", "byte"),
            moment("created", "when it was written"),
            moment("shutter_close", "last shutter closing it holds data of"),
            text("outcome", "archived, deleted or lost"),
            moment("end", "when it was archived, deleted or lost"),
            moment("public", "when it is public; null if it is not archived"),
            text("lost_because", "why it was lost; or nothing"),
            text("parents", "products it was made from, separated by blanks"),
            text("software", "name and version of what made it"),
        ),
    ),
    Table(
        "stocks",
        "what was kept at a noon, by site, kind and state",
        (
            NIGHT,
            moment("t", "the noon that ends the night"),
            text("site", "where; 'network' for what is on its way to the archive"),
            text("kind", "kind of the products"),
            text(
                "state",
                "archived, queued (waits for the archive), in transit, ingesting, "
                "or working (not meant for the archive)",
            ),
            integer("files", "products"),
            number("bytes", "their size", "byte"),
        ),
    ),
    Table(
        "levels",
        "an interval in which a level kept its value",
        (
            START,
            END,
            number("value", "the level, in the unit of its name"),
            text("site", "where"),
            text(
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
            START,
            END,
            number("value", "power", "W"),
            text("agent", "who draws it"),
            text("load", "which of its loads; or nothing"),
            text("site", "where"),
            text("state", "power state"),
        ),
    ),
    Table(
        "supply",
        "an interval in which a site's supply kept its powers",
        (
            START,
            END,
            text("site", "where"),
            number("load_w", "what is drawn", "W"),
            number("solar_w", "solar output available", "W"),
            number("solar_used_w", "solar output used or stored", "W"),
            number("battery_w", "into the battery; negative when it gives", "W"),
            number("grid_w", "from the grid", "W"),
            number("carbon_kg_per_j", "carbon intensity of the grid", "kg/J"),
            number("stored_j", "energy in the battery at the end", "J"),
        ),
    ),
    Table(
        "telemetry",
        "a value of a channel in a telemetry file",
        (
            moment("t", "when it was read"),
            text("channel", "what"),
            number("value", "in the channel's unit"),
            text("unit", "unit"),
            integer("product", "the telemetry file"),
        ),
    ),
)
