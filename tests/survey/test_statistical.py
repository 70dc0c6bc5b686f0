"""The statistical account: nothing is lost or made, what is taken back was never given."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from wstdes.models.focalplane import HR, LR, FocalPlane, hexagonal_layout
from wstdes.survey import _levels
from wstdes.survey.calibrate import Rehearsal, Trial, calibrate
from wstdes.survey.law import Law
from wstdes.survey.pieces import Pieces, Reach, find_pieces, find_reach
from wstdes.survey.statistical import (
    UNIT,
    Claim,
    Row,
    StatisticalAccount,
    StatisticalModel,
    StatisticalState,
)

SCALE = 37.2
RA = np.array([1.0, 1.02, 1.01, 1.03, 1.2])
DEC = np.array([-0.5, -0.5, -0.48, -0.48, -0.5])


def _plane() -> FocalPlane:
    return hexagonal_layout(
        n_lr=600,
        n_hr=40,
        pitch_m=0.045,
        patrol_lr_m=0.03,
        patrol_hr_m=0.06,
        hole_radius_m=0.07,
        spectrographs_lr=2,
        spectrographs_hr=1,
    )


@pytest.fixture(scope="module")
def reach() -> Reach:
    return find_reach(_plane(), SCALE)


@pytest.fixture(scope="module")
def pieces(reach: Reach) -> Pieces:
    return find_pieces(RA, DEC, reach)


@pytest.fixture(scope="module")
def model(reach: Reach, pieces: Pieces) -> StatisticalModel:
    def dense(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(dec < -0.49, 4e5, 0.0)

    def sparse(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(ra), 5e4)

    numbers = pieces.integrate([dense, sparse, sparse])
    return StatisticalModel(
        pieces,
        (
            Row(0, LR, 2400.0),
            Row(1, LR, 3000.0, 0.5),
            Row(1, LR, 9000.0, 0.5),
            Row(2, HR, 7200.0),
        ),
        np.array([2.0, 3.0, 1.0]),
        np.stack([n.count for n in numbers], axis=1),
        np.stack([n.area_sr for n in numbers], axis=1),
        reach.share,
        Law(clumping=np.array([0.5, 0.2, 0.0])),
    )


def _open(model: StatisticalModel) -> StatisticalAccount:
    return StatisticalAccount(model, StatisticalState(), np.zeros((len(RA), 4)), (3, 0, 1))


def _time(sky: float, source: float) -> NDArray[np.float64]:
    return np.array([sky, sky, source])


WANTS = np.ones(3, dtype=np.bool_)
FIBRES, CAPACITY = (600, 40), (540, 38)


def test_pieces_are_what_the_same_tiles_see(pieces: Pieces, reach: Reach) -> None:
    """A random point's tiles, found one by one, are those of its piece."""
    rng = np.random.default_rng(1)
    ra, dec = rng.uniform(0.97, 1.06, 400), rng.uniform(-0.53, -0.45, 400)
    radius = np.arctan(reach.tangent)
    agree = 0
    for a, d in zip(ra, dec, strict=True):
        cosine = np.sin(d) * np.sin(DEC) + np.cos(d) * np.cos(DEC) * np.cos(a - RA)
        sees = set(np.flatnonzero(np.arccos(cosine) <= radius).tolist())
        n = len(pieces.rings) - 1
        ring = int((d + 0.5 * np.pi) / np.pi * n)
        count = pieces.rings[ring + 1] - pieces.rings[ring]
        piece = pieces.piece_of[pieces.rings[ring] + int(a / (2.0 * np.pi) * count)]
        own = pieces.pair[pieces.piece_start[piece] : pieces.piece_start[piece + 1]]
        agree += sees == (set(pieces.tile[own].tolist()) if piece >= 0 else set())
    assert agree >= 340  # the others lie within a step of an edge


def test_area_of_a_tile_is_that_of_its_circle(pieces: Pieces, reach: Reach) -> None:
    radius = np.arctan(reach.tangent)
    area = np.bincount(pieces.tile, pieces.area_sr[pieces.piece])
    assert area == pytest.approx(2.0 * np.pi * (1.0 - np.cos(radius)), rel=0.06)
    lonely, seen = pieces.field(1.2, -0.5)  # the last tile overlaps no other
    assert lonely.tolist() == pieces.piece[pieces.tile == 4].tolist()
    assert seen == pytest.approx(1.0)


def test_reach_is_what_patrol_discs_cover(reach: Reach) -> None:
    plane = _plane()
    rng = np.random.default_rng(2)
    x, y = rng.uniform(-1, 1, (2, 300)) * plane.reach_m * 0.7
    for kind in (LR, HR):
        away = np.hypot(plane.x_m[:, None] - x, plane.y_m[:, None] - y)
        covered = ((away <= plane.patrol_m[:, None]) & (plane.kind == kind)[:, None]).any(axis=0)
        found = reach.of(x, y, np.full(300, kind, dtype=np.int8))
        assert (found == covered).mean() > 0.98


