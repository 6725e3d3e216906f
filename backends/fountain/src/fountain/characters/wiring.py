from typing import Annotated

from fastapi import Path

from bedplate.contracts import ParameterInteger64

CharacterId = Annotated[ParameterInteger64, Path(alias="characterId")]
ActionId = Annotated[ParameterInteger64, Path(alias="actionId")]
ParaphraseId = Annotated[ParameterInteger64, Path(alias="paraphraseId")]
SpokenWordId = Annotated[ParameterInteger64, Path(alias="spokenWordId")]
