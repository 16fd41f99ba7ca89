"""Rails of the house: what everybody agreed to, held by a test (docs/contributing.md)."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests import requirement_report

ROOT = Path(__file__).resolve().parent.parent
APPS = ("returnsops", "connectors", "reconciliation", "exceptions_queue")
FILE_STOP, TEST_FILE_STOP, FUNCTION_STOP = 400, 700, 60
FORBIDDEN_MODULES = {"utils", "util", "core", "common", "helpers", "helper", "lib", "misc"}
FORBIDDEN_CLASSES = re.compile(r"(Manager|Helper|Handler)$")
# Put together from pieces, so that this file does not find itself.
LEFTOVERS = re.compile(
    "|".join(
        [
            r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b",
            r"raise NotImplemented" r"Error",
            r"pytest\.sk" r"ip\(",
            r"mark\.(sk" r"ip|skipif|xfa" r"il)\b",
            r"# no" r"qa(?!: [A-Z])",
            r"# type: ig" r"nore(?!\[)",
            r"pragma: no " r"cover",
        ]
    )
)


def product_files() -> list[Path]:
    return [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]


def python_files() -> list[Path]:
    return [*product_files(), *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "deploy").rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """What the rails look at: definitions, calls and f-strings; each file is parsed once for all of them."""
    looked_at = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Call, ast.JoinedStr)
    return tuple(node for node in ast.walk(ast.parse(text_of(path))) if isinstance(node, looked_at))


def nodes(paths: list[Path]) -> Iterator[tuple[Path, ast.AST]]:
    return ((path, node) for path in paths for node in nodes_of(path))


def project() -> dict[str, object]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [name_of(path) for path in product_files() if FORBIDDEN_MODULES & {path.stem, path.parent.name}]
    assert vague == []


def test_no_class_is_a_manager_helper_or_handler() -> None:
    found = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path, node in nodes(product_files())
        if isinstance(node, ast.ClassDef) and FORBIDDEN_CLASSES.search(node.name) and not inherits_its_name(node)
    ]
    assert found == []


def inherits_its_name(node: ast.ClassDef) -> bool:
    """Of a class that a framework asks for, such as a request handler, the framework chose the name."""
    return any(FORBIDDEN_CLASSES.search(ast.unparse(base)) for base in node.bases)


def test_files_stay_below_the_size_stop() -> None:
    """Tests may be longer: a table of cases is easier to read in one place."""
    stops = {path: TEST_FILE_STOP if "tests" in path.parts else FILE_STOP for path in python_files()}
    assert {name_of(path): lines_of(path) for path, stop in stops.items() if lines_of(path) > stop} == {}


def lines_of(path: Path) -> int:
    return text_of(path).count("\n")


def test_functions_stay_below_the_size_stop() -> None:
    long = [
        f"{name_of(path)}:{node.lineno} {node.name}"
        for path, node in nodes(python_files())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > FUNCTION_STOP
    ]
    assert long == []


def test_nothing_is_left_over() -> None:
    found = [
        f"{name_of(path)}:{number}: {line.strip()}"
        for path in python_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if LEFTOVERS.search(line)
    ]
    assert found == []


def test_admin_modules_write_through_services_only() -> None:
    """ux.md, traps: a queryset update in an admin action writes no history."""
    admins = [path for path in product_files() if "admin" in {path.stem, path.parent.name}]
    found = [
        f"{name_of(path)}:{node.lineno}"
        for path, node in nodes(admins)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr == "delete" or (node.func.attr == "update" and is_queryset(node.func.value)))
    ]
    assert found == []


def is_queryset(owner: ast.expr) -> bool:
    """Anything but a plain name that says it is a dictionary, such as context.update(...)."""
    return not (isinstance(owner, ast.Name) and owner.id in {"context", "extra_context", "initial", "headers"})


def test_the_lock_files_name_no_address_and_pin_every_package_with_hashes() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert not re.search(r"^-", text, flags=re.MULTILINE)
        pinned = re.findall(r"^[a-z0-9][\w.\[\],-]*==\S+.*\\\n    --hash=sha256:[0-9a-f]{64}", text, flags=re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^\S", text, flags=re.MULTILINE)) > 40


def test_the_development_lock_contains_the_lock_of_the_product() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9][\w.-]*==[^ \n]+", text, flags=re.MULTILINE))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_dependency_is_locked_and_gives_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    table = project()
    described = table["project"]
    groups = table["dependency-groups"]
    assert isinstance(described, dict)
    assert isinstance(groups, dict)
    extras = [line for lines in described["optional-dependencies"].values() for line in lines]
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    for wanted in [*described["dependencies"], *extras, *groups["dev"]]:
        line = next(line for line in text.splitlines() if f'"{wanted}"' in line)
        assert re.search(r"  # \S.{10,}", line), f"{wanted} has no reason beside it"
        name = re.split(r"[\[<>=~! ]", wanted)[0]
        assert re.search(rf"^{re.escape(name)}(\[[\w,]+\])?==", lock, flags=re.MULTILINE), f"{wanted}: run make lock"


def test_every_requirement_id_on_a_test_is_a_row() -> None:
    rows = {row["id"] for row in requirement_report.rows()}
    marked = {
        argument.value
        for _, node in nodes(sorted((ROOT / "tests").rglob("test_*.py")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "requirement"
        for argument in node.args
        if isinstance(argument, ast.Constant)
    }
    assert marked - rows == set()
    assert len(rows) == 136


def environment_names() -> set[str]:
    """Names of the variables that the settings read."""
    text = (ROOT / "returnsops/settings.py").read_text(encoding="utf-8")
    return set(re.findall(r"env\.\w+\(\"([A-Z0-9_]+)\"", text))


@pytest.mark.parametrize("document", [".env.example", "docs/configuration.md"])
def test_every_setting_is_documented(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    undocumented = {name for name in environment_names() if not re.search(rf"\b{name}\b", text)}
    assert undocumented - {"ENV_FILE"} == set()


# Where an amount stands beside its currency's code without `money.display`, and why.
AMOUNTS_WITH_CODE = {
    "connectors/shopify/credits.py": "read back by us from the shop's note",
    "connectors/shopify/refunds.py": "read back by us from the shop's note",
    "exceptions_queue/services/opening.py": "kept beside a case's event, shown nowhere",
    "reconciliation/admin/comparison.py": "sums by wording.plain_amount",
    "reconciliation/audit/report.py": "sums by wording.plain_amount",
    "reconciliation/wording.py": "a finding shows more digits than the currency has",
    "returnsops/handbook.py": "a policy's amounts as they were written",
    "returnsops/management/commands/shadow.py": "figures by money.text",
    "returnsops/planning/valuation.py": "an amount that has more digits than its currency",
}


def test_money_is_shown_in_the_digits_of_its_currency() -> None:
    """The database keeps four digits; people read two of euro and none of yen: `money.display`."""
    found = {
        name_of(path)
        for path, node in nodes(product_files())
        if isinstance(node, ast.JoinedStr) and is_amount_with_code(node) and "simulators" not in path.parts
    }
    assert found == set(AMOUNTS_WITH_CODE)


def is_amount_with_code(text: ast.JoinedStr) -> bool:
    """Whether a value, a blank and a currency follow each other."""
    follow = zip(text.values, text.values[1:], text.values[2:], strict=False)
    return any(
        isinstance(value, ast.FormattedValue)
        and isinstance(blank, ast.Constant)
        and blank.value == " "
        and isinstance(code, ast.FormattedValue)
        and ast.unparse(code.value).endswith("currency")
        for value, blank, code in follow
    )


# `a/test_b.py` stands for any: how contributing.md says where the tests of a module are.
EXAMPLE_TEST = "tests/a/test_b.py"


def test_every_test_that_a_document_names_exists() -> None:
    """A table of failures proves nothing by a test that was renamed; `test_x.py::test_y` is looked for in that file."""
    tests = {name_of(path): text_of(path) for path in sorted((ROOT / "tests").rglob("*.py"))}
    documents = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = [(path, name) for path in documents for name in named_tests(path)]
    assert len(named) > 50
    assert [f"{name_of(path)}: {name}" for path, name in named if not is_test(name, tests)] == []


def named_tests(document: Path) -> list[str]:
    """Names as they stand there: a file, a test, or both."""
    return re.findall(r"(?:tests/[\w/]*)?\btest_\w+(?:\.py)?(?:::\w+)?", text_of(document))


def is_test(name: str, tests: dict[str, str]) -> bool:
    """Whether a file ends in the path that is named, if one is, and has the test that is named, if one is."""
    if name == EXAMPLE_TEST:
        return True
    path, dot, test = name.rpartition(".py")
    texts = [text for file, text in tests.items() if not dot or f"/{file}".endswith(f"/{path}.py")]
    test = test.removeprefix("::")
    return any(f"def {test}(" in text for text in texts) if test else bool(texts)


def test_the_pumps_contract_lists_every_vendor_neutral_module_of_connectors() -> None:
    """Import contract 5a is a list; a new module must be added to it or be one that knows vendors by trade."""
    tool = project()["tool"]
    assert isinstance(tool, dict)
    contract = next(row for row in tool["importlinter"]["contracts"] if row["name"].startswith("5a."))
    pumps = ("inbox", "delivery", "pump", "polling", "tasks", "views")
    present = {f"connectors.{name}" for name in pumps if (ROOT / f"connectors/{name}.py").exists()}
    vendors = {f"connectors.{path.parent.name}" for path in (ROOT / "connectors").glob("*/connector.py")}
    assert present <= set(contract["source_modules"])
    assert vendors <= set(contract["forbidden_modules"])


def test_pages_load_nothing_from_other_hosts() -> None:
    pages = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "returnsops").rglob("static/**/*.*")]
    loaded = re.compile(r"""(?:src|href)=["']https?://|url\(["']?https?://|@import""")
    found = [name_of(page) for page in pages if loaded.search(page.read_text(encoding="utf-8", errors="replace"))]
    assert found == []
