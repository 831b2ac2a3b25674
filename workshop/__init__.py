"""Everything that builds, checks and publishes the course: `python -m workshop.notebooks` and its neighbours."""
