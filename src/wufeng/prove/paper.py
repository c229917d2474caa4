"""The model of P1: wallets, lines, bills and payments in plain dicts, as one would keep them on paper.

Sources: PRODUCTS.md 1.1 and 2, API.md. One line a person, draws on the next bill only, bills of the 1st and due on the
10th, 0.05 % a day after that, 10 % minimum. It knows nothing of batches, buckets, journals or SQL.
"""

from datetime import date, timedelta
from typing import Any

from wufeng.prove.audit import PPM, half_even

DAILY_PPM = 500
PRINCIPAL_FIRST_AFTER = 90
AUTHORISED_DAYS = 7
PAYABLE_FLOOR_MINOR = 1_000_000
CONFLICT = "state_conflict"
BALANCE_MAX_MINOR = 100_000
"""What an account of the first class may pay by balance in all (order 43 of 2015, article 11)."""

Thing = dict[str, Any]


def new_payer(wallet_minor: int, limit_minor: int) -> Thing:
    """A person with money and a line that was never used."""
    return {
        "wallet": wallet_minor, "wallet_held": 0, "limit": limit_minor, "held": 0, "credit": 0, "draws": [],
        "bills": [], "repaid": [], "by_balance": 0,
    }  # fmt: skip


def new_shop(rate_ppm: int) -> Thing:
    """A merchant; `payable` is owed to it, `settled` is on its way to its bank."""
    return {"rate": rate_ppm, "payable": 0, "settled": 0}


def used(payer: Thing) -> int:
    """What the line has used: principal, billed or not."""
    unbilled: int = sum(draw["unbilled"] for draw in payer["draws"])
    return unbilled + sum(map(owed_principal, payer["bills"]))


def owed_principal(bill: Thing) -> int:
    """Unpaid principal of a bill."""
    return int(bill["single"] - bill["paid"])


def owed_interest(bill: Thing) -> int:
    """Unpaid interest of a bill, as far as it was charged."""
    return int(bill["interest"] - bill["interest_paid"])


def unpaid(bill: Thing) -> int:
    """All that is unpaid of a bill."""
    return owed_principal(bill) + owed_interest(bill)


def pay(
    payer: Thing, shop: Thing, name: str, amount: int, source: str, capture: str, on: date, at: Any
) -> Thing:
    """One payment: captured, authorised or declined. `source`: wallet, line, or both (the wallet first)."""
    free = payer["wallet"] - payer["wallet_held"]
    from_wallet = min(free, amount) if source != "line" else 0
    credit = amount - from_wallet
    room = payer["limit"] - used(payer) - payer["held"]
    in_arrears = any(bill["status"] == "overdue" for bill in payer["bills"])
    fits = not credit or (source != "wallet" and credit <= room and not in_arrears)
    fits = fits and (not from_wallet or payer["by_balance"] + from_wallet <= BALANCE_MAX_MINOR)
    payment: Thing = {
        "name": name, "amount": amount, "wallet": from_wallet if fits else 0,
        "credit": credit if fits else 0, "captured": 0, "refunded": 0, "wallet_refunded": 0, "fee": 0,
        "fee_returned": 0, "status": "declined", "draws": [], "payer": payer, "shop": shop, "expires": None,
    }  # fmt: skip
    if fits:
        payment |= {"status": "authorised", "expires": at + timedelta(days=AUTHORISED_DAYS)}
        payer["wallet_held"] += from_wallet
        payer["by_balance"] += from_wallet
        payer["held"] += credit
        if capture == "now":
            take(payment, None, final=True, on=on)
    return payment


def take(payment: Thing, amount: int | None, *, final: bool, on: date) -> str:
    """Capture: the wallet's part first, the rest becomes a draw; what is left is let go at the end."""
    left = payment["amount"] - payment["captured"]
    amount = left if amount is None else amount
    if payment["status"] != "authorised" or amount > left:
        return CONFLICT
    payer, shop = payment["payer"], payment["shop"]
    from_wallet = min(amount, max(0, payment["wallet"] - payment["captured"]))
    credit = amount - from_wallet
    for name, part in (("wallet", from_wallet), ("wallet_held", from_wallet), ("held", credit)):
        payer[name] -= part
    payment["captured"] += amount
    if credit:
        draw = {
            "of": payment["name"], "number": len(payment["draws"]), "principal": credit, "unbilled": credit,
            "on": on, "bill": None,
        }  # fmt: skip
        payer["draws"].append(draw)
        payment["draws"].append(draw)
    fee = half_even(payment["captured"] * shop["rate"], PPM)
    shop["payable"] += amount - (fee - payment["fee"])
    payment["fee"] = fee
    if final or amount == left:
        let_go(payment, "captured")
    return "ok"


