"""Settings of the unit tests: pictures without a screen, one thread, and how many random examples hypothesis draws."""

import os

os.environ["MPLBACKEND"] = "Agg"
os.environ["TQDM_DISABLE"] = "1"

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

# The default draws the same examples every time; HYPOTHESIS_PROFILE=long draws many, and new ones.
settings.register_profile("default", derandomize=True, deadline=None, max_examples=50, database=None)
settings.register_profile("long", deadline=None, max_examples=500, database=None,
                          suppress_health_check=list(HealthCheck))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def one_thread():
    """Run each test with one thread, so that two workers do not fight for two cores."""
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(1)
