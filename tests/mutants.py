"""Damages schemas, transforms and models in one place at a time: do the tests notice?

python -m tests.mutants [--sample 200] [--seed 1] [--only transforms/review] [--workers 2]

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
import subprocess
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.ast.ast_query import ASTQuery
from cosmic_ray.modules import find_modules
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkResult

from tests.mutation_operators import Operators

cosmic_ray.plugins.OPERATOR_PROVIDERS["ours"] = Operators()

AREAS = ("schemas", "transforms", "models")
WORK = Path("mutants")
WANTED = 0.9
TIMEOUT = 600
_RECONSTRUCTION = "models/reconstruction"
_SLOW = "tests/models/test_reconstruction.py"
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
    """Yield every damage to the modules, except to annotations, which nothing evaluates."""
    names = [name for name in cosmic_ray.plugins.operator_names() if _KEPT.fullmatch(name)]
    for path in sorted(paths):
        nodes = list(ast_nodes(get_ast_from_path(path)))
        annotations = _annotations(path)
        for name in names:
            operator = cosmic_ray.plugins.get_operator(name)()
            places = ((n, at) for n in nodes for at in operator.mutation_positions(n))
            for occurrence, (node, (start, end)) in enumerate(places):
                if not any(low <= start < high for low, high in annotations):
                    where = ASTQuery(node).get_definition_name()
                    yield MutationSpec(path, name, occurrence, start, end, {}, where)


def _annotations(path: Path) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.arg | ast.AnnAssign):
            found.append(node.annotation)
        if isinstance(node, ast.FunctionDef):
            found.append(node.returns)
    return [
        ((x.lineno, x.col_offset), (x.end_lineno or 0, x.end_col_offset or 0)) for x in found if x
    ]


def command(path: Path) -> str:
    """Return the tests of a module: those nearest to it first."""
    pytest = f"{sys.executable} -m pytest -x -q -p no:cacheprovider -p no:xdist"
    if path.is_relative_to(_RECONSTRUCTION):
        return f"{pytest} {_SLOW} {_RECONSTRUCTION}"
    nearest = [Path("tests", path.parent, f"test_{path.name}"), Path("tests", path.parent), path]
    if path.is_relative_to("transforms/variables"):
        nearest.insert(0, Path("tests/spec"))
    order = sorted(AREAS, key=lambda area: area != path.parts[0])
    places = [str(place) for place in nearest if place.exists()]
    places += [place for area in order for place in (area, f"tests/{area}")]
    return f"{pytest} --ignore={_SLOW} " + " ".join(dict.fromkeys(places))


def enter_copy() -> None:
    """Go to a copy of the checkout that is this worker's own."""
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


def run_tests(mutant: MutationSpec | None, path: Path) -> WorkResult:
    """Run the tests of a module with a mutant in place, or with none."""
    result: WorkResult = mutate_and_test([mutant] if mutant else [], command(path), TIMEOUT)
    return result


def in_words(mutant: MutationSpec, result: WorkResult) -> str:
    """Return a survivor as a line of docs/mutants.md."""
    lines = (result.diff or "").splitlines()[4:]
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
    with ProcessPoolExecutor(asked.workers, spawn, initializer=enter_copy) as pool:
        for path in {command(m.module_path): m.module_path for m in chosen}.values():
            if pool.submit(run_tests, None, path).result().test_outcome != TestOutcome.SURVIVED:
                print(f"the tests fail before anything is damaged: {command(path)}")
                return 2
        tested = {pool.submit(run_tests, m, m.module_path): m for m in chosen}
        survivors = sorted(_survivors(tested))
    killed = len(chosen) - len(survivors)
    share = killed / max(len(chosen), 1)
    (WORK / "survivors.md").write_text("".join(f"{line}\n" for line in survivors), "utf-8")
    print(f"{killed} of {len(chosen)} noticed ({share:.1%})")
    return 0 if share >= WANTED else 1


def _is_asked(path: Path, start: str | None) -> bool:
    return str(path).startswith(start) if start else not path.is_relative_to(_RECONSTRUCTION)


def _survivors(tested: dict[Future[WorkResult], MutationSpec]) -> Iterator[str]:
    for number, future in enumerate(as_completed(tested), 1):
        result = future.result()
        if number % 20 == 0:
            print(f"{number} of {len(tested)}", file=sys.stderr, flush=True)
        if result.test_outcome != TestOutcome.KILLED:
            line = in_words(tested[future], result)
            print(line, flush=True)
            yield line


def _arguments() -> Any:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--sample", type=int, help="how many, drawn by chance (default: all)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="start of the modules' paths")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
