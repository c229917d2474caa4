"""THE table of access: who may make which call. Everything else about access follows from it.

An operation's id is its route's. A route without a rule does not start; a rule without a route fails a test.
A rule says what kinds of callers may call at all; whose objects they then see is decided by `own_…` below:
for another's object the answer is that of an absent one.
"""

from uuid import UUID

from msgspec import Struct

from wufeng.base.books import Mode
from wufeng.base.errors import Code, Problem, not_found
from wufeng.identity.callers import Caller, CallerKind
from wufeng.identity.keys.model import Scope
from wufeng.identity.sessions.model import AuthLevel
from wufeng.identity.staff.model import Role


class Reach(Struct, frozen=True, kw_only=True):
    """Whom a call is for, beyond what its callers say."""

    public: bool = False  # without a credential
    only_in: Mode | None = None  # does not exist in books of the other mode


class Rule(Struct, frozen=True, kw_only=True):
    """Who may make a call. What is None or empty may not.

    person    a person's session of at least that level
    merchant  a merchant's key with that scope
    platform  a key of the operator's server with that scope
    staff     a member of staff in one of these roles
    """

    person: AuthLevel | None = None
    merchant: Scope | None = None
    platform: Scope | None = None
    staff: frozenset[Role] = frozenset()
    reach: Reach = Reach()


CODE, PIN = AuthLevel.CODE, AuthLevel.PIN
ALL_STAFF = frozenset(Role)
WORKING = frozenset({Role.OPERATOR, Role.SUPERVISOR, Role.ADMIN})
DECIDING = frozenset({Role.SUPERVISOR, Role.ADMIN})
ADMINS = frozenset({Role.ADMIN})
PUBLIC = Rule(reach=Reach(public=True))
IN_TEST_BOOKS = Reach(only_in=Mode.TEST)

