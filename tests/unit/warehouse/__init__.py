import pytest

# As in a test: an assertion that fails shows what it compared.
pytest.register_assert_rewrite(f"{__name__}.random_loads")