def let_go(payment: Thing, status: str) -> str:
    """End an authorised payment: what is held is free again. One that was captured in part stays captured."""
    if payment["status"] != "authorised":
        return CONFLICT
    taken_from_wallet = min(payment["wallet"], payment["captured"])
    payment["payer"]["wallet_held"] -= payment["wallet"] - taken_from_wallet
    payment["payer"]["by_balance"] -= payment["wallet"] - taken_from_wallet
    payment["payer"]["held"] -= payment["credit"] - (payment["captured"] - taken_from_wallet)
    payment |= {"status": "captured" if payment["captured"] else status, "expires": None}
    return "ok"


def refund(payment: Thing, amount: int, on: date) -> str:
    """Give back: what was drawn first, the last draw first; then the wallet's part."""
    payer, shop = payment["payer"], payment["shop"]
    if amount > payment["captured"] - payment["refunded"]:
        return CONFLICT
    to_return = half_even(payment["fee"] * (payment["refunded"] + amount), payment["captured"])
    returned = max(payment["fee_returned"], to_return)
    cost = amount - (returned - payment["fee_returned"])
    if shop["payable"] - cost < -PAYABLE_FLOOR_MINOR:
        return CONFLICT
    from_credit = payment["captured"] - min(payment["wallet"], payment["captured"])
    credit = min(amount, from_credit - (payment["refunded"] - payment["wallet_refunded"]))
    shop["payable"] -= cost
    payment |= {"fee_returned": returned, "refunded": payment["refunded"] + amount}
    payment["wallet_refunded"] += amount - credit
    payer["wallet"] += amount - credit
    if credit:
        _refund_draws(payer, payment["draws"], credit, on)
    return "ok"


def _refund_draws(payer: Thing, draws: list[Thing], amount: int, on: date) -> None:
    bring_up(payer, on)
    surplus = 0
    for draw in reversed(draws):
        part = min(amount, draw["principal"])
        if not part:
            continue
        amount -= part
        draw["principal"] -= part
        if draw["bill"] is None:
            owed = min(part, draw["unbilled"])
            draw["unbilled"] -= owed
        else:
            bill = draw["bill"]
            owed = min(part, owed_principal(bill))
            accrue(bill, on)
            bill["single"] -= owed
            bill["minimum"] = minimum(bill)
            for later in payer["bills"]:
                if later["issued"] > bill["issued"] and on <= later["due"]:
                    later["counted"] += owed
            _judge(bill, on)
        surplus += part - owed
    if surplus:
        surplus = spread(payer, surplus, on)
    for repayment in reversed(payer["repaid"]):
        back = min(surplus, repayment["left"])
        repayment["left"] -= back
        payer["wallet"] += back
        surplus -= back
    payer["credit"] += surplus


def owed(payer: Thing, target: str, on: date) -> int:
    """What `all`, `billed` or `minimum` comes to."""
    bring_up(payer, on)
    bills = payer["bills"]
    if target == "minimum":
        overdue = sum(unpaid(bill) for bill in bills if bill["status"] == "overdue")
        open_ = [bill for bill in bills if bill["status"] == "open" and on <= bill["due"]]
        running = sum(max(0, bill["minimum"] - bill["counted"]) for bill in open_)
        return int(min(sum(map(unpaid, bills)), max(overdue, running)))
    billed = sum(unpaid(bill) + interest_due(bill, on) for bill in bills)
    return billed + (sum(draw["unbilled"] for draw in payer["draws"]) if target == "all" else 0)


def repay(payer: Thing, amount: int | str, source: str, on: date) -> str:
    """Pay an amount, or what a target comes to, from the wallet or from outside."""
    money = owed(payer, amount, on) if isinstance(amount, str) else amount
    if not money or (source == "wallet" and money > payer["wallet"] - payer["wallet_held"]):
        return CONFLICT
    bring_up(payer, on)
    surplus = spread(payer, money, on)
    payer["credit"] += surplus
    if source == "wallet":
        payer["wallet"] -= money
        payer["repaid"].append({"left": money - surplus})
    return "ok"


