"""VS_CFG_<Key>: settings of the very first start."""

import pytest

from bedplate.settings import SettingsError
from gameserver.configuration.first_start import from_environment


def test_values_are_read_by_the_type_of_their_key() -> None:
    """Numbers, switches, nothing, lists and members of WorldConfig; a text stays one."""
    found = from_environment({
        "VS_CFG_ServerName": "12", "VS_CFG_PORT": "42421", "VS_CFG_allowpvp": "off",
        "VS_CFG_Password": "", "VS_CFG_WorldConfig__PlayStyle": "exploration",
        "VS_CFG_ModIdBlackList": '["a"]', "VS_CFG_TickTime": "50", "PATH": "/bin", "VS_OTHER": "1",
    })  # fmt: skip
    assert found == {
        "ServerName": "12", "Port": 42421, "AllowPvP": False, "Password": None,
        "WorldConfig.PlayStyle": "exploration", "ModIdBlackList": ["a"], "TickTime": 50.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "text"),
    [("VS_CFG_Nonsense", "1"), ("VS_CFG_Port", "x"), ("VS_CFG_Port", "70000"),
     ("VS_CFG_ConfigVersion", "9"), ("VS_CFG_AllowPvP", "maybe"), ("VS_CFG_Roles", "[]")],
)  # fmt: skip
def test_a_variable_that_makes_no_sense_is_named(variable: str, text: str) -> None:
    """Unknown, locked and out-of-range settings are refused, naming the variable alone."""
    with pytest.raises(SettingsError, match=variable):
        from_environment({variable: text})
