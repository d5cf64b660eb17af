"""Rules for the source text that a linter does not know, checked on the syntax tree of every module."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "yinse"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_LINES = 600
# A shape in a docstring: `(B, T_mel, C)`, `(S,)`, `(B, 80, T)`.
SHAPE = re.compile(r"\([A-Z]\w*(?:,|\s*\+)")
FORBIDDEN_IMPORTS = {"pickle", "cPickle", "dill", "shelve", "marshal", "joblib", "torchaudio", "torchvision"}
FORBIDDEN_ATTRIBUTES = {
    "sys.path": "edits the import path",
    "torch.load": "unpickles a file",
    "torch.save": "pickles to a file",
    "os.system": "runs a shell",
    "os.popen": "runs a shell",
}
ENVIRONMENT = {"os.environ", "os.getenv", "os.putenv", "os.environb"}


def dotted(node: ast.AST) -> str:
    """`a.b.c` of nested attributes, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def imported(node: ast.AST) -> Iterator[str]:
    """Full names that an import statement brings in."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def call_breaches(node: ast.Call, place: str) -> Iterator[str]:
    """What is wrong with a call."""
    called = dotted(node.func)
    if called == "print" and not place.startswith("cli/"):
        yield "prints outside cli"
    if called in ("eval", "exec", "compile", "__import__"):
        yield f"calls {called}()"
    for keyword in node.keywords:
        if keyword.arg in ("shell", "allow_pickle") and not (
            isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        ):
            yield f"passes {keyword.arg}="


def breaches(tree: ast.AST, place: str) -> Iterator[str]:
    """Every broken rule in a module, as `line: what`; `place` is its path inside the package."""
    for node in ast.walk(tree):
        found: list[str] = []
        if isinstance(node, ast.Global):
            found.append("uses global")
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append("catches everything with a bare except")
        if isinstance(node, ast.Call):
            found.extend(call_breaches(node, place))
        names = [dotted(node)] if isinstance(node, ast.Attribute) else list(imported(node))
        for name in names:
            if name in FORBIDDEN_ATTRIBUTES:
                found.append(f"{name} {FORBIDDEN_ATTRIBUTES[name]}")
            if name in ENVIRONMENT and place != "core/home.py":
                found.append(f"{name} outside core/home.py")
            if isinstance(node, ast.Import | ast.ImportFrom) and name.split(".")[0] in FORBIDDEN_IMPORTS:
                found.append(f"imports {name}")
        yield from (f"{getattr(node, 'lineno', 0)}: {what}" for what in found)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_module_keeps_the_rules(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    assert not list(breaches(ast.parse(text), module.relative_to(PACKAGE).as_posix()))
    assert len(text.splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_public_names_have_docstrings(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says nothing about itself"
    public = [
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    assert not [node.name for node in public if not ast.get_docstring(node)]


@pytest.mark.parametrize("module", sorted((PACKAGE / "models").rglob("*.py")), ids=lambda path: path.stem)
def test_public_forward_states_shapes(module: Path) -> None:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for network in (node for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")):
        for method in network.body:
            if isinstance(method, ast.FunctionDef) and method.name == "forward":
                assert SHAPE.search(ast.get_docstring(method) or ""), f"{network.name}.forward states no shapes"


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    global x",
        "print('x')",
        "try:\n    pass\nexcept:\n    pass",
        "import sys\nsys.path.append('x')",
        "import os\nos.environ['x']",
        "from os import getenv",
        "run('ls', shell=True)",
        "import pickle",
        "from joblib import dump",
        "numpy.load(f, allow_pickle=True)",
        "torch.load(f)",
        "eval('1')",
    ],
)
def test_rules_catch(source: str) -> None:
    assert list(breaches(ast.parse(source), "audio/example.py"))


def test_rules_let_pass() -> None:
    source = "model.eval()\npattern = re.compile('x')\nrun(['ls'], shell=False)\nos.path.join('a')"
    assert not list(breaches(ast.parse(source), "audio/example.py"))
