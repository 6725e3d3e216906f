"""The example of the package's README works as it stands."""

import re
from pathlib import Path
from typing import Any

from bedplate.testing.client import client

README = Path(__file__).parents[1] / "README.md"


async def test_the_example() -> None:
    """The code of the README serves a greeting, and a problem document for an unknown one."""
    code = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)[0]
    module: dict[str, Any] = {}
    exec(compile(code, "greetings.py", "exec"), module)
    async with client(module["app"]()) as web:
        assert (await web.get("/greetings/en")).json() == {"greeting": "Good morning"}
        missing = await web.get("/greetings/fr")
    assert missing.status_code == 404
    assert missing.json()["code"] == "greeting_not_found"
    assert missing.json()["detail"] == "There is no greeting in this language."
