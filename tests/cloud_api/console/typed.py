"""Forms of a page as a browser sends them."""

from collections.abc import Mapping
from html.parser import HTMLParser


class _Reader(HTMLParser):
    """Collects what one form of a page would send."""

    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.sent: dict[str, list[str]] = {}
        self._inside = False
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = said.get("action") == self.action
        elif self._inside and tag == "select":
            self._select = said["name"]
        elif self._inside and tag == "option":
            self._choose(said)
        elif self._inside and tag == "textarea":
            self._textarea = said["name"]
            self.sent.setdefault(self._textarea, [""])
        elif self._inside and tag == "input" and "name" in said:
            self._fill(said)

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.sent[self._textarea] = [data.removeprefix("\n").replace("\n", "\r\n")]

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag in ("select", "textarea"):
            self._select = self._textarea = ""

    def _choose(self, said: Mapping[str, str]) -> None:
        """The first of a list is chosen when none is."""
        if "selected" in said or self._select not in self.sent:
            self.sent[self._select] = [said.get("value", "")]

    def _fill(self, said: Mapping[str, str]) -> None:
        if said.get("type") in ("checkbox", "radio"):
            if "checked" in said:
                self.sent.setdefault(said["name"], []).append(said.get("value", "on"))
        elif said.get("type") != "file":
            self.sent.setdefault(said["name"], []).append(said.get("value", ""))


def form_on(page: str, action: str) -> dict[str, list[str]]:
    """What the form with this address would send as it stands on the page."""
    reader = _Reader(action)
    reader.feed(page)
    assert reader.sent, f"no form sends anything to {action}"
    return reader.sent
