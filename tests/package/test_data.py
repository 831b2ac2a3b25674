"""The data sets: digits from scikit-learn, MNIST and Fashion-MNIST by torchvision from a server of our own.

No test reaches beyond 127.0.0.1: torchvision's mirrors and checksums are replaced by those of four small archives.
"""

import errno
import gzip
import hashlib
import os
import struct
import tempfile
import threading
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torchvision import datasets
from torchvision.datasets import utils

from convutils import load_digits, load_fashion_mnist, load_mnist

try:
    import resource
except ImportError:  # Windows
    resource = None

# ---- digits


def test_digits_are_images_and_labels():
    (X, y), (X_test, y_test) = load_digits()
    assert X.shape == (1437, 1, 28, 28) and X_test.shape == (360, 1, 28, 28)
    assert X.dtype == X_test.dtype == torch.float32 and y.dtype == y_test.dtype == torch.int64
    assert len(y) == 1437 and len(y_test) == 360
    for images in (X, X_test):
        assert images.min() >= 0 and images.max() <= 1 and images.max() > 0.95
    assert y.unique().tolist() == y_test.unique().tolist() == list(range(10))


def test_digits_are_scikit_learns_enlarged():
    from sklearn.datasets import load_digits as originals

    digits = originals()
    X, y = (torch.cat(parts) for parts in zip(*load_digits(), strict=True))
    assert y.bincount().tolist() == torch.from_numpy(digits.target).bincount().tolist()
    # enlarging weighs the border a little differently, so the mean grey changes a little
    small = torch.from_numpy(digits.images).float() / 16
    torch.testing.assert_close(X.mean((1, 2, 3)).sort().values, small.mean((1, 2)).sort().values, atol=0.02, rtol=0)


def test_the_split_is_disjoint_fixed_and_its_own():
    torch.manual_seed(1)
    (X, y), (X_test, y_test) = load_digits()
    torch.manual_seed(2)
    again = load_digits()
    assert torch.equal(X, again[0][0]) and torch.equal(y_test, again[1][1]) and torch.equal(X_test, again[1][0])
    train, test = ({image.numpy().tobytes() for image in images} for images in (X, X_test))
    assert len(train) == 1437 and len(test) == 360 and not train & test
    assert y_test.bincount().min() >= 25  # every digit is tested


def test_loading_digits_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    wanted = torch.rand(1)
    torch.manual_seed(3)
    load_digits()
    assert torch.equal(torch.rand(1), wanted)


# ---- MNIST and Fashion-MNIST

SIZES = {"train": 20, "t10k": 7}
LOADERS = {"MNIST": load_mnist, "FashionMNIST": load_fashion_mnist}


def archives(seed):
    """Return the four archives of a tiny data set, by name, and what is in them."""
    generator, files, content = torch.Generator().manual_seed(seed), {}, []
    for part, n in SIZES.items():
        images = torch.randint(256, (n, 28, 28), generator=generator, dtype=torch.uint8)
        labels = torch.randint(10, (n,), generator=generator, dtype=torch.uint8)
        content.append((images, labels))
        files[f"{part}-images-idx3-ubyte.gz"] = struct.pack(">4i", 0x803, n, 28, 28) + images.numpy().tobytes()
        files[f"{part}-labels-idx1-ubyte.gz"] = struct.pack(">2i", 0x801, n) + labels.numpy().tobytes()
    return {name: gzip.compress(data, mtime=0) for name, data in files.items()}, content


class Server:
    """A web server on this machine that counts what it is asked for."""

    def __init__(self, folder):
        self.asked = asked = []

        class Handler(SimpleHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path.rpartition("/")[2])
                super().do_GET()

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
        self.address = f"http://127.0.0.1:{self.http.server_port}/"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


