"""What a name in DNS leads to, in words: records, how long an answer lasts, what it is worth, who answers."""

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._dns import Form, Judgement, Question, Word, judge
from kubealive_tui.experiments._words import age, milliseconds
from kubealive_tui.model import (
    GLYPH,
    Align,
    CallResult,
    Column,
    DnsAnswer,
    Heading,
    Line,
    Outcome,
    Reading,
    Role,
    Row,
    Table,
    line,
)
from kubealive_tui.store import Latest

__all__ = [
    "address_words",
    "answered",
    "answerer_words",
    "is_asked",
    "is_now",
    "kept_words",
    "late_words",
    "led_to",
    "lifetime",
    "lifetime_words",
    "nameless",
    "record_table",
    "silence_words",
    "verdict_words",
    "worth",
]

# A call older than this is not of now: one a second is made, and each may wait two seconds for its reply.
FRESH_US = 4_000_000
# The agent tells an answer that stays the same each 5 s, or 150 ms later for each question beyond some thirty.
TOLD_AGAIN_US = 10_000_000

_SHORT = {
    Outcome.REFUSED: "refused",
    Outcome.RESET: "reset",
    Outcome.CONNECT_TIMEOUT: "timeout",
    Outcome.READ_TIMEOUT: "timeout",
    Outcome.UNREACHABLE: "no route",
    Outcome.DNS: "no address",
    Outcome.UNASKED: "nobody's",
}


def led_to(answer: DnsAnswer) -> tuple[str, ...]:
    """The addresses in an answer, aliases left out."""
    return tuple(record for record in answer.answers if " " not in record)


def is_now(found: Latest[CallResult] | Latest[Reading] | None, now_us: int) -> bool:
    """Whether there is a call, and of now: the journal tells of those too that were made for an earlier look."""
    return found is not None and now_us - found.at_us <= FRESH_US


def is_asked(found: Latest[DnsAnswer] | Latest[Reading], now_us: int) -> bool:
    """Whether the answer is of now: what stays the same is told again each few seconds while it is asked for."""
    return now_us - found.at_us < TOLD_AGAIN_US


def address_words(found: Latest[DnsAnswer] | None, address: str, *, now_us: int) -> Line:
    """What a name's A record says, beside the address that it should say (empty where it should say none).

    An address that replaced another one is starred; one that is not asked for any more is dim.
    """
    if found is None:
        return line(("–", Role.MUTED))
    answer = found.body
    if not is_asked(found, now_us):
        return line((", ".join(led_to(answer)) or answer.rcode, Role.DIM))
    if answer.rcode != "NOERROR":
        return line((answer.rcode, Role.BAD if address else Role.WAITING))
    addresses = led_to(answer)
    if not addresses:
        return line(("no address", Role.WAITING))
    words = addresses[0] if len(addresses) == 1 else f"{len(addresses)} addresses"
    right = address in addresses
    star = ("*", Role.LEAVING) if found.before is not None else ""
    return line((words, Role.TEXT if right else Role.LEAVING), star)


def lifetime(found: Latest[DnsAnswer] | None, now_us: int) -> int | None:
    """Whole seconds for which some server may still give this answer; None where that is over, or was not told."""
    if found is None or found.until_us <= now_us:
        return None
    return (found.until_us - now_us) // 1_000_000


def kept_words(found: Latest[DnsAnswer] | None, now_us: int) -> str:
    """The same behind a sentence on an answer that is out of date: `, for 12 s more`, or nothing."""
    left = lifetime(found, now_us)
    return "" if left is None else f", for {left} s more"


def lifetime_words(found: Latest[DnsAnswer] | None, now_us: int) -> Line:
    """Those seconds as a cell."""
    left = lifetime(found, now_us)
    return line(("–", Role.MUTED)) if left is None else line((str(left), Role.MUTED))


_SILENCES = {
    "TIMEOUT": "no DNS server answered in time; kubectl -n kube-system get pods -l k8s-app=kube-dns shows them",
    "UNREACHABLE": "the network turned the question back: the DNS Service has no ready pod behind it",
    "MALFORMED": "what came back is no DNS message: something else may answer at the DNS server's address",
    "SERVFAIL": "the DNS server has failed itself, starting or without the API or the server behind it",
}