def _mean_s(account: StatisticalAccount) -> NDArray[np.float64]:
    """Effective time that all targets of each row hold together, but for the finished [s]."""
    place = np.array([_levels.position(level) for level in range(_levels.LEVELS)])
    place[_levels.DONE] = 0.0
    held = (account.state.numbers * place).sum(axis=(0, 2)) / UNIT
    return np.asarray(held * account.model.required_s)


def test_numbers_at_the_start(model: StatisticalModel) -> None:
    account = _open(model)
    assert account.remaining[:, [3, 0, 1]] == pytest.approx(model.in_tiles())
    expected = 5e4 * 2.0 * np.pi * (1.0 - np.cos(np.arctan(model.pieces.tangent)))
    assert model.in_tiles()[:, 1] == pytest.approx(expected, rel=0.06)
    assert model.covered[2, 0] < 0.8 < model.covered[2, 1]


def test_credited_time_is_held(model: StatisticalModel) -> None:
    """Levels hold the credited time in the mean, whatever the amount."""
    account = _open(model)
    for seconds in (317.0, 411.5, 650.25):
        before = _mean_s(account)
        claim, _, assigned = account.configure(1, WANTS, FIBRES, CAPACITY)
        for kind in (LR, HR):
            account.credit(claim, kind, _time(seconds, seconds))
        rows = np.bincount(claim.members[:, 1], claim.members[:, 3], 4) / UNIT
        assert account.state.sums[:, 0].sum() == 0
        assert _mean_s(account) - before == pytest.approx(rows * seconds, rel=2e-3)
        assert np.bincount(model.survey, rows) == pytest.approx(assigned, abs=0.2)


def test_finished_when_the_time_adds_up(model: StatisticalModel) -> None:
    account = _open(model)
    for visit in range(3):
        claim, _, assigned = account.configure(4, WANTS, FIBRES, CAPACITY)
        account.credit(claim, HR, _time(0.0, 2400.0))
        done = account.totals(2).completed
        assert done == pytest.approx(0.0 if visit < 2 else assigned[2], abs=0.1)
    assert account.totals(2).observed == pytest.approx(3.0 * assigned[2], rel=0.02)
    assert account.totals(2).effective_s == pytest.approx(7200.0 * assigned[2], rel=0.02)
    assert account.remaining[4, 1] == pytest.approx(model.in_tiles()[4, 2] - done)


def test_undo_restores_everything(model: StatisticalModel) -> None:
    account = _open(model)
    first, _, _ = account.configure(0, WANTS, FIBRES, CAPACITY)
    account.credit(first, LR, _time(1111.3, 900.0))
    state = account.state
    kept = state.numbers.copy(), state.reached.copy(), state.sums.copy(), account.remaining.copy()
    claim, _, _ = account.configure(1, WANTS, FIBRES, CAPACITY)
    given_s = (_time(777.7, 900.0), _time(1999.9, 3.0))
    for effective_s in given_s:
        account.credit(claim, LR, effective_s)
    assert (state.numbers != kept[0]).any()
    for effective_s in given_s:
        account.undo(claim, LR, effective_s)
    assert (state.numbers == kept[0]).all()
    assert (state.sums == kept[2]).all()
    assert state.reached == pytest.approx(kept[1], abs=1e-6)
    assert account.remaining == pytest.approx(kept[3])


def test_claims_do_not_exceed_fibres(model: StatisticalModel) -> None:
    account = _open(model)
    claim, wanted, assigned = account.configure(0, WANTS, FIBRES, CAPACITY)
    of = claim.members[:, 3] / UNIT
    kind = model.kind[claim.members[:, 1]]
    assert of[kind == LR].sum() <= CAPACITY[LR] + 0.01
    assert of[kind == HR].sum() <= CAPACITY[HR] + 0.01
    assert (assigned <= wanted).all()
    assert assigned[1] > 0.85 * wanted[1] * model.reach[LR]  # first priority, few targets


def test_nothing_for_surveys_that_want_another_sky(model: StatisticalModel) -> None:
    account = _open(model)
    wants = np.array([True, False, False])
    claim, wanted, assigned = account.configure(0, wants, FIBRES, CAPACITY)
    assert set(claim.members[:, 1].tolist()) == {0}
    assert wanted[1:].tolist() == assigned[1:].tolist() == [0.0, 0.0]