class World:
    """A tiny data set of this name, the server that has it, and the folder it is loaded into."""

    def __init__(self, name, tmp_path, monkeypatch):
        self.load, self.raw = LOADERS[name], tmp_path / "cache" / name / "raw"
        self.files, self.content = archives(seed=len(name))
        self.remote, self.folder = tmp_path / "remote", tmp_path / "cache"
        self.remote.mkdir()
        for file, data in self.files.items():
            (self.remote / file).write_bytes(data)
        self.server = Server(self.remote)
        dataset = getattr(datasets, name)
        monkeypatch.setattr(dataset, "resources", [(f, hashlib.md5(d).hexdigest()) for f, d in self.files.items()])
        monkeypatch.setattr(dataset, "mirrors", [self.server.address])
        for variable in ("no_proxy", "NO_PROXY"):
            monkeypatch.setenv(variable, "127.0.0.1")

    def put(self, name, data):
        self.raw.mkdir(parents=True, exist_ok=True)
        (self.raw / name).write_bytes(data)

    def check(self, loaded):
        """Assert that the loaded sets are those of the archives."""
        for (X, y), (images, labels) in zip(loaded, self.content, strict=True):
            assert X.dtype == torch.float32 and y.dtype == torch.int64
            assert X.shape == (len(images), 1, 28, 28) and 0 <= X.min() and X.max() <= 1
            assert torch.equal(X, images[:, None].float() / 255) and torch.equal(y, labels.long())

    def broken(self):
        """Return the files in the folder that are not whole: archives, unpacked ones, and any others."""
        whole = self.files | {name.removesuffix(".gz"): gzip.decompress(data) for name, data in self.files.items()}
        return [path.name for path in self.raw.glob("*") if path.read_bytes() != whole.get(path.name)]


@pytest.fixture(params=LOADERS)
def world(request, tmp_path, monkeypatch):
    world = World(request.param, tmp_path, monkeypatch)
    yield world
    world.server.close()


def offline(world):
    world.server.close()


def assert_clear(error, world):
    """Assert that the one error says what was tried and what helps: folder, archives, mirror, load_digits()."""
    message = str(error.value)
    for wanted in (str(world.raw), world.server.address, "load_digits()", *world.files):
        assert wanted in message
    assert not world.broken()


def test_the_first_load_downloads_and_the_second_works_offline(world):
    world.check(world.load(world.folder))
    assert set(world.server.asked) == set(world.files)
    offline(world)
    world.check(world.load(world.folder))


def test_archives_put_by_hand_need_no_network(world):
    offline(world)
    for name, data in world.files.items():
        world.put(name, data)
    world.check(world.load(str(world.folder)))


def test_no_network_and_no_files_is_one_clear_error(world):
    offline(world)
    with pytest.raises(OSError, match="could not be loaded") as error:
        world.load(world.folder)
    assert_clear(error, world)


def test_one_missing_archive_is_downloaded(world):
    world.load(world.folder)
    (world.raw / "t10k-labels-idx1-ubyte.gz").unlink()
    world.server.asked.clear()
    world.check(world.load(world.folder))
    assert set(world.server.asked) == {"t10k-labels-idx1-ubyte.gz"}


DAMAGE = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "one byte changed": lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:],
    "a web page": lambda data: b"<html>Sign in to use this network</html>",
    "other images": lambda data: gzip.compress(struct.pack(">4i", 0x803, 20, 28, 28) + bytes(20 * 784), mtime=0),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_archive_is_downloaded_again(world, damage):
    name = "train-images-idx3-ubyte.gz"
    world.put(name, DAMAGE[damage](world.files[name]))
    world.check(world.load(world.folder))
    assert name in world.server.asked and not world.broken()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_archive_without_a_network_is_one_clear_error(world, damage):
    offline(world)
    for name, data in world.files.items():
        world.put(name, DAMAGE[damage](data) if name.startswith("train-images") else data)
    with pytest.raises(OSError) as error:
        world.load(world.folder)
    assert_clear(error, world)


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_download_is_never_taken_for_data(world, damage):
    name = "t10k-images-idx3-ubyte.gz"
    (world.remote / name).write_bytes(DAMAGE[damage](world.files[name]))
    with pytest.raises(OSError) as error:
        world.load(world.folder)
    assert_clear(error, world)
    (world.remote / name).write_bytes(world.files[name])  # once the server is well, so is the next call
    world.check(world.load(world.folder))


def test_damaged_unpacked_files_are_never_taken_for_data(world):
    world.load(world.folder)
    for name in world.files:
        path = world.raw / name.removesuffix(".gz")
        path.write_bytes(path.read_bytes()[:-10] + bytes(10) if path.exists() else bytes(100))
    offline(world)
    world.check(world.load(world.folder))


