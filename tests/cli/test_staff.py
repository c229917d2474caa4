"""`wufeng staff`."""

from tests.cli.conftest import Installation


def test_the_life_of_a_member_of_staff(installation: Installation) -> None:
    made = installation.process(
        "staff", "add", "Ann", "--role", "operator", "--name", "Ann Lee", "--json"
    ).json
    assert (made["login"], len(made["password"])) == ("ann", 20)
    listed = {row["login"]: row for row in installation.wufeng("staff", "list", "--json").json}
    assert listed["ann"]["role"] == "operator" and listed["ann"]["books"] == ["test"]
    changed = installation.wufeng(
        "staff", "password", "ann", "--password-stdin", stdin="four words of nonsense\n"
    )
    assert (changed.code, changed.out) == (0, "ann signs in with the password you gave.\n")
    assert installation.wufeng("staff", "close", "ann").out == "Closed ann.\n"
    listed = {row["login"]: row for row in installation.wufeng("staff", "list", "--json").json}
    assert listed["ann"]["status"] == "closed"


def test_what_is_refused(installation: Installation) -> None:
    def said(*words: str, stdin: str = "") -> str:
        ran = installation.wufeng("staff", *words, stdin=stdin)
        assert ran.code == 2, ran.out
        return ran.err

    assert "This log-in name is taken." in said("add", "admin", "--role", "analyst")
    assert "2 to 64" in said("add", "?", "--role", "analyst")
    assert "12 to 256" in said("add", "bob", "--role", "analyst", "--password-stdin", stdin="short\n")
    assert "There is no book" in said("add", "bob", "--role", "analyst", "--book", "nowhere")
    assert "No such staff" in said("close", "nobody")
    assert "No such staff" in said("password", "nobody")
