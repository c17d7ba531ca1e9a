"""Damages schemas, transforms and models in one place at a time: do the tests notice?

python -m tests.mutants [--sample 200] [--seed 1] [--only transforms/review] [--workers 2]
    [--minutes 60]

Each mutant is tested in a copy of the checkout under mutants/. The survivors are printed, and
written to mutants/survivors.md in the form of docs/mutants.md. models/reconstruction, which no
night runs and whose tests take half a minute, is damaged only when --only asks for it.
"""

# ruff: noqa: T201 - a command

import argparse
import ast
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import redirect_stdout
from difflib import unified_diff
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import cosmic_ray.plugins
import pytest
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.modules import find_modules
from cosmic_ray.mutating import use_mutation
from cosmic_ray.work_item import MutationSpec

from tests.mutation_operators import Operators
from tests.spec.examples import FOLDER, examples
from tests.transforms.variables.test_edges import EDGES

cosmic_ray.plugins.OPERATOR_PROVIDERS["ours"] = Operators()

AREAS = ("schemas", "transforms", "models")
WORK = Path("mutants")
WANTED = 0.9
_OURS = ("flows", "models", "schemas", "tests", "transforms")
_NOT_NOTICED = (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
CPU_SECONDS = 300
"""What runs ten times as long as the slowest of the tests never ends: that is noticed."""
_RECONSTRUCTION = "models/reconstruction"
_SLOW = Path("tests/models/test_reconstruction.py")
_VARIABLES = Path("transforms/variables")
_EXAMPLES = {
    "tests/transforms/variables/test_edges.py::test_the_edge_holds": EDGES,
    "tests/spec/test_examples.py::test_the_example_holds": FOLDER,
}
_KEPT = re.compile(
    "ours/.*|core/("
    "ReplaceBinaryOperator_(Add_Sub|Sub_Add|Mul_Div|Div_Mul|BitAnd_BitOr|BitOr_BitAnd)"
    "|ReplaceComparisonOperator_(Eq_NotEq|NotEq_Eq|Lt_LtE|Lt_GtE|LtE_Lt|LtE_Gt|Gt_GtE|Gt_LtE"
    "|GtE_Gt|GtE_Lt|Is_IsNot|IsNot_Is)"
    "|ReplaceUnaryOperator_Delete_.*|AddNot|ReplaceTrueWithFalse|ReplaceFalseWithTrue"
    "|ReplaceAndWithOr|ReplaceOrWithAnd|ReplaceBreakWithContinue|ReplaceContinueWithBreak"
    "|ExceptionReplacer|NumberReplacer|ZeroIterationForLoop)"
)
"""One change of each kind: the other replacements fail at once, or change nothing."""


def mutants(paths: Iterable[Path]) -> Iterator[MutationSpec]:
    """Yield every damage to the modules, except to annotations, decorators and `__all__`.

    Nothing evaluates the first; the others keep programmers from what no program does.
    """
    names = [name for name in cosmic_ray.plugins.operator_names() if _KEPT.fullmatch(name)]
    for path in sorted(paths):
        nodes = list(ast_nodes(get_ast_from_path(path)))
        spared = _spared(path)
        for name in names:
            operator = cosmic_ray.plugins.get_operator(name)()
            places = ((n, at) for n in nodes for at in operator.mutation_positions(n))
            for occurrence, (node, (start, end)) in enumerate(places):
                if not any(low <= start < high for low, high in spared):
                    where = ASTQuery(node).get_definition_name()
                    yield MutationSpec(path, name, occurrence, start, end, {}, where)


def _spared(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found += node.decorator_list
        if isinstance(node, ast.FunctionDef):
            found.append(node.returns)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            found.append(node.value)
    return [
        ((x.lineno, x.col_offset), (x.end_lineno or 0, x.end_col_offset or 0)) for x in found if x
    ]


def near(path: Path) -> list[str]:
    """Return the tests of a module, the nearest first.

    The examples of its variable, the test file of its name, those that import it, and its own
    examples.
    """
    if path.is_relative_to(_RECONSTRUCTION):
        return [str(_SLOW), _RECONSTRUCTION]
    named = Path("tests", path.parent, f"test_{path.name}")
    own = [named, *_importing(path)] if named.exists() else _importing(path)
    return [*_examples_of(path), *dict.fromkeys(str(file) for file in (*own, path))]


def others(path: Path) -> list[str]:
    """Return the other tests of a module's room, for mutants that those near to it miss."""
    if path.parent == _VARIABLES:
        return [test.partition("::")[0] for test in _EXAMPLES]  # each goes through all variables
    there = set(near(path))
    room = [str(file) for file in _short_first(Path("tests", path.parent))]
    return [file for file in room if file not in there]


def _examples_of(path: Path) -> list[str]:
    if path.parent != _VARIABLES:
        return []
    return [
        f"{test}[{name}: {example.says}]"
        for test, folder in _EXAMPLES.items()
        for name, page in examples(folder).items()
        for example in page.example
        if path.stem in page.modules
    ]


def _importing(path: Path) -> list[Path]:
    room, name = ".".join(path.parent.parts), path.stem
    imports = re.compile(rf"^(from|import) {room}(\.| import .*\b){name}\b", re.MULTILINE)
    files = _short_first(*(Path("tests", area) for area in AREAS))
    return [file for file in files if imports.search(file.read_text("utf-8"))]


def _short_first(*folders: Path) -> list[Path]:
    files = [file for folder in folders for file in folder.rglob("test_*.py") if file != _SLOW]
    return sorted(files, key=lambda file: (file.stat().st_size, file))


def enter_copy() -> None:
    """Go to a copy of the checkout that is this worker's own."""
    here = str(Path.cwd())
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    copy = WORK / str(os.getpid())
    for name in listed.stdout.split("\0")[:-1]:
        if Path(name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(name, copy / name)
    os.chdir(copy)
    sys.path[:] = [str(Path.cwd()), *(path for path in sys.path if path not in ("", here))]
    sys.dont_write_bytecode = False  # or each run compiles every module again
    os.environ["POLARS_MAX_THREADS"] = "1"


def notices(path: Path) -> bool:
    """Tell whether the tests near to a module, or else in its room, fail."""
    cached = Path(cache_from_source(path))
    cached.unlink(missing_ok=True)
    try:
        return any(_run(tests) not in _NOT_NOTICED for tests in (near(path), others(path)))
    finally:
        cached.unlink(missing_ok=True)


def _run(tests: list[str]) -> int:
    """Run tests on the modules as they stand; return how pytest ended."""
    if not tests:
        return pytest.ExitCode.NO_TESTS_COLLECTED
    for name in list(sys.modules):
        if name.partition(".")[0] in _OURS:
            del sys.modules[name]
    # Time on the processor, which does not depend on what else the machine does.
    signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
    try:
        with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
            return pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])
    except Endless:
        return pytest.ExitCode.INTERRUPTED
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


class Endless(BaseException):
    """A test that does not come to an end."""


def _stop(*_: object) -> None:
    raise Endless


def try_out(mutant: MutationSpec) -> tuple[bool, str]:
    """Tell whether the tests notice a mutant, and what it is in words."""
    operator = cosmic_ray.plugins.get_operator(mutant.operator_name)()
    with use_mutation(mutant.module_path, operator, mutant.occurrence) as (before, after):
        return notices(mutant.module_path), in_words(mutant, before, after)


def in_words(mutant: MutationSpec, before: str, after: str) -> str:
    """Return a mutant as a line of docs/mutants.md."""
    lines = list(unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0))[3:]
    gone, come = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    where = f" {mutant.definition_name}" if mutant.definition_name else ""
    return f"- `{mutant.module_path}`{where}: `{gone}` -> `{come or '(nothing)'}`"