def test_unpacked_files_without_archives_are_never_taken_for_data(world):
    world.load(world.folder)
    for name in world.files:
        (world.raw / name).unlink(missing_ok=True)
        world.put(name.removesuffix(".gz"), gzip.decompress(world.files[name])[:-1] + b"\x05")
    offline(world)
    with pytest.raises(OSError) as error:
        world.load(world.folder)
    assert_clear(error, world)


def test_files_of_old_torchvision_versions_are_never_taken_for_data(world):
    processed = world.raw.parent / "processed"
    processed.mkdir(parents=True)
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(3, 28, 28, dtype=torch.uint8), torch.zeros(3)), processed / name)
    world.check(world.load(world.folder))


def test_a_full_disk_leaves_no_half_written_file(world, monkeypatch):
    def half_write(url, filename, *_, **__):
        with open(filename, "wb") as file:
            file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(utils, "_urlretrieve", half_write)
    with pytest.raises(OSError, match="No space left on device") as error:
        world.load(world.folder)
    assert_clear(error, world)


def test_a_folder_that_is_a_file_is_one_clear_error(world):
    world.folder.write_text("not a folder")
    with pytest.raises(OSError) as error:
        world.load(world.folder)
    assert_clear(error, world)
    assert world.folder.read_text() == "not a folder"


@pytest.mark.skipif(resource is None, reason="this system cannot limit the size of files")
@pytest.mark.parametrize("archives_are_there", [False, True])
def test_writing_that_breaks_off_leaves_no_half_written_file(world, archives_are_there):
    for name, data in world.files.items() if archives_are_there else ():
        world.put(name, data)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8000, limits[1]))  # bytes: less than the larger files, as on a full disk
    try:
        with pytest.raises(OSError) as error:
            world.load(world.folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert_clear(error, world)
    world.check(world.load(world.folder))  # once there is room, the next call is well


@pytest.fixture(params=LOADERS)
def open_world(request, monkeypatch):
    """A world in a folder whose path every user may walk; pytest's own are their owner's alone."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        world = World(request.param, Path(folder), monkeypatch)
        yield world
        world.server.close()


@contextmanager
def ordinary_user():
    """For a while, be a user to whom permissions apply: root may write anywhere."""
    user = getattr(os, "geteuid", lambda: None)()
    if user == 0:
        os.seteuid(65534)  # nobody
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)


@pytest.mark.skipif(os.name == "nt", reason="folders have no such permissions on Windows")
@pytest.mark.parametrize("archives_are_there", [False, True])
def test_a_read_only_folder_is_one_clear_error(open_world, archives_are_there):
    world = open_world
    world.raw.mkdir(parents=True)
    for name, data in world.files.items() if archives_are_there else ():
        world.put(name, data)
    folders = [world.folder, world.raw.parent, world.raw]
    for folder in folders:
        folder.chmod(0o555)
    try:
        with ordinary_user(), pytest.raises(OSError, match="Permission denied") as error:
            world.load(world.folder)
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert_clear(error, world)
    assert sorted(path.name for path in world.raw.iterdir()) == (sorted(world.files) if archives_are_there else [])


def test_a_second_mirror_is_tried(world, monkeypatch):
    dataset = next(d for name, d in vars(datasets).items() if LOADERS.get(name) is world.load)
    monkeypatch.setattr(dataset, "mirrors", ["http://127.0.0.1:9/", world.server.address])
    world.check(world.load(world.folder))


def test_the_folder_comes_from_the_environment_else_from_home(world, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("CONVUTILS_DATA", "~/chosen")
    world.check(world.load())
    name = world.raw.parent.name
    assert (tmp_path / "home" / "chosen" / name / "raw").is_dir()
    monkeypatch.delenv("CONVUTILS_DATA")
    world.check(world.load())
    assert (tmp_path / "home" / ".cache" / "convutils" / name / "raw").is_dir() and not world.folder.exists()


def test_both_sets_share_a_folder(tmp_path, monkeypatch):
    for number, name in enumerate(LOADERS):
        (tmp_path / name).mkdir()
        world = World(name, tmp_path / name, monkeypatch)
        world.folder = tmp_path / "shared"
        world.check(world.load(world.folder))
        world.server.close()
        assert len(list((tmp_path / "shared").iterdir())) == number + 1
