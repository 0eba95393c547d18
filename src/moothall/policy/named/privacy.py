"""What belongs to one person: its data, and fields that only it sees (rows POL-11, POL-13). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from moothall.policy.named.cedar import NOT_OPERATOR, OWN, policy
from moothall.policy.named.classification import FieldName
from moothall.policy.named.named_policy import NamedPolicy, Pattern, Table
from moothall.policy.sources import PolicyConfig, PolicySource, ResourceRule


class PrivacySettings(Table):
    """What of a person's is private, in addition to the options ``personal_data`` and ``private`` of capabilities.

    Attributes:
        personal_data: patterns of capabilities that only the person and those may call who have its consent.
        private: by patterns of capabilities: fields of their answers that others do not see: names at any depth, or
            dotted paths from the top.
    """

    personal_data: tuple[Pattern, ...] = ()
    private: Mapping[Pattern, Annotated[tuple[FieldName, ...], Field(min_length=1)]] = Field(default_factory=dict)


class PersonalDataProtectionPolicy(NamedPolicy):
    """Data of one person is for its own agents, and for those whom it gave its consent; that can be taken back.

    No approval and no delegation takes the place of consent, which is given and taken through the API
    (``people.relate``, kind ``consent``) and counts from the next call on.

    Example::

        [privacy]
        personal_data = ["health.*"]
    """

    personal_data: tuple[Pattern, ...] = ()

    def config(self) -> PolicyConfig:
        """The forbid, and which capabilities it is about."""
        return PolicyConfig(
            sources=(PolicySource("personal", "personal-data", _CONSENT),),
            resources=tuple(ResourceRule(capabilities=ids, set={"personal_data": True}) for ids in self.personal_data),
        )


class PrivacyControlPolicy(NamedPolicy):
    """Fields that are private are absent from the answers that others get, at every door.

    Example::

        [privacy.private]
        "calendar.*" = ["attendees", "place.address"]
    """

    private: Mapping[Pattern, Annotated[tuple[FieldName, ...], Field(min_length=1)]] = Field(default_factory=dict)

    def config(self) -> PolicyConfig:
        """Rules about capabilities; the engine hands the fields to the call path with each decision."""
        return PolicyConfig(
            resources=tuple(
                ResourceRule(capabilities=ids, set={"private": fields}) for ids, fields in self.private.items()
            )
        )


_CONSENT = policy(
    "personal-data",
    "forbid",
    "principal, action, resource is Moothall::Capability",
    f"resource.personal_data && !context.consented && !({OWN}) && {NOT_OPERATOR}",
    reason="the data is personal, and the person gave no consent",
    needs="consent",
)
