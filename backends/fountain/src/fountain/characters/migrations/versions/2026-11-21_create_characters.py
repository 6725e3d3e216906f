"""Create characters, actions, spoken words, and the paraphrases of each."""

import sqlalchemy as sa
from alembic import op

from bedplate.database import BigInt

revision = "2026_11_21_create_characters"
down_revision = None
branch_labels = None
depends_on = None

_KINDS = (
    ("characters", "character_paraphrases", ("name", "description")),
    ("actions", "action_paraphrases", ("description",)),
    ("spoken_words", "spoken_word_paraphrases", ("text",)),
)


def upgrade() -> None:
    for originals, paraphrases, texts in _KINDS:
        op.create_table(
            originals,
            sa.Column("id", BigInt, sa.Identity(), nullable=False),
            *(sa.Column(text, sa.Text(), nullable=False) for text in texts),
            sa.PrimaryKeyConstraint("id", name=f"{originals}_pkey"),
        )
        op.create_table(
            paraphrases,
            sa.Column("id", BigInt, sa.Identity(), nullable=False),
            sa.Column("original_id", BigInt, nullable=False),
            sa.Column("text", sa.Text(), nullable=False),
            sa.Column("commentary", sa.Text(), nullable=False),
            sa.PrimaryKeyConstraint("id", name=f"{paraphrases}_pkey"),
            sa.ForeignKeyConstraint(
                ["original_id"], [f"{originals}.id"], name=f"{paraphrases}_original_id_fkey"
            ),
        )
        op.create_index(f"{paraphrases}_original_id_id_idx", paraphrases, ["original_id", "id"])


def downgrade() -> None:
    for originals, paraphrases, _ in _KINDS:
        op.drop_table(paraphrases)
        op.drop_table(originals)
