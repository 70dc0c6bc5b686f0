"""An alert is completed by the time that its survey asks for, not by its first good spectrum."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from wstdes.agents.ledger import SurveyLedger
from wstdes.survey.progress import CREDIT_S, SurveyProgress


@pytest.mark.parametrize(
    ("good", "completed"),
    [(["1/lr"], 0), (["1/lr", "2/lr"], 2), (["1/lr", "3/ifs"], 0), ([], 0)],
)
def test_good_exposures_must_give_the_time(good: list[str], completed: int) -> None:
    ledger: Any = object.__new__(SurveyLedger)
    survey = SimpleNamespace(noise="sky", required_s=10 * CREDIT_S)
    ledger.parts = SimpleNamespace(alert_survey=0, survey=[survey].__getitem__)
    ledger.state = SimpleNamespace(progress=[SurveyProgress()])
    steps = {"1/lr": {"sky": 9}, "2/lr": {"sky": 1}, "3/ifs": {"sky": 9}}
    ledger._complete_alerts(SimpleNamespace(answered=[4, 7], good=good, steps=steps))
    assert ledger.state.progress[0].completed == completed
