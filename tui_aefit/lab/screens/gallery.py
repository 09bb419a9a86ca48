"""The gallery: one image of a set at a time, every level's prediction, and its nearest training images.

NumPy is loaded with this module, so it must be imported only when the gallery is opened.
"""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from core.declarations.printable import printable
from core.errors import AefitError
from core.families.registry import FAMILIES
from core.records.experiment import Experiment
from core.records.gallery import Gallery
from tui_aefit.lab.gallery_place import Place
from tui_aefit.lab.gallery_reading import Reading, read
from tui_aefit.lab.gallery_words import answers, facts, legend, rows_of, where
from tui_aefit.lab.key_names import key_of
from tui_aefit.lab.messages import ExportExperiment
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.nearest import NearestPane, OfMember
from tui_aefit.lab.widgets.picture import Pictures
from tui_aefit.lab.widgets.shades import shows_colours
from tui_aefit.lab.widgets.thumbnails import Thumbnails
from tui_aefit.shell.publications import EXPORTS

LOOK_SECONDS = 2.0
"""How often to look for the first complete run."""
PAGE = 10
"""Members by which shift and an arrow move."""
FOLLOWING = 3
"""Members shown below the present one where the terminal is high enough."""
ROWS_OF_FIGURE = 8
"""Members in an export of several."""
FRAME_ROWS, LEGEND_ROWS, DETAILS_ROWS = 3, 1, 5
"""Rows of the screen that pictures cannot use: of heading, place and footer; of the legend; of the details."""
NEAREST_ROWS = 22
"""Rows that the nearest training images have where they stand below: two headings, two captions, two rows."""
ROOMY, HIGH = 130, 38
DETAILS_COLUMNS = 42
"""Columns of the details beside the pictures, with their edge."""
"""Columns from which details are beside the pictures; rows from which the nearest are shown below as well."""
LINES = ("title", "where", "legend", "facts", "answers", "empty")
"""The ids of the lines of text around the pictures."""
NEED_MEMBERS = ("browse", "jump", "cycle_class", "cycle_target", "export", "thumbnails", "copy")
PANES = {"image": "Image", "nearest": "Nearest"}
BROWSE, RUN, FILTER = (Binding.Group(title, compact=True) for title in ("Browse", "Run", "Filter"))