def main() -> int:
    """Test the mutants; return 0 when enough of them were noticed."""
    asked = _arguments()
    paths = find_modules([Path(area) for area in AREAS])
    found = list(mutants(path for path in paths if _is_asked(path, asked.only)))
    # Seeded: the same sample again, to see whether new tests notice more of it.
    sample = min(asked.sample or len(found), len(found))
    chosen = random.Random(asked.seed).sample(found, sample)  # noqa: S311
    print(f"{len(found)} mutants, {len(chosen)} to test", flush=True)
    shutil.rmtree(WORK, ignore_errors=True)
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(asked.workers, spawn, enter_copy, max_tasks_per_child=50)
    with pool:
        whole = [] if asked.trust else sorted({m.module_path for m in chosen})
        undamaged = {path: pool.submit(notices, path) for path in whole}
        for path, run in undamaged.items():
            if run.result():
                print(f"the tests fail before anything is damaged: {' '.join(near(path))}")
                return 2
        tested = {pool.submit(try_out, m): m for m in chosen}
        noticed, survivors = _results(tested, time.monotonic() + asked.minutes * 60)
        pool.shutdown(cancel_futures=True)
    (WORK / "survivors.md").write_text("".join(f"{line}\n" for line in sorted(survivors)), "utf-8")
    for room, each in sorted(noticed.items()):
        print(f"{room}: {each.count(True)} of {len(each)}")
    tried = sum(len(each) for each in noticed.values())
    killed = tried - len(survivors)
    print(f"{killed} of {tried} noticed{_share(killed, tried)}")
    return 0 if killed >= WANTED * tried else 1


def _is_asked(path: Path, start: str | None) -> bool:
    return str(path).startswith(start) if start else not path.is_relative_to(_RECONSTRUCTION)


def _results(
    tested: dict[Future[tuple[bool, str]], MutationSpec], until: float
) -> tuple[dict[str, list[bool]], list[str]]:
    """Return by room whether each mutant was noticed by then, and the survivors in words."""
    noticed: dict[str, list[bool]] = {}
    survivors = []
    for number, future in enumerate(as_completed(tested), 1):
        if time.monotonic() > until:
            break
        is_noticed, words = future.result()
        room = str(tested[future].module_path.parent)
        noticed.setdefault(room, []).append(is_noticed)
        if not is_noticed:
            survivors.append(words)
            print(words, flush=True)
        if number % 10 == 0:
            print(f"{number} of {len(tested)}", file=sys.stderr, flush=True)
    return noticed, survivors


def _share(killed: int, tested: int) -> str:
    """Return the share with Wilson's 95 % interval."""
    if not tested:
        return ""
    share, z2 = killed / tested, 1.96**2
    middle = (share + z2 / (2 * tested)) / (1 + z2 / tested)
    half = (z2 * (share * (1 - share) + z2 / (4 * tested)) / tested) ** 0.5 / (1 + z2 / tested)
    return f" ({share:.0%}, 95 % interval {middle - half:.0%} to {middle + half:.0%})"


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--sample", type=int, help="how many, drawn by chance (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="start of the modules' paths")
    parser.add_argument("--minutes", type=float, default=1e6, help="what is tested by then")
    parser.add_argument("--trust", action="store_true", help="that the tests hold undamaged")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
