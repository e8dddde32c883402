"""What every event has: a type, and fields that are written as JSON and read back."""

from typing import Any, Self

from pydantic import ConfigDict, Field, ValidationError

from vigil.core.errors import LedgerError
from vigil.core.spec import Spec
from vigil.incidents.types import Event


class EventBody(Spec):
    """What an event says. Keys that a newer release added are ignored; the ledger keeps them."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    type: str

    @property
    def payload(self) -> dict[str, Any]:
        """The JSON that is stored: the fields that were given, so that what was read is written as it was."""
        given = {field.alias or name: name in self.model_fields_set for name, field in type(self).model_fields.items()}
        whole = self.model_dump(mode="json", by_alias=True, exclude={"type"})
        return {key: value for key, value in whole.items() if given[key]}

    @classmethod
    def ledger_type(cls) -> str:
        """What the ledger calls this kind of event."""
        return str(cls.model_fields["type"].default)

    @classmethod
    def read(cls, event: Event) -> Self:
        """What a stored event of this type says. Raises LedgerError where the type or the content is another one."""
        try:
            return cls.model_validate({**event.payload, "type": event.type})
        except ValidationError as error:
            problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise LedgerError(
                f"{event.stream} event {event.sequence} ({event.type}) cannot be read by this release ({problems}); "
                "`vigil ledger verify` says whether it was changed after it was written"
            ) from error


class UnknownEvent(EventBody):
    """An event of a newer release: told by its type, and passed over by every fold."""

    content: dict[str, Any] = Field(default_factory=dict)

    @property
    def payload(self) -> dict[str, Any]:
        """As it was stored."""
        return dict(self.content)
