"""Every bad scenario is refused before anything runs: where, which key, what, what instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wstdes.errors import ConfigError, Problem, WstdesError
from wstdes.facility import build, load
from wstdes.library import library

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(*lines: str, name: str = "mine.yaml") -> Path:
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return make


def refused(path: Path | str, overrides: tuple[str, ...] = ()) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load(path, overrides=overrides)
    assert caught.value.problems
    return caught.value.problems


def only(path: Path | str, overrides: tuple[str, ...] = ()) -> Problem:
    problems = refused(path, overrides)
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


ONE_LINE = [
    # what stands under `extends: small`, its line, its key path, words of message and hint
    (["seeed: 5"], 2, "seeed", ["'seeed'"], ["'seed'"]),
    (["telescope:", "  setle: 10 s"], 3, "telescope.setle", ["'setle'"], ["'settle'"]),
    (["telescope:", "  settle: 10"], 3, "telescope.settle", ["10 has no unit"], ["a time", "min"]),
    (["telescope:", "  settle: 3 m"], 3, "telescope.settle", ["'3 m' is not a time"], ["a time"]),
    (["telescope:", "  settle: 3 mins"], 3, "telescope.settle", ["'mins'", "unit"], ["20 min"]),
    (["telescope:", "  settle: fast"], 3, "telescope.settle", ["'fast'", "number"], ["20 min"]),
    (["telescope:", "  settle: inf s"], 3, "telescope.settle", ["'inf s'", "finite"], ["20 min"]),
    (
        ["telescope:", "  slewing_power: -5 kW"],
        3,
        "telescope.slewing_power",
        ["'-5 kW'", "greater than or equal to 0"],
        [],
    ),
    (["focal_plane:", "  lr_fibres: 0"], 3, "focal_plane.lr_fibres", ["0 ", "equal to 1"], []),
    (["start: 1972-12-31"], 2, "start", ["1972-12-31", "ephemerides", "1973-01-01"], []),
    (["name: x", "start: 2100-01-01"], 3, "start", ["2100-01-01", "2099-12-31"], []),
    (["start: 20410301"], 2, "start", ["20410301 is not a date", "2041-03-01"], []),
    (["nights: 0"], 2, "nights", ["0 ", "equal to 1"], []),
    (["nights: many"], 2, "nights", ["'many'", "integer"], []),
    (["nights: yes"], 2, "nights", ["'yes'", "integer"], []),
    (["name: a", "name: b"], 3, "name", ["second time", "line 2"], ["keep one"]),
    (["telescope: wst-12m5"], 2, "telescope", ["'wst-12m5'", "telescope"], ["'wst-12m4'"]),
    (
        ["computing:", "  sites:", "    centre:", "      cpu: cpu-2014"],
        5,
        "computing.sites.centre.cpu",
        ["'cpu-2014'", "node"],
        ["'cpu-2040'"],
    ),
    (
        ["surveys:", "  cosmo-deep:", "    mode: xr"],
        4,
        "surveys.cosmo-deep.mode",
        ["'xr'"],
        ["hr", "ifs", "lr"],
    ),
    (
        ["surveys:", "  cosmo-deep:", "    source: {kind: mock-galaxy}"],
        4,
        "surveys.cosmo-deep.source",
        ["'mock-galaxy'"],
        ["'mock-galaxies'"],
    ),
    (
        ["surveys:", "  cosmo-deep:", "    footprint: {declination_min: 60 deg}"],
        4,
        "surveys.cosmo-deep.footprint",
        ["empty", "declination_min"],
        [],
    ),
    (
        ["policies:", "  scheduling: {use: merrit}"],
        3,
        "policies.scheduling.use",
        ["'merrit'", "scheduling"],
        ["'merit'"],
    ),
    (
        ["policies:", "  queue: {use: no_such_module:Queue}"],
        3,
        "policies.queue.use",
        ["'no_such_module:Queue'", "cannot be imported"],
        [],
    ),
    (
        ["policies:", "  queue: {use: 'math:pi'}"],
        3,
        "policies.queue.use",
        ["'math:pi'", "no method key()"],
        [],
    ),
    (
        ["policies:", "  alerts: {options: {minimum_rat: 0.3}}"],
        3,
        "policies.alerts.options.minimum_rat",
        ["'minimum_rat'"],
        ["'minimum_rate'"],
    ),
    (
        ["policies:", "  retention: {options: {keep: 3}}"],
        3,
        "policies.retention.options.keep",
        ["3 has no unit", "a time"],
        [],
    ),
    (
        ["policies:", "  placement: {options: {products: montain}}"],
        3,
        "policies.placement.options.products",
        ["'montain' is no compute site"],
        ["'mountain'"],
    ),
    (
        ["policies:", "  placement: {options: {products: mountain}}"],
        3,
        "policies.placement.options.products",
        ["lr-redshift", "gpu nodes", "'mountain' has 0"],
        ["computing.sites.mountain"],
    ),
    (["observing: fast"], 2, "observing", ["'fast'", "group of keys"], []),
    (["telescope:"], 2, "telescope", ["group of keys"], []),
    (["name: 'not a name!'"], 2, "name", ["'not a name!'"], []),
    (
        ["pipeline:", "  stages:", "    lr-reduce: {needs: [raww]}"],
        2,
        "pipeline",
        ["'lr-reduce'", "'raww'"],
        [],
    ),
]


@pytest.mark.parametrize(
    ("lines", "line", "path", "words", "hints"), ONE_LINE, ids=[" ".join(c[0]) for c in ONE_LINE]
)
def test_a_mistake_is_named_with_line_key_value_and_what_was_meant(
    write: Write, lines: list[str], line: int, path: str, words: list[str], hints: list[str]
) -> None:
    file = write("extends: small", *lines)
    problem = only(file)
    assert str(problem.where) == f"{file}:{line}"
    assert problem.path == path
    for word in words:
        assert word in problem.message
    for hint in hints:
        assert hint in problem.hint


def test_ten_mistakes_are_all_reported_in_the_order_of_their_lines(write: Write) -> None:
    file = write(
        "extends: small",
        "name: big",
        "seeed: 5",  # 3
        "start: 1960-01-01",  # 4
        "telescope:",
        "  use: wst-12m4",
        "  setle: 10 s",  # 7
        "  acquisition: 80",  # 8
        "  slewing_power: -5 kW",  # 9
        "  settle: 3 m",  # 10
        "focal_plane: wst-7mmm",  # 11
        "surveys:",
        "  cosmo-wide:",
        "    required: 40 mins",  # 14
        "    source: {kind: mock-galaxy, magnitude_min: 17, magnitude_max: 22.5}",  # 15
        "  cosmo-deep:",
        "    mode: xr",  # 17
        "    weight: 3",
        "    weight: 4",  # 19
        "policies:",
        "  scheduling: {use: merrit}",  # 21
        "  alerts: {options: {minimum_rat: 0.3}}",  # 22
        "  placement: {options: {quicklook: montain}}",  # 23
        "  queue: {use: 5}",  # 24
    )
    problems = refused(file)
    lines = [p.where.line for p in problems if p.where]
    assert lines == [3, 4, 7, 8, 9, 10, 11, 14, 15, 17, 19, 21, 22, 23, 24]
    assert {p.where.file for p in problems if p.where} == {str(file)}
    text = str(ConfigError(problems))
    assert text.startswith("15 problems in the scenario:\n")
    assert text.index("'seeed'") < text.index("wst-7mmm") < text.index("'montain'")


@pytest.mark.parametrize(("start", "nights"), [("2099-12-20", 12), ("1973-01-01", 36525 + 9825)])
def test_a_run_that_ends_outside_the_ephemerides_is_refused(
    write: Write, start: str, nights: int
) -> None:
    assert refused(write("extends: small", f"start: {start}", f"nights: {nights}"))


def test_the_first_and_last_possible_runs_are_accepted(write: Write) -> None:
    load(write("extends: small", "start: 1973-01-01"))
    load(write("extends: small", "start: 2099-12-28", "nights: 3"))


def test_a_run_that_ends_too_late_names_the_key_and_its_line(write: Write) -> None:
    problem = only(write("extends: small", "name: x", "start: 2099-12-20", "nights: 30"))
    assert "2100-01-19" in problem.message
    assert problem.path in {"start", "nights"}
    assert problem.where is not None
    assert problem.where.line in {3, 4}


def test_an_unknown_place_names_the_site_and_its_line(write: Write) -> None:
    problem = only(
        write("extends: small", "computing:", "  sites:", "    centre: {place: nowhere}")
    )
    assert "'nowhere'" in problem.message
    assert "mountain" in problem.message + problem.hint  # the places there are
    assert problem.path.startswith("computing.sites.centre")
    assert problem.where is not None
    assert problem.where.line == 4


def test_alerts_without_a_survey_that_takes_them_are_refused(write: Write) -> None:
    problem = only(write("extends: small", "surveys: {time-domain: null}"))
    assert "no survey with a source of kind alerts" in problem.message


def test_each_missing_key_is_named_at_the_line_of_its_group(write: Write) -> None:
    problems = refused(write("extends: small", "surveys:", "  new:", "    mode: lr"))
    missing = {p.path for p in problems}
    assert missing == {f"surveys.new.{k}" for k in ("title", "priority", "weight", "source")}
    assert {p.where.line for p in problems if p.where} == {3}
    assert {p.message for p in problems} == {"is missing"}


def test_an_empty_file_is_refused_in_words(write: Write) -> None:
    file = write("")
    problem = only(file)
    assert str(problem.where).startswith(str(file))
    assert "no scenario" in problem.message
    assert "--overlay" in problem.hint


def test_a_section_that_is_missing_is_named(write: Write) -> None:
    whole = load("small").resolved()
    for key in ("seed", "telescope", "policies"):
        text = json.dumps({k: v for k, v in whole.items() if k != key})
        problem = only(write(text))
        assert (problem.path, problem.message) == (key, "is missing")


@pytest.mark.parametrize("text", ["- a\n- b", "just words", "5"])
def test_a_scenario_that_is_no_mapping_is_refused(write: Write, text: str) -> None:
    file = write(text)
    problem = only(file)
    assert "mapping" in problem.message
    assert problem.where is not None
    assert problem.where.file == str(file)


@pytest.mark.parametrize(
    ("lines", "line"),
    [
        (["extends: small", "name:", "\t- a"], 3),
        (["extends: small", "  name: a"], 2),
        (["extends: small", "title: 'open"], None),
    ],
)
def test_broken_yaml_is_refused_with_its_line(
    write: Write, lines: list[str], line: int | None
) -> None:
    problem = only(write(*lines))
    assert "not YAML" in problem.message
    assert problem.where is not None
    assert problem.where.line is not None
    assert line is None or problem.where.line == line


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "latin.yaml"
    file.write_bytes("extends: small\ntitle: Café\n".encode("latin-1"))
    problem = only(file)
    assert "UTF-8" in problem.message
    assert problem.where is not None
    assert problem.where.file == str(file)


def test_anchors_are_refused_and_nothing_is_said_of_their_consequences(write: Write) -> None:
    problems = refused(write("extends: small", "title: &t Hello", "description: *t"))
    assert problems[0].where is not None
    assert problems[0].where.line == 2
    assert "anchors" in problems[0].message
    assert "extends" in problems[0].hint
    assert not [p for p in problems if "None" in p.message]


def test_extending_an_unknown_scenario_names_it_and_the_one_meant(write: Write) -> None:
    problem = only(write("name: x", "extends: bseline"))
    assert problem.where is not None
    assert problem.where.line == 2
    assert problem.path == "extends"
    assert "'bseline'" in problem.message
    assert "'baseline'" in problem.hint


def test_extending_a_missing_file_names_the_file(write: Write) -> None:
    problem = only(write("name: x", "extends: nowhere.yaml"))
    assert problem.where is not None
    assert problem.where.line == 2
    assert problem.path == "extends"
    assert "nowhere.yaml" in problem.message + problem.hint


def test_extending_itself_is_refused(write: Write) -> None:
    problem = only(write("name: x", "extends: mine.yaml"))
    assert "itself" in problem.message
    assert problem.where is not None
    assert problem.where.line == 2


def test_extending_itself_through_another_is_refused(write: Write) -> None:
    write("extends: mine.yaml", name="other.yaml")
    problem = only(write("extends: other.yaml"))
    assert "mine.yaml -> other.yaml -> mine.yaml" in problem.message


def test_extending_itself_by_another_spelling_of_its_path_is_refused(write: Write) -> None:
    file = write("")
    problem = only(write(f"extends: ../{file.parent.name}/mine.yaml"))
    assert "itself" in problem.message


@pytest.mark.parametrize("value", ["5", "{a: b}", "true"])
def test_extends_that_is_no_name_is_refused(write: Write, value: str) -> None:
    problem = only(write("name: x", f"extends: {value}"))
    assert problem.path == "extends"
    assert problem.where is not None
    assert problem.where.line == 2


def test_an_unknown_scenario_is_refused_with_the_one_meant() -> None:
    assert "'small'" in only("smal").hint
    assert "'overlays/dark-link'" in only("overlays/dark-lnk").hint
    assert "no file 'nowhere.yaml'" in only("nowhere.yaml").message


@pytest.mark.parametrize("text", ["nights", "=5", "telescope..settle=5 s", ""])
def test_set_without_a_key_or_a_value_is_refused(text: str) -> None:
    problem = only("small", (text,))
    assert "key.path=value" in problem.message
    assert str(problem.where) == f"--set {text}"
    assert "--set telescope.settle='10 s'" in problem.hint


def test_set_of_unknown_keys_and_of_bad_values_is_refused_all_at_once() -> None:
    problems = refused("small", ("telescope.setle=10 s", "nightz=4", "seed=-1", "nights=[1"))
    by_place = {str(p.where): p for p in problems}
    assert "'settle'" in by_place["--set telescope.setle=10 s"].hint
    assert "'nights'" in by_place["--set nightz=4"].hint
    assert "-1" in by_place["--set seed=-1"].message
    assert "not YAML" in by_place["--set nights=[1"].message


def test_mistakes_below_an_extended_file_name_that_file(write: Write) -> None:
    write("extends: small", "seeed: 3", name="below.yaml")
    problems = refused(write("extends: below.yaml", "nightz: 3"))
    assert [Path(p.where.file).name for p in problems if p.where] == ["mine.yaml", "below.yaml"]


def own_node(folder: Path, *changes: tuple[str, str]) -> Path:
    text = (library("hardware_models") / "node" / "cpu-2040.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "node.yaml"
    path.write_text(text, encoding="utf-8")
    return path


USE_OWN = (
    "extends: small",
    "computing:",
    "  sites:",
    "    centre:",
    "      cpu: {use: ./node.yaml}",
)


def test_an_own_hardware_model_is_used_from_beside_the_scenario(
    write: Write, tmp_path: Path
) -> None:
    own_node(tmp_path, ("value: 250", "value: 251"))
    node = load(write(*USE_OWN)).scenario.computing.sites["centre"].cpu
    assert node.idle_power_w == 251.0


@pytest.mark.parametrize(
    ("old", "new", "line", "word"),
    [
        ('source: "2 x 64 cores at rest", ', "", 4, "without a source"),
        ('source: "2 x 64 cores at rest"', "source: ' '", 4, "without a source"),
        (", confidence: assumed, range: [4, 8]}", "}", 3, "confidence is None"),
        ("assumed, range: [4, 8]", "guessed, range: [4, 8]", 3, "confidence is 'guessed'"),
        ("assumed, range: [4, 8]", "assumed, rnge: [4, 8]", 3, "'rnge'"),
    ],
)
def test_a_hardware_number_without_source_or_confidence_is_refused(
    write: Write, tmp_path: Path, old: str, new: str, line: int, word: str
) -> None:
    node = own_node(tmp_path, (old, new))
    problem = only(write(*USE_OWN))
    assert str(problem.where) == f"{node}:{line}"
    assert word in problem.message
    assert problem.path.startswith("computing.sites.centre.cpu.")


def test_a_bare_hardware_number_is_refused(write: Write, tmp_path: Path) -> None:
    old = (
        '{value: 4.0, source: "4 to 8 times the 2022 node by 2040", '
        "confidence: assumed, range: [4, 8]}"
    )
    node = own_node(tmp_path, (old, "4.0"))
    problem = only(write(*USE_OWN))
    assert str(problem.where) == f"{node}:3"
    assert "4.0 says nothing of where it comes from" in problem.message
    assert "source" in problem.hint


def test_an_own_hardware_model_that_is_missing_is_refused(write: Write) -> None:
    problem = only(write(*USE_OWN))
    assert "./node.yaml" in problem.message
    assert problem.where is not None
    assert problem.where.line == 5


BUILD = {
    "catalogue": (
        [
            "surveys:",
            "  mine:",
            "    title: m",
            "    mode: lr",
            "    priority: 1",
            "    weight: 1",
            "    required: 10 min",
            "    source: {kind: catalogue, path: nowhere.fits}",
        ],
        ["nowhere.fits", "no such file"],
    ),
    "footprint": (
        [
            "surveys:",
            "  cosmo-wide:",
            "    footprint: {declination_min: 60 deg, declination_max: 80 deg}",
        ],
        ["surveys.cosmo-wide.footprint", "rises", "from -80 to 30 deg"],
    ),
    "focal plane": (
        ["focal_plane:", "  pitch: 50 mm"],
        ["focal_plane.pitch", "50 mm", "649 mm", "a smaller pitch"],
    ),
    "solar": (
        ["power:", "  photovoltaics: {capacity_factor: 0.9}"],
        ["power.photovoltaics.capacity_factor", "0.9"],
    ),
    "no route": (
        ["network:", "  links:", "    mountain-santiago: {ends: [mountain, mars]}"],
        ["network.links", "'mountain'"],
    ),
    "standards": (["standards: {magnitude_max: 1}"], ["standards", "saturates", "magnitude_max"]),
}


@pytest.mark.parametrize("case", BUILD)
def test_what_only_building_can_find_is_refused_in_words(write: Write, case: str) -> None:
    lines, words = BUILD[case]
    loaded = load(write("extends: small", *lines))
    with pytest.raises(WstdesError) as caught:
        build(loaded)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("case", "line"), [("footprint", 4), ("focal plane", 3), ("solar", 3)])
def test_what_only_building_can_find_names_file_and_line(
    write: Write, case: str, line: int
) -> None:
    file = write("extends: small", *BUILD[case][0])
    with pytest.raises(WstdesError) as caught:
        build(load(file))
    assert f"{file}:{line}" in str(caught.value)