RULES: dict[str, Rule] = {
    # people and how they prove themselves
    "create_person": Rule(platform=Scope.PEOPLE),
    "get_person": Rule(person=CODE, platform=Scope.READ, staff=ALL_STAFF),
    "get_wallet": Rule(person=CODE, platform=Scope.READ, staff=ALL_STAFF),
    "send_code": PUBLIC,
    "create_session": PUBLIC,
    "list_sessions": Rule(person=CODE),
    "delete_session": Rule(person=CODE),
    "delete_other_sessions": Rule(person=CODE),
    "create_sign_in_challenge": PUBLIC,
    "list_devices": Rule(person=CODE),
    "delete_device": Rule(person=CODE),
    "create_passkey_challenge": Rule(person=CODE),  # without a step-up it asks for a one-time code
    "create_passkey": Rule(person=CODE),  # answers such a challenge
    "list_passkeys": Rule(person=CODE),
    "rename_passkey": Rule(person=CODE),
    "delete_passkey": Rule(person=CODE),
    "create_confirmation_challenge": Rule(person=CODE),
    "set_pin": Rule(person=CODE),
    "freeze_person": Rule(person=CODE, platform=Scope.PEOPLE, staff=WORKING),
    "unfreeze_person": Rule(staff=DECIDING),
    "create_bank_account": Rule(person=CODE),
    "list_bank_accounts": Rule(person=CODE),
    "delete_bank_account": Rule(person=CODE),
    "list_people": Rule(platform=Scope.READ),
    "erase_person": Rule(platform=Scope.PEOPLE, staff=DECIDING),
    "create_verification": Rule(person=CODE, staff=DECIDING),
    "list_verifications": Rule(person=CODE, platform=Scope.READ, staff=ALL_STAFF),
    "send_phone_code": Rule(person=CODE, staff=DECIDING),
    "change_phone": Rule(person=CODE, staff=DECIDING),  # both numbers prove themselves by their codes
    "freeze_by_phone": PUBLIC,  # by a code and the PIN or the document: the phone is lost
    "list_messages": Rule(platform=Scope.CLOCK, staff=WORKING, reach=IN_TEST_BOOKS),
    # merchants and staff
    "create_merchant": Rule(platform=Scope.MERCHANTS),
    "get_merchant": Rule(merchant=Scope.READ, platform=Scope.READ, staff=ALL_STAFF),
    "close_merchant": Rule(platform=Scope.MERCHANTS, staff=ADMINS),
    "set_return_origins": Rule(merchant=Scope.KEYS, platform=Scope.MERCHANTS, staff=ADMINS),
    "list_api_keys": Rule(merchant=Scope.KEYS, platform=Scope.KEYS, staff=ADMINS),
    "create_api_key": Rule(merchant=Scope.KEYS, platform=Scope.KEYS, staff=ADMINS),
    "revoke_api_key": Rule(merchant=Scope.KEYS, platform=Scope.KEYS, staff=ADMINS),
    "create_staff_session": PUBLIC,
    "delete_staff_session": Rule(staff=ALL_STAFF),
    "list_staff": Rule(staff=ADMINS),
    "set_staff_role": Rule(staff=ADMINS),
    "list_audit_entries": Rule(staff=DECIDING),
    # orders
    "create_order": Rule(merchant=Scope.ORDERS),
    "list_orders": Rule(merchant=Scope.READ),
    "get_order": Rule(merchant=Scope.READ),
    "confirm_receipt": Rule(person=CODE),
    "ship_order": Rule(merchant=Scope.ORDERS),
    "close_order": Rule(merchant=Scope.ORDERS),
    # prices
    "list_offers": PUBLIC,
    "create_quote": Rule(person=CODE, merchant=Scope.ORDERS),
    # payments. A PIN is asked for by the payment's own confirmation, bound to what it confirms.
    "create_payment": Rule(person=CODE, merchant=Scope.PAYMENTS, platform=Scope.PAYMENTS),
    "confirm_payment": Rule(person=CODE),
    "capture_payment": Rule(merchant=Scope.PAYMENTS),
    "void_payment": Rule(merchant=Scope.PAYMENTS),
    "review_payment": Rule(staff=DECIDING),
    "list_payments": Rule(person=CODE, merchant=Scope.READ, platform=Scope.READ, staff=ALL_STAFF),
    "get_payment": Rule(person=CODE, merchant=Scope.READ, platform=Scope.READ, staff=ALL_STAFF),
    "create_pay_code": Rule(person=CODE),
    "stop_pay_codes": Rule(person=CODE),
    # family cards and rides
    "create_family_card": Rule(person=CODE),  # the PIN or passkey is asked for by its own confirmation
    "list_family_cards": Rule(person=CODE),
    "get_family_card": Rule(person=CODE),
    "list_family_card_payments": Rule(person=CODE),
    "accept_family_card": Rule(person=CODE),
    "set_family_cap": Rule(person=CODE),  # the same where it rises
    "pause_family_card": Rule(person=CODE),
    "resume_family_card": Rule(person=CODE),
    "stop_family_card": Rule(person=CODE),
    "create_ride": Rule(merchant=Scope.PAYMENTS),
    "list_rides": Rule(person=CODE, merchant=Scope.READ),
    "get_ride": Rule(person=CODE, merchant=Scope.READ, staff=ALL_STAFF),
    "list_ride_charges": Rule(person=CODE, merchant=Scope.READ),
    "get_ride_charge": Rule(person=CODE, merchant=Scope.READ, staff=ALL_STAFF),
    "pay_ride_charge": Rule(person=CODE),  # the same
    "get_ride_terms": Rule(merchant=Scope.READ),
    "set_ride_terms": Rule(merchant=Scope.ORDERS),
    "create_refund": Rule(merchant=Scope.REFUNDS, staff=WORKING),
    "undo_payment": Rule(staff=WORKING),
    "get_refund": Rule(merchant=Scope.READ, staff=ALL_STAFF),
    "explain_refund": Rule(person=CODE, staff=ALL_STAFF),
    "create_checkout_session": Rule(merchant=Scope.ORDERS),
    "get_checkout_session": Rule(merchant=Scope.READ),
    "expire_checkout_session": Rule(merchant=Scope.ORDERS),
    "cancel_checkout_session": Rule(person=CODE),  # whoever has the page: its id cannot be guessed
    # codes and links to be paid by
    "create_merchant_code": Rule(merchant=Scope.ORDERS),
    "list_merchant_codes": Rule(merchant=Scope.READ),
    "get_merchant_code": Rule(merchant=Scope.READ),
    "close_merchant_code": Rule(merchant=Scope.ORDERS),
    "create_code_order": Rule(person=CODE),
    "get_order_code": Rule(merchant=Scope.READ),
    "create_scan": Rule(person=CODE),
    "create_payment_link": Rule(merchant=Scope.ORDERS),
    "list_payment_links": Rule(merchant=Scope.READ),
    "get_payment_link": Rule(merchant=Scope.READ),
    "close_payment_link": Rule(merchant=Scope.ORDERS),
    "create_link_order": Rule(person=CODE),
    "create_friend_link": Rule(person=CODE),
    "get_friend_link": Rule(person=CODE),
    "cancel_friend_link": Rule(person=CODE),
    "create_campaign": Rule(merchant=Scope.ORDERS, platform=Scope.MERCHANTS),
    "list_campaigns": Rule(merchant=Scope.READ, platform=Scope.READ, staff=ALL_STAFF),
    "get_campaign": Rule(merchant=Scope.READ, platform=Scope.READ, staff=ALL_STAFF),
    "pause_campaign": Rule(merchant=Scope.ORDERS, platform=Scope.MERCHANTS),
    "resume_campaign": Rule(merchant=Scope.ORDERS, platform=Scope.MERCHANTS),
    "end_campaign": Rule(merchant=Scope.ORDERS, platform=Scope.MERCHANTS),
    # credit
    "get_application_terms": Rule(person=CODE),
    "create_application": Rule(person=CODE),
    "list_applications": Rule(person=CODE, staff=ALL_STAFF),
    "get_application": Rule(person=CODE, staff=ALL_STAFF),
    "accept_application": Rule(person=CODE),  # the PIN is asked for by its own confirmation
    "refer_application": Rule(person=CODE),
    "withdraw_consent": Rule(person=CODE),
    "decide_application": Rule(staff=DECIDING),
    "get_application_sheet": Rule(person=CODE, staff=ALL_STAFF),
    "get_application_contract": Rule(person=CODE, staff=ALL_STAFF),
    "list_line_reviews": Rule(person=CODE, staff=ALL_STAFF),
    "list_lines": Rule(person=CODE, staff=ALL_STAFF),
    "get_line": Rule(person=CODE, staff=ALL_STAFF),
    "open_line": Rule(staff=DECIDING),
    "set_line_limit": Rule(person=CODE, staff=DECIDING),
    "freeze_line": Rule(person=CODE, staff=WORKING),
    "unfreeze_line": Rule(staff=DECIDING),
    "set_due_day": Rule(person=CODE, staff=WORKING),
    "set_auto_debit": Rule(person=CODE, staff=WORKING),
    "close_line": Rule(person=CODE, staff=DECIDING),
    "list_line_changes": Rule(person=CODE, staff=ALL_STAFF),
    "get_credit_cap": Rule(person=CODE, staff=ALL_STAFF),
    "set_credit_cap": Rule(staff=DECIDING),
    "list_draws": Rule(person=CODE, staff=ALL_STAFF),
    "list_bills": Rule(person=CODE),
    "get_bill": Rule(person=CODE),
    "explain_bill": Rule(person=CODE),
    "get_plan": Rule(person=CODE),
    "explain_plan": Rule(person=CODE),
    "list_bill_plans": Rule(person=CODE),
    "create_plan": Rule(person=CODE),  # the PIN is asked for by its own confirmation
    "create_repayment": Rule(person=CODE, platform=Scope.REPAYMENTS, staff=WORKING),
    "get_repayment": Rule(person=CODE, platform=Scope.READ, staff=ALL_STAFF),
    "explain_repayment": Rule(person=CODE, platform=Scope.READ, staff=ALL_STAFF),
    "reverse_repayment": Rule(platform=Scope.REPAYMENTS, staff=DECIDING),
    # wallets. A withdrawal leaves the person: the session's step-up is its confirmation.
    "create_top_up": Rule(person=CODE),
    "create_withdrawal": Rule(person=PIN),
    # what merchants and the operator's server are told
    "list_settlements": Rule(merchant=Scope.READ),
    "get_settlement": Rule(merchant=Scope.READ),
    "list_events": Rule(merchant=Scope.READ, platform=Scope.READ),
    "create_webhook_endpoint": Rule(merchant=Scope.WEBHOOKS, platform=Scope.WEBHOOKS),
    "list_webhook_endpoints": Rule(merchant=Scope.WEBHOOKS, platform=Scope.WEBHOOKS),
    "delete_webhook_endpoint": Rule(merchant=Scope.WEBHOOKS, platform=Scope.WEBHOOKS),
    "list_deliveries": Rule(merchant=Scope.WEBHOOKS, platform=Scope.WEBHOOKS),
    "resend_delivery": Rule(merchant=Scope.WEBHOOKS, platform=Scope.WEBHOOKS),
    # how it came about
    "get_decision": Rule(person=CODE, staff=ALL_STAFF),
    "list_journals": Rule(person=CODE, staff=ALL_STAFF),
    # the clock of test books
    "get_clock": Rule(platform=Scope.READ, staff=ALL_STAFF, reach=IN_TEST_BOOKS),
    "advance_clock": Rule(platform=Scope.CLOCK, staff=WORKING, reach=IN_TEST_BOOKS),
    # the server itself
    "healthz": PUBLIC,
    "readyz": PUBLIC,
    "metrics": PUBLIC,  # the route answers to local addresses only
}
"""By operation id, in the order of API.md."""