def silence_words(rcode: str) -> str:
    """Why a question has no answer, where that says nothing of what was asked for; without its full stop."""
    why = _SILENCES.get(rcode)
    return f"{rcode}, {why}" if why else f"the DNS server answers {rcode}"


def answered(call: CallResult) -> bool:
    """Whether a workload replied, be it with a refusal."""
    return bool(call.http_status)


def nameless(call: CallResult) -> bool:
    """Whether something replied without saying which pod it is, so that nobody knows whose reply that is."""
    return answered(call) and not call.pod_uid


def answerer_words(found: Latest[CallResult] | None, *, wanted: str, now_us: int) -> Line:
    """What a call by name came to: how fast it was, or why it failed; another pod than `wanted` is named.

    A reply that names none is nobody's.
    """
    if found is None or not is_now(found, now_us):
        return line(("–", Role.MUTED))
    call = found.body
    if call.pod_uid and call.pod_uid != wanted:
        return line((f"✕ {call.pod_name}", Role.BAD))
    if not answered(call):
        return line((_SHORT.get(call.outcome, call.outcome.value), Role.BAD))
    if call.http_status >= 500:
        return line((f"HTTP {call.http_status}", Role.BAD))
    if nameless(call):
        return line(("✕ unnamed", Role.BAD))
    return line(("ok ", Role.GOOD), milliseconds(call.took_us), (" ms", Role.MUTED))


_WORTH = {
    Word.AGREES: Role.GOOD,
    Word.STALE: Role.LEAVING,
    Word.WRONG: Role.BAD,
    Word.SILENT: Role.BAD,
    Word.SETTLING: Role.WAITING,
    Word.OPEN: Role.MUTED,
    Word.WAITING: Role.WAITING,
}


def worth(judgement: Judgement) -> tuple[str, Role]:
    """Glyph and role of what an answer is worth."""
    role = _WORTH[judgement.word]
    return GLYPH.get(role, "–"), role


def late_words(judgement: Judgement, now_us: int) -> str:
    """For how long a stale answer has been out of date: `12s`; nothing for any other."""
    return age(round(judgement.stale_s(now_us) * 1e6)) if judgement.word is Word.STALE else ""


_RECORDS = (
    Column("TYPE", 5),
    Column("ANSWER", 30, grows=True),
    Column("TTL", 4, Align.RIGHT),
    Column("TIME", 7, Align.RIGHT),
    Column("", 14),
)


def verdict_words(judgement: Judgement, now_us: int) -> Line:
    """What an answer is worth: `● agrees`, `◌ stale 12s`, `✕ wrong`."""
    glyph, role = worth(judgement)
    return line((f"{glyph} {judgement.word.value} {late_words(judgement, now_us)}".rstrip(), role))


def record_table(scene: Scene, name: str, *, srv: str, mine: str = "") -> Table:
    """What DNS says of a name, and of `srv` as the name of its port, and what that is worth.

    Of several records the one of `mine` is shown.
    """
    host = Question(name, "A", Form.SHORT)
    questions = (host, Question(name, "AAAA", Form.SHORT), Question(srv, "SRV", Form.SHORT))
    judged = {question.type: judge(scene.store, scene.name, question) for question in questions}
    first = host.absolute(scene.store).removesuffix(".")

    def row(kind: str) -> Row:
        found, now = judged[kind].latest, scene.store.now_us
        if found is None:
            return Row(kind, (line(kind), line(("not asked", Role.MUTED))))
        took = line(milliseconds(found.body.took_us), (" ms", Role.MUTED))
        words = _record_words(found.body, mine)
        return Row(kind, (line(kind), words, lifetime_words(found, now), took, verdict_words(judged[kind], now)))

    heading = Heading(line(("DNS", Role.STRONG)), line((first, Role.MUTED)))
    return Table(_RECORDS, tuple(judged), row, heading=heading, selectable=False)


def _record_words(answer: DnsAnswer, mine: str) -> Line:
    if not answer.answers:
        kept = "" if answer.soa_minimum_seconds is None else f", SOA minimum {answer.soa_minimum_seconds}"
        return line(("none ", Role.TEXT), (f"({answer.rcode}{kept})", Role.MUTED))
    shown = next((record for record in answer.answers if mine and mine in record), answer.answers[0])
    count = len(answer.answers)
    return line((f"1 of {count}: " if count > 1 else "", Role.MUTED), shown)
