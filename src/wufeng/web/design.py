"""`/design`: every component in every state, with names and amounts at their longest, to be looked at."""

from wufeng.web.paging import Door, Page, Reply, Visit

NAMES = (
    "青禾家居旗舰店（西湖区文三路总店，原青禾木器行）",
    "West Lake Tea & Porcelain of the Old Harbour, Founded 1897",
    "Ø",
)
AMOUNTS = ((NAMES[0], 129_900), (NAMES[1], 9_876_543_210), (NAMES[2], 0), (NAMES[0], -1))
PLANS = (
    (1, 129_900, 0, 0, None),
    (3, 44_383, 3_248, 149_400, 44_382),
    (6, 22_624, 5_846, 152_700, 22_626),
    (12, 11_778, 11_431, 158_600, 11_773),
)
"""(months, each, cost in all, yearly rate in ppm, the last one): 1,299.00 by the shipped product's prices."""


async def show_design(visit: Visit) -> Reply:
    """The components. Nothing here is anybody's."""
    return visit.show("design.html", names=NAMES, amounts=AMOUNTS, plans=PLANS)


PAGES = (Page(method="GET", path="/design", operation="design", door=Door.CONSUMER, handle=show_design),)
