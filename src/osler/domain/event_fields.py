"""The vocabulary of event fields: every pattern, closed list and range that an event may carry, declared once.

Everything that reads a constraint (decoder, OpenAPI, docs page, test strategies) reads these annotations.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

ID_PATTERN = r"^[A-Za-z0-9_.:\-]{1,64}$"
KEY_PATTERN = r"^[A-Za-z0-9]{1,8}$"
ROUTE_PATTERN = r"^(/[A-Za-z0-9_{}/.:\-]{0,200}|unmatched)$"
UUID_PATTERN = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
ZONE_PATTERN = r"^[A-Za-z0-9_+\-/]{1,64}$"
INT_MAX = 2**53 - 1

Id = Annotated[str, Meta(pattern=ID_PATTERN, description="ASCII id of 1 to 64 characters")]
Key = Annotated[str, Meta(pattern=KEY_PATTERN, description="option key")]
Keys = Annotated[list[Key], Meta(max_length=10)]
Route = Annotated[str, Meta(pattern=ROUTE_PATTERN, description="route template, never a path")]
UuidText = Annotated[str, Meta(pattern=UUID_PATTERN, description="UUID")]
ZoneName = Annotated[str, Meta(pattern=ZONE_PATTERN, description="IANA time zone")]
TopicIds = Annotated[list[Id], Meta(max_length=5)]

# Durations are seconds with at most three decimals; the number in the name is the upper bound.
Seconds = Annotated[float, Meta(ge=0, le=10**15, extra_json_schema={"multipleOf": 0.001})]
Seconds120 = Annotated[float, Meta(ge=0, le=120, extra_json_schema={"multipleOf": 0.001})]
Seconds3600 = Annotated[float, Meta(ge=0, le=3_600, extra_json_schema={"multipleOf": 0.001})]
Seconds14400 = Annotated[float, Meta(ge=0, le=14_400, extra_json_schema={"multipleOf": 0.001})]
Seconds36000 = Annotated[float, Meta(ge=0, le=36_000, extra_json_schema={"multipleOf": 0.001})]
Seconds86400 = Annotated[float, Meta(ge=0, le=86_400, extra_json_schema={"multipleOf": 0.001})]

Share = Annotated[float, Meta(ge=0, le=1, description="number from 0 to 1")]
PlaybackRate = Annotated[float, Meta(ge=0.25, le=4)]
Integer = Annotated[int, Meta(ge=-INT_MAX, le=INT_MAX)]
Likert5 = Annotated[int, Meta(ge=1, le=5)]
Rating4 = Annotated[int, Meta(ge=1, le=4, description="1 again, 2 hard, 3 good, 4 easy")]
Count1000 = Annotated[int, Meta(ge=1, le=1_000)]
Position2000 = Annotated[int, Meta(ge=1, le=2_000)]
Hints20 = Annotated[int, Meta(ge=0, le=20)]
HintIndex = Annotated[int, Meta(ge=1, le=20)]
EasePermille = Annotated[int, Meta(ge=0, le=10_000)]
Minutes1440 = Annotated[int, Meta(ge=0, le=1_440)]
GoalMinutes = Annotated[int, Meta(ge=1, le=1_440)]
MarkedChars = Annotated[int, Meta(ge=1, le=20_000)]
WrittenChars = Annotated[int, Meta(ge=0, le=100_000)]
Milliseconds600k = Annotated[int, Meta(ge=0, le=600_000)]
Rank100 = Annotated[int, Meta(ge=1, le=100)]
HttpStatus = Annotated[int, Meta(ge=100, le=599)]
SchemaVersion = Annotated[int, Meta(ge=1, le=10_000)]
Monotonic = Annotated[int, Meta(ge=0, le=INT_MAX, description="milliseconds since boot")]

SessionMode = Literal["practice", "exam", "reading", "review", "coach", "mixed"]
Platform = Literal["web", "ios", "android", "desktop", "other"]
PauseReason = Literal["user", "idle", "background", "call"]
FocusState = Literal["hidden", "visible"]
SessionEndReason = Literal["user", "timeout", "app_closed", "server"]
BlockKind = Literal["practice", "mock", "assessment"]
BlockEndReason = Literal["finished", "timeout", "abandoned"]
AnswerMode = Literal["tutor", "timed", "exam", "untimed"]
CardKind = Literal["learning", "review", "relearning", "filtered"]
MaterialKind = Literal["text", "video", "audio", "image", "case", "slides"]
CloseReason = Literal["user", "navigate", "timeout"]
EditAction = Literal["create", "change", "delete"]
Colour = Literal["yellow", "green", "blue", "pink", "none"]
CoachContext = Literal["question", "material", "topic", "plan", "none"]
CoachEndReason = Literal["user", "timeout", "limit"]
CoachRole = Literal["learner", "coach"]
CoachIntent = Literal["explain", "quiz", "plan", "clarify", "feedback", "other"]
CoachVerdict = Literal["wrong", "unclear", "too_long", "off_topic", "good"]
CoachAct = Literal["offered", "accepted", "dismissed"]
RecommendationAct = Literal["shown", "accepted", "dismissed", "completed"]
Target = Literal["question", "material", "topic", "review"]
HttpMethod = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
TimePrecision = Literal["ms", "s", "min", "hour", "day"]
# The one list of what a user agent may be told as: `domain.privacy` gives no other.
Client = Literal[
    "Windows Chrome", "Windows Edge", "Windows Firefox", "Windows Opera",
    "macOS Chrome", "macOS Edge", "macOS Firefox", "macOS Opera", "macOS Safari",
    "Linux Chrome", "Linux Edge", "Linux Firefox", "Linux Opera",
    "iOS Chrome", "iOS Edge", "iOS Firefox", "iOS Safari",
    "Android Chrome", "Android Edge", "Android Firefox", "Android Opera", "Android Samsung",
    "ChromeOS Chrome", "Other",
]  # fmt: skip
