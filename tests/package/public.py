"""What `convutils` offers, found by looking at its modules, as the API page finds it."""

import inspect
import pkgutil
from functools import cache
from importlib import import_module

import convutils


def modules():
    """Yield every module of the package whose name has no underscore in front."""
    for found in pkgutil.walk_packages(convutils.__path__, "convutils."):
        if "._" not in found.name:
            yield import_module(found.name)


def definitions(module):
    """Return the functions and classes without an underscore that a module's own source defines, by name."""
    members = inspect.getmembers(module, lambda value: inspect.isfunction(value) or inspect.isclass(value))
    return {name: value for name, value in members if value.__module__ == module.__name__ and name[0] != "_"}


@cache
def offered():
    """Return every function and class a reader imports, by the name that is written after `convutils.`.

    These are what the package itself offers and, of a module from which it takes none, the module's `__all__` or all.
    """
    public = {name: getattr(convutils, name) for name in convutils.__all__}
    taken = {value.__module__ for value in public.values() if callable(value)}
    for module in modules():
        if module.__name__.count(".") == 1 and module.__name__ not in taken:
            names = getattr(module, "__all__", None) or definitions(module)
            public |= {f"{module.__name__.removeprefix('convutils.')}.{name}": getattr(module, name) for name in names}
    own = {name: value for name, value in public.items() if inspect.isfunction(value) or inspect.isclass(value)}
    assert {"corr2d", "fast.Pool2D", "kernels.box", "figures.show_images", "checks.verdict"} <= set(own)
    return {name: value for name, value in own.items() if name != "checks.check"}  # it is `check` already


def methods(kind):
    """Return the functions behind a class's own public methods and properties, and its `__init__`, by name."""
    found = {}
    for name, value in vars(kind).items():
        function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
        if inspect.isfunction(function) and function.__module__ == kind.__module__ and (name[0] != "_" or made(name)):
            found[name] = function
    return found


def made(name):
    return name == "__init__"
