"""What a tile has left after visits: nobody is forgotten, and nothing is wanted twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from wstdes.agents.configuration import MODE_KIND, Configuration
from wstdes.agents.ledger import SurveyLedger
from wstdes.agents.observer import ObserverState
from wstdes.agents.pending import SurveyLedgerState
from wstdes.assembly import make_parts
from wstdes.facility import build, load
from wstdes.survey.progress import CREDIT_S

if TYPE_CHECKING:
    from pathlib import Path

    from wstdes.study.run import Run

ENOUGH_S = 4 * 3600.0
CADENCE = "surveys.milky-way.cadence={visits: 2, interval: 5 d, tolerance: 1 d}"


@pytest.fixture(scope="module")
def parts() -> Any:
    return make_parts(load("small", overrides=[CADENCE]))


class Account:
    """A ledger, and one tile that all surveys want."""

    def __init__(self, parts: Any) -> None:
        self.parts = parts
        self.ledger = SurveyLedger(parts, SurveyLedgerState())
        self.tile = int(np.flatnonzero(parts.tiling.inside[:, list(parts.tile_surveys)].all(1))[0])

    def number(self, name: str) -> int:
        return int(self.parts.survey_names.index(name))

    def column(self, name: str) -> int:
        return int(self.parts.tile_surveys.index(self.number(name)))

    def left(self, name: str) -> float:
        return float(self.ledger.remaining[self.tile, self.column(name)])

    def begin(
        self,
        visit: int,
        members: dict[str, range],
        wanted: dict[str, int],
        ifs: bool = False,
        at_s: float = 0.0,
    ) -> None:
        names = [n for n, some in members.items() for _ in some]
        numbers = np.array([self.number(n) for n in names], dtype=np.int16)
        surveys = self.parts.scenario.surveys
        c = Configuration(
            numbers,
            np.zeros(len(names), dtype=np.int64),
            np.array([i for some in members.values() for i in some], dtype=np.int64),
            np.array([surveys[n].required_s for n in names], dtype=np.float32),
            np.array([MODE_KIND[surveys[n].mode] for n in names], dtype=np.int8),
            {(self.number(n), 0): 100 for n in wanted},
            [],
            {self.number(n): count for n, count in wanted.items()},
            {self.number(n): len(members.get(n, ())) for n in wanted},
        )
        fields = self.number("ifs-fields") if ifs else None
        self.ledger.begin(visit, self.tile, fields, c, at_s)

    def expose(self, visit: int, exposure: int, mode: str = "lr", time_s: float = ENOUGH_S) -> None:
        given = {"sky": time_s, "source": time_s}
        self.ledger.credit(visit, exposure, mode, (0.0, 1.0), given)


def test_a_later_visit_is_not_forgotten_when_the_integral_field_of_a_first_one_ends(
    parts: Any,
) -> None:
    account, wide = Account(parts), "cosmo-wide"
    account.begin(0, {wide: range(40)}, {wide: 100}, ifs=True)
    account.expose(0, 0)
    account.ledger.close(0, "fibres")
    assert account.left(wide) == 60
    account.begin(1, {wide: range(40, 70)}, {wide: 60})
    account.expose(1, 1)
    account.ledger.close(1, "fibres")
    account.ledger.close(0, "ifs")
    assert account.left(wide) == 30
    account.ledger.verdict(0, 0, "lr", passed=False)
    assert account.left(wide) == 70


def test_a_field_wants_no_more_as_soon_as_it_has_its_time(parts: Any) -> None:
    account = Account(parts)
    required_s = parts.scenario.surveys["ifs-fields"].required_s
    account.begin(0, {}, {}, ifs=True)
    account.expose(0, 0, "ifs", 0.25 * required_s)
    assert account.left("ifs-fields") == pytest.approx(0.75, abs=CREDIT_S / required_s)
    account.expose(0, 1, "ifs", required_s)
    assert account.left("ifs-fields") == 0.0
    account.ledger.verdict(0, 1, "ifs", passed=False)
    assert account.left("ifs-fields") == pytest.approx(0.75, abs=CREDIT_S / required_s)


def test_a_survey_whose_fibres_others_took_still_wants_the_tile(parts: Any) -> None:
    """Only where none of a kind's fibres went to those before it can none reach its targets."""
    account = Account(parts)
    wanted = {"cosmo-deep": 80, "milky-way": 20, "bright-stars-hr": 7}
    account.begin(0, {"cosmo-deep": range(50)}, wanted)
    assert account.left("milky-way") == 20
    assert account.left("bright-stars-hr") == 0
    account.begin(1, {"milky-way": range(5)}, {"cosmo-deep": 3, "milky-way": 20})
    assert account.left("cosmo-deep") == 0


