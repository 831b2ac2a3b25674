"""Pack the built site into one file to download; unpacked anywhere, its index.html opens in a browser.

    python -m workshop.zip                   # from _build/html, into _build/convnet-course-VERSION.zip

The same site gives the same file, byte for byte: names in order, no times, no owners. (`shutil.make_archive` packs the
times of the files, and folders, too.)
"""

import os
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from workshop.course import built_site, product

READABLE = 0o644 << 16


def make_zip(site: Path, target: Path) -> int:
    """Write all files of the site below one folder named like the zip; return how many there are."""
    files = sorted(path for path in site.rglob("*") if path.is_file() and path.name != ".buildinfo")
    draft = target.with_suffix(".part")
    with ZipFile(draft, "w") as archive:
        for path in files:
            entry = ZipInfo(f"{target.stem}/{path.relative_to(site).as_posix()}")  # of 1980, the format's first year
            entry.external_attr = READABLE
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED, compresslevel=9)
    os.replace(draft, target)
    return len(files)


if __name__ == "__main__":
    path = product(".zip")
    print(f"{path.name}: {make_zip(built_site(), path)} files, {path.stat().st_size / 1e6:.1f} MB")
