"""The town of payments."""

from tests.payments.conftest import town as town
