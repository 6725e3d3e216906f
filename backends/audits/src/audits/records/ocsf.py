"""Records as events of the Open Cybersecurity Schema Framework (OCSF 1.3).

Logins and logouts are class 3002, Authentication; everything else is 3004, Entity Management.
"""

from typing import Any, Final

from bedplate.database import Row

_VERSION: Final = "1.3.0"
_CATEGORY: Final = 3
_AUTHENTICATION: Final = 3002
_ENTITY_MANAGEMENT: Final = 3004
_OTHER: Final = 99
_LOGONS: Final = {"login": 1, "logout": 2}
_ACTIVITIES: Final = {"create": 1, "view": 2, "update": 3, "delete": 4}
_NAMES: Final = {
    "login": "Logon", "logout": "Logoff", "create": "Create", "view": "Read", "update": "Update",
    "delete": "Delete",
}  # fmt: skip
_STATUSES: Final = {"success": (1, "Success"), "failure": (2, "Failure"), "pending": (0, "Unknown")}


def to_ocsf(event: Row) -> dict[str, Any]:
    """Return the OCSF event of a record, made from one of its events."""
    kind = event["action_type"]
    is_logon = kind in _LOGONS
    class_uid = _AUTHENTICATION if is_logon else _ENTITY_MANAGEMENT
    activity = (_LOGONS if is_logon else _ACTIVITIES).get(kind, _OTHER)
    status_id, status = _STATUSES[event["status"]]
    happened = event["occurred_at"] or event["created_at"]
    user = _user(event)
    found: dict[str, Any] = {
        "category_uid": _CATEGORY,
        "category_name": "Identity & Access Management",
        "class_uid": class_uid,
        "class_name": "Authentication" if is_logon else "Entity Management",
        "activity_id": activity,
        "activity_name": _NAMES.get(kind, kind.title()),
        "type_uid": class_uid * 100 + activity,
        "severity_id": 1,
        "time": round(happened.timestamp() * 1000),
        "status_id": status_id,
        "status": status,
        "metadata": {
            "version": _VERSION,
            "product": {"name": "Bedplate audits", "vendor_name": "Bedplate"},
            "uid": str(event["id"]),
            "sequence": event["seq"],
            "event_code": event["action"] or kind,
            "tenant_uid": event["tenant"],
            "correlation_uid": event["correlation_id"],
            "logged_time": round(event["recorded_at"].timestamp() * 1000),
        },
        "actor": {"user": user},
        "unmapped": {"details": event["details"], "targets": event["targets"]},
    }
    if is_logon:
        found["user"] = user
    else:
        identity = event["entity_id"] or event["entity_ref"]
        found["entity"] = {
            "type": event["entity_type"],
            "uid": None if identity is None else str(identity),
        }
    if event["ip_address"] is not None:
        found["src_endpoint"] = {"ip": event["ip_address"]}
    if event["user_agent"] is not None:
        found["http_request"] = {"user_agent": event["user_agent"]}
    return found


def _user(event: Row) -> dict[str, Any]:
    actor = event["actor"] or {}
    identity = event["user_id"] or actor.get("id")
    return {
        "uid": None if identity is None else str(identity),
        "name": actor.get("name"),
        "type": actor.get("type"),
    }
