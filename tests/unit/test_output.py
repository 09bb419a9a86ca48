"""Published files: a device, a pipe and a link stay what they are; our own places are never anything else's."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.data.export import export
from core.errors import ExperimentError
from core.files.folders import make_folder, make_home, open_to_append, own_file
from core.files.output import handed_on, is_standard_output, write_output


def write_by_name(path: Path) -> None:
    write_output(path, b"published")


def write_by_function(path: Path) -> None:
    write_output(path, lambda file: file.write(b"published"))


@pytest.mark.parametrize("write", [write_by_name, write_by_function])
class TestOutput:
    def test_a_file_is_replaced_as_a_whole(self, tmp_path: Path, write) -> None:
        path = tmp_path / "file"
        path.write_bytes(b"what was there, which was longer")
        with path.open("rb") as before:
            write(path)
            assert before.read() == b"what was there, which was longer", "whoever reads it reads on"
        assert path.read_bytes() == b"published"
        assert os.listdir(tmp_path) == ["file"]

    @pytest.mark.parametrize("there", [True, False])
    def test_a_link_stays_and_what_it_leads_to_is_written(self, tmp_path: Path, write, there: bool) -> None:
        target, link = tmp_path / "target", tmp_path / "link"
        if there:
            target.write_bytes(b"former")
        link.symlink_to("target")
        write(link)
        assert link.is_symlink()
        assert target.read_bytes() == b"published"

    def test_a_pipe_is_written_to(self, tmp_path: Path, write) -> None:
        pipe, read = tmp_path / "pipe", []
        os.mkfifo(pipe)
        reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
        reader.start()
        write(pipe)
        reader.join()
        assert read == [b"published"]
        assert stat.S_ISFIFO(pipe.lstat().st_mode)

    def test_a_device_is_written_to_through_a_link_too(self, tmp_path: Path, write) -> None:
        (tmp_path / "null").symlink_to("/dev/null")
        write(tmp_path / "null")
        write(Path("/dev/null"))
        assert (tmp_path / "null").is_symlink()
        assert stat.S_ISCHR(os.stat("/dev/null").st_mode)

    @pytest.mark.parametrize("name", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
    def test_an_open_pipe_is_written_to_by_its_descriptor(self, tmp_path: Path, write, name: str) -> None:
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)  # as those are that a shell gives a command
        (tmp_path / "link").symlink_to(f"/dev/fd/{writing}")
        with os.fdopen(reading, "rb") as file:
            write(tmp_path / name.format(writing))
            os.close(writing)
            assert file.read() == b"published"

    def test_an_open_file_is_written_to_where_its_descriptor_stands(self, tmp_path: Path, write) -> None:
        path = tmp_path / "log"
        path.write_bytes(b"before ")
        with path.open("ab") as file:
            os.set_inheritable(file.fileno(), True)
            write(Path(f"/dev/fd/{file.fileno()}"))
        assert path.read_bytes() == b"before published"

    def test_a_number_that_nobody_gave_is_none_of_our_own_files(self, tmp_path: Path, write) -> None:
        path = tmp_path / "font"
        path.write_bytes(b"precious")
        with path.open("r+b") as file:
            number = file.fileno()
            with pytest.raises(ExperimentError, match="gave it no open file of that number"):
                write(Path(f"/dev/fd/{number}"))
        with pytest.raises(ExperimentError, match="cannot write '/dev/fd/999999999'"):
            write(Path("/dev/fd/999999999"))
        assert path.read_bytes() == b"precious"

    @pytest.mark.parametrize("place", [".", "nowhere/file", "loop", "a" * 300])
    def test_what_cannot_be_written_is_said(self, tmp_path: Path, write, place: str) -> None:
        (tmp_path / "loop").symlink_to("loop")
        with pytest.raises(ExperimentError, match="cannot write"):
            write(tmp_path / place)


class TestHandedOn:
    """What a path means to this process it means to one that this one starts."""

    @staticmethod
    def write_by_another(path: Path, stdout: int | None = None) -> None:
        code = "import sys, pathlib; from core.files.output import write_output as w; "
        code += "fds = [open(sys.executable) for _ in range(9)]; w(pathlib.Path(sys.argv[1]), b'published')"
        with handed_on(path) as (target, passed):
            subprocess.run([sys.executable, "-c", code, target], pass_fds=passed, check=True, stdout=stdout)

    def test_a_descriptor(self) -> None:
        reading, writing = os.pipe()
        os.set_inheritable(writing, True)
        with os.fdopen(reading, "rb") as file:
            self.write_by_another(Path(f"/dev/fd/{writing}"))
            os.close(writing)
            assert file.read() == b"published"

    @pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
    def test_a_channel_that_is_another_there(self, tmp_path: Path, name: str) -> None:
        before = os.dup(1)
        descriptor = os.open(tmp_path / "output", os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, 1)
        try:
            self.write_by_another(Path(name), stdout=subprocess.DEVNULL)
        finally:
            os.dup2(before, 1)
            os.close(before)
            os.close(descriptor)
        assert (tmp_path / "output").read_bytes() == b"published"

    def test_a_path(self, tmp_path: Path) -> None:
        with handed_on(tmp_path / "file") as (target, passed):
            assert (target, passed) == (tmp_path / "file", ())

    def test_a_descriptor_that_nobody_gave(self, tmp_path: Path) -> None:
        with (
            (tmp_path / "own").open("wb") as file,
            pytest.raises(ExperimentError, match="gave it no open file"),
            handed_on(Path(f"/dev/fd/{file.fileno()}")),
        ):
            pass

    def test_names_of_standard_output(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to("/dev/stdout")
        names = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", str(tmp_path / "link")]
        assert all(map(is_standard_output, names))
        assert not any(
            map(is_standard_output, [None, "", "1", "/dev/fd/11", "/dev/stderr", "/dev/fd/x", "a\0b"])
        )


def test_a_data_set_is_exported_to_a_device(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    said: list[str] = []
    export("digits", tmp_path / "null", data_dir=tmp_path, cache_dir=tmp_path, note=said.append)
    assert (tmp_path / "null").is_symlink()
    assert said[-1] == f"wrote 1,797 images and their labels to {tmp_path / 'null'}"


class TestOwnPlaces:
    def test_a_folder_is_made_once(self, tmp_path: Path) -> None:
        make_folder(tmp_path / "own")
        make_folder(tmp_path / "own")
        with pytest.raises(FileNotFoundError):
            make_folder(tmp_path / "gone" / "own")

    def test_a_link_for_a_folder_is_refused_wherever_it_leads(self, tmp_path: Path) -> None:
        (tmp_path / "elsewhere").mkdir()
        for name, target in (("link", "elsewhere"), ("dangling", "nowhere")):
            (tmp_path / name).symlink_to(target)
            with pytest.raises(OSError, match="it is a link"):
                own_file(tmp_path / name, "file")
        (tmp_path / "file").touch()
        with pytest.raises(OSError, match="not a folder"):
            make_folder(tmp_path / "file")
        assert not (tmp_path / "nowhere").exists()

    def test_a_link_in_a_file_s_place_gives_way_and_what_it_leads_to_stays(self, tmp_path: Path) -> None:
        (tmp_path / "precious").write_bytes(b"precious")
        make_folder(tmp_path / "own")
        (tmp_path / "own" / "file").symlink_to(tmp_path / "precious")
        write_output(own_file(tmp_path / "own", "file"), b"published")
        assert (tmp_path / "own" / "file").read_bytes() == b"published"
        assert (tmp_path / "precious").read_bytes() == b"precious"

    def test_a_pipe_in_a_file_s_place_is_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="not a plain file"):
            own_file(tmp_path, "pipe")

    def test_a_log_is_appended_to_and_never_anything_behind_a_link(self, tmp_path: Path) -> None:
        for text in (b"one ", b"two"):
            with os.fdopen(open_to_append(tmp_path / "log"), "ab") as file:
                file.write(text)
        assert (tmp_path / "log").read_bytes() == b"one two"
        (tmp_path / "link").symlink_to("log")
        with os.fdopen(open_to_append(tmp_path / "link"), "ab") as file:
            file.write(b"three")
        assert (tmp_path / "log").read_bytes() == b"one two"
        assert not (tmp_path / "link").is_symlink()
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OSError, match="not a plain file"):
            open_to_append(tmp_path / "pipe")
        with pytest.raises(IsADirectoryError):
            open_to_append(tmp_path)

    def test_a_new_home_is_its_owner_s_alone_and_one_that_is_there_stays_as_it_is(
        self, tmp_path: Path
    ) -> None:
        before = os.umask(0o022)
        try:
            make_home(tmp_path / "above" / "home")
            (tmp_path / "there").mkdir()
            make_home(tmp_path / "there")
        finally:
            os.umask(before)
        modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("above/home", "above", "there")]
        assert modes == [0o700, 0o755, 0o755]
