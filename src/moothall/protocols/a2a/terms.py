"""What the A2A door needs of its house; the composition root hands it in."""

from __future__ import annotations

from dataclasses import dataclass

from moothall.protocols.house import HouseTerms


@dataclass(frozen=True, kw_only=True)
class Terms(HouseTerms):
    """The terms; ``open_documents``: everybody may read public cards, otherwise only who proves an identity may."""

    open_documents: bool = True
