"""The DNS matrix: which names are asked in which spelling, and what a cell says of an answer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kubealive_tui.experiments._api import Scene
from kubealive_tui.experiments._dns import Form, Judgement, Question, Word, judge
from kubealive_tui.experiments._names import late_words, verdict_words, worth
from kubealive_tui.experiments._words import milliseconds, within
from kubealive_tui.model import Align, Column, DnsAnswer, Heading, Line, Role, Row, Table, line
from kubealive_tui.store import Store

__all__ = [
    "FORMS",
    "NAMES",
    "SET",
    "TYPES",
    "Name",
    "answer_words",
    "chosen",
    "form_table",
    "judgements",
    "matrix_table",
    "name_of",
    "questions",
    "standing",
    "tally",
]

SET = "dns-set"
TYPES = ("A", "AAAA", "SRV")
FORMS = (Form.SHORT, Form.NAMESPACE, Form.FULL, Form.DOT)


@dataclass(frozen=True, slots=True)
class Name:
    """A row: a name within the namespace, what stands behind it, and the workload whose pods that are.

    `port` names the port whose SRV records stand in front of it; without one SRV is asked of the name itself.
    """

    name: str
    kind: str
    app: str = ""
    port: str = "http"

    def question(self, kind: str, form: Form) -> Question:
        """The question that the cell of this type and spelling asks."""
        name = f"_{self.port}._tcp.{self.name}" if kind == "SRV" and self.port else self.name
        return Question(name, kind, form)


NAMES = (
    Name("dns-web", "ClusterIP", app="dns-each"),
    Name("dns-port", "NodePort", app="dns-each"),
    Name("dns-each", "DaemonSet", app="dns-each"),
    Name(SET, "StatefulSet", app=SET),
    # One pod is no Service: SRV records do not stand under its name.
    Name(f"{SET}-0.{SET}", "one ordinal", app=SET, port=""),
    Name("dns-nobody", "no Service"),
    Name("dns-alias", "ExternalName", port=""),
)


def chosen(scene: Scene) -> str:
    """The record type that the tab shows."""
    return scene.settings.choices.get("type", TYPES[0])


def name_of(key: str | None) -> Name | None:
    """The row of this key."""
    return next((name for name in NAMES if key is not None and name.name == key.partition(" ")[0]), None)


def questions() -> Iterator[Question]:
    """Every cell's question."""
    return (name.question(kind, form) for kind in TYPES for name in NAMES for form in FORMS)


def judgements(store: Store, experiment: str) -> Sequence[Judgement]:
    """Every cell's verdict."""
    return [judge(store, experiment, question) for question in questions()]


def tally(found: Sequence[Judgement], now_us: int) -> Line:
    """How many cells there are of each verdict, what is right first; of all record types, not of the one shown."""
    counts = Counter(judgement.word for judgement in found)
    stale = max((judgement.stale_s(now_us) for judgement in found if judgement.word is Word.STALE), default=0.0)
    late = f" up to {stale:.0f} s" if counts[Word.STALE] else ""
    shown: list[tuple[str, Role]] = [
        (f"{counts[Word.AGREES]} agree", Role.GOOD if counts[Word.AGREES] else Role.MUTED),
        (f"{counts[Word.STALE]} stale{late}", Role.LEAVING if counts[Word.STALE] else Role.MUTED),
        (f"{counts[Word.WRONG]} wrong", Role.BAD if counts[Word.WRONG] else Role.MUTED),
    ]
    if counts[Word.SILENT]:
        shown.append((f"{counts[Word.SILENT]} no answer", Role.BAD))
    if waiting := counts[Word.WAITING] + counts[Word.SETTLING]:
        shown.append((f"{waiting} open", Role.WAITING))
    if counts[Word.OPEN]:
        shown.append((f"{counts[Word.OPEN]} not specified", Role.MUTED))
    parts = [part for each in shown for part in (("  ", Role.MUTED), each)]
    return line((f"of {len(found)}: ", Role.MUTED), *parts[1:])


# ---- cells


def standing(answer: DnsAnswer) -> str:
    """What an answer is in a word: `3 A`, `CNAME`, NODATA, NXDOMAIN, SERVFAIL, TIMEOUT."""
    if answer.found and not any(text.startswith("CNAME ") for text in answer.answers):
        return f"{len(answer.answers)} {answer.type}"
    return "CNAME" if answer.answers else answer.standing


# Words of ours for a cell, which is narrower than they are; below the matrix they stand in full.
_BRIEF = {"UNREACHABLE": "no route", "MALFORMED": "not DNS"}


