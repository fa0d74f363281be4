"""What can become of an event: six statuses and a closed list of codes, each with the sentence its sender reads."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """The answer to one event. What the client does next follows from it alone."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    REFUSED = "refused"
    RETRY = "retry"


class Warn(StrEnum):
    """Stored as sent, but worth a look."""

    CLOCK_SKEWED = "clock.skewed"
    CLOCK_AHEAD = "clock.ahead"
    LATE = "late"
    ZONE_MISMATCH = "zone.mismatch"
    TIME_COARSE = "time.coarse"
    QUESTION_UNKNOWN = "question.unknown"
    MATERIAL_UNKNOWN = "material.unknown"
    SESSION_UNKNOWN = "session.unknown"


class Code(StrEnum):
    """Why an event was not newly stored. The text never echoes a value."""

    status: Status
    text: str
    retry_after_seconds: int

    def __new__(cls, value: str, status: Status, text: str, retry_after_seconds: int = 0) -> Code:
        """A code with the status it belongs to and the fixed text that goes with it."""
        made = str.__new__(cls, value)
        made._value_ = value
        made.status = status
        made.text = text
        made.retry_after_seconds = retry_after_seconds
        return made

    DUPLICATE_STORED = "duplicate.stored", Status.DUPLICATE, "This event is already stored."
    DUPLICATE_IN_BATCH = "duplicate.in_batch", Status.DUPLICATE, "The same event stands earlier in this batch."
    CONFLICT_STORED = "conflict.stored", Status.CONFLICT, "An event with this id and other content is stored."
    CONFLICT_IN_BATCH = "conflict.in_batch", Status.CONFLICT, "This id stands earlier in the batch with other content."

    JSON_ENCODING = "json.encoding", Status.REJECTED, "Text must be UTF-8 without lone surrogates."
    JSON_NUL = "json.nul", Status.REJECTED, "The character NUL is not allowed in keys or values."
    JSON_DEPTH = "json.depth", Status.REJECTED, "Nested too deeply, or too many keys in one object."
    JSON_NUMBER = "json.number", Status.REJECTED, "Integers must lie within 2^53 - 1, other numbers be finite."
    JSON_DUPLICATE_KEY = "json.duplicate_key", Status.REJECTED, "A key occurs twice in one object."
    EVENT_TOO_LARGE = "event.too_large", Status.REJECTED, "One event may have 16 KiB."

    ID_MISSING = "id.missing", Status.REJECTED, "An event needs an id."
    ID_NOT_UUID7 = "id.not_uuid7", Status.REJECTED, "The id must be a UUID of version 7."
    ID_TIME_MISMATCH = "id.time_mismatch", Status.REJECTED, "occurred_at lies more than 1 s from the time in the id."
    TOO_OLD = "too_old", Status.REJECTED, "The event is older than what is kept."
    IN_FUTURE = "in_future", Status.REJECTED, "The event lies more than 24 h ahead."
    CLOCK_UNUSABLE = "clock.unusable", Status.REJECTED, "The sending clock is more than 24 h wrong."

    TYPE_MISSING = "type.missing", Status.REJECTED, "An event needs a type."
    TYPE_UNKNOWN = "type.unknown", Status.REJECTED, "There is no such event type."
    TYPE_FORBIDDEN = "type.forbidden", Status.REJECTED, "This sender may not send this type or field."

    SCHEMA_MISSING_FIELD = "schema.missing_field", Status.REJECTED, "A required field is missing."
    SCHEMA_UNKNOWN_FIELD = "schema.unknown_field", Status.REJECTED, "A field is not known here."
    SCHEMA_TYPE = "schema.type", Status.REJECTED, "A value has the wrong type."
    SCHEMA_ENUM = "schema.enum", Status.REJECTED, "A value is not one of those allowed."
    SCHEMA_RANGE = "schema.range", Status.REJECTED, "A number lies outside its range or has too many decimals."
    SCHEMA_PATTERN = "schema.pattern", Status.REJECTED, "A text does not have the form it must have."
    SCHEMA_LENGTH = "schema.length", Status.REJECTED, "A list or text is too long."

    TIME_UNPARSEABLE = "time.unparseable", Status.REJECTED, "A time must read like 2026-11-22T07:28:11.004+05:30."
    TIME_NO_OFFSET = "time.no_offset", Status.REJECTED, "A time needs an offset: a local time alone is ambiguous."
    TIME_OFFSET_RANGE = "time.offset_range", Status.REJECTED, "Offsets lie between -12:00 and +14:00."
    TIME_ZONE_UNKNOWN = "time.zone_unknown", Status.REJECTED, "tz must be a name of the IANA time zone database."

    USER_MISSING = "user.missing", Status.REJECTED, "A service token must say whose event it is."
    USER_MALFORMED = "user.malformed", Status.REJECTED, "user_id must be a UUID that belongs to someone."
    PRIVACY_PATTERN = (
        "privacy.pattern",
        Status.REJECTED,
        "An id looks like an address, a token or a number of a person.",
    )

    SUBJECT_ERASED = "subject.erased", Status.REFUSED, "This learner's data have been erased."
    SUBJECT_CONSENT = "subject.consent_withdrawn", Status.REFUSED, "Consent for this is missing or was withdrawn."
    SUBJECT_FORBIDDEN = "subject.forbidden", Status.REFUSED, "This sender may not write for this learner."

    SCHEMA_TOO_NEW = "schema.too_new", Status.RETRY, "The server does not know this schema version yet.", 86_400
    PARTITION_MISSING = "storage.partition_missing", Status.RETRY, "The storage for that month is being made.", 60
    STORAGE_BUSY = "storage.busy", Status.RETRY, "The storage is busy.", 2
    RATE_USER = "rate.user", Status.RETRY, "Too many events for this learner at once.", 60
    ATOMIC_ABORT = "batch.atomic_abort", Status.RETRY, "Another event of this atomic batch was not taken.", 1


class EventProblem(Exception):
    """One event cannot be taken: its code, the JSON pointer of the field if there is one, its id if that is sound."""

    def __init__(self, code: Code, path: str | None = None, event_id: str | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.path = path
        self.event_id = event_id
