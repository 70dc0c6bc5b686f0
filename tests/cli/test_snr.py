"""`wstdes snr`: its tables agree with the calculator, and bad input is told in words."""

from __future__ import annotations

import math

import pytest

import wstdes
from wstdes.cli.main import main
from wstdes.models.instrument import Calculator, Conditions


def told(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["wstdes", "snr", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def test_the_table_is_the_calculators(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(monkeypatch, "lr", "-m", "21", "--seeing", "0.9 arcsec", "--sky", "3") == 0
    lines = capsys.readouterr().out.splitlines()
    yellow = [line.split() for line in lines if line.strip().startswith("yellow")]
    scenario = wstdes.scenario("baseline").scenario
    calculator = Calculator(scenario, "lr", "yellow")
    conditions = Conditions(0.9 * math.pi / 648000, sky=3.0)
    limit = calculator.limiting_magnitude(5.0, 3600.0, conditions, per="angstrom")
    assert float(yellow[0][5]) == pytest.approx(limit, abs=0.006)
    found = float(calculator.signal_to_noise(21.0, 3600.0, conditions))
    assert float(yellow[1][3]) == pytest.approx(found, abs=0.006)
    order = [line.split()[0] for line in lines if line.startswith("  ") and line[2] != " "]
    assert order[1:5] == ["blue", "green", "yellow", "red"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mr",), "'mr' is not one of them"),
        (("lr", "--per", "pixels"), "did you mean 'pixel'?"),
        (("lr", "--source", "galaxy"), "--source"),
        (("lr", "--seeing", "0.8"), "--seeing: '0.8' has no unit"),
        (("lr", "--seeing", "-1 arcsec"), "is not positive"),
        (("lr", "--time", "0 s"), "--time: '0 s' is not positive"),
        (("lr", "--airmass", "0.9"), "--airmass: 0.9 is not between 1 and 40"),
        (("lr", "--snr", "0"), "--snr: 0 is not between"),
        (("lr", "--sky", "-2"), "--sky: -2 is not"),
        (("lr", "--source", "extended"), "--half-light-radius"),
        (("lr", "-m", "nan"), "--magnitude: nan is not between"),
        (("lr", "--scenario", "baselin"), "did you mean 'baseline'?"),
    ],
)
def test_bad_input_is_told_in_words(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    words: str,
) -> None:
    assert told(monkeypatch, *arguments) == 2
    assert words in capsys.readouterr().err
