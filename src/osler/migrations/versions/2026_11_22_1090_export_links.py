"""Links to an export: single-use, for a day."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels = None
depends_on = None

DDL = """
CREATE TABLE export_links (
  link_mac BYTEA NOT NULL,
  user_id UUID NOT NULL,
  made_at timestamptz DEFAULT now() NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  CONSTRAINT pk_export_links PRIMARY KEY (link_mac),
  CONSTRAINT ck_export_links_a_day CHECK (expires_at <= made_at + interval '24 hours'),
  CONSTRAINT fk_export_links_user_id_users FOREIGN KEY (user_id) REFERENCES users (user_id) ON DELETE CASCADE
)
"""
COMMENTS = {
    "TABLE export_links": "links that give a learner''s export once, within a day; without the link itself (operational)",
    "COLUMN export_links.link_mac": "keyed hash of the link (none)",
    "COLUMN export_links.user_id": "learner''s pseudonym (pseudonymous)",
    "COLUMN export_links.made_at": "asked for [UTC] (none)",
    "COLUMN export_links.expires_at": "worth nothing from then on [UTC] (none)",
    "COLUMN export_links.used_at": "opened; worth nothing from then on [UTC] (none)",
}
GRANTS = (
    "GRANT select, insert, update, delete ON export_links TO osler_app",
    "GRANT select, delete ON export_links TO osler_eraser",
)


def upgrade() -> None:
    """Create the table."""
    op.execute(DDL)
    op.execute("CREATE INDEX ix_export_links_user_id ON export_links (user_id)")
    for what, comment in COMMENTS.items():
        op.execute(f"COMMENT ON {what} IS '{comment}'")
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    """Drop it: links that were given out stop working."""
    op.execute("DROP TABLE export_links")
