"""A draft and the suite beside it, moved until the nights of their own reference do not break them. Keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from yaml import safe_load

from vigil.config.schema import Monitor
from vigil.core.errors import DataError
from vigil.onboarding.document import Answers, Facts, document
from vigil.onboarding.draft import Draft
from vigil.onboarding.evidence import Evidence
from vigil.onboarding.moving import NIGHTLY, moving
from vigil.onboarding.reference_window import WindowChoice
from vigil.onboarding.roles import Word
from vigil.onboarding.rules import Book, Model, rules_of
from vigil.onboarding.suite import suite
from vigil.ports import Ports
from vigil.profiles.layout import FeatureType
from vigil.usecases.first_nights import FirstNights, Settled, chunks, evidence, first_nights, settled, table
from vigil.usecases.look import Looked, local_rows, reference_from
from vigil.usecases.reference_window_trial import LEAST_NIGHTS, choose_window
from vigil.verdicts.types import State

if TYPE_CHECKING:
    import pandas as pd

REFERENCE_NIGHTS = 14
TRIED_NIGHTS, TRIED_SCORES = 200, 60_000  # of the log, on which ways to learn are tried
SCHEMA = "../.vigil/monitor.schema.json"


class Fitted(NamedTuple):
    """Monitor and suite as they are to be written, and the reference that they were fitted to."""

    body: str
    suite: dict[str, Any]
    dropped: tuple[str, ...]
    rules: Settled
    rows: Any
    reference: str
    counts: Mapping[date, int]
    window: WindowChoice | None


def fit(ports: Ports, looked: Looked, answers: Answers, reference: str | None) -> Fitted:
    """Monitor and suite that the reference's own nights do not break. Keeps nothing."""
    import pandas as pd

    bare = _monitor(document(looked.draft, answers, Facts(), schema=SCHEMA))
    most = reference_nights(looked.draft.nights)
    tried = TRIED_NIGHTS if looked.draft.nights >= LEAST_NIGHTS else most
    nights = first_nights(bare, looked.pieces, looked.truth, most=max(most, tried))
    rows = dict(list(nights.rows.items())[:most])
    said = f"the log's first {len(rows)} nights"
    shown = table(pd.concat(rows.values(), ignore_index=True))
    if reference is not None:
        shown, said = reference_from(ports, bare, reference), Path(reference).name
        rows = chunks(shown.to_pandas(), nights.counts, most=most)
    d = _watchable(looked.draft, shown)
    apart = moving(*local_rows(looked), d.features)
    bare = _monitor(document(d, answers, Facts(), schema=SCHEMA))
    known = evidence(ports.scanner, bare, shown, rows, nights.counts)
    model = Model(
        task=d.task, known=frozenset(w.value for w in d.roles), labelled=d.label is not None,
        protected=bool(answers.groups), nightly=tuple(name for name, why in apart.items() if why == NIGHTLY),
        categories=tuple(name for name, kind in d.features.items() if kind is FeatureType.CATEGORY),
    )  # fmt: skip

    def facts(book: Book, window: WindowChoice | None = None) -> Facts:
        return Facts(book=book, slow_ms=_slow_ms(looked), serves=known.serves, window=window)

    def drafted(steps: Mapping[str, int], without: Mapping[str, str]) -> tuple[Book, Monitor]:
        book = rules_of(model, known, steps, without)
        return book, _monitor(document(d, answers, facts(book), schema=SCHEMA))

    rules = settled(known, list(rows), list(d.features), drafted, apart)
    kept, dropped = _suite(ports, bare, rows, d, known, rules.book)
    _, settled_monitor = drafted({}, rules.book.without)
    window = _reference_window(ports, settled_monitor, nights, shown, scores=len(known.nights[0]))
    body = document(d, answers, facts(rules.book, window), schema=SCHEMA)
    return Fitted(body, kept, dropped, rules, shown, said, nights.counts, window)


def _reference_window(
    ports: Ports, monitor: Monitor, nights: FirstNights, reference: Any, *, scores: int
) -> WindowChoice | None:
    """Which nights should teach drift, tried on up to 200 nights of the log: on fewer where a night has many scores."""
    if len(nights.rows) < LEAST_NIGHTS:
        return None
    most = max(LEAST_NIGHTS, TRIED_SCORES // max(1, scores))
    rows = dict(list(nights.rows.items())[:most])
    shown = evidence(ports.scanner, monitor, reference, rows, nights.counts)
    return choose_window(monitor, shown, list(rows))


def _monitor(body: str) -> Monitor:
    """A draft as it would be loaded."""
    return Monitor.model_validate(safe_load(body))


def _watchable(d: Draft, reference: Any) -> Draft:
    """Without the features that the reference never has a value of: nothing would say what is usual of them."""
    import pandas as pd

    frame = reference.select([name for name in d.features if name in reference.column_names]).to_pandas()
    empty = [
        name for name, kind in d.features.items()
        if name in frame
        and (pd.to_numeric(frame[name], errors="coerce") if kind is FeatureType.NUMERIC else frame[name]).isna().all()
    ]  # fmt: skip
    if len(empty) == len(d.features):
        few = ", ".join(empty[:5])
        raise DataError(f"{d.asked.log}: no feature ({few}) has a value on the nights of the reference")
    left = {**d.left_out, **dict.fromkeys(empty, "without a value in the reference; add it when it has some")}
    features, columns = ({n: v for n, v in named.items() if n not in empty} for named in (d.features, d.columns))
    return d.model_copy(update={"features": features, "columns": columns, "left_out": left})


def _slow_ms(looked: Looked) -> float:
    import pandas as pd

    roles = looked.draft.roles
    if Word.LATENCY not in roles:
        return 0.0
    return float(pd.to_numeric(looked.frame[roles[Word.LATENCY].column], errors="coerce").quantile(0.99) or 0)


def reference_nights(nights: int) -> int:
    """How many of a log's first nights are its reference."""
    return max(1, min(REFERENCE_NIGHTS, nights // 3))


def _suite(
    ports: Ports, monitor: Monitor, nights: Mapping[date, pd.DataFrame], d: Draft, known: Evidence, book: Book
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A suite that does not fire on the reference itself, and what had to be left out for that."""
    import pandas as pd

    whole = pd.concat(nights.values(), ignore_index=True)
    trending = [name for name, why in book.without.items() if why != NIGHTLY]
    made = suite(
        monitor.model,
        list(nights.values()),
        d.features,
        rows_a_night=known.rows_a_night,
        moving=trending,
        nightly=[name for name in book.without if name not in trending],
    )
    tried = ports.quality.check(monitor, made, _whole(table(whole), whole))
    kept: list[dict[str, Any]] = []
    dropped: list[dict[str, Any]] = []
    for one, verdict in zip(made["expectations"], tried, strict=True):
        (dropped if verdict.state in (State.BREACH, State.WARN) else kept).append(one)
    names = tuple(f"{one['type']}({one['kwargs'].get('column', 'all')})" for one in dropped)
    return {**made, "expectations": kept}, names


def _whole(rows: Any, frame: Any) -> Any:
    """The reference with the log's own columns, so that the gates can be tried on it."""
    import pyarrow as pa

    own: Mapping[str, Any] = {
        "prediction_id": pa.array([f"r{n}" for n in range(len(frame))]),
        "served_at": pa.nulls(len(frame)),
        "prediction": pa.nulls(len(frame), pa.string()),
    }
    for name, column in own.items():
        if name not in rows.column_names:
            rows = rows.append_column(name, column)
    return rows
