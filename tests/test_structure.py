"""The folders are the diagram: the import contracts of pyproject.toml hold, and names and docstrings explain it."""

import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from functools import cached_property
from pathlib import Path
from types import FunctionType

import klcli

ROOT = Path(__file__).parents[1]
METHODS = FunctionType | classmethod | property | cached_property


def test_import_contracts_are_kept():
    command = Path(sys.executable).parent / "lint-imports"
    found = subprocess.run([command, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "0 broken" in found.stdout


def test_every_package_says_what_it_is():
    packages = list((ROOT / "klcli").rglob("__init__.py"))
    assert len(packages) > 5
    assert [path for path in packages if not path.read_text(encoding="utf-8").startswith('"""')] == []


def test_importing_the_package_is_light():
    code = "import sys, klcli; print(sorted({'numpy', 'typer', 'rich', 'pandas', 'pyarrow'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout == "[]\n"


def classes_and_functions():
    """Every public class, function and method of the package, with the module that defines it."""
    for found in pkgutil.walk_packages(klcli.__path__, "klcli."):
        module = importlib.import_module(found.name)
        for name, thing in vars(module).items():
            defined = inspect.isclass(thing) or inspect.isfunction(thing)
            if name.startswith("_") or not defined or (thing.__module__, thing.__name__) != (found.name, name):
                continue
            yield f"{found.name}.{name}", thing
            if inspect.isclass(thing):
                for part, member in vars(thing).items():
                    if not part.startswith("_") and isinstance(member, METHODS):
                        yield f"{found.name}.{name}.{part}", getattr(thing, part)


def test_no_two_classes_share_a_name():
    names = Counter(name.rpartition(".")[2] for name, thing in classes_and_functions() if inspect.isclass(thing))
    assert len(names) > 50
    assert [name for name, count in names.items() if count > 1] == []


def test_every_public_name_has_a_docstring_that_can_be_read_alone():
    docs = {name: (inspect.getdoc(thing) or "").split("\n\n", maxsplit=1)[0] for name, thing in classes_and_functions()}
    assert len(docs) > 500
    leaning = re.compile(r"(The same|See|Those|Such|Likewise|All of it|They|It)\b")
    wanting = [name for name, doc in docs.items() if not re.search(r"[.:?][)'\"]?$", doc) or leaning.match(doc)]
    assert wanting == []
