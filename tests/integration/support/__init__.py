"""What tests of integration have in common."""

import pytest

# As in a test: an assertion that fails shows what it compared.
pytest.register_assert_rewrite(*(f"{__name__}.{module}" for module in ("extraction", "tenant", "webhooks")))
