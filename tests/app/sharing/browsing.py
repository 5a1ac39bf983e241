"""What a browser without script would send back of a form that a page shows."""

from html.parser import HTMLParser


class _Form(HTMLParser):
    def __init__(self, form_id: str) -> None:
        super().__init__()
        self._wanted = form_id
        self._is_inside = False
        self._select = ""
        self._text = ""
        self.fields: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_inside = found.get("id") == self._wanted
        if not self._is_inside:
            return
        if tag == "input":
            kind = found.get("type", "text")
            is_sent = kind not in {"checkbox", "radio"} or "checked" in found
            if is_sent and found.get("name"):
                self.fields.append((found["name"], found.get("value", "")))
        elif tag == "select":
            self._select = found["name"]
            self.fields.append((self._select, ""))
        elif tag == "option" and "selected" in found:
            self.fields[-1] = (self._select, found["value"])
        elif tag == "textarea":
            self._text = found["name"]
            self.fields.append((self._text, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._is_inside = False
        elif tag == "textarea":
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._text:
            name, before = self.fields[-1]
            self.fields[-1] = (name, (before + data).removeprefix("\n"))


def fields_of(page: str, form_id: str = "draft") -> list[tuple[str, str]]:
    """Name and value of every field of the form, in its order, as the page has filled them."""
    form = _Form(form_id)
    form.feed(page)
    return form.fields


def with_field(fields: list[tuple[str, str]], name: str, *values: str) -> dict[str, list[str]]:
    """The fields by name, with one of them set to other values, at its place."""
    found: dict[str, list[str]] = {}
    for key, value in fields:
        found.setdefault(key, []).append(value)
    found[name] = list(values)
    return found
