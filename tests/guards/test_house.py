"""The house rules that no linter knows."""

import ast
import re

from tests.support import repo

LONGEST_FILE = 400
HOMELESS = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc)(_|$)|^base_\w+$")
MACHINE_PATH = re.compile(r"(^|[^\w.])/(work|farm|root|home/\w+)/")
REGISTRY = re.compile(r"https?://[\w.-]*(pythonhosted|npmjs|pypi)\b")
MIGRATIONS = "funnel/db/migrations/versions/"  # one table after the other, written once
LAST_RESORT = {"BaseException", "Exception"}

# Where one piece of work ends and the next must still begin, whatever went wrong in between.
TASK_BOUNDARY = frozenset(
    {
        "funnel/services/advancing.py",
        "funnel/services/work.py",
        "funnel/services/sending.py",
    }
)


def test_no_python_file_is_longer_than_a_person_can_hold() -> None:
    long = [
        f"{module.path}: {module.lines}"
        for module in repo.modules("")
        if module.lines > LONGEST_FILE and not module.path.startswith(MIGRATIONS)
    ]
    assert not long, "split these by idea, not by size"


def test_every_module_is_named_for_what_it_holds() -> None:
    names = {m.path: m.path.removesuffix(".py").split("/") for m in repo.modules("")}
    assert not [path for path, parts in names.items() if any(map(HOMELESS.search, parts))]


def test_only_the_task_boundary_swallows_everything() -> None:
    caught = [
        f"{module.path}:{node.lineno}"
        for module in repo.modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _swallows_everything(node)
        if module.path not in TASK_BOUNDARY
    ]
    assert not caught, "name what can go wrong"


def _swallows_everything(handler: ast.ExceptHandler) -> bool:
    if ast.unparse(handler.body[-1]) == "raise":
        return False
    if handler.type is None:
        return True
    return any(
        isinstance(node, ast.Name) and node.id in LAST_RESORT for node in ast.walk(handler.type)
    )


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert not _lines_with(MACHINE_PATH)


def test_no_file_names_a_package_registry() -> None:
    assert not _lines_with(REGISTRY)


def _lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path}:{number}"
        for path, text in repo.texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_locks_hold_versions_and_hashes_only() -> None:
    line = re.compile(
        r"[\w.\[\]-]+==[\w.!+]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?|    +# .*"
    )
    for lock in ("requirements.lock", "requirements-dev.lock"):
        lines = (repo.ROOT / lock).read_text("utf-8").splitlines()
        assert [text for text in lines if not line.fullmatch(text)] == []


def test_the_tests_run_what_is_served() -> None:
    served, tested = (_pins(lock) for lock in ("requirements.lock", "requirements-dev.lock"))
    assert served
    assert served <= tested


def _pins(lock: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", (repo.ROOT / lock).read_text("utf-8"), re.MULTILINE))


def test_every_make_target_says_what_it_does() -> None:
    makefile = (repo.ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):(?!=)", makefile, re.MULTILINE)) - {"help"}
    assert targets == set(re.findall(r"^([a-z]+):.*? ## \S", makefile, re.MULTILINE))
    assert targets >= {"run", "demo", "test", "check", "fmt", "lock", "bench"}
