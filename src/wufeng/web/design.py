"""`/design`: every component in every state, to be looked at."""

from wufeng.web.paging import Door, Page, Reply, Visit


async def show_design(visit: Visit) -> Reply:
    """The components, with names and amounts at their longest."""
    return visit.show("design.html")


PAGES = (Page(method="GET", path="/design", operation="design", door=Door.CONSUMER, handle=show_design),)
