"""Never give an identity twice, on SQLite too."""

from alembic import op

from bedplate.database import forbid_reuse

revision = "2026_11_29_keep_identities"
down_revision = "2026_11_21_create_characters"
branch_labels = None
depends_on = None

_TABLES = (
    "characters",
    "character_paraphrases",
    "actions",
    "action_paraphrases",
    "spoken_words",
    "spoken_word_paraphrases",
)


def upgrade() -> None:
    for table in _TABLES:
        forbid_reuse(op, table)


def downgrade() -> None:
    """Leave the tables: an identity that never comes back harms no older version."""
