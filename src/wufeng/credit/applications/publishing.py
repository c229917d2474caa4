"""Keeping the application policy: whoever reads a decision later reads the version that it names."""

from datetime import datetime

from wufeng.base.database import Connection
from wufeng.base.errors import ConfigurationError, not_found
from wufeng.credit.applications import store
from wufeng.credit.applications.policy import shipped_application_policy, shipped_source


async def publish_application_policy(db: Connection, at: datetime) -> None:
    """Keep the version that ships. Safe to repeat.

    Raises ConfigurationError for a text that changed under a version number that is taken.
    """
    policy = shipped_application_policy()
    await store.insert_policy(db, policy, shipped_source(), at)
    kept = await store.load_policy(db, policy.name)
    assert kept is not None, "it was just kept"
    if kept.content_hash != policy.content_hash:
        raise ConfigurationError(
            f"policy {policy.name}: its file has changed under the same version; "
            "decisions live by the old text, so give the new one a new version"
        )


async def kept_application_policy(db: Connection, name: str) -> store.KeptPolicy:
    """A version that was ever decided by, with its text, byte for byte. Raises not_found."""
    kept = await store.load_policy(db, name)
    if kept is None:
        raise not_found("application policy")
    return kept
