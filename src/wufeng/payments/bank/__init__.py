"""The bank seam: what banks are told, by whom they are asked, and the local bank of test books."""

from wufeng.payments.bank.model import Answered, Bank, BankAnswer, Instruction, Kind, Outcome, Verification
from wufeng.payments.bank.runner import BankRunner, BankRunnerSettings, bank_follower
from wufeng.payments.bank.test_bank import TestBank

__all__ = [
    "Answered",
    "Bank",
    "BankAnswer",
    "BankRunner",
    "BankRunnerSettings",
    "Instruction",
    "Kind",
    "Outcome",
    "TestBank",
    "Verification",
    "bank_follower",
]
