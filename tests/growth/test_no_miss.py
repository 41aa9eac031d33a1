"""One small object for each iteration is found with the defaults, wherever it is kept, and named."""

import pytest

import heapdiff
from tests.growth.leaky import BODIES


@pytest.mark.parametrize("name", sorted(BODIES))
def test_a_leaky_body_fails_with_the_defaults_and_its_type_is_named(name: str) -> None:
    body, type_name = BODIES[name]

    with pytest.raises(AssertionError) as caught:
        heapdiff.assert_no_growth(body)

    assert isinstance(caught.value, heapdiff.HeapGrowthError)
    assert f" {type_name} " in str(caught.value).replace(",", " ")
