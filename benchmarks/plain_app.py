"""The least that a Textual app with a form costs: the peer that the lab's start is measured against.

python -m benchmarks.plain_app
"""

from textual.app import App, ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Collapsible, Footer, Input, Label, Select, Static


class PlainApp(App[None]):
    """A title, five fields with their names, a fold with nothing in it, a footer."""

    CSS = ".row { height: 1; } .name { width: 16; } Select, Input { width: 24; }"
    BINDINGS = [("q", "quit", "Quit")]  # noqa: RUF012  # declared so by App

    def compose(self) -> ComposeResult:
        """The form."""
        yield Static("New experiment")
        with VerticalScroll():
            for name in ("Data set", "Attack"):
                select = Select(
                    [("one", "one"), ("two", "two")], value="one", allow_blank=False, compact=True
                )
                yield Horizontal(Label(name, classes="name"), select, Label(), classes="row")
            for name in ("Epsilon", "Z, largest K", "Runs"):
                yield Horizontal(Label(name, classes="name"), Input(compact=True), Label(), classes="row")
            with Collapsible(title="Advanced"):
                yield Label("nothing")
        yield Footer()


if __name__ == "__main__":
    PlainApp().run()
