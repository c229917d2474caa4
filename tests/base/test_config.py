"""Settings come from two places, are refused when unknown, and never show a password."""

import os
import stat
from pathlib import Path

import pytest

from wufeng.base.config import (
    Durability,
    LogLevel,
    Settings,
    create_secrets,
    load_secrets,
    load_settings,
    mask_url,
    secrets_path,
    shown,
)
from wufeng.base.errors import ConfigurationError


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    (tmp_path / "wufeng.toml").write_text(
        'port = 9000\nworkers = 2\n[postgres]\nshared_buffers = "1GB"\njit = true\n'
    )
    settings = load_settings(
        {"WUFENG_DATA_DIR": str(tmp_path), "WUFENG_PORT": "9001", "WUFENG_LOG_LEVEL": "debug"}
    )
    assert (settings.port, settings.workers, settings.log_level) == (9001, 2, LogLevel.DEBUG)
    assert settings.postgres == {"shared_buffers": "1GB", "jit": "on"}
    assert settings.durability is Durability.SAFE
    assert settings.embedded


def test_the_file_may_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text(f'data_dir = "{tmp_path}/here"\n')
    settings = load_settings({"WUFENG_CONFIG": str(tmp_path / "other.toml"), "HOME": "/nowhere"})
    assert settings.data_dir == tmp_path / "here"


def test_without_any_setting_the_data_is_under_the_home() -> None:
    assert load_settings({"HOME": "/home/a b"}).data_dir == Path("/home/a b/.local/share/wufeng")
    assert load_settings({"HOME": "/h", "XDG_DATA_HOME": "/x"}).data_dir == Path("/x/wufeng")


@pytest.mark.parametrize(
    ("environ", "toml", "message"),
    [
        ({"WUFENG_PROT": "1"}, "", "WUFENG_PROT, which is no setting; did you mean WUFENG_PORT"),
        ({"WUFENG_POSTGRES": "x"}, "", "WUFENG_POSTGRES, which is no setting"),
        ({"WUFENG_PORT": "eighty"}, "", r"Expected `int`.*port"),
        ({"WUFENG_PORT": "70000"}, "", "port must be between 0 and 65535, is 70000"),
        ({"WUFENG_LOG_LEVEL": "loud"}, "", r"Invalid enum value 'loud'.*log_level"),
        ({"WUFENG_OWNER_DATABASE_URL": "postgresql://x"}, "", "owner_database_url without database_url"),
        ({"WUFENG_CONFIG": "/nowhere/wufeng.toml"}, "", "/nowhere/wufeng.toml, which is not there"),
        ({}, "prot = 1", "sets prot, which is no setting"),
        ({}, "port = ", "is not TOML"),
        ({}, 'port = "x"', r"port"),
        ({}, 'data_dir = "/elsewhere"', "cannot be set in the file that is found through it"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, environ: dict[str, str], toml: str, message: str) -> None:
    if toml:
        (tmp_path / "wufeng.toml").write_text(toml)
    with pytest.raises(ConfigurationError, match=message):
        load_settings({"WUFENG_DATA_DIR": str(tmp_path)} | environ)


def test_no_home_is_a_clear_refusal() -> None:
    with pytest.raises(ConfigurationError, match="set WUFENG_DATA_DIR"):
        load_settings({})


def test_names_for_tests_are_no_settings_and_no_error(tmp_path: Path) -> None:
    load_settings(
        {"WUFENG_DATA_DIR": str(tmp_path), "WUFENG_FAULTS": "1", "WUFENG_PLANT": "x", "WUFENG_SHARED": "/x"}
    )


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("postgresql://app:s3cret@db:5432/w", "postgresql://app:***@db:5432/w"),
        (
            "postgresql://app@db/w?password=s3cret&sslmode=require",
            "postgresql://app@db/w?password=***&sslmode=require",
        ),
        ("postgresql:///w?host=/run/x", "postgresql:///w?host=/run/x"),
    ],
)
def test_a_password_is_masked(url: str, masked: str) -> None:
    assert mask_url(url) == masked
    assert shown(Settings(data_dir=Path("/x"), database_url=url))["database_url"] == masked


def test_the_demos_secrets_are_not_shown() -> None:
    settings = Settings(
        data_dir=Path("/x"), demo_shop_key="sk_5ecret", demo_shop_webhook_secret="whsec_5ecret"
    )
    assert shown(settings)["demo_shop_key"] == shown(settings)["demo_shop_webhook_secret"] == "***"
    assert "5ecret" not in str(shown(settings))
    assert shown(Settings(data_dir=Path("/x")))["demo_shop_key"] is None


def test_secrets_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    previous = os.umask(0)
    try:
        made = create_secrets(settings)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(secrets_path(settings).stat().st_mode) == 0o600
    assert len(made.pepper) == len(made.sealing_key) == 32
    assert made.pepper != made.sealing_key
    assert create_secrets(settings) == load_secrets(settings) == made
    assert [path.name for path in settings.data_dir.iterdir()] == ["secrets.json"]
    assert "***" in repr(made)
    assert str(made.pepper) not in f"{made} {made!r}"


@pytest.mark.parametrize(
    ("text", "mode", "message"),
    [
        (None, 0o600, "run `wufeng init`"),
        ("{}", 0o600, "is damaged"),
        ('{"pepper": "AAAA", "sealing_key": "AAAA"}', 0o600, "each secret has 32 bytes"),
        ("{}", 0o644, "is open to others .mode 0644.: run `chmod 600"),
    ],
)
def test_broken_secrets_are_refused(tmp_path: Path, text: str | None, mode: int, message: str) -> None:
    settings = Settings(data_dir=tmp_path)
    if text is not None:
        secrets_path(settings).write_text(text)
        secrets_path(settings).chmod(mode)
    with pytest.raises(ConfigurationError, match=message):
        load_secrets(settings)


def test_providers_of_sign_ins_come_from_the_file_or_as_json(tmp_path: Path) -> None:
    told = '{"shop": {"issuer": "https://id.example", "client_id": "c", "callback_url": "https://pay.example/x"}}'
    settings = load_settings({"WUFENG_DATA_DIR": str(tmp_path), "WUFENG_OPENID": told})
    assert settings.openid["shop"].external_id_claim == "sub" and not settings.openid["shop"].sign_up
    assert shown(settings)["openid"] == {"shop": "https://id.example"}
    (tmp_path / "wufeng.toml").write_text(
        '[openid.shop]\nissuer = "http://localhost:9400"\nclient_id = "c"\ncallback_url = "http://localhost/x"\n'
    )
    assert load_settings({"WUFENG_DATA_DIR": str(tmp_path)}).openid["shop"].name == "OpenID"
    for wrong in (
        "{",
        '{"shop": {}}',
        told.replace("https://id", "http://id"),
        told.replace('"c"', '"c", "x": 1'),
    ):
        with pytest.raises(ConfigurationError):
            load_settings({"WUFENG_DATA_DIR": str(tmp_path), "WUFENG_OPENID": wrong})
