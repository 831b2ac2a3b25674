# Makes the shared module available; does nothing where it is installed already.
from importlib.util import find_spec

REPOSITORY = ""  # the address of this course's Git repository; "" while it has none

if find_spec("convutils") is None:
    if not REPOSITORY:
        raise ModuleNotFoundError(
            "The course's module `convutils` is missing. Run `pip install ./FOLDER` where FOLDER is the course's "
            "unpacked folder (the one that holds pyproject.toml). The package index's `convutils` is another project."
        )
    import subprocess
    import sys

    source = f"convnet-course @ git+{REPOSITORY}"
    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", source])
