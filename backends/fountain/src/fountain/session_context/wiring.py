from typing import Annotated

from fastapi import Path

from bedplate.contracts import ParameterInteger64

SessionId = Annotated[ParameterInteger64, Path(alias="sessionId")]
