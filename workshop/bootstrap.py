# Makes the shared module available; does nothing where it is installed already.
from importlib.util import find_spec

SOURCE = ""  # the course's Git repository and the release to take from it; "" while it has no address

if find_spec("convutils") is None:
    if not SOURCE:
        raise ModuleNotFoundError(
            "The course's module `convutils` is missing. Run `pip install ./FOLDER` where FOLDER is the course's "
            "unpacked folder (the one that holds pyproject.toml). The package index's `convutils` is another project."
        )
    import subprocess
    import sys

    subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", SOURCE])
