"""What measurements share: medians, memory of process trees, figures collected for the table at the end."""

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

REPEATS = 5


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the table; ``floor`` is the least that the same work could cost, measured in the same run."""

    what: str
    value: str
    floor: str = ""
    note: str = ""


FIGURES: list[Figure] = []


def keep(*, what: str, value: str, floor: str = "", note: str = "") -> None:
    """Add a line to the table."""
    FIGURES.append(Figure(what=what, value=value, floor=floor, note=note))


def median_s(work: Callable[[], object], *, repeats: int = REPEATS) -> float:
    """The median of several runs, in seconds of this thread's CPU."""
    return statistics.median(_seconds(work) for _ in range(repeats))


def _seconds(work: Callable[[], object]) -> float:
    began = time.thread_time()
    work()
    return time.thread_time() - began


def pss_mb(pid: int) -> float:
    """Memory of a process and all its descendants in MB: proportional set size, shared pages counted once."""
    return sum(_pss_kb(member) for member in process_tree(pid)) / 1024


def process_tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children = [int(child) for task in _tasks(pid) for child in _words(task / "children")]
    return [pid, *(member for child in children for member in process_tree(child))]


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process and its descendants have used: what a busy machine does not distort."""
    return sum(_ticks(member) for member in process_tree(pid)) / os.sysconf("SC_CLK_TCK")


def table(figures: Sequence[Figure]) -> str:
    """The figures as a markdown table."""
    rows = [f"| {row.what} | {row.value} | {row.floor} | {row.note} |" for row in figures]
    return "\n".join(["| what | measured | floor | note |", "|---|---|---|---|", *rows])


def _tasks(pid: int) -> list[Path]:
    folder = Path(f"/proc/{pid}/task")
    return list(folder.iterdir()) if folder.exists() else []


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _ticks(pid: int) -> int:
    """User and system time of a process, in clock ticks (fields 14 and 15, counted behind the name)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(fields[11]) + int(fields[12])


def _pss_kb(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
