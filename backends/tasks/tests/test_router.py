"""The contract of the to-do API, on SQLite and on PostgreSQL."""

from bedplate.testing.client import Client


async def test_a_task_is_stored_shown_changed_and_deleted(
    api: Client, ada: dict[str, str]
) -> None:
    """A task can be added, read, replaced, patched and deleted, each with the promised status."""
    added = await api.post("/tasks", json={"title": " Buy milk "}, headers=ada)
    assert added.status_code == 201, added.text
    task = added.json()
    assert added.headers["location"] == f"/tasks/{task['id']}"
    assert (task["title"], task["description"], task["completed"]) == ("Buy milk", None, False)

    shown = await api.get(f"/tasks/{task['id']}", headers=ada)
    assert (shown.status_code, shown.json()) == (200, task)
    assert shown.headers["etag"] == added.headers["etag"] == '"1"'

    replaced = await api.put(
        f"/tasks/{task['id']}", json={"title": "Oats", "completed": True}, headers=ada
    )
    assert (replaced.status_code, replaced.json()["completed"]) == (200, True)

    patched = await api.patch(f"/tasks/{task['id']}", json={"description": "1 l"}, headers=ada)
    assert (patched.json()["title"], patched.json()["description"]) == ("Oats", "1 l")

    assert (await api.delete(f"/tasks/{task['id']}", headers=ada)).status_code == 204
    gone = await api.get(f"/tasks/{task['id']}", headers=ada)
    assert (gone.status_code, gone.json()["code"]) == (404, "task_not_found")


async def test_the_list_is_newest_first_in_pages(api: Client, ada: dict[str, str]) -> None:
    """Following the Link headers yields every task once, the newest first."""
    ids = []
    for number in range(7):
        response = await api.post("/tasks", json={"title": f"Task {number}"}, headers=ada)
        ids.append(response.json()["id"])
    found: list[int] = []
    address: str | None = "/tasks?limit=3"
    while address is not None:
        page = await api.get(address, headers=ada)
        found += [task["id"] for task in page.json()]
        link = page.links.get("next")
        address = link["url"] if link else None
    assert found == ids[::-1]
