"""Wallets: a person's own money, and how it comes in and goes out."""

from wufeng.payments.wallets.commands import StoredValue, answer_command, handlers
from wufeng.payments.wallets.model import TopUp, WalletPolicy, WalletView, Withdraw
from wufeng.payments.wallets.policy import read_wallet_policy, shipped_wallet_policy
from wufeng.payments.wallets.queries import list_movements, owner_of_wallet, show_movement, show_wallet

__all__ = [
    "StoredValue",
    "TopUp",
    "WalletPolicy",
    "WalletView",
    "Withdraw",
    "answer_command",
    "handlers",
    "list_movements",
    "owner_of_wallet",
    "read_wallet_policy",
    "shipped_wallet_policy",
    "show_movement",
    "show_wallet",
]
