"""What is stored: characters, what they do, what they say, and paraphrases of any of these."""

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Integer, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only for INTEGER.
_BIG = BigInteger().with_variant(Integer, "sqlite")


class Base(DeclarativeBase):
    """Everything that this backend's migrations own."""

    metadata = MetaData(
        naming_convention={
            "pk": "%(table_name)s_pkey",
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
        }
    )


class Character(Base):
    """A character of stories."""

    __tablename__ = "characters"

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)


class CharacterParaphrase(Base):
    """A paraphrase of a character."""

    __tablename__ = "character_paraphrases"

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    original_id: Mapped[int] = mapped_column(ForeignKey(Character.id))
    text: Mapped[str] = mapped_column(Text)
    commentary: Mapped[str] = mapped_column(Text)


class Action(Base):
    """Something that happens."""

    __tablename__ = "actions"

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    description: Mapped[str] = mapped_column(Text)


class ActionParaphrase(Base):
    """A paraphrase of an action."""

    __tablename__ = "action_paraphrases"

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    original_id: Mapped[int] = mapped_column(ForeignKey(Action.id))
    text: Mapped[str] = mapped_column(Text)
    commentary: Mapped[str] = mapped_column(Text)


class SpokenWord(Base):
    """Something that is said."""

    __tablename__ = "spoken_words"

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class SpokenWordParaphrase(Base):
    """A paraphrase of something said."""

    __tablename__ = "spoken_word_paraphrases"

    id: Mapped[int] = mapped_column(_BIG, Identity(), primary_key=True)
    original_id: Mapped[int] = mapped_column(ForeignKey(SpokenWord.id))
    text: Mapped[str] = mapped_column(Text)
    commentary: Mapped[str] = mapped_column(Text)


for _paraphrase in (CharacterParaphrase, ActionParaphrase, SpokenWordParaphrase):
    Index(None, _paraphrase.original_id, _paraphrase.id)