def test_a_tile_with_nothing_for_some_is_not_closed_to_others(parts: Any) -> None:
    account = Account(parts)
    before = account.left("cosmo-deep")
    account.ledger.nothing_in(account.tile, frozenset([account.number("bright-stars-hr")]))
    assert account.left("bright-stars-hr") == 0.0
    assert account.left("cosmo-deep") == before > 0.0
    assert account.left("ifs-fields") == 1.0


@pytest.mark.parametrize("exposed", [False, True])
def test_a_visit_without_a_good_exposure_is_none_of_a_cadence(parts: Any, exposed: bool) -> None:
    account, stars = Account(parts), "milky-way"
    where, column = np.array([account.tile]), account.column(stars)
    account.begin(0, {stars: range(9)}, {stars: 50}, at_s=100.0)
    if exposed:
        account.expose(0, 0)
    assert account.ledger.urgency(where, 200.0)[0, column] == 0.0
    account.ledger.close(0, "fibres")
    if exposed:
        account.ledger.verdict(0, 0, "lr", passed=False)
    assert account.ledger.state.served[account.tile, column] == 0
    assert account.ledger.state.tile_visits[account.tile] == 0
    assert account.ledger.urgency(where, 200.0)[0, column] == 1.0
    for visit, at_s in ((1, 300.0), (2, 500_000.0)):
        account.begin(visit, {stars: range(9)}, {stars: 50}, at_s=at_s)
        account.expose(visit, visit)
        account.ledger.close(visit, "fibres")
        account.ledger.verdict(visit, visit, "lr", passed=True)
    assert account.ledger.state.served[account.tile, column] == 2
    assert account.ledger.state.tile_visits[account.tile] == 2
    assert account.ledger.urgency(where, 1e7)[0, column] == 0.0


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_visits_in_vain_leave_no_date_whichever_is_judged_first(
    parts: Any, order: tuple[int, int]
) -> None:
    account, stars = Account(parts), "milky-way"
    for visit, at_s in enumerate((100.0, 600_000.0, 600_900.0)):
        account.begin(visit, {stars: range(9)}, {stars: 50}, at_s=at_s)
        account.expose(visit, visit)
        account.ledger.close(visit, "fibres")
    account.ledger.verdict(0, 0, "lr", passed=True)
    for visit in order:
        account.ledger.verdict(visit, visit, "lr", passed=False)
    assert account.ledger.state.last_s[account.tile, account.column(stars)] == 100.0
    assert account.ledger.state.served[account.tile, account.column(stars)] == 1


@pytest.mark.parametrize("cadence", ["null", "{visits: 4, interval: 5 d, tolerance: 1 d}"])
def test_a_survey_may_be_called_like_a_kind_of_noise(cadence: str) -> None:
    """Its credit is that of its own noise, and it changes nobody else's."""
    stars = "{kind: mock-stars, magnitude_min: 15, magnitude_max: 20, density_at_pole: 70 / deg2}"
    made = make_parts(
        load(
            "small",
            overrides=[
                "surveys.source={title: A, mode: lr, priority: 1, weight: 1, required: 4000 s, "
                f"noise: sky, cadence: {cadence}, source: {stars}}}",
            ],
        )
    )
    account = Account(made)
    account.begin(0, {"source": range(3), "milky-way": range(3)}, {"source": 9, "milky-way": 9})
    account.ledger.credit(0, 0, "lr", (0.0, 1.0), {"sky": 300.0, "source": 3000.0})
    progress = account.ledger.state.progress
    assert made.scenario.surveys["milky-way"].noise == "source"
    assert progress[account.number("source")].steps == 3 * 150
    assert progress[account.number("milky-way")].steps == 3 * 1500


