"""What the shop sells."""

from msgspec import Struct


class Product(Struct, frozen=True):
    """One thing on the shelf. Texts are messages of the catalogue; `slug` names its picture too."""

    slug: str
    name: str
    story: str
    price_minor: int


def _(message: str) -> str:
    """Marks a message: it is put into the visitor's language when a page is made."""
    return message


PRODUCTS = {
    product.slug: product
    for product in (
        Product(
            "lamp",
            _("Lamp “Low Moon”, hand-blown glass on a base of river oak, dims to a candle"),
            _("One switch, one glow. The glass is blown in Boshan; no two have the same moon."),
            129_900,
        ),
        Product(
            "kettle",
            _("Kettle “Ninety Degrees”, which keeps green tea from being scalded"),
            _("It stops at ninety degrees and says so quietly."),
            45_900,
        ),
        Product(
            "chair",
            _("Folding chair “Third Guest”, ash and woven paper cord"),
            _("Hangs on the wall until somebody comes."),
            238_000,
        ),
        Product(
            "radio",
            _("Radio “Harbour”, one knob, all stations by the sea"),
            _("Turn it and hear where the ships are. Runs for forty hours."),
            69_900,
        ),
    )
}