OF_PERSON = Rule(person=CODE)
OF_STAFF = Rule(staff=ALL_STAFF)

PAGE_RULES: dict[str, Rule] = {
    "no_page": PUBLIC,
    # pages for everybody
    "start": PUBLIC,
    "language": PUBLIC,
    "static": PUBLIC,
    "design": PUBLIC,
    "demo_ticket": PUBLIC,  # opens a session that the demo has made, in a test book
    # the consumer app
    "app_welcome": PUBLIC,
    "app_sign_in": PUBLIC,
    "app_send_code": PUBLIC,
    "app_check_code": PUBLIC,
    "app_sign_in_challenge": PUBLIC,
    "app_sign_in_passkey": PUBLIC,  # the answer proves itself
    "app_sign_out": OF_PERSON,
    "app_me": OF_PERSON,
    "app_end_session": OF_PERSON,
    "app_end_others": OF_PERSON,
    "app_revoke_device": OF_PERSON,
    "app_new_passkey": OF_PERSON,
    "app_step_up": OF_PERSON,
    "app_ask_passkey": OF_PERSON,
    "app_keep_passkey": OF_PERSON,
    "app_rename_passkey": OF_PERSON,
    "app_delete_passkey": OF_PERSON,
    "app_ask_to_pay": OF_PERSON,
    "app_ask_to_confirm": OF_PERSON,
    "app_confirm_code": OF_PERSON,
    "app_ask_to_sign": OF_PERSON,
    "app_ask_to_split": OF_PERSON,
    "app_pin": OF_PERSON,
    "app_pin_code": OF_PERSON,
    "app_set_pin": OF_PERSON,
    "app_identity": OF_PERSON,
    "app_identity_send": OF_PERSON,
    "app_phone": OF_PERSON,
    "app_phone_codes": OF_PERSON,
    "app_phone_send": OF_PERSON,
    "app_lost": PUBLIC,  # the phone is lost, and the session with it
    "app_lost_code": PUBLIC,
    "app_lost_send": PUBLIC,
    "app_home": OF_PERSON,
    "app_pay": OF_PERSON,
    "app_payment": OF_PERSON,
    "app_confirm": OF_PERSON,
    "app_refuse": OF_PERSON,
    "app_code": OF_PERSON,
    "app_code_choose": OF_PERSON,
    "app_code_fresh": OF_PERSON,
    "app_code_stop": OF_PERSON,
    "app_code_live": OF_PERSON,
    "app_code_offline": PUBLIC,  # what a phone keeps for when it has no connection: about nobody
    "app_worker": PUBLIC,
    "app_manifest": PUBLIC,
    "app_apply": OF_PERSON,
    "app_apply_send": OF_PERSON,
    "app_application": OF_PERSON,
    "app_application_accept": OF_PERSON,
    "app_application_refer": OF_PERSON,
    "app_application_withdraw": OF_PERSON,
    "app_application_paper": OF_PERSON,
    "app_application_contract": OF_PERSON,
    "app_credit": OF_PERSON,
    "app_line": OF_PERSON,
    "app_line_limit": OF_PERSON,
    "app_line_decline": OF_PERSON,
    "app_line_freeze": OF_PERSON,
    "app_line_due_day": OF_PERSON,
    "app_line_close": OF_PERSON,
    "app_bill": OF_PERSON,
    "app_bill_csv": OF_PERSON,
    "app_bill_pdf": OF_PERSON,
    "app_split": OF_PERSON,
    "app_split_send": OF_PERSON,
    "app_plan": OF_PERSON,
    "app_plan_settle": OF_PERSON,
    "app_repay": OF_PERSON,
    "app_repay_send": OF_PERSON,
    "app_repayment": OF_PERSON,
    "app_bank_account": OF_PERSON,
    "app_bank_account_send": OF_PERSON,
    "app_wallet": OF_PERSON,
    "app_top_up": OF_PERSON,
    "app_activity": OF_PERSON,
    "app_family": OF_PERSON,
    "app_family_new": OF_PERSON,
    "app_family_send": OF_PERSON,
    "app_family_card": OF_PERSON,
    "app_family_caps": OF_PERSON,
    "app_family_move": OF_PERSON,
    "app_rides": OF_PERSON,
    "app_ride_pay": OF_PERSON,
    "app_scan": OF_PERSON,
    "app_scan_send": OF_PERSON,
    "app_friend": OF_PERSON,
    "app_friend_send": OF_PERSON,
    "app_friend_link": OF_PERSON,
    "app_friend_link_live": OF_PERSON,
    "app_friend_link_cancel": OF_PERSON,
    "scanned_code": PUBLIC,  # whoever sees the code sees what is to be paid
    "scanned_code_send": OF_PERSON,
    "payment_link": PUBLIC,  # whoever has the link; it cannot be guessed
    "payment_link_send": OF_PERSON,
    "friend_link": PUBLIC,  # the same; who asks is shown to those signed in
    "friend_link_send": OF_PERSON,
    "checkout": PUBLIC,  # whoever has the link sees what is to be paid; its id cannot be guessed
    "checkout_pay": OF_PERSON,
    "checkout_cancel": OF_PERSON,
    "app_openid": PUBLIC,
    "app_openid_back": PUBLIC,  # proves itself by its state, its code and the provider's signature
    # the merchant portal, by a key of the merchant's
    "merchant_sign_in": PUBLIC,
    "merchant_sign_in_send": PUBLIC,
    "merchant_sign_out": Rule(merchant=Scope.READ),
    "merchant_today": Rule(merchant=Scope.READ),
    "merchant_orders": Rule(merchant=Scope.READ),
    "merchant_order": Rule(merchant=Scope.READ),
    "merchant_order_live": Rule(merchant=Scope.READ),
    "merchant_take": Rule(merchant=Scope.ORDERS),
    "merchant_take_send": Rule(merchant=Scope.ORDERS),
    "merchant_till": Rule(merchant=Scope.READ),
    "merchant_till_take": Rule(merchant=Scope.PAYMENTS),
    "merchant_till_live": Rule(merchant=Scope.READ),
    "merchant_refund": Rule(merchant=Scope.REFUNDS),
    "merchant_codes": Rule(merchant=Scope.READ),
    "merchant_codes_send": Rule(merchant=Scope.ORDERS),
    "merchant_code": Rule(merchant=Scope.READ),
    "merchant_code_close": Rule(merchant=Scope.ORDERS),
    "merchant_code_poster": Rule(merchant=Scope.READ),
    "merchant_links": Rule(merchant=Scope.READ),
    "merchant_links_send": Rule(merchant=Scope.ORDERS),
    "merchant_link": Rule(merchant=Scope.READ),
    "merchant_link_close": Rule(merchant=Scope.ORDERS),
    "merchant_campaigns": Rule(merchant=Scope.READ),
    "merchant_campaign": Rule(merchant=Scope.READ),
    "merchant_campaign_new": Rule(merchant=Scope.ORDERS),
    "merchant_campaign_send": Rule(merchant=Scope.ORDERS),
    "merchant_campaign_move": Rule(merchant=Scope.ORDERS),
    # the demo's shop of an outsider: it holds no credential of this installation but its own key
    "shop": PUBLIC,
    "shop_product": PUBLIC,
    "shop_buy": PUBLIC,
    "shop_order": PUBLIC,
    "shop_webhook": PUBLIC,  # proves itself by its signature
    "embed": PUBLIC,
    # the console
    "console_sign_in": PUBLIC,
    "console_sign_in_send": PUBLIC,
    "console_sign_out": OF_STAFF,
    "console_overview": OF_STAFF,
    "console_figures": OF_STAFF,
    "console_search": OF_STAFF,
    "console_person": OF_STAFF,
    "console_decision": OF_STAFF,
    "console_journals": OF_STAFF,
    "console_open_line": Rule(staff=DECIDING),
    "console_freeze": Rule(staff=WORKING),
    "console_unfreeze": Rule(staff=DECIDING),
    "console_tier": Rule(staff=DECIDING),
    "console_staff": Rule(staff=ADMINS),
    "console_staff_role": Rule(staff=ADMINS),
    "console_applications": OF_STAFF,
    "console_application": OF_STAFF,
    "console_application_policy": OF_STAFF,
    "console_decide_application": Rule(staff=DECIDING),
    "console_products": OF_STAFF,
    "console_product": OF_STAFF,
    "console_closes": OF_STAFF,
    "console_clock": Rule(staff=ALL_STAFF, reach=IN_TEST_BOOKS),
    "console_turn": Rule(staff=WORKING, reach=IN_TEST_BOOKS),
}
"""Of the pages: who may open one. What it then does is a call of the API, under that call's own rule."""


