"""Settings of the unit tests: pictures without a screen, one thread, and how many random examples hypothesis draws."""

import os
import re
from threading import RLock

os.environ["MPLBACKEND"] = "Agg"
os.environ["TQDM_DISABLE"] = "1"

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402
from tqdm import tqdm  # noqa: E402

# mutmut forks: tqdm's own lock is shared with the forks, and one that is killed would hold it for ever
tqdm.set_lock(RLock())

# The default draws the same examples every time; HYPOTHESIS_PROFILE=long draws many, and new ones.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=50, database=None)
settings.register_profile(
    "long", deadline=None, max_examples=500, database=None, suppress_health_check=list(HealthCheck)
)
# make mutants: ten examples find a fault nearly as often as fifty, and each of a thousand mutants needs them
settings.register_profile("mutants", settings.get_profile("default"), max_examples=10)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_terminal_summary(terminalreporter):
    """Say how many random examples were really run, by hypothesis's own count of each test."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    notes = "\n".join(getattr(report, "_hypothesis_stats", "") for report in reports)
    if counts := [int(count) for count in re.findall(r"(\d+) passing", notes)]:
        terminalreporter.write_line(f"{sum(counts):,} random examples passed in {len(counts)} tests")


@pytest.fixture(autouse=True)
def one_thread():
    """Run each test with one thread, so that two workers do not fight for two cores."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)
