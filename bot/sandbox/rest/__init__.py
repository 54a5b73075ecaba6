"""The REST interface; each module registers the routes that it answers."""

from importlib import import_module
from pkgutil import iter_modules

for _found in iter_modules(__path__):
    if _found.name != "app":  # which builds the table of all routes, when it is imported
        import_module(f"{__name__}.{_found.name}")
