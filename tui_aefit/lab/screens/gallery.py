"""The gallery: one image of a set at a time, between its original and what every level says of it.

NumPy is loaded with this module, so it must be imported only when the gallery is opened.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import numpy as np
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Header, Static

from core.declarations.printable import printable
from core.errors import AefitError
from core.records.experiment import Experiment
from core.records.gallery import Gallery, amplified, grey_levels
from core.sets.registry import SETS
from tui_aefit.lab.gallery_reading import Reading, read
from tui_aefit.lab.widgets.footer import KeysFooter
from tui_aefit.lab.widgets.picture import Panel, Pictures
from tui_aefit.lab.widgets.shades import SIGNED, shows_colours
from tui_aefit.shell.publications import EXPORTS

LOOK_SECONDS = 2.0
"""How often to look for the first complete run."""
PAGE = 10
"""Members that shift and an arrow pass over."""
FOLLOWING = 3
"""Members shown below the present one where the terminal is high enough."""
ROWS_OF_FIGURE = 8
"""Members in an export of several."""
SPARE_ROWS = 9
"""Rows of the screen that are not for the pictures: two above, the legend, five lines of details, the footer."""
LINES = ("where", "legend", "facts", "answers", "empty")
"""What is said around the pictures, by id."""
BROWSE, RUN, FILTER = (Binding.Group(title, compact=True) for title in ("Browse", "Run", "Filter"))


class GalleryScreen(Screen[None]):
    """The galleries of an experiment's complete runs, beginning with `run` (from 0; the first complete one)."""

    TITLE = "Gallery"
    CSS_PATH = "gallery.tcss"
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012  # declared so by Screen
        (0, "-narrow"),
        (140, "-wide"),  # three pictures of 32 columns and the details beside them
        (172, "-huge"),  # three pictures of 28 columns at twice the size
    ]
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
        Binding("t", "cycle_target(1)", "Target", id="gallery.target", group=FILTER,
                tooltip="Only attacks toward one class, then toward the next, then all again"),
        Binding("x", "export(1)", "Export", id="gallery.export",
                tooltip="Write this image with its original and perturbation as a PNG"),
        Binding("escape", "back", "Back", id="gallery.back", tooltip="Leave the gallery"),
        Binding("S", "cycle_set(-1)", "Set before", id="gallery.set.before", show=False,
                tooltip="Cycle the sets backwards"),
        Binding("C", "cycle_class(-1)", "Class before", id="gallery.class.before", show=False,
                tooltip="Cycle the true classes backwards"),
        Binding("T", "cycle_target(-1)", "Target before", id="gallery.target.before", show=False,
                tooltip="Cycle the targets backwards"),
        Binding("X", f"export({ROWS_OF_FIGURE})", "Export several", id="gallery.export.several", show=False,
                tooltip=f"Write this and the next {ROWS_OF_FIGURE - 1} as one PNG, like the paper's Figure 4"),
        Binding("home", "jump(False)", "First", id="gallery.first", show=False, tooltip="The first image"),
        Binding("end", "jump(True)", "Last", id="gallery.last", show=False, tooltip="The last image"),
        Binding("shift+left,H", f"browse(-{PAGE})", f"Back {PAGE}", id="gallery.page.previous", show=False,
                tooltip=f"{PAGE} images back"),
        Binding("shift+right,L", f"browse({PAGE})", f"On {PAGE}", id="gallery.page.next", show=False,
                tooltip=f"{PAGE} images on"),
        Binding("p", "as_text", "Characters", id="gallery.characters", show=False,
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
        self._class: int | None = None
        self._target: int | None = None
        self._members: list[int] = []
        self._position = 0
        self._as_text = False
        # Kept, not looked up: a reading may end when the screen is being left.
        self._lines = {name: Static(id=name, markup=False) for name in LINES}
        self._pictures = Pictures(spare_rows=SPARE_ROWS)
        self.sub_title = experiment.id

    def compose(self) -> ComposeResult:
        """Where we are; the three pictures; what is said of them. Or why there are none."""
        yield Header()
        yield self._lines["where"]
        with Vertical(id="body"):
            with Vertical(id="figure"):
                yield self._pictures
                yield self._lines["legend"]
            with VerticalScroll(id="details", can_focus=False):
                yield self._lines["facts"]
                yield self._lines["answers"]
        yield self._lines["empty"]
        yield KeysFooter()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without a picture there is nothing to browse, filter or export: those keys are greyed."""
        if action == "cycle_set":
            return any(name != self._set for name in self._reading.sets) or None
        if action in ("browse", "jump", "cycle_class", "cycle_target", "export") and not self._members:
            return None
        return True

    # Reading

    def on_mount(self) -> None:
        """Read the first gallery; until a run is complete, look again and again."""
        self._as_text = not shows_colours(self.app)
        self._timer = self.set_interval(LOOK_SECONDS, self._open_if_idle, pause=True)
        self.watch(self._pictures, "reduced", self._show, init=False)
        self._show()
        self._open()

    def _open_if_idle(self) -> None:
        # A reading that takes longer than that would be given up for the next one, for ever.
        if not any(worker.group == "open" and not worker.is_finished for worker in self.workers):
            self._open()

    @work(exclusive=True, group="open")
    async def _open(self) -> None:
        """Read the gallery of the run that is wanted, beside the screen."""
        before = self._run, self._reading.name
        self._reading = await asyncio.to_thread(read, self._experiment, self._run, self._steps, self._set)
        if (self._reading.run, self._reading.name) != before:
            self._position = 0
        self._run, self._steps = self._reading.run, 0
        if self._run is None:
            self._timer.resume()
        else:
            self._timer.pause()
        self._choose()
        self.refresh_bindings()

    def _choose(self) -> None:
        """Find the members that pass the filters; a filter that none passes is taken away."""
        self._members = []
        if (gallery := self._reading.gallery) is not None:
            if not gallery.members(self._class):
                self._class = None
            if not gallery.members(self._class, self._target):
                self._target = None
            self._members = gallery.members(self._class, self._target)
        self._position = min(self._position, max(0, len(self._members) - 1))
        self._show()

    # Moving about

    def action_browse(self, step: int) -> None:
        """Go to another member; beyond the last comes the first."""
        last = len(self._members) - 1
        if abs(step) == 1:
            self._position = (self._position + step) % (last + 1)
        else:
            self._position = min(max(self._position + step, 0), last)
        self._show()

    def action_jump(self, to_end: bool) -> None:
        """Go to the first member or to the last."""
        self._position = len(self._members) - 1 if to_end else 0
        self._show()

    def action_run(self, step: int) -> None:
        """Go to another complete run, whether it was complete before or is now."""
        self._steps += step
        self._open()

    def action_cycle_set(self, step: int) -> None:
        """Show another set's images; beyond the last set comes the first."""
        sets = self._reading.sets
        self._set = sets[(sets.index(self._set) + step) % len(sets)] if self._set in sets else sets[0]
        self._open()

    def action_cycle_class(self, step: int) -> None:
        """Show only the next true class that has members, then all again."""
        assert self._reading.gallery is not None
        self._class = _next(self._class, self._reading.gallery.label.tolist(), step)
        self._position = 0
        self._choose()

    def action_cycle_target(self, step: int) -> None:
        """Show only the next target that has members of the true class shown, then all again."""
        gallery = self._reading.gallery
        assert gallery is not None
        there = gallery.target[gallery.members(self._class)].tolist()
        self._target = _next(self._target, (target for target in there if target >= 0), step)
        self._position = 0
        self._choose()

    def action_scroll_details(self, step: int) -> None:
        """Show more of what is said of the image where the screen is too small for all of it."""
        self.query_one("#details").scroll_relative(y=4 * step, animate=False)

    def action_as_text(self) -> None:
        """Draw with characters, or with colours again."""
        self._as_text = not self._as_text
        self._show()

    def action_back(self) -> None:
        """Leave the gallery."""
        self.dismiss(None)

    def action_export(self, count: int) -> None:
        """Write the member shown, and those after it up to `count`, as one PNG among the experiment's exports."""
        assert self._reading.gallery is not None
        assert self._reading.run is not None
        members = self._members[self._position : self._position + count]
        shown = self._reading.gallery.name
        kind = "" if shown == "adversarial" else f"{shown}-"
        name = f"gallery-{kind}run{self._reading.run + 1}-{members[0] + 1}"
        if count > 1:
            name += f"-and-{len(members) - 1}-more"
            name += "" if self._class is None else f"-class{self._class}"
            name += "" if self._target is None else f"-target{self._target}"
        path = self._experiment.folder / EXPORTS / f"{name}.png"
        # The app's work: this screen's would be given up where the person leaves it at once.
        self.app.run_worker(self._write(path, self._reading.gallery, members), group="export")

    async def _write(self, path: Path, gallery: Gallery, members: list[int]) -> None:
        from core.report.figures.picture import write_figure  # noqa: PLC0415  # Pillow, for this key only

        try:
            await asyncio.to_thread(write_figure, path, gallery, members)
        except AefitError as error:
            self.app.notify(f"{error}\n{error.hint}", severity="error", markup=False)
        else:
            self.app.notify(f"{path}", title="Exported", markup=False)

    # Showing

    def _show(self) -> None:
        """Bring the screen up to date."""
        gallery = self._reading.gallery
        self.set_class(not self._members, "-empty")
        self._lines["where"].update(self._where())
        if gallery is None or not self._members:
            self._lines["empty"].update(self._reading.problem)
            return
        member = self._members[self._position]
        self._pictures.as_text = self._as_text
        following = (self._members[self._position + 1 :] + self._members[: self._position])[:FOLLOWING]
        name = printable(gallery.name)
        rows = [panels(gallery, member, "original" if gallery.perturbed else name, name)]
        for other in following:
            label, target = _name(gallery, int(gallery.label[other])), _target(gallery, other)
            rows.append(panels(gallery, other, f"next: true label {label}", f"target {target}"))
        self._pictures.rows = tuple(rows)
        legend = (
            "perturbation: + # is added, - = is removed; images: denser is brighter"
            if self._as_text
            else "perturbation: mid grey is no change, lighter is added, darker is removed"
        )
        self._lines["legend"].update(legend if gallery.perturbed else SETS[gallery.name].description)
        self._lines["facts"].update(self._facts(gallery, member))
        self._lines["answers"].update(answers(gallery, member))

    def on_resize(self) -> None:
        """Say where we are in the words that there is room for."""
        self._lines["where"].update(self._where())

    def _where(self) -> Content:
        """The run, the place among its images and the filters; in shorter words where there is no room."""
        if self._run is None:
            return Content("")
        run = Content.from_markup(
            "run [b]$run[/] of $runs", run=self._run + 1, runs=self._experiment.spec.runs
        )
        gallery, name = self._reading.gallery, self._reading.name
        if gallery is None or not self._members:
            parts = [run, _filter("set: ", "set", printable(name))] if self._reading.sets else [run]
            return Content("   ").join(parts)
        place = Content.from_markup("[b]$at[/] of $all", at=self._position + 1, all=len(self._members))
        chosen = printable(name), _name(gallery, self._class, "all"), _name(gallery, self._target, "all")
        long, short = (
            Content("   ").join([run, place, *map(_filter, words, ("set", "class", "target"), chosen)])
            for words in (("set: ", "class: ", "target: "), ("set ", "of ", "to "))
        )
        return long if long.cell_length <= self.size.width - 2 else short

    def _facts(self, gallery: Gallery, member: int) -> Content:
        height, width, _ = gallery.original[member].shape
        change = np.abs(gallery.image[member] - gallery.original[member] / np.float64(255)).max()
        reduced = ", shown reduced" if self._pictures.reduced else ""
        facts = {"true label": _name(gallery, int(gallery.label[member]))}
        if gallery.perturbed:
            facts["target"] = _target(gallery, member)
            facts["change"] = f"at most {change:.3f}, epsilon {self._experiment.spec.epsilon:g}"
        facts |= {
            "source": f"image {gallery.source[member]} of the data set",
            "sample": self._sample(gallery),
            "pixels": f"{height} x {width}{reduced}",
        }
        return Content("\n").join(
            Content.assemble((f"{name:<11}", "$foreground-muted"), value) for name, value in facts.items()
        )

    def _sample(self, gallery: Gallery) -> str:
        size, distinct = self._reading.size, self._reading.distinct
        if distinct is None:
            return f"{len(gallery):,} of {size:,} {printable(gallery.name)}"
        return f"{len(gallery):,} of {distinct:,}, counted {size:,} times"


def _filter(word: str, action: str, chosen: str) -> Content:
    return Content.from_markup(
        f"[@click=screen.cycle_{action}(1)]$word[b]$chosen[/b][/]", word=word, chosen=chosen
    )


def panels(gallery: Gallery, member: int, before: str, after: str) -> tuple[Panel, ...]:
    """A member's original, perturbation and perturbed image; the first and the last with these captions.

    Of a member that is an image of the data set, that alone, with the first caption.
    """
    original = gallery.original[member]
    if not gallery.perturbed:
        return (Panel(before, original),)
    perturbation, gain = amplified(original, gallery.image[member])
    return (
        Panel(before, original),
        Panel(f"perturbation ×{gain}", perturbation, SIGNED),
        Panel(after, grey_levels(gallery.image[member])),
    )


def answers(gallery: Gallery, member: int) -> Content:
    """A line for each level: what it takes the image for, and whether that is the true label."""
    label, target = int(gallery.label[member]), int(gallery.target[member])
    predictions = gallery.prediction[:, member].tolist()
    width = max(Content(_name(gallery, predicted)).cell_length for predicted in predictions)
    width = max(width, len("classified as"))
    knob, *levels = [Content(printable(word)) for word in (gallery.knob, *gallery.levels)]
    column = max(3, *(word.cell_length for word in (knob, *levels)))
    lines = [Content.styled(f"{_at_right(knob, column)}  {'classified as':<{width}}", "$foreground-muted")]
    for level, predicted in zip(levels, predictions, strict=True):
        mark, style = ("✓ right", "bold $text-success") if predicted == label else ("✗ wrong", "$text-error")
        name = Content(_name(gallery, predicted))
        lines.append(
            Content.assemble(
                f"{_at_right(level, column)}  ",
                name.pad_right(width - name.cell_length),
                "  ",
                (mark, style),
                ", the target" if predicted == target else "",
            )
        )
    return Content("\n").join(lines)


def _at_right(word: Content, width: int) -> str:
    return " " * (width - word.cell_length) + word.plain


def _target(gallery: Gallery, member: int) -> str:
    target = int(gallery.target[member])
    return _name(gallery, target) if target >= 0 else "none"


def _name(gallery: Gallery, label: int | None, otherwise: str = "") -> str:
    return otherwise if label is None else printable(gallery.class_names[label])


def _next(now: int | None, there: Iterable[int], step: int) -> int | None:
    """The one after `now` among None (all) and the distinct values there, in order and round."""
    choices = [None, *sorted(set(there))]
    return choices[(choices.index(now) + step) % len(choices)]
