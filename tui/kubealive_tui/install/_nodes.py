"""Whether nodes answer: what is on one that does not neither starts nor ends, whatever its own status says."""

from collections.abc import Iterable

from ._api import Api, each
from ._errors import ApiError
from ._kinds import KINDS


async def lost_nodes(api: Api, names: Iterable[str], *, within: float = 10.0) -> frozenset[str]:
    """Return those of the nodes that are known not to answer; none where one may not look at nodes."""

    async def is_lost(name: str) -> bool:
        try:
            found = await api.request("GET", KINDS["Node"].path("", name), timeout=within)
        except ApiError as error:
            if error.missing or error.forbidden:
                return False
            raise
        conditions = found.get("status", {}).get("conditions") or ()
        return any(one["type"] == "Ready" and one["status"] != "True" for one in conditions)

    asked = sorted({name for name in names if name})
    answers = await each(is_lost, asked)
    return frozenset(name for name, lost in zip(asked, answers, strict=True) if lost)