def test_fields_with_times_of_their_own_need_these(tmp_path: Path) -> None:
    rows = ["id,ra,dec,required", "1,180,-30,600", "2,185,-30,30000"]
    (tmp_path / "own.csv").write_text("\n".join(rows))
    source = f"{{kind: catalogue, path: '{tmp_path / 'own.csv'}'}}"
    made = make_parts(load("small", overrides=[f"surveys.ifs-fields.source={source}"]))
    number = made.survey_names.index("ifs-fields")
    column, mine = made.tile_surveys.index(number), made.tiling.inside[:, number]
    needed = SurveyLedger(made, SurveyLedgerState()).needed()
    assert sorted(needed[mine, column]) == [600.0, 30000.0]


def test_a_visit_gives_a_field_with_a_cadence_its_share(parts: Any) -> None:
    made = make_parts(
        load(
            "small",
            overrides=[
                "surveys.ifs-fields.cadence={visits: 4, interval: 5 d, tolerance: 1 d}",
            ],
        )
    )
    account = Account(made)
    ledger, survey = account.ledger, account.number("ifs-fields")
    share_s = 0.25 * made.scenario.surveys["ifs-fields"].required_s
    account.begin(0, {}, {}, ifs=True)
    assert ledger.field_wants_s(0, survey, account.tile) == pytest.approx(share_s, abs=CREDIT_S)
    account.expose(0, 0, "ifs", 3.0 * share_s)
    assert ledger.field_wants_s(0, survey, account.tile) <= 0.0
    assert account.left("ifs-fields") == pytest.approx(0.75, abs=1e-3)


def test_what_is_still_needed_is_less_where_something_was_given(parts: Any) -> None:
    """Half of the time, to 40 of the 100 targets that are left in one tile."""
    account, wide = Account(parts), "cosmo-wide"
    required_s = parts.scenario.surveys[wide].required_s
    column = account.column(wide)
    assert (account.ledger.needed()[:, column] == required_s).all()
    account.begin(0, {wide: range(40)}, {wide: 100, "cosmo-deep": 9})
    account.expose(0, 0, "lr", 0.5 * required_s)
    needed = account.ledger.needed()[:, column]
    assert account.left(wide) == 100
    assert needed[account.tile] == pytest.approx(0.8 * required_s, rel=0.01)
    assert (np.delete(needed, account.tile) == required_s).all()


def test_what_finished_targets_got_beyond_their_need_helps_no_other(parts: Any) -> None:
    """40 are done three times over and 20 are begun: 40 of the 60 left need all their time."""
    account, wide = Account(parts), "cosmo-wide"
    required_s, column = parts.scenario.surveys[wide].required_s, account.column(wide)
    account.begin(0, {wide: range(40)}, {wide: 100})
    account.expose(0, 0, "lr", 3.0 * required_s)
    needed = account.ledger.needed()[:, column]
    assert account.left(wide) == 60
    assert (needed == required_s).all()
    account.begin(1, {wide: range(40, 60)}, {wide: 60})
    account.expose(1, 1, "lr", 0.75 * required_s)
    needed = account.ledger.needed()[:, column]
    assert 0.66 * required_s < needed[account.tile] < 0.76 * required_s  # 0.75 by target


def test_an_integral_field_that_lost_its_time_is_observed_again_in_the_same_stay() -> None:
    """Its first run had enough until quality control failed an exposure."""
    facility = build(
        load(
            "small",
            overrides=[
                "quality.defect_fraction=0.5",
                "surveys.ifs-fields.required=15 min",
                "surveys.cosmo-wide.required=2 h",
                f"site.open_fraction={[1.0] * 12}",
            ],
        )
    )
    states = facility.new_states()
    facility.simulate_day(states, 0)
    observer = states["observer"]
    assert isinstance(observer, ObserverState)
    pending = observer.ledger.pending
    assert not [visit for visit, p in pending.items() if p.streams]


def test_a_short_exposure_is_worth_less_than_its_share_of_a_long_one(small_run: Run) -> None:
    from wstdes.agents.conditions import Sensitivity

    sensitivity = Sensitivity(small_run.scenario)
    usual_s = small_run.scenario.observing.exposure_s
    rows = [e for e in small_run["exposures"].to_pylist() if e["mode"] == "ifs"]
    assert min(e["open_shutter_s"] for e in rows) < usual_s
    whole = sensitivity.noise_floor("ifs", usual_s)
    for row in rows:
        floor = sensitivity.noise_floor("ifs", row["open_shutter_s"])
        rate = row["signal"] ** 2 * (1.0 + whole) / (row["sky"] + floor)
        assert row["effective_s"] == pytest.approx(rate * row["open_shutter_s"])
