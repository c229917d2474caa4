"""The policy file: what is shipped, and what is refused with the field that is wrong."""

from importlib import resources

import pytest

from wufeng.base.errors import ConfigurationError
from wufeng.credit.applications.model import ApplicationReason, Bound, Characteristic
from wufeng.credit.applications.policy import read_application_policy, shipped_application_policy
from wufeng.credit.applications.texts import consent_text, consent_title, reason_text, texts

SOURCE = (resources.files("wufeng.catalogue") / "policies" / "application.toml").read_text(encoding="utf-8")


def test_the_shipped_policy_has_its_name_and_hash() -> None:
    policy = shipped_application_policy()
    assert policy.name == "application@1"
    assert len(policy.content_hash) == 64


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("history_days = 90", "history_days = 0", "history_days"),
        ("months = 10", "months = -1", "affordability.months"),
        ("{ from = 1, points = 60 }", "{ from = 1, points = -60 }", "points of bank_accounts"),
        (
            "{ from = 2, points = 20 }, { from = 4",
            "{ from = 2, points = 50 }, { from = 4",
            "points of scenes",
        ),
        ("{ from = 3, points = 20 }", "{ from = 3, points = 50 }", "points of lines_elsewhere"),
        ("{ from = 1, points = 20 }, { from = 2", "{ from = 2, points = 20 }, { from = 2", "points of tier"),
        ("score_min = 330", "score_min = 250", "grade C"),
        ("max_minor = 20_000_00", "max_minor = 2_000_00", "grade B"),
        ('of = "scenes"', 'of = "payments"', "once for each"),
        ("refer_from = 190", "refer_from = 210", "refer_from"),
        ('name = "standard"', 'name = "list"', "no price standard"),
        ("used_min_ppm = 300_000", "used_min_ppm = 950_000", "used_min_ppm"),
        ("step_minor", "step", "step"),
    ],
)
def test_what_is_wrong_is_refused_by_name(old: str, new: str, told: str) -> None:
    assert old in SOURCE
    with pytest.raises(ConfigurationError, match=rf"application\.toml: .*{told}"):
        read_application_policy(SOURCE.replace(old, new, 1), "application.toml")


def test_everything_that_is_told_has_its_texts() -> None:
    for reason in ApplicationReason:
        assert reason_text(reason).adverse_action[0] in "CF"
    assert {f"points_{one.value}" for one in Characteristic} <= texts().keys()
    assert {f"bound_{one.value}" for one in Bound} <= texts().keys()
    for consent in shipped_application_policy().consents:
        assert consent_title(consent, "zh") and consent_text(consent, "en")
