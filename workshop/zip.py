"""Pack the built site into one file to download; unpacked anywhere, its index.html opens in a browser.

    python -m workshop.zip                 # from _build/html, into _build/convnet-course-VERSION.zip

The same site gives the same file, byte for byte: names in order, no times, no owners.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from workshop import course

SITE = course.ROOT / "_build" / "html"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time the format knows
READABLE = 0o644 << 16


def make_zip(site: Path, target: Path) -> int:
    """Write all files of the site below one folder named like the zip; return how many there are."""
    files = sorted(path for path in site.rglob("*") if path.is_file() and path.name != ".buildinfo")
    draft = target.with_suffix(".part")
    with ZipFile(draft, "w") as archive:
        for path in files:
            entry = ZipInfo(f"{target.stem}/{path.relative_to(site).as_posix()}", EPOCH)
            entry.external_attr = READABLE
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED, compresslevel=9)
    os.replace(draft, target)
    return len(files)


def main() -> int:
    if not (SITE / "index.html").exists():
        print(f"{SITE} holds no site; run: make book")
        return 1
    target = SITE.parent / f"convnet-course-{course.version()}.zip"
    count = make_zip(SITE, target)
    print(f"{target.relative_to(course.ROOT)}: {count} files, {target.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
