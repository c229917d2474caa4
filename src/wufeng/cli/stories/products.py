"""The demo's people with the other products: daily interest, order instalments; and a bank that tells late."""

from datetime import date

from msgspec import Struct

from wufeng.cli.stories.actors import Actor, arrive, bind_account, buy, until
from wufeng.cli.stories.stage import Tell, yuan
from wufeng.client import Source, Wufeng
from wufeng.client.credit import Bill, Repayment

DAILY_PHONE, ORDERS_PHONE, TWIN_PHONE = "+8613800010003", "+8613800010004", "+8613800010005"
DRAWN_MINOR, AGAIN_MINOR, SCREEN_MINOR = 100_000, 200_000, 129_900


class Borrower(Struct, frozen=True):
    """A person of this part, and the bank account they repay from."""

    actor: Actor
    bank_account: str

    def __repr__(self) -> str:
        return f"Borrower({self.actor.person})"


async def draw_for_a_day(operator: Wufeng, staff: Wufeng, shop: Wufeng, tell: Tell) -> Borrower:
    """Daily interest: what is repaid on the day it is drawn costs nothing; then a draw that stays a week."""
    actor = await arrive(
        operator, staff, "demo-4", DAILY_PHONE, "沈知夏", 1_000_000, product="daily_interest"
    )
    account = await bind_account(operator.as_caller(actor.session), "6222021234567890128")
    who = Borrower(actor, account)
    await _draw(operator, who, shop, "DAY-1", DRAWN_MINOR)
    same_day = await _repay_by_bank(operator, who)
    tell(
        "daily interest: a draw is repaid from the bank on the same day",
        f"{yuan(same_day.amount_minor)} {same_day.status}, of it {yuan(_interest_minor(same_day))} interest",
    )
    await _draw(operator, who, shop, "DAY-2", DRAWN_MINOR)
    return who


async def repay_after_a_week(operator: Wufeng, who: Borrower, shop: Wufeng, tell: Tell) -> None:
    """Seven days of 0.04 %; then a draw that stays past the month's end."""
    after = await _repay_by_bank(operator, who)
    tell(
        "the next one after seven days",
        f"{yuan(after.amount_minor)}, of it {yuan(_interest_minor(after))} interest: 1,000.00 × 0.04% × 7 days",
    )
    await _draw(operator, who, shop, "DAY-3", AGAIN_MINOR)


async def look_at_the_month_end(operator: Wufeng, who: Borrower, tell: Tell) -> None:
    """A tenth of what is used, and the month's interest."""
    bill = (await operator.as_caller(who.actor.session).bills.list(line=who.actor.line).all())[0]
    interest_minor = sum(part.amount_minor for part in bill.parts if part.kind == "interest")
    tell(
        f"their bill of the month's end, {bill.issued_on}",
        f"{yuan(bill.total_minor)}: 10% of {yuan(AGAIN_MINOR)} and {yuan(interest_minor)} interest; "
        "the rest stays drawn",
    )


async def pay_the_minimum(operator: Wufeng, who: Borrower, tell: Tell) -> None:
    """On the due date."""
    paid = await operator.repayments.create(line=who.actor.line, amount_minor="minimum", source="external")
    line = await operator.as_caller(who.actor.session).lines.get(who.actor.line)
    tell("and pay it when it is due", f"{yuan(paid.amount_minor)}; {yuan(line.used_minor)} stay drawn")


async def buy_in_parts(operator: Wufeng, staff: Wufeng, shop: Wufeng, tell: Tell) -> Actor:
    """Order instalments: each order on due dates of its own, counted from the purchase."""
    who = await arrive(
        operator, staff, "demo-5", ORDERS_PHONE, "顾南风", 1_000_000, product="order_instalments"
    )
    await _buy_in_three(operator, who, shop, "SCR-1", tell, "order instalments: a screen in three parts")
    return who


async def pay_first_part(operator: Wufeng, who: Actor, tell: Tell) -> None:
    """Its bill came nine days before the due date."""
    paid = await operator.repayments.create(line=who.line, amount_minor="billed", source="external")
    tell("they pay the first part of the screen", f"{yuan(paid.amount_minor)} {paid.status}")