def _cell(judgement: Judgement, now_us: int) -> Line:
    glyph, role = worth(judgement)
    if judgement.latest is None:
        return line((f"{glyph} –", role))
    words = standing(judgement.latest.body)
    words = _BRIEF.get(words, words)
    match judgement.word:
        case Word.STALE:
            words = f"late {late_words(judgement, now_us)}"
        case Word.WRONG:
            words = "wrong"
        case _:
            pass
    return line((f"{glyph} ", role), (words, Role.TEXT if judgement.word is Word.AGREES else role))


def answer_words(answer: DnsAnswer) -> str:
    """Rcode and records; only the first of many."""
    if not answer.answers:
        return standing(answer)
    shown = [_record(text) for text in answer.answers]
    more = f" and {len(shown) - 1} more" if len(shown) > 1 else ""
    rcode = "" if answer.rcode == "NOERROR" else f"{answer.rcode} "
    # The way to the other name is what the Service itself says.
    first = next((text for text in shown if text.startswith("CNAME ")), shown[0])
    return f"{rcode}{first}{more}"


def _record(text: str) -> str:
    """A record's data; of SRV the port and the target within the namespace, without what the server weighs by."""
    words = text.split()
    return f"{words[2]} {within(words[3])}" if len(words) == 4 else text


# ---- tables

_HEADS = {Form.SHORT: "SHORT", Form.NAMESPACE: "NAMESPACE", Form.FULL: "FULL", Form.DOT: "FULL."}


def matrix_table(scene: Scene, kind: str, *, keyed: bool, figures: Line = ()) -> Table:
    """The rows of one record type; `keyed` where several types are on screen, so that each row has its own key."""
    store = scene.store
    keys = {f"{name.name} {kind}" if keyed else name.name: name for name in NAMES}
    cells = tuple(Column(_HEADS[form], 10) for form in FORMS)

    def row(key: str) -> Row:
        name = keys[key]
        found = [judge(store, scene.name, name.question(kind, form)) for form in FORMS]
        return Row(
            key,
            (
                line(name.name),
                line((name.kind, Role.MUTED)),
                *(_cell(each, store.now_us) for each in found),
                line((", ".join(found[-1].expected.words), Role.MUTED)),
            ),
        )

    return Table(
        columns=(
            Column("NAME", 17),
            Column("BEHIND IT", 12),
            *cells,
            Column("PROMISED", 20, grows=True, least=100),
        ),
        keys=tuple(keys),
        row=row,
        heading=Heading(line((kind, Role.STRONG)), figures),
    )


_FORM_COLUMNS = (
    Column("SPELLED", 14),
    Column("ASKED", 5, Align.RIGHT),
    Column("ANSWER", 22, grows=True),
    Column("TTL", 5, Align.RIGHT),
    Column("MS", 5, Align.RIGHT),
    Column("VERDICT", 15),
)


def form_table(scene: Scene, name: Name, kind: str) -> Table:
    """One name and type in its four spellings: what was asked until there was an answer, and which it was."""
    store = scene.store
    found = {form.value: (q := name.question(kind, form), judge(store, scene.name, q)) for form in FORMS}

    def row(key: str) -> Row:
        question, judgement = found[key]
        walk = store.answers(scene.name).walk(question.asked(store), kind)
        cost = _cost([step.body for step in walk], judgement)
        return Row(key, (line(key), *cost, verdict_words(judgement, store.now_us)))

    _, whole = found[Form.DOT.value]
    return Table(
        columns=_FORM_COLUMNS,
        keys=tuple(found),
        row=row,
        heading=Heading(
            line((f"{name.name} {kind}", Role.STRONG)),
            line(("promised ", Role.MUTED), ", ".join(whole.expected.words)),
        ),
        selectable=False,
    )


def _cost(walk: Sequence[DnsAnswer], judgement: Judgement) -> Sequence[Line]:
    """Questions, answer, TTL and milliseconds of all questions together."""
    if judgement.latest is None:
        return [line(("–", Role.MUTED))] * 4
    answer = judgement.latest.body
    asked = sum(step.rcode != "UNASKED" for step in walk)
    return (
        line((f"{asked} ×", Role.WAITING)) if asked > 1 else line("once"),
        line(answer_words(answer)),
        line(("–" if answer.ttl_seconds is None else f"{answer.ttl_seconds} s", Role.MUTED)),
        line(milliseconds(sum(step.took_us for step in walk))),
    )