class GalleryScreen(Screen[None]):
    """The galleries of an experiment's complete runs. run: the first to show, from 0; None: the first complete."""

    CSS_PATH = "gallery.tcss"
    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "browse(-1)", "Previous", id="gallery.previous", group=BROWSE,
                tooltip="The previous image"),
        Binding("right,l", "browse(1)", "Next", id="gallery.next", group=BROWSE, tooltip="The next image"),
        Binding("up,k", "run(-1)", "Previous run", id="gallery.run.previous", group=RUN,
                tooltip="The previous complete run"),
        Binding("down,j", "run(1)", "Next run", id="gallery.run.next", group=RUN,
                tooltip="The next complete run"),
        Binding("s", "cycle_set(1)", "Set", id="gallery.set", group=FILTER,
                tooltip="Images of the next set: controls, mistakes, all test images, adversarial again"),
        Binding("c", "cycle_class(1)", "Class", id="gallery.class", group=FILTER,
                tooltip="Only images of one true class, then of the next, then all again"),
        Binding("a", "cycle_target(1)", "Target", id="gallery.target", group=FILTER,
                tooltip="Only attacks that aim at one class, then at the next, then all again"),
        Binding("t", "thumbnails", "Thumbnails", id="gallery.thumbnails",
                tooltip="Many small pictures at once, or one large again"),
        Binding("x", "export(1)", "Export", id="gallery.export",
                tooltip="Write this image with its original and perturbation as a PNG"),
        Binding("escape", "back", "Back", id="gallery.back", tooltip="Leave the gallery"),
        Binding("S", "cycle_set(-1)", "Set before", id="gallery.set.before", show=False,
                tooltip="Cycle the sets backwards"),
        Binding("C", "cycle_class(-1)", "Class before", id="gallery.class.before", show=False,
                tooltip="Cycle the true classes backwards"),
        Binding("A", "cycle_target(-1)", "Target before", id="gallery.target.before", show=False,
                tooltip="Cycle the targets backwards"),
        Binding("X", f"export({ROWS_OF_FIGURE})", "Export several", id="gallery.export.several", show=False,
                tooltip=f"Write this and the next {ROWS_OF_FIGURE - 1} as one PNG, like the paper's Figure 4"),
        Binding("home", "jump(False)", "First", id="gallery.first", show=False, tooltip="The first image"),
        Binding("end", "jump(True)", "Last", id="gallery.last", show=False, tooltip="The last image"),
        Binding("shift+left,H", f"browse(-{PAGE})", f"Back {PAGE}", id="gallery.page.previous", show=False,
                tooltip=f"{PAGE} images back"),
        Binding("shift+right,L", f"browse({PAGE})", f"On {PAGE}", id="gallery.page.next", show=False,
                tooltip=f"{PAGE} images on"),
        *(
            Binding(str(place), f"pane('{name}')", title, id=f"gallery.{name}", show=False,
                    tooltip=tooltip)
            for place, (name, title, tooltip) in enumerate(
                (
                    ("image", "Image", "The image, its original and what every level says of it"),
                    ("nearest", "Nearest", "The training images nearest to it, by which a classifier may judge"),
                ),
                start=1,
            )
        ),
        Binding("f", "alone", "Full screen", id="gallery.full", show=False,
                tooltip="Where there is room for both: the image or its nearest alone, or both"),
        Binding("y", "copy", "Copy", id="gallery.copy", show=False, tooltip="Copy what is said of the image"),
        Binding("p", "report", "Report", id="gallery.report", show=False,
                tooltip="Write an HTML report with figures into the experiment's folder"),
        Binding("w", "as_text", "Characters", id="gallery.characters", show=False,
                tooltip="Draw with characters instead of colours, or with colours again"),
        Binding("pageup", "scroll_details(-1)", "Scroll up", id="gallery.scroll.up", show=False,
                tooltip="Scroll up in what is said of the image"),
        Binding("pagedown", "scroll_details(1)", "Scroll down", id="gallery.scroll.down", show=False,
                tooltip="Scroll down in what is said of the image"),
        # They work here too; the footer has room for seven keys.
        Binding("e", "app.experiments", "Experiments", id="gallery.experiments", show=False,
                tooltip="All experiments"),
        Binding("q", "app.leave", "Quit", id="gallery.quit", show=False,
                tooltip="Leave the lab; asks what becomes of running work"),
    ]  # fmt: skip

    def __init__(self, experiment: Experiment, run: int | None = None) -> None:
        super().__init__()
        self._experiment = experiment
        self._run = run
        self._steps = 0  # runs to go on by, not yet done
        self._set = "adversarial"
        self._reading = Reading(problem="Reading ...")
        self._place = Place()
        self._as_text = False
        self._pane, self._alone = "image", False
        # Kept, not looked up: a reading may end when the screen is being left.
        self._lines = {name: Static(id=name, markup=False) for name in LINES}
        self._pictures = Pictures()
        self._nearest, self._thumbnails = NearestPane(id="nearest"), Thumbnails(id="thumbnails")

    def compose(self) -> ComposeResult:
        """The place; the pictures with their texts; the nearest; small pictures; or why there is nothing."""
        yield self._lines["title"]
        yield self._lines["where"]
        with Container(id="body"):
            with Vertical(id="figure"):
                yield self._pictures
                yield self._lines["legend"]
            with VerticalScroll(id="details", can_focus=False):
                yield self._lines["facts"]
                yield self._lines["answers"]
            yield self._nearest
        yield self._thumbnails
        yield self._lines["empty"]
        yield KeysFooter(palette=False)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Grey out the keys to browse, filter or export where there is no picture."""
        if action == "cycle_set":
            return any(name != self._set for name in self._reading.sets) or None
        if action == "browse" and self.has_class("-thumbnails"):
            return False  # arrows move among the small pictures
        if action in NEED_MEMBERS and not self._place.members:
            return None
        return self._is_high or self._alone if action == "alone" else True

    # Reading

    def on_mount(self) -> None:
        """Read the first gallery; look every LOOK_SECONDS until a run is complete."""
        self._as_text = not shows_colours(self.app)
        self._timer = self.set_interval(LOOK_SECONDS, self._open_if_idle, pause=True)
        self.watch(self._pictures, "reduced", self._show, init=False)
        self._show()
        self._open()

    def _open_if_idle(self) -> None:
        # Else a reading that takes longer than LOOK_SECONDS would be cancelled by the next, for ever.
        if not any(worker.group == "open" and not worker.is_finished for worker in self.workers):
            self._open()

    @work(exclusive=True, group="open")
    async def _open(self) -> None:
        """Read the wanted run's gallery, in a thread."""
        before = self._run, self._reading.name
        look = partial(read, next_set=key_of(self, "gallery.set"))
        self._reading = await asyncio.to_thread(look, self._experiment, self._run, self._steps, self._set)
        self._run, self._steps = self._reading.run, 0
        if self._run is None:
            self._timer.resume()
        else:
            self._timer.pause()
        self._place.enter(self._reading.gallery, afresh=(self._reading.run, self._reading.name) != before)
        self._show()
        self.refresh_bindings()

    # Moving about

    def action_browse(self, step: int) -> None:
        """Go `step` members on, see `Place.browse`."""
        self._place.browse(step)
        self._show()

    def action_jump(self, to_end: bool) -> None:
        """Go to the first member or to the last."""
        self._place.go_to(-1 if to_end else 0)
        self._show()

    def action_run(self, step: int) -> None:
        """Go `step` complete runs on; runs that were completed since the last reading count."""
        self._steps += step
        self._open()

    def action_cycle_set(self, step: int) -> None:
        """Show another set's images; beyond the last set comes the first."""
        sets = self._reading.sets
        self._set = sets[(sets.index(self._set) + step) % len(sets)] if self._set in sets else sets[0]
        self._open()

    def action_cycle_class(self, step: int) -> None:
        """Show only the next true class that has members, then all again."""
        self._place.cycle_label(step)
        self._show()

    def action_cycle_target(self, step: int) -> None:
        """Show only the next target that has members of the true class shown, then all again."""
        self._place.cycle_target(step)
        self._show()

    def action_scroll_details(self, step: int) -> None:
        """Scroll the details, where the screen is too small for all of them."""
        self.query_one("#details").scroll_relative(y=4 * step, animate=False)

    def action_as_text(self) -> None:
        """Draw with characters, or with colours again."""
        self._as_text = not self._as_text
        self._show()

    def action_thumbnails(self) -> None:
        """Show many small pictures, or one large again."""
        self.set_class(not self.has_class("-thumbnails"), "-thumbnails")
        self._thumbnails.focus() if self.has_class("-thumbnails") else self.set_focus(None)
        self._show()

    @on(Thumbnails.Moved)
    def _moved(self, message: Thumbnails.Moved) -> None:
        self._place.go_to(message.place)
        self._show()

    @on(Thumbnails.Opened)
    def _opened(self) -> None:
        self.action_thumbnails()

    def action_pane(self, name: str) -> None:
        """Show the image or its nearest training images; where both are shown, only that one, or both again."""
        if self.has_class("-thumbnails"):
            self.action_thumbnails()
        elif self._is_high:
            self._alone = not (self._alone and self._pane == name)
        self._pane = name
        self._arrange()

    def action_alone(self) -> None:
        """Show one pane alone, or both again."""
        self._alone = not self._alone
        self._arrange()

    def action_copy(self) -> None:
        """Copy the texts about the image."""
        said = "\n".join(str(self._lines[name].render()) for name in ("where", "facts", "answers"))
        self.app.copy_to_clipboard(said)
        self.notify("copied what is said of the image", markup=False)

    def action_report(self) -> None:
        """Ask the app to write the report."""
        self.post_message(ExportExperiment(self._experiment, None, 0, "report"))

    def action_back(self) -> None:
        """Go one step back: from small pictures to the large one, from one pane to both, out of the screen."""
        if self.has_class("-thumbnails"):
            self.action_thumbnails()
        elif self._alone:
            self.action_alone()
        else:
            self.dismiss(None)

    def action_export(self, count: int) -> None:
        """Write the member shown, and those after it up to `count`, as one PNG among the experiment's exports."""
        assert self._reading.gallery is not None
        assert self._reading.run is not None
        members = self._place.on(count)
        shown = self._reading.gallery.name
        kind = "" if shown == "adversarial" else f"{shown}-"
        name = f"gallery-{kind}run{self._reading.run + 1}-{members[0] + 1}"
        if count > 1:
            name += f"-and-{len(members) - 1}-more"
            name += "" if self._place.label is None else f"-class{self._place.label}"
            name += "" if self._place.target is None else f"-target{self._place.target}"
        path = self._experiment.folder / EXPORTS / f"{name}.png"
        # A worker of the app: one of this screen would be cancelled where the person leaves it.
        self.app.run_worker(self._write(path, self._reading.gallery, members), group="export")

    async def _write(self, path: Path, gallery: Gallery, members: list[int]) -> None:
        from core.report.figures.picture import write_figure  # noqa: PLC0415  # Pillow, for this key only

        try:
            await asyncio.to_thread(write_figure, path, gallery, members)
        except AefitError as error:
            self.app.notify(f"{error}\n{error.hint}", severity="error", markup=False)
        else:
            self.app.notify(f"wrote {path.name} to\n{path.parent}", markup=False)

    # Showing

    def _show(self) -> None:
        """Bring the screen up to date."""
        gallery = self._reading.gallery
        self.set_class(not self._place.members, "-empty")
        self._lines["where"].update(self._where())
        self._lines["title"].update(self._title())
        if gallery is None or not self._place.members:
            self._lines["empty"].update(self._reading.problem)
            return
        member = self._place.member
        for widget in (self._pictures, self._nearest, self._thumbnails):
            widget.as_text = self._as_text
        if self.has_class("-thumbnails"):
            self._thumbnails.gallery = gallery
            self._thumbnails.members, self._thumbnails.place = self._place.members, self._place.position
            return
        self._pictures.rows = rows_of(gallery, member, self._place.following(FOLLOWING))
        self._lines["legend"].update(legend(gallery, as_text=self._as_text))
        self._lines["facts"].update(
            facts(
                gallery, member, self._reading, self._experiment.spec.epsilon, reduced=self._pictures.reduced
            )
        )
        counted_as = FAMILIES[self._experiment.spec.family].counted_as
        self._lines["answers"].update(answers(gallery, member, self._room_of_answers(), counted_as))
        self._nearest.of = OfMember(gallery, member)
        self._arrange()

    def on_resize(self) -> None:
        """Choose words and panes anew for the room that there is now."""
        self._show()

    @property
    def _is_roomy(self) -> bool:
        return self.size.width >= ROOMY

    @property
    def _is_high(self) -> bool:
        """Whether the image has nearest ones, and there is room for both."""
        gallery = self._reading.gallery
        has = gallery is not None and gallery.nearest is not None
        return has and self._is_roomy and self.size.height >= HIGH

    def _arrange(self) -> None:
        """Place the panes: both where there is room, else the one that was chosen."""
        both = self._is_high and not self._alone
        free = self.size.height - FRAME_ROWS - LEGEND_ROWS
        # Pictures of twice the size leave no room for the details beside them: these are below then.
        huge = False
        if self._pictures.rows:
            height, width, _ = self._pictures.rows[0][0].image.shape
            below = NEAREST_ROWS if both else DETAILS_ROWS
            huge = 6 * width + 2 <= self.size.width and 1 + height + below <= free
        shown = "both" if both else self._pane
        for name in ("both", *PANES):
            self.set_class(name == shown, f"-{name}")
        self.set_class(huge and both, "-huge")
        self.set_class(self._is_roomy and not huge, "-beside")
        body, details = self.query_one("#body"), self.query_one("#details")
        if huge and both:
            body.move_child(details, after=self._nearest)
        else:
            body.move_child(details, before=self._nearest)
        below = NEAREST_ROWS if both else 0 if self._is_roomy and not huge else DETAILS_ROWS
        self._pictures.spare_rows = FRAME_ROWS + LEGEND_ROWS + below
        if both:
            width = self.size.width - (0 if huge else DETAILS_COLUMNS)
            rows = self._pictures.get_content_height(self.size, self.size, width) + LEGEND_ROWS
            body.styles.grid_rows = f"{rows} 1fr"
        else:
            body.styles.grid_rows = "1fr"
        self._lines["title"].update(self._title())
        self._pictures.refresh(layout=True)
        self.refresh_bindings()

    def _room_of_answers(self) -> int:
        return self.size.width // 2 - 2 if not self._is_roomy else DETAILS_COLUMNS - 3

    def _title(self) -> Content:
        """The line with the experiment, and the panes with their keys."""
        name = Content(f"Gallery  {printable(self._experiment.id)}")
        parts = []
        for pane, title in PANES.items():
            style = "reverse" if self.has_class(f"-{pane}") and not self.has_class("-thumbnails") else ""
            parts.append(self._key(f"pane('{pane}')", f"gallery.{pane}", title, style))
        style = "reverse" if self.has_class("-thumbnails") else ""
        parts.append(self._key("thumbnails", "gallery.thumbnails", "Thumbnails", style))
        tabs = Content(" ").join(parts) if self._place.members else Content("")
        room = self.size.width - 2 - tabs.cell_length
        if name.cell_length > room - 2:
            name = name.truncate(max(0, room - 2), ellipsis=True)
        return Content.assemble(name, " " * max(0, room - name.cell_length), tabs)

    def _key(self, action: str, binding: str, title: str, style: str) -> Content:
        word = Content.from_markup(
            "[@click=screen." + action + "]$key $title[/]", key=key_of(self, binding), title=title
        )
        return word.stylize(style) if style else word

    def _where(self) -> Content:
        if self._run is None:
            return Content("")
        return where(self._run, self._experiment.spec.runs, self._reading, self._place, self.size.width - 2)