def decide_access(rule: Rule, caller: Caller | None) -> Problem | None:
    """Whether a caller may make a call at all; None says yes. A missing credential is told before all else."""
    if rule.reach.public:
        return None
    if caller is None:
        return Problem(Code.UNAUTHENTICATED, "This call needs an Authorization: Bearer header.")
    if rule.reach.only_in not in (None, caller.book.mode):
        return not_found("call in this book")
    match caller.kind:
        case CallerKind.PERSON:
            return _decide_level(rule.person, caller)
        case CallerKind.MERCHANT:
            return _decide_scope(rule.merchant, caller)
        case CallerKind.PLATFORM:
            return _decide_scope(rule.platform, caller)
        case CallerKind.STAFF:
            return None if caller.role in rule.staff else _forbidden("Your role may not make this call.")


def own_person(caller: Caller, person_id: UUID | None, what: str = "person") -> None:
    """Refuse (not_found) what belongs to another person than the caller. The operator and its staff see all
    of a book.

    person_id  whose it is; what nobody owns is another's to every person and merchant
    """
    if caller.kind is CallerKind.PERSON and caller.person_id == person_id is not None:
        return
    if caller.kind not in (CallerKind.PLATFORM, CallerKind.STAFF):
        raise not_found(what)


def own_merchant(caller: Caller, merchant_id: UUID | None, what: str = "merchant") -> None:
    """Refuse (not_found) what belongs to another merchant than the caller. The operator and its staff see all
    of a book.

    merchant_id  whose it is; what nobody owns is another's to every person and merchant
    """
    if caller.kind is CallerKind.MERCHANT and caller.merchant_id == merchant_id is not None:
        return
    if caller.kind not in (CallerKind.PLATFORM, CallerKind.STAFF):
        raise not_found(what)


def own_between(caller: Caller, person_id: UUID | None, merchant_id: UUID | None, what: str) -> None:
    """Refuse (not_found) what stands between a person and a merchant, such as a payment, to all others."""
    if caller.kind is CallerKind.MERCHANT:
        own_merchant(caller, merchant_id, what)
    else:
        own_person(caller, person_id, what)


def _decide_level(needed: AuthLevel | None, caller: Caller) -> Problem | None:
    if needed is None:
        return _forbidden("People may not make this call.")
    if caller.auth_level is None or caller.auth_level.rank < needed.rank:
        return _forbidden(f"Step the session up to {needed.value} first.")
    return None


def _decide_scope(needed: Scope | None, caller: Caller) -> Problem | None:
    if needed is None:
        return _forbidden(f"A {caller.kind.value} key may not make this call.")
    if needed not in caller.scopes:
        return _forbidden(f"This key lacks the scope {needed.value}.")
    return None


def _forbidden(detail: str) -> Problem:
    return Problem(Code.FORBIDDEN, detail)
