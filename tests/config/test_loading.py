"""From files to a scenario: extends, overlays, --set, sources of numbers, digest, schema."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wstdes.config import Scenario, digest, find_scenario, scenario_names
from wstdes.config.data_systems import (
    ComputeSite,
    Grid,
    Network,
    Node,
    PipelineModel,
    PowerPlant,
    Storage,
)
from wstdes.config.focal_plane import FocalPlaneModel
from wstdes.config.hardware import Site, Spectrograph, Telescope
from wstdes.config.loading import Loaded
from wstdes.config.provenance import is_leaf
from wstdes.config.tree import parse_yaml
from wstdes.errors import Problem
from wstdes.facility import load
from wstdes.library import library

Write = Callable[..., Path]
MINUTE = 60.0


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return make


@pytest.fixture(scope="module")
def small() -> Loaded:
    return load("small")


# Laying one file over another -----------------------------------------------------------------


def test_the_nearest_file_of_an_extends_chain_wins(write: Write) -> None:
    write("extends: small\nnights: 5\nseed: 11\ntitle: C\n", "c.yaml")
    write("extends: c.yaml\nnights: 6\nseed: 12\n", "deep/../b.yaml")
    loaded = load(write("extends: b.yaml\nnights: 7\n", "a.yaml"))
    scenario = loaded.scenario
    assert (scenario.nights, scenario.seed, scenario.title) == (7, 12, "C")
    assert [Path(f).name for f in loaded.files[:4]] == ["a.yaml", "b.yaml", "c.yaml", "small.yaml"]
    assert {"no-gaia.yaml", "baseline.yaml"} <= {Path(f).name for f in loaded.files}


def test_of_several_parents_the_last_wins(write: Write) -> None:
    write("nights: 5\nseed: 1\n", "one.yaml")
    write("nights: 6\n", "two.yaml")
    scenario = load(write("extends: [small, one.yaml, two.yaml]\n")).scenario
    assert (scenario.nights, scenario.seed) == (6, 1)


def test_mappings_merge_and_lists_are_replaced(write: Write, small: Loaded) -> None:
    text = (
        "extends: small\nobserving: {exposures: 2}\n"
        "pipeline:\n  stages:\n    lr-reduce: {needs: [raw]}\n"
    )
    scenario = load(write(text)).scenario
    assert scenario.observing.exposures == 2
    assert scenario.observing.exposure_s == small.scenario.observing.exposure_s
    assert scenario.pipeline.stages["lr-reduce"].needs == ("raw",)


def test_overlays_lie_over_the_scenario_and_set_over_all(write: Write) -> None:
    first = write("nights: 5\nseed: 1\ntelescope: {settle: 1 s}\n", "first.yaml")
    second = write("nights: 6\n", "second.yaml")
    loaded = load(
        "small",
        overlays=[str(first), str(second)],
        overrides=["telescope.settle=2 s", "telescope.settle=3 s"],
    )
    scenario = loaded.scenario
    assert (scenario.nights, scenario.seed) == (6, 1)
    assert scenario.telescope.settle_s == 3.0


def test_set_reaches_into_a_named_hardware_model_and_leaves_the_rest(small: Loaded) -> None:
    changed = load("small", overrides=["computing.sites.centre.cpu.speed=9"]).scenario
    before, after = (s.computing.sites["centre"] for s in (small.scenario, changed))
    assert after.cpu.speed == 9.0
    assert after.cpu.busy_power_w == before.cpu.busy_power_w
    assert after.gpu == before.gpu
    assert changed.computing.sites["archive"] == small.scenario.computing.sites["archive"]


def test_set_reads_its_value_as_yaml() -> None:
    overrides = [
        "title='a: b'",
        "start=2030-05-06",
        "policies.queue={use: fifo}",
        "surveys.cosmo-wide.footprint.declination_max=0.1 rad",
    ]
    scenario = load("small", overrides=overrides).scenario
    assert scenario.title == "a: b"
    assert scenario.start.isoformat() == "2030-05-06"
    assert scenario.policies.queue.use == "fifo"
    assert scenario.surveys["cosmo-wide"].footprint.declination_max_rad == 0.1


def test_null_removes_an_entry(write: Write, small: Loaded) -> None:
    by_file = load(write("extends: small\nsurveys: {cosmo-deep: null}\n")).scenario
    by_set = load("small", overrides=["surveys.cosmo-deep=null"]).scenario
    assert set(small.scenario.surveys) - set(by_file.surveys) == {"cosmo-deep"}
    assert by_file.surveys == by_set.surveys


def test_another_model_replaces_the_values_set_for_the_first(write: Write) -> None:
    loaded = load(write("extends: small\nfocal_plane: {use: wst-2026}\n"))
    assert loaded.scenario.focal_plane.pitch_m == pytest.approx(6.2e-3)
    assert loaded.scenario.focal_plane.lr_fibres == 30000
    by_name = load(write("extends: small\nfocal_plane: wst-2026\n"))
    assert by_name.scenario.focal_plane == loaded.scenario.focal_plane


def test_the_same_model_keeps_the_values_set_for_it(write: Write, small: Loaded) -> None:
    scenario = load(write("extends: small\nfocal_plane: {use: wst-7mm, hr_fibres: 99}\n")).scenario
    assert scenario.focal_plane.hr_fibres == 99
    assert scenario.focal_plane.lr_fibres == small.scenario.focal_plane.lr_fibres == 2850


def test_another_kind_replaces_the_source_and_the_same_kind_merges(write: Write) -> None:
    text = "extends: small\nsurveys: {{cosmo-wide: {{source: {}}}}}\n"
    other = load(write(text.format("{kind: gaia}"))).scenario.surveys["cosmo-wide"].source
    assert other.kind == "gaia"
    assert other.magnitude_max == 10.0  # its own default, not the mock's
    same = load(write(text.format("{sampling: 0.5}"))).scenario.surveys["cosmo-wide"].source
    assert same.kind == "mock-galaxies"
    assert (same.magnitude_max, same.sampling) == (22.5, 0.5)


# Where numbers come from ----------------------------------------------------------------------


def test_each_number_of_the_hardware_has_its_provenance(small: Loaded) -> None:
    sources = small.provenance
    area = sources["telescope.effective_area_mos"]
    assert (area.value, area.confidence) == ("93.57 m2", "published")
    assert "pyetc_wst" in area.source
    assert sources["telescope.plate_scale"].confidence == "derived"
    assert sources["telescope.settle"].confidence == "assumed"
    assert sources["telescope.settle"].range == "[3, 15] s"
    assert sources["computing.sites.centre.grid.carbon"].confidence == "published"
    assert sources["focal_plane.pitch"].confidence == "set"
    assert "small.yaml" in sources["focal_plane.pitch"].source


def _numbers(model: Any, path: str = "") -> Iterator[str]:
    """Key paths of all numbers in plain data of a model (quantities are text with a unit)."""
    if isinstance(model, dict):
        for key, value in model.items():
            if key in {"title", "description"}:
                continue
            yield from _numbers(value, f"{path}.{key}" if path else key)
    elif isinstance(model, list):
        if model and not isinstance(model[0], str):
            yield path
    elif isinstance(model, bool):
        return
    elif isinstance(model, int | float) or (
        isinstance(model, str) and model.lstrip("-")[:1].isdigit() and " " in model
    ):
        yield path


def test_no_hardware_number_is_without_provenance(small: Loaded) -> None:
    data = small.resolved()
    hardware = (
        "site",
        "telescope",
        "focal_plane",
        "spectrographs",
        "network",
        "computing",
        "power",
        "pipeline",
    )
    numbers = {p for part in hardware for p in _numbers(data[part], part)}
    assert len(numbers) > 250
    assert numbers - set(small.provenance) == set()


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("telescope.settle", "10 s", "10 s"),
        ("site.latitude", "-30 deg", "-30 deg"),
        ("computing.sites.centre.cpu.speed", "8", "8"),
        ("focal_plane.broken_fraction", ".05", "0.05"),
        ("telescope.settle", ".5 min", ".5 min"),
    ],
)
def test_a_number_that_was_set_says_so(key: str, value: str, shown: str) -> None:
    sources = load("small", overrides=[f"{key}={value}"]).provenance
    assert sources[key].confidence == "set"
    assert sources[key].value == shown
    assert f"--set {key}={value}" in sources[key].source


def test_a_number_set_with_its_own_source_keeps_that_source(write: Write) -> None:
    leaf = "{value: 5, unit: s, source: measured at night, confidence: derived}"
    loaded = load(write(f"extends: small\ntelescope:\n  settle: {leaf}\n"))
    assert loaded.scenario.telescope.settle_s == 5.0
    assert loaded.provenance["telescope.settle"].source == "measured at night"
    assert loaded.provenance["telescope.settle"].confidence == "derived"


# What ships -----------------------------------------------------------------------------------

OVERLAYS = [n for n in scenario_names() if n.startswith("overlays/")]
SCENARIOS = [n for n in scenario_names() if n not in OVERLAYS and not n.startswith("studies/")]


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_shipped_scenario_loads(name: str) -> None:
    assert load(name).scenario.name == name


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_changes_the_baseline_and_loads(overlay: str) -> None:
    assert digest(load("baseline", overlays=[overlay]).scenario) != digest(
        load("baseline").scenario
    )


KINDS = {
    model.kind: model
    for model in (
        ComputeSite,
        FocalPlaneModel,
        Grid,
        Network,
        Node,
        PipelineModel,
        PowerPlant,
        Site,
        Spectrograph,
        Storage,
        Telescope,
    )
}
MODELS = sorted(
    p.relative_to(library("hardware_models")) for p in library("hardware_models").rglob("*.yaml")
)
WHERE_USED = {
    "compute_site": "computing.sites.centre",
    "focal_plane": "focal_plane",
    "grid": "network.grid",
    "network": "network",
    "node": "computing.sites.centre.cpu",
    "pipeline": "pipeline",
    "power": "power",
    "site": "site",
    "storage": "computing.sites.centre.storage",
    "telescope": "telescope",
}


def test_every_kind_of_hardware_model_is_known() -> None:
    assert {p.parts[0] for p in MODELS} == set(KINDS)


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_every_shipped_hardware_model_fits_the_schema(model: Path) -> None:
    kind, name = model.parts[0], model.stem
    problems: list[Problem] = []
    file = library("hardware_models") / model
    document = parse_yaml(file.read_text(encoding="utf-8"), str(file), problems)
    assert not problems
    assert document is not None
    where = WHERE_USED.get(kind) or f"spectrographs.{document.data['mode']}"
    overrides = [f"{where}={name}"]
    if kind == "compute_site":
        overrides += [f"{where}.place=centre", "policies.placement={use: least-backlog}"]
    if kind == "network":  # other facilities have other places
        places = [end for link in document.data["links"].values() for end in link["ends"]]
        away = [site for site in ("centre", "archive") if site not in places]
        overrides += [f"computing.sites.{site}.place={places[-1]}" for site in away]
    found: Any = load("small", overrides=overrides).scenario
    for part in where.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert isinstance(found, KINDS[kind])
    assert found.title == document.data["title"]


def _leaves(data: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if is_leaf(data) or not isinstance(data, dict | list):
        yield path, data
    else:
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from _leaves(value, f"{path}.{key}")


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_every_shipped_number_has_source_confidence_and_a_range_around_it(model: Path) -> None:
    file = library("hardware_models") / model
    document = parse_yaml(file.read_text(encoding="utf-8"), str(file), [])
    assert document is not None
    numbers = 0
    for path, leaf in _leaves(document.data):
        if not isinstance(leaf, dict):
            assert isinstance(leaf, bool) or not isinstance(leaf, int | float), path
            continue
        numbers += 1
        assert leaf["source"].strip(), path
        assert leaf["confidence"] in {"published", "derived", "assumed"}, path
        assert isinstance(leaf["value"], int | float | list), path
        if "range" in leaf:
            low, high = leaf["range"]
            assert low <= leaf["value"] <= high, path
    assert numbers or model.parts[0] in {"power", "compute_site"}, "a model without any number"


# The digest -----------------------------------------------------------------------------------


def shuffled(data: Any, draw: random.Random) -> Any:
    if isinstance(data, dict):
        items = list(data.items())
        draw.shuffle(items)
        return {k: shuffled(v, draw) for k, v in items}
    return data


def test_the_same_content_written_differently_has_the_same_digest(
    write: Write, small: Loaded
) -> None:
    data = small.resolved()
    assert digest(load(write(json.dumps(data), "same.yaml")).scenario) == digest(small.scenario)
    other = shuffled(data, random.Random(1))
    other["observing"]["exposure"] = "1.1 ks"
    other["telescope"]["settle"] = "8000 ms"
    other["telescope"]["drives_power"] = "0.06 MW"
    other["telemetry"]["file_interval"] = "60 min"
    text = "# a comment\n" + json.dumps(other, indent=3)
    assert digest(load(write(text, "other.yaml")).scenario) == digest(small.scenario)


@pytest.mark.parametrize(
    "change",
    [
        "seed=1",
        "title=another",
        "nights=4",
        "start=2041-03-02",
        "telescope.settle=8.000000001 s",
        "surveys.cosmo-wide.weight=1.0000001",
        "surveys.cosmo-deep=null",
        "policies.queue={use: fifo}",
        "policies.retention.options.keep=4 d",
        "computing.sites.archive.grid.price=0.2 EUR/(kW h)",
        "pipeline.stages.lr-reduce.archive=true",
    ],
)
def test_any_changed_value_gives_another_digest(small: Loaded, change: str) -> None:
    assert digest(load("small", overrides=[change]).scenario) != digest(small.scenario)


@pytest.mark.parametrize("name", ["small", "baseline"])
def test_resolved_and_readable_reload_to_the_same_scenario(write: Write, name: str) -> None:
    loaded = load(name)
    for number, data in enumerate((loaded.resolved(), loaded.readable())):
        again = load(write(json.dumps(data), f"{number}.yaml"))
        assert again.scenario == loaded.scenario
        assert digest(again.scenario) == digest(loaded.scenario)


def test_readable_keeps_values_as_they_were_written(small: Loaded) -> None:
    assert small.readable()["telescope"]["diameter"] == "12.4 m"
    assert small.readable()["surveys"]["cosmo-deep"]["required"] == "3.2 h"
    assert small.resolved()["surveys"]["cosmo-deep"]["required"] == "11520.0 s"


def test_a_scenario_cannot_be_changed_after_loading(small: Loaded) -> None:
    with pytest.raises(ValueError, match="frozen"):
        small.scenario.nights = 5  # type: ignore[misc]


def test_scenarios_of_one_digest_make_the_same_tables(write: Write, small: Loaded) -> None:
    """Whatever the order in which surveys, sites and links are written."""
    from wstdes.facility import build
    from wstdes.kernel.trace import digest_table

    data = small.resolved()
    for part in (data, data["computing"], data["network"]):
        for key in ("surveys", "sites", "links", "alerts"):
            if key in part:
                part[key] = dict(reversed(list(part[key].items())))
    other = load(write(json.dumps(data)))
    assert digest(other.scenario) == digest(small.scenario)
    days = []
    for loaded in (small, other):
        facility = build(loaded)
        days.append(facility.simulate_day(facility.new_states(), 0))
    differ = [n for n in days[0] if digest_table(days[0][n]) != digest_table(days[1][n])]
    assert differ == []


# YAML and JSON Schema -------------------------------------------------------------------------


def parsed(text: str) -> Any:
    problems: list[Problem] = []
    document = parse_yaml(text, "text", problems)
    assert not problems
    assert document is not None
    return document.data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e9", 1e9),
        ("1E-3", 1e-3),
        (".5", 0.5),
        ("-2", -2),
        ("007", 7),
        ("no", "no"),
        ("off", "off"),
        ("yes", "yes"),
        ("true", True),
        ("12:30:00", "12:30:00"),
        ("2041-03-01", "2041-03-01"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("'1e9'", "1e9"),
        ('"true"', "true"),
        ("~", None),
        ("null", None),
        ("", None),
        ("wst-12m4", "wst-12m4"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars_are_read_as_yaml_1_2(text: str, value: object) -> None:
    found = parsed(f"key: {text}")["key"]
    assert found == value
    assert type(found) is type(value)


def test_every_key_knows_its_line() -> None:
    document = parse_yaml("a:\n  b: 1\n  c:\n    - 2\n    - 3\nd: 4\n", "f", [])
    assert document is not None
    lines = {p: w.line for p, w in document.where.items()}
    assert lines[("a", "b")] == 2
    assert lines[("a", "c")] == 3
    assert lines[("a", "c", 1)] == 5
    assert lines[("d",)] == 6
    assert document.place(("a", "c", 1, "none")) == document.where[("a", "c", 1)]


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return Scenario.model_json_schema(by_alias=True)


KNOWN_WORDS = {
    "$defs", "$ref", "additionalProperties", "anyOf", "const", "default", "description",
    "discriminator", "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "items",
    "maxItems", "maximum", "minItems", "minLength", "minProperties", "minimum", "oneOf", "pattern",
    "prefixItems", "properties", "required", "title", "type",
    "unit",
}  # fmt: skip
PLAIN = {
    "string": str,
    "integer": int,
    "number": int | float,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def faults(value: Any, rule: Any, root: dict[str, Any], path: str = "") -> list[str]:
    """A plain reader of the words that our schema uses: where a value breaks a rule."""
    if rule is True:
        return []
    assert not set(rule) - KNOWN_WORDS, set(rule) - KNOWN_WORDS
    if "$ref" in rule:
        return faults(value, root["$defs"][rule["$ref"].rpartition("/")[2]], root, path)
    for word in ("anyOf", "oneOf"):
        if word in rule:
            tried = [faults(value, r, root, path) for r in rule[word]]
            fits = sum(not t for t in tried)
            return [] if fits == 1 or (fits and word == "anyOf") else [path]
    kind = rule.get("type")
    if kind and not isinstance(value, PLAIN[kind]):
        return [path]
    if isinstance(value, bool) and kind in {"integer", "number"}:
        return [path]
    bad = "const" in rule and value != rule["const"]
    bad |= "enum" in rule and value not in rule["enum"]
    if isinstance(value, str) and "pattern" in rule:
        bad |= re.search(rule["pattern"], value) is None
    if isinstance(value, int | float):
        bad |= value < rule.get("minimum", value) or value > rule.get("maximum", value)
        bad |= "exclusiveMinimum" in rule and value <= rule["exclusiveMinimum"]
    if isinstance(value, list):
        bad |= not rule.get("minItems", 0) <= len(value) <= rule.get("maxItems", len(value))
    found = [path] if bad else []
    if isinstance(value, dict):
        found += [f"{path}.{k}" for k in rule.get("required", ()) if k not in value]
        for key, inner in value.items():
            other = rule.get("additionalProperties", True)
            known = rule.get("properties", {}).get(key, other)
            found += [f"{path}.{key}"] if known is False else []
            found += faults(inner, known, root, f"{path}.{key}") if known is not False else []
    if isinstance(value, list):
        rules = rule.get("prefixItems") or [rule.get("items", True)] * len(value)
        for number, (inner, known) in enumerate(zip(value, rules, strict=False)):
            found += faults(inner, known, root, f"{path}.{number}")
    return found


def test_the_json_schema_accepts_resolved_scenarios(schema: dict[str, Any], small: Loaded) -> None:
    assert faults(small.resolved(), schema, schema) == []
    assert faults(small.readable(), schema, schema) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (".telescope.settle", 10),
        (".telescope.settle", "soon"),
        (".seed", -1),
        (".nights", 0),
        (".seeed", 1),
        (".focal_plane.lr_fibres", 0),
        (".surveys.cosmo-wide.mode", "xr"),
        (".surveys.cosmo-wide.source", {"kind": "mock-galaxy"}),
        (".policies.queue", {"options": {}}),
        (".site.open_fraction", [0.5]),
    ],
)
def test_the_json_schema_refuses_what_loading_refuses(
    schema: dict[str, Any], small: Loaded, path: str, value: object
) -> None:
    data = small.resolved()
    *above, key = path[1:].split(".")
    inner = data
    for part in above:
        inner = inner[part]
    inner[key] = value
    found = faults(data, schema, schema)
    assert found
    assert all(f.startswith(path) for f in found)


def test_the_json_schema_names_every_key_and_every_unit(schema: dict[str, Any]) -> None:
    assert set(schema["required"]) <= set(schema["properties"])
    assert set(schema["properties"]) == {f.alias for f in Scenario.model_fields.values()}
    assert schema["additionalProperties"] is False
    settle = schema["$defs"]["Telescope"]["properties"]["settle"]
    assert settle["type"] == "string"
    assert settle["unit"] == "s"
    assert settle["examples"] == ["20 min"]


def test_a_shipped_name_is_found_and_a_path_is_taken_as_it_is(write: Write) -> None:
    assert find_scenario("small") == library("scenarios") / "small.yaml"
    file = write("extends: small\n", "small.yaml")
    assert find_scenario(str(file)) == file
    assert find_scenario("small.yaml", file.parent) == file
