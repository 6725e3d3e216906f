from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from bedplate.database import identity
from fountain.common.models import new_metadata


class Base(DeclarativeBase):
    """Base of the tables that this backend's migrations own."""

    metadata = new_metadata()


class _Paraphrase:
    id: Mapped[int] = identity()
    text: Mapped[str] = mapped_column(Text)
    commentary: Mapped[str] = mapped_column(Text)


class Character(Base):
    """A character of stories."""

    __tablename__ = "characters"

    id: Mapped[int] = identity()
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text)


class CharacterParaphrase(_Paraphrase, Base):
    """A paraphrase of a character."""

    __tablename__ = "character_paraphrases"

    original_id: Mapped[int] = mapped_column(ForeignKey(Character.id))


class Action(Base):
    """Something that happens."""

    __tablename__ = "actions"

    id: Mapped[int] = identity()
    description: Mapped[str] = mapped_column(Text)


class ActionParaphrase(_Paraphrase, Base):
    """A paraphrase of an action."""

    __tablename__ = "action_paraphrases"

    original_id: Mapped[int] = mapped_column(ForeignKey(Action.id))


class SpokenWord(Base):
    """Something that a character says."""

    __tablename__ = "spoken_words"

    id: Mapped[int] = identity()
    text: Mapped[str] = mapped_column(Text)


class SpokenWordParaphrase(_Paraphrase, Base):
    """A paraphrase of something said."""

    __tablename__ = "spoken_word_paraphrases"

    original_id: Mapped[int] = mapped_column(ForeignKey(SpokenWord.id))


for _model in (CharacterParaphrase, ActionParaphrase, SpokenWordParaphrase):
    Index(None, _model.original_id, _model.id)
