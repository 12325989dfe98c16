"""The rules, a file each: the page of a warning, its words, and the function that looks for it and registers itself."""

from cnnspec.resources import import_all

import_all(__name__, __path__)