def test_a_field_of_its_own_is_like_a_tile_there(model: StatisticalModel) -> None:
    account = _open(model)
    _, wanted, assigned = account.configure(3, WANTS, FIBRES, CAPACITY)
    claim, here, got = account.configure((float(RA[3]), float(DEC[3])), WANTS, FIBRES, CAPACITY)
    assert here == pytest.approx(wanted, rel=0.02)
    assert got == pytest.approx(assigned, rel=0.1)
    account.credit(claim, LR, _time(2400.0, 0.0))
    assert account.totals(0).completed == pytest.approx(got[0], abs=0.1)


STEPS = st.tuples(
    st.integers(0, 5),
    st.sampled_from([LR, HR]),
    st.integers(1, 5000),
    st.booleans(),
    st.booleans(),
)


@settings(max_examples=40)
@given(st.lists(STEPS, max_size=12))
def test_conservation(
    model: StatisticalModel, steps: list[tuple[int, int, int, bool, bool]]
) -> None:
    """Targets in are targets by level, after any visits and any late refusals."""
    account = _open(model)
    late: list[tuple[Claim, int, NDArray[np.float64]]] = []
    for tile, kind, seconds, refused, later in steps:
        where = tile if tile < len(RA) else (1.015, -0.49)
        claim, _, _ = account.configure(where, WANTS, FIBRES, CAPACITY)
        given_s = _time(float(seconds), 0.5 * seconds)
        account.credit(claim, kind, given_s)
        if refused and later:
            late.append((claim, kind, given_s))
        elif refused:
            account.undo(claim, kind, given_s)
    for claim, kind, given_s in late:
        account.undo(claim, kind, given_s)
    state = account.state
    assert (state.numbers >= 0).all()
    assert (state.numbers.sum(axis=2) == model.total).all()
    assert (state.sums[:, 0] == state.numbers[:, :, _levels.DONE].sum(axis=0)).all()
    assert (state.sums[:, 1] == (model.total - state.numbers[:, :, 0]).sum(axis=0)).all()
    left = [account.unfinished(tile).tolist() for tile in range(len(RA))]
    exact = np.isclose(account.remaining[:, [3, 0, 1]], left) | (
        account.remaining[:, [3, 0, 1]] == 0
    )
    assert exact.all()


def test_a_resumed_account_goes_on(model: StatisticalModel) -> None:
    account = _open(model)
    claim, _, _ = account.configure(0, WANTS, FIBRES, CAPACITY)
    account.credit(claim, LR, _time(800.0, 1.0))
    state, remaining = account.state, account.remaining.copy()
    copied = StatisticalState(
        state.numbers.copy(), state.reached.copy(), state.sums.copy(), state.effective_s.copy()
    )
    again = StatisticalAccount(model, copied, remaining, (3, 0, 1))
    for one in (account, again):
        claim, _, _ = one.configure(1, WANTS, FIBRES, CAPACITY)
        one.credit(claim, LR, _time(800.0, 1.0))
    assert (account.state.numbers == again.state.numbers).all()
    assert (account.remaining == again.remaining).all()


def test_calibration_finds_the_law_that_was(model: StatisticalModel) -> None:
    """Visits made by a law give it back, and the account then foretells them."""
    true = Law(np.array([0.6, 0.4]), np.ones(2), np.array([0.7, 0.3, 0.3]))
    rehearsals = []
    for tile in range(len(RA)):
        total = model.in_tiles()[tile] * model.reach[[LR, LR, HR]]
        left, trials = total.copy(), []
        for _ in range(6):
            got = np.zeros(3)
            for kind in (LR, HR):
                groups = model.groups(kind, WANTS)
                fibres = FIBRES[kind] * float(model.covered[tile].max())
                served = true.serve(
                    groups, np.zeros(3), left, total, fibres, float(CAPACITY[kind]), kind
                )
                np.add.at(got, groups[:, 0], served)
            trials.append(
                Trial(
                    WANTS,
                    FIBRES,
                    CAPACITY,
                    left.copy(),
                    np.zeros(3),
                    left.copy(),
                    total,
                    np.zeros(3),
                    got,
                    9000.0,
                    total - left + got,
                )
            )
            left = left - got
        rehearsals.append(Rehearsal(tile, tuple(trials)))
    found = calibrate(rehearsals, model, ["dense", "sparse", "high"])
    assert found.law.chance[LR] == pytest.approx(0.6, abs=0.1)
    assert found.law.clumping[0] > found.law.clumping[1]
    whole = [i for i, visit in enumerate(found.visit) if visit == 0]
    assert [found.survey[i] for i in whole] == ["dense", "sparse", "high"]
    for i in whole:
        # Trials had the mean reach of a field, the account has that of each piece.
        assert abs(found.assigned_error[i]) < 0.15 * found.assigned[i]