async def settle_early(operator: Wufeng, who: Actor, shop: Wufeng, tell: Tell) -> None:
    """On the 31st: another order, due on the last days of shorter months; and the first plan settled whole."""
    (first,) = await operator.as_caller(who.session).lines.draws(who.line).all()
    await _buy_in_three(operator, who, shop, "SCR-2", tell, "on the 31st another, due at the ends of months")
    settled = await operator.repayments.create(
        line=who.line, plan=f"pln_{first.id.removeprefix('drw_')}", source="external"
    )
    tell(
        "the screen's last part, not billed yet, is settled early",
        f"{yuan(settled.amount_minor)}, {yuan(settled.saved_minor)} of fees saved",
    )


async def start_twin(operator: Wufeng, staff: Wufeng, shop: Wufeng, amount_minor: int) -> Actor:
    """Somebody who buys the same on the same day as the first person of the story."""
    twin = await arrive(operator, staff, "demo-6", TWIN_PHONE, "林小暑", 500_000)
    await buy(operator, twin, shop, "TEA-3", "Longjing tea", amount_minor, Source(line=twin.line))
    return twin


async def hear_late(operator: Wufeng, twin: Actor, amount_minor: int, value_on: date, tell: Tell) -> None:
    """The bank took the money on the due date and says so three days later."""
    told = await operator.repayments.create(
        line=twin.line, amount_minor=amount_minor, source="external", value_on=value_on
    )
    tell(
        "a bank tells three days late that somebody else had paid half as well",
        f"{yuan(told.amount_minor)} {told.status}, and counts from {told.value_on}",
    )


async def compare(operator: Wufeng, mine: Bill, rest: Repayment, twin: Actor, tell: Tell) -> None:
    """Both pay the rest: what they owed is the same, to the fen."""
    theirs = await operator.repayments.create(line=twin.line, amount_minor="all", source="external")
    their_bill = (await operator.as_caller(twin.session).bills.list(line=twin.line).all())[0]
    same = (rest.amount_minor, mine.paid_minor) == (theirs.amount_minor, their_bill.paid_minor)
    tell(
        "and owes to the fen what the one owed who was in time" if same else "and owes another amount",
        f"{yuan(theirs.amount_minor)} and {yuan(rest.amount_minor)}, in all "
        f"{yuan(their_bill.paid_minor)} and {yuan(mine.paid_minor)}",
    )


async def _draw(operator: Wufeng, who: Borrower, shop: Wufeng, order_no: str, amount_minor: int) -> None:
    await buy(
        operator, who.actor, shop, order_no, "Tea for the office", amount_minor, Source(line=who.actor.line)
    )


async def _repay_by_bank(operator: Wufeng, who: Borrower) -> Repayment:
    me = operator.as_caller(who.actor.session)
    asked = await me.repayments.create(line=who.actor.line, amount_minor="all", source=who.bank_account)

    async def posted() -> int:
        return int((await me.repayments.get(asked.id)).status == "posted")

    await until(posted)
    return await me.repayments.get(asked.id)


async def _buy_in_three(
    operator: Wufeng, who: Actor, shop: Wufeng, order_no: str, tell: Tell, what: str
) -> None:
    payment = await buy(
        operator, who, shop, order_no, "Screen, 27 inches", SCREEN_MINOR, Source(line=who.line, tenor=3)
    )
    draw = (await operator.as_caller(who.session).lines.draws(who.line).all())[0]
    plan = await operator.as_caller(who.session).plans.get(f"pln_{draw.id.removeprefix('drw_')}")
    parts = ", ".join(f"{yuan(part.amount_minor)} on {part.due_on}" for part in plan.instalments)
    tell(what, f"{yuan(payment.amount_minor)}: {parts}")


def _interest_minor(repayment: Repayment) -> int:
    return sum(part.amount_minor for part in repayment.allocation if part.part.endswith("interest"))
