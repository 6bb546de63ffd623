"""Imported first by the child, so that msgspec leaves `typing_extensions` and with it `inspect` and `ast` alone.

They are a twelfth of the child's memory, on every cluster, for annotations that nothing here uses.
"""

import sys

sys.modules.setdefault("typing_extensions", None)  # type: ignore[arg-type]  # None: "cannot be imported"
