"""`LLMCodeGenerator`: from a described need to a service, in the four steps of the specification (GEN-03 to 07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from moothall.codegen.module import Case, Manifest, Module, Provenance
from moothall.codegen.report import Report
from moothall.codegen.services.offering import FORGE
from moothall.codegen.services.publication import Publication
from moothall.codegen.services.records import next_version
from moothall.codegen.services.signatures import signature_of
from moothall.codegen.services.wording import as_calls
from moothall.codegen.services.writing import Writing, wanted
from moothall.codegen.task import Generated, Judge
from moothall.errors import CodeRefused, Told

ACTOR: Final = "owner"


@dataclass(frozen=True, slots=True)
class Decorated:
    """Code with everything that the host says of it; ``report``: of the gate, where it passed that already."""

    module: Module
    requirement: str
    report: Report | None = None


@dataclass(frozen=True, slots=True)
class Service:
    """A generated service.

    Attributes:
        target: what it is called by.
        name: ``AGENT.NAME``.
        version: the one that this is.
        hash: of its module.
        report: what the gate found.
        published: whether the network sees this version.
        approval_id: the approval that its publication waits for.
    """

    target: str
    name: str
    version: str
    hash: str
    report: Report
    published: bool = False
    approval_id: str = ""


class LLMCodeGenerator:
    """Makes services from words; each step can be taken by itself.

    Args:
        writing: understands, writes and keeps.
        judge: the gate.
        publication: asks for approvals.
        share: of the calls that another version of a published service gets at first; 0: all at once.
    """

    def __init__(self, writing: Writing, judge: Judge, publication: Publication, share: float = 0.0) -> None:
        self._writing = writing
        self._judge = judge
        self._publication = publication
        self._share = share

    async def generate(
        self, requirement: str, *, name: str = "", may_call: Sequence[str] | None = None, version: str = ""
    ) -> Generated:
        """Step 1: code for a requirement, which passed the gate.

        Args:
            requirement: in words.
            name: of the service; empty: the model names it.
            may_call: the only targets that it may call; None: the model chooses among the owner's.
            version: semantic version; empty: the next one.

        Raises:
            CodeRefused: no code passed, within the repairs.
            Unavailable: there is no model.
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: as `BaseLLM`.
        """
        writing = self._writing
        offered = await writing.offered(may_call)
        interface = await writing.understood(requirement, offered, words=may_call is None)
        title = f"{FORGE}.{name}" if name else await self._free(interface.function.name, wanted(requirement))
        return await writing.written(title, requirement, interface, offered, version)

    async def _free(self, name: str, requirement: str) -> str:
        """A name that no other service has: what was asked for in other words is no version of the same."""
        for number in count(1):
            title = f"{FORGE}.{name}" if number == 1 else f"{FORGE}.{name}_{number}"
            versions = await self._writing.desk.services.versions(title)
            if not versions or versions[-1].requirement == requirement:
                return title
        raise AssertionError("there is always another number")

    def add_capability_decorator(
        self,
        code: str,
        *,
        requirement: str = "",
        name: str = "",
        may_call: Sequence[str] = (),
        cases: Sequence[Case] = (),
        version: str = "",
    ) -> Decorated:
        """Step 2: what the host says of code: its schemas from its signature, what it may call, where it comes from.

        Without a version it becomes the next one.

        Raises:
            CodeRefused: it decorates itself, says who may call it, lacks types, or is no service (row GEN-05).
        """
        code = as_calls(code)
        signature = signature_of(code)
        manifest = Manifest(
            kind="service",
            name=f"{FORGE}.{name or signature.name}",
            functions=(signature.function,),
            may_call=tuple(may_call),
            provenance=Provenance(writer="person", prompt_hash=wanted(requirement or code)),
            version=version,
        )
        module = Module(manifest=manifest, source=code, cases=tuple(cases), policy=self._judge.revision)
        return Decorated(module, wanted(requirement or code))

    async def execute_and_register(self, decorated: Decorated) -> Service:
        """Step 3: run it through the gate, in the sandbox, keep it, and let this process call it.

        Raises:
            CodeRefused: it did not pass; ``details["report"]`` says why.
            Conflict: there is another version of its number.
            SandboxFault: it could not be looked at now.
        """
        module, report = await self._numbered(decorated.module), decorated.report
        manifest = module.manifest
        if report is None:
            offered = await self._writing.offered(manifest.may_call)
            report = await self._judge.judge(module, offered)
        if not report.passed:
            raise _failed(report)
        record, made = await self._writing.kept(module, decorated.requirement, ACTOR)
        return Service(f"local:{record.name}", record.name, made.version, made.hash, report)

    async def _numbered(self, module: Module) -> Module:
        """The same with a version."""
        manifest = module.manifest
        if manifest.version:
            return module
        versions = await self._writing.desk.services.versions(manifest.name)
        fits = await self._writing.fits(versions, manifest.functions[0])
        numbered = manifest.model_copy(update={"version": next_version(versions, compatible=fits)})
        return module.model_copy(update={"manifest": numbered})

    async def publish_to_network(self, service: Service, share: float | None = None) -> Service:
        """Step 4: let the network see it, once a person approved that; the handle says whether it waits.

        Raises:
            MoothallError: as `Publication.ask`.
        """
        asked = await self._publication.ask(
            service.name, service.version, self._share if share is None else share, ACTOR
        )
        return replace(service, published=asked.published, approval_id=asked.approval_id)

    async def register(self, generated: Generated, requirement: str) -> Service:
        """Steps 2 and 3 for code that passed the gate already."""
        return await self.execute_and_register(Decorated(generated.module, wanted(requirement), generated.report))

    async def generate_and_publish(self, requirement: str, *, may_call: Sequence[str] | None = None) -> Service:
        """All four steps (row GEN-03).

        Raises:
            MoothallError: as the steps.
        """
        generated = await self.generate(requirement, may_call=may_call)
        return await self.publish_to_network(await self.register(generated, requirement))


def _failed(report: Report) -> CodeRefused:
    told, details = Told("codegen.service.refused_code"), {"report": report.model_dump(mode="json")}
    return CodeRefused("the code did not pass its gate", told=told, details=details)
