"""What importing costs: heavy packages are loaded when they are used, not before."""

import subprocess
import sys

import pytest

HEAVY = (
    "torch", "diffusers", "transformers", "scipy", "skimage", "pydicom", "highdicom", "requests", "matplotlib", "PIL",
)  # fmt: skip


def loaded_after(code: str) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after running `code`."""
    told = f"\nimport sys\nsys.stderr.write('\\n' + ' '.join(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code + told], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stderr.rpartition("\n")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import deixis",
        "import deixis.types, deixis.geometry, deixis.recipes, deixis.registry, deixis.errors, deixis.silence",
        "import deixis.cli.app",
        "from deixis.cli.app import main; main(['--help'])",
        "from deixis.cli.app import main; main(['ground', '--help'])",
        "from deixis.cli.app import main; main(['pacs', 'ground', '--help'])",
        "from deixis.cli.app import main; main(['recipes'])",
        "from deixis.cli.app import main; main(['ground', 'x.png', '-p', ''])",
        "from deixis.cli.app import main; main(['ground', 'x.png', '-p', 'opacity', '-m', 'unknown'])",
    ],
)
def test_nothing_heavy_is_loaded_by(code):
    assert loaded_after(code) == set()


def test_import_deixis_loads_not_even_numpy():
    code = "import deixis, sys; sys.exit('numpy' in sys.modules or 'rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_every_public_name_is_found():
    import deixis

    for name in deixis.__all__:
        if name != "evaluate":  # comes with the corridor's evaluate.py
            assert getattr(deixis, name) is not None
    assert set(deixis.__all__) <= set(dir(deixis))


def test_an_unknown_public_name_is_an_attribute_error():
    import deixis

    with pytest.raises(AttributeError, match="no attribute 'grund'"):
        deixis.grund  # noqa: B018


def test_ground_stays_the_function_when_its_file_is_imported():
    code = "import deixis, deixis.ground, sys; from deixis.ground import View; sys.exit(not callable(deixis.ground))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
