"""Mappings: checked when the host starts, and put together from constants, the path and the handler."""

import pytest

from osler.errors import Misconfigured
from osler.tracking.mapping import checked_routes, maps_to, path


def test_a_mapping_is_put_together_from_constants_path_and_handler():
    mapped = maps_to("question_submit", question_id=path("qid"), mode="tutor")
    data = mapped.data({"qid": 4711, "other": "x"}, {"answer": ["A"], "mode": "exam"})
    assert data == {"question_id": "4711", "mode": "exam", "answer": ["A"]}


def test_a_template_with_a_converter_and_one_without_are_the_same_route():
    routes = checked_routes({("get", "/files/{name:path}"): maps_to("material_open", material_id=path("name"))})
    assert list(routes) == [("GET", "/files/{name}")]


@pytest.mark.parametrize(
    ("mapped", "sentence"),
    [
        (maps_to("question_submitted"), "there is no event type 'question_submitted'"),
        (maps_to("question_regrade"), "there is no event type 'question_regrade'"),
        (maps_to("question_view", question=path("id")), "question_view has no field 'question'; it has question_id"),
        (maps_to("material_open", kind="book"), "'book' is no value for material_open.kind"),
        (maps_to("question_view", question_id=path("qid")), "the path has no parameter 'qid'"),
    ],
)
def test_a_mapping_that_cannot_work_stops_the_host_at_its_start(mapped, sentence: str):
    with pytest.raises(Misconfigured, match=r"^tracking cannot start:\n  POST /x/\{id\}: ") as error:
        checked_routes({("POST", "/x/{id}"): mapped})
    assert sentence in error.value.text


def test_every_fault_is_told_at_once():
    with pytest.raises(Misconfigured) as error:
        checked_routes({("GET", "/a"): maps_to("nothing"), ("GET", "/b"): maps_to("nothing_else")})
    assert error.value.text.count("\n") == 2
