"""Words in tags and deck names, and the topic that they speak of: a curriculum brings its own."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision: str | None = "0016"
branch_labels = None
depends_on = None

# Frozen as it was declared on the day of this migration.
STATEMENTS = """
CREATE TABLE tag_rules (
    words TEXT NOT NULL,
    topic_id TEXT NOT NULL,
    is_general BOOLEAN DEFAULT false NOT NULL,
    CONSTRAINT pk_tag_rules PRIMARY KEY (words),
    CONSTRAINT fk_tag_rules_topic_id_topics FOREIGN KEY (topic_id) REFERENCES topics (topic_id)
);
CREATE INDEX ix_tag_rules_topic_id ON tag_rules (topic_id);
COMMENT ON TABLE tag_rules IS 'words in tags and deck names, and the topic that they speak of; replaced with the curriculum (fact)';
COMMENT ON COLUMN tag_rules.words IS 'words in lower case with single spaces (none)';
COMMENT ON COLUMN tag_rules.topic_id IS 'topic that they speak of (none)';
COMMENT ON COLUMN tag_rules.is_general IS 'whether any other topic that the same path names wins (none)';
GRANT select, insert, update, delete ON tag_rules TO osler_app;
GRANT select ON tag_rules TO osler_reader, osler_eraser, osler_retention;
"""


def upgrade() -> None:
    """Create the table; the next import fills it with the rules of the shipped curriculum, where that one is loaded."""
    for statement in STATEMENTS.split(";\n"):
        if statement.strip():
            op.execute(statement)


def downgrade() -> None:
    """Drop it: the version of before has its rules in a file."""
    op.execute("DROP TABLE tag_rules")
