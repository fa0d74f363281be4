"""The queue in memory: in order, bounded, and what goes first when it is full."""

from hypothesis import given
from hypothesis import strategies as st

from osler.domain.event_types import EVENT_TYPES
from osler.tracking.priority import MemoryQueue, Queued, class_of, in_order

TYPES = st.sampled_from(["api_request", "session_heartbeat", "material_open", "question_submit", "note_taken"])


def _item(event_type: str, number: int = 0) -> Queued:
    return Queued(event_type, "u", str(number).encode())


def test_requests_go_first_then_beats_and_progress_and_what_a_learner_did_last():
    assert class_of("api_request") == 0
    assert class_of("session_heartbeat") == class_of("material_progress") == 1
    assert class_of("question_submit") == class_of("flashcard_review") == class_of("note_taken") == 3
    assert {class_of(name) for name in EVENT_TYPES} == {0, 1, 2, 3}


@given(st.lists(TYPES, max_size=60), st.integers(1, 20))
def test_nothing_is_dropped_while_something_of_a_lower_class_is_kept(types: list[str], limit: int):
    queue = MemoryQueue(limit)
    dropped = [d for n, kind in enumerate(types) if (d := queue.put(_item(kind, n))) is not None]
    kept = in_order(queue.swap())
    assert len(kept) == min(limit, len(types))
    assert queue.size == 0
    assert sorted(int(i.body) for i in [*kept, *dropped]) == list(range(len(types)))
    assert [int(i.body) for i in kept] == sorted(int(i.body) for i in kept)
    # With everything of the lowest classes gone first, the kept are the highest that came.
    ranks = sorted((class_of(kind) for kind in types), reverse=True)[:limit]
    assert sorted((class_of(i.event_type) for i in kept), reverse=True) == ranks


def test_a_full_queue_gives_back_what_it_dropped_so_that_its_waiter_can_be_told():
    queue = MemoryQueue(1)
    first, second = _item("api_request"), _item("note_taken")
    assert queue.put(first) is None
    assert queue.put(second) is first
    assert queue.put(first) is first


@given(st.lists(TYPES, max_size=60), st.integers(1, 20))
def test_what_was_taken_and_put_back_is_as_if_it_had_never_been_taken(types: list[str], most: int):
    queue: MemoryQueue[Queued] = MemoryQueue(100)
    for n, kind in enumerate(types):
        queue.put(_item(kind, n))
    taken = queue.take(most)
    assert [int(i.body) for i in taken] == list(range(min(most, len(types))))
    queue.put_back(taken)
    queue.put(_item("note_taken", len(types)))
    assert queue.size == len(types) + 1
    assert [int(i.body) for i in queue.take(100)] == list(range(len(types) + 1))
    assert queue.size == 0


def test_a_waiter_is_told_once():
    told: list[bool] = []
    item = Queued("note_taken", "u", b"", told.append)
    item.tell(False)
    item.tell(True)
    assert told == [False]
