"""The folders are the diagram: the import contracts of pyproject.toml hold."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


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
