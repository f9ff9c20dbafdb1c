"""The gateway reads what ga-service's example answers."""

from dj_contracts.examples import read_example
from dj_contracts.sets import OrderResult
from gateway_api.features.sets.models import BuiltSet


def test_a_built_set_is_made_of_an_order_result() -> None:
    result = OrderResult.model_validate(read_example("order-result"))
    built = BuiltSet(tracks=[], **result.model_dump(include=set(BuiltSet.model_fields) - {"tracks"}))
    assert [t.reason for t in built.transitions] == [t.reason for t in result.transitions]
    assert built.score >= built.input_score
