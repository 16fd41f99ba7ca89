"""Rules of the whole test run: no network beyond this machine, what is left out is said, rows are tied to tests."""

import gc
import os
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from hypothesis import settings as hypothesis_settings

from tests import requirement_report
from tests.settings import SHOPIFY_RECORDINGS, SHOPIFY_SCHEMA

LOOPBACK = ("127.", "::1", "localhost")
SCHEDULES_BY_DEFAULT = 6


@dataclass(frozen=True)
class Suite:
    """A group of tests that does not always run: its marker, why it is left out here, and the command that runs it."""

    marker: str
    why_left_out: str
    command: str


@dataclass
class LeftOut:
    """How many tests of each suite this run left out."""

    counts: dict[str, int] = field(default_factory=dict)


LEFT_OUT = pytest.StashKey[LeftOut]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of this project; the Makefile uses each."""
    group = parser.getgroup("returnsops")
    group.addoption("--browser", action="store_true", help="run the browser tests, and nothing else")
    group.addoption("--benchmark", action="store_true", help="run the measurements, and nothing else")
    group.addoption("--prove", type=int, metavar="N", help="fault schedules and examples per property, at random")
    group.addoption("--requirements", action="store_true", help="list the requirement rows with their tests")


def pytest_configure(config: pytest.Config) -> None:
    """Close the network and set how hard properties search: repeatable by default, at random under --prove."""
    sys.addaudithook(refuse_foreign_hosts)
    convert_queries_once()
    # Playwright's synchronous interface runs an event loop in this thread, which Django takes for asynchronous code.
    if config.getoption("--browser"):
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    wanted = config.getoption("--prove")
    hypothesis_settings.register_profile(
        "returnsops", deadline=None, derandomize=not wanted, max_examples=wanted or 100, print_blob=True
    )
    hypothesis_settings.load_profile("returnsops")


def convert_queries_once() -> None:
    """Placeholders into SQLite's: Django looks for them in each query anew, a fortieth of what a journey costs."""
    cursors: Any = SQLiteCursorWrapper
    plain = cursors.convert_query
    positional = lru_cache(maxsize=2048)(partial(plain, None))

    def convert_query(cursor: Any, query: str, *, param_names: list[str] | None = None) -> Any:
        return positional(query) if param_names is None else plain(cursor, query, param_names=param_names)

    cursors.convert_query = convert_query


def refuse_foreign_hosts(event: str, arguments: tuple[Any, ...]) -> None:
    """Audit hook: a socket of this process may reach loopback and Unix sockets only."""
    if event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    if not name.startswith(LOOPBACK):
        raise RuntimeError(f"A test tried to reach {name}: tests talk to simulators on loopback only.")


def suites(config: pytest.Config) -> dict[str, Suite]:
    """Return the suites that this run leaves out, by marker."""
    on_sqlite = "sqlite" in django_settings.DATABASES["default"]["ENGINE"]
    left_out = [
        Suite("browser", "they need a Chromium on the machine", "make browser"),
        Suite("benchmark", "they measure and prove nothing", "make bench"),
    ]
    if not (SHOPIFY_SCHEMA.is_file() and SHOPIFY_RECORDINGS.is_dir()):
        why = "they need Shopify's published schema and recordings (SHOPIFY_SCHEMA, SHOPIFY_RECORDINGS)"
        left_out.append(Suite("shopify_files", why, "make test, with both variables set"))
    if on_sqlite:
        left_out.append(Suite("postgres", "they need a PostgreSQL server", "make test-postgres"))
    return {suite.marker: suite for suite in left_out if not config.getoption(f"--{suite.marker}", default=False)}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what this run leaves out, and count it. The row report looks at every test."""
    if config.getoption("--requirements"):
        requirement_report.show(items)
        items.clear()
        return
    exclusive = [marker for marker in ("browser", "benchmark") if config.getoption(f"--{marker}")]
    absent = suites(config)
    kept: list[pytest.Item] = []
    dropped: list[pytest.Item] = []
    counts = dict.fromkeys(absent, 0)
    for item in items:
        marker = next((name for name in absent if item.get_closest_marker(name)), None)
        if marker:
            counts[marker] += 1
        wanted = not marker and all(item.get_closest_marker(name) for name in exclusive)
        (kept if wanted else dropped).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=dropped)
    config.stash[LEFT_OUT] = LeftOut(counts)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is imported and collected stays until the end: the garbage collector need not look at it, now or ever again.

    Afterwards it looks when there is something to find: a test leaves thousands of objects, not hundreds.
    """
    gc.disable()
    result = yield
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    gc.enable()
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand an xdist worker's counts to the process that reports; the row report alone is a success."""
    if session.config.getoption("--requirements") and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
        session.exitstatus = pytest.ExitCode.OK
    output = getattr(session.config, "workeroutput", None)
    if output is not None and LEFT_OUT in session.config.stash:
        output["left_out"] = session.config.stash[LEFT_OUT].counts


class CountsOfWorkers:
    """Takes the counts of xdist's workers; every worker collects everything, so any one of them will do."""

    def __init__(self, config: pytest.Config) -> None:
        """Remember where the summary looks for the counts."""
        self.config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object) -> None:
        """Keep what the worker handed over when it ended."""
        self.config.stash[LEFT_OUT] = LeftOut(getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say at the end what was left out, why, and how to run it."""
    if LEFT_OUT not in config.stash or config.getoption("--requirements"):
        return
    counts = config.stash[LEFT_OUT].counts
    absent = suites(config)
    terminalreporter.section("left out of this run")
    for marker, suite in absent.items():
        terminalreporter.line(
            f"{counts.get(marker, 0)} {marker} tests: {suite.why_left_out}; run them with {suite.command}"
        )
    if "postgres" in absent:
        terminalreporter.line("the whole suite on PostgreSQL: this run was on SQLite; run it with make test-postgres")


def pytest_sessionstart(session: pytest.Session) -> None:
    """Listen to xdist's workers, where there are any."""
    session.config.pluginmanager.register(CountsOfWorkers(session.config), "returnsops-left-out")


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Throttles and badges of one test must not reach the next."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(scope="session")
def schedules(request: pytest.FixtureRequest) -> int:
    """How many random fault schedules a fault test plays: 25, or N of `make prove N=…`."""
    return int(request.config.getoption("--prove") or SCHEDULES_BY_DEFAULT)
