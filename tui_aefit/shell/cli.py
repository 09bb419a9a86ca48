"""The `aefit-tui` command: reads what was typed, runs what it asks for, leaves with the exit status."""

from __future__ import annotations

from tui_aefit.shell.loading import loading

with loading():
    import importlib
    import io
    import os
    import sys
    from collections.abc import Callable
    from typing import TYPE_CHECKING

    from core.errors import AefitError
    from core.files.channels import forget, hold_channels
    from core.files.exit_status import ExitStatus
    from tui_aefit.shell.console import Console, OutputError
    from tui_aefit.shell.options import given_settings, parse
    from tui_aefit.shell.subcommands import SUB_COMMANDS, Options

if TYPE_CHECKING:
    from tui_aefit.shell.settings import Settings

    Run = Callable[[Options, Settings, Console], int]


def main() -> None:
    """The console script."""
    hold_channels()
    for channel in (sys.stdout, sys.stderr):
        if isinstance(channel, io.TextIOWrapper):
            # A terminal that cannot show a character shows a mark in its place.
            channel.reconfigure(errors="replace")
    try:
        status = run(sys.argv[1:])
    except BrokenPipeError:
        import signal  # noqa: PLC0415  # for this one case

        # Whoever read our output has left (`| head`).
        status = 128 + signal.SIGPIPE
        forget(1)
    except KeyboardInterrupt:
        status = ExitStatus.INTERRUPTED
    except OutputError as error:
        Console().problem(str(error))
        status = ExitStatus.FAILED
        forget(1)
    except OSError as error:  # such as a lock that must not be read
        Console().problem(
            _about(error), "see whether you may read and write it, and whether its disk is there"
        )
        status = ExitStatus.REFUSED
    sys.exit(status)


def _about(error: OSError) -> str:
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror or error}"


def run(words: list[str]) -> int:
    """Run the command that the words are; the exit status. Raises SystemExit after --help and --version."""
    try:
        options = parse(words)
    except AefitError as error:
        return Console().refuse(error)
    # From here on each branch imports only what it needs: a person waits for it.
    with loading():
        from tui_aefit.shell.settings import Settings  # noqa: PLC0415

    given = vars(options)
    console = Console(quiet=given.get("quiet", False))
    try:
        settings = Settings(
            given_settings(options),
            config=given.get("config"),
            study=given.get("study") if options.command is None else None,
            no_cache=given.get("no_cache", False),
            forgiving=options.command is not None and SUB_COMMANDS[options.command].forgiving,
        )
        console.typed_home = settings.typed_home
        os.environ.update(settings.for_processes())
        for warning in settings.warnings:
            console.narrate(f"aefit-tui: {warning}")
        if options.command is not None:
            module, _, name = SUB_COMMANDS[options.command].run.partition(":")
            with loading():
                command: Run = getattr(importlib.import_module(module), name)
            return command(given, settings, console)
        if given.get("batch", False) and (settings.asks_for_study or "name" in given):
            with loading():
                from tui_aefit.shell import study_batch  # noqa: PLC0415

            return study_batch.new_study(given, settings, console)
        if given.get("batch", False):
            with loading():
                from tui_aefit.shell import batch  # noqa: PLC0415

            return batch.new_batch(
                settings,
                console,
                detach=given.get("detach", False),
                as_json=given.get("as_json", False),
                now=given.get("now", False),
            )
        with loading():
            from tui_aefit.lab import opening as lab  # noqa: PLC0415

        return lab.open_lab(settings, console, study=given.get("name", ""), paired=given.get("pair", False))
    except AefitError as error:
        return console.refuse(error)


if __name__ == "__main__":
    main()