def spread(payer: Thing, money: int, on: date) -> int:
    """Pay bills, oldest first; then the interest they have earned since; then what is not billed. Returns the rest."""
    passed = 0
    for bill in payer["bills"]:
        accrue(bill, on)
        late = (on - bill["due"]).days > PRINCIPAL_FIRST_AFTER
        for part in ("paid", "interest_paid") if late else ("interest_paid", "paid"):
            amount = min(money, owed_principal(bill) if part == "paid" else owed_interest(bill))
            bill[part] += amount
            money -= amount
            passed += amount
        if on <= bill["due"]:
            bill["counted"] += passed
    for bill in payer["bills"]:
        amount = min(money, interest_due(bill, on))
        money -= amount
        for name in ("interest", "interest_paid", "interest_billed"):
            bill[name] += amount
        _judge(bill, on)
    for draw in sorted(payer["draws"], key=lambda draw: draw["id"]):
        amount = min(money, draw["unbilled"])
        draw["unbilled"] -= amount
        money -= amount
    return money


def begin(payers: list[Thing], payments: list[Thing], shop: Thing, on: date, at: Any) -> None:
    """What a new business date brings: holds run out, due dates have passed, bills are issued, the shop is settled."""
    for payment in payments:
        if payment["expires"] is not None and at >= payment["expires"]:
            let_go(payment, "expired")
    for payer in payers:
        bring_up(payer, on)
        if on.day == 1:
            _issue(payer, on)
    paid_out = max(0, shop["payable"])
    shop["payable"] -= paid_out
    shop["settled"] += paid_out


def bring_up(payer: Thing, on: date) -> None:
    """Let due dates before a date pass: what is unpaid earns interest from then on."""
    for bill in payer["bills"]:
        if not bill["rate"] and bill["due"] < on and unpaid(bill):
            bill["rate"] = DAILY_PPM
            bill["status"] = "minimum_paid" if bill["counted"] >= bill["minimum"] else "overdue"


def _issue(payer: Thing, on: date) -> None:
    until = on - timedelta(days=1)
    interest = carried = missed = 0
    for bill in payer["bills"]:
        amount = interest_due(bill, until)
        bill["interest_billed"] += amount
        interest += amount
        if bill["status"] == "overdue":
            missed += unpaid(bill)
        else:
            carried += owed_principal(bill)
            missed += owed_interest(bill)
    taken = [draw for draw in payer["draws"] if draw["unbilled"] and draw["on"] < on]
    if not taken and not interest:
        return
    bill = {
        "issued": on, "due": on.replace(day=10), "single": sum(draw["unbilled"] for draw in taken),
        "interest": interest, "billed_at_issue": interest, "carried": carried, "missed": missed, "paid": 0,
        "interest_paid": 0, "interest_billed": 0, "counted": 0, "micro": 0, "since": on.replace(day=10),
        "rate": 0, "status": "open",
    }  # fmt: skip
    bill["minimum"] = minimum(bill)
    for draw in taken:
        draw["unbilled"], draw["bill"] = 0, bill
    payer["bills"].append(bill)
    money = min(payer["credit"], sum(map(unpaid, payer["bills"])))
    if money:
        payer["credit"] -= money
        spread(payer, money, on)


def minimum(bill: Thing) -> int:
    """10 % of principal, rounded up; all interest, and all that was missed before."""
    return int(-(-(bill["single"] + bill["carried"]) // 10) + bill["billed_at_issue"] + bill["missed"])


def accrue(bill: Thing, on: date) -> None:
    """Write down the interest earned up to a date, before the balance that earns it changes."""
    if bill["rate"] and on > bill["since"]:
        bill["micro"] += owed_principal(bill) * bill["rate"] * (on - bill["since"]).days
        bill["since"] = on


def interest_due(bill: Thing, on: date) -> int:
    """Interest earned since the due date and not charged yet: rounded over all of it, once."""
    days = max(0, (on - bill["since"]).days)
    micro = bill["micro"] + owed_principal(bill) * bill["rate"] * days
    return max(0, half_even(micro, PPM) - int(bill["interest_billed"]))


def _judge(bill: Thing, on: date) -> None:
    if not unpaid(bill):
        bill["status"] = "paid"
    elif bill["status"] == "open" and on <= bill["due"] and bill["counted"] >= bill["minimum"]:
        bill["status"] = "minimum_paid"
