"""A meeting hall for software agents.

The public names below are imported when they are first used, so ``import moothall`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from moothall.approvals.workflow import ApprovalStep as ApprovalStep
    from moothall.approvals.workflow import ApprovalWorkflow as ApprovalWorkflow
    from moothall.calls.caller import UnifiedCaller as UnifiedCaller
    from moothall.calls.caller import unified_caller as unified_caller
    from moothall.calls.hub import current_hub as current_hub
    from moothall.calls.hub import get_current_sdk as get_current_sdk
    from moothall.calls.hub import using as using
    from moothall.calls.named_callers import A2AServiceCaller as A2AServiceCaller
    from moothall.calls.named_callers import LocalMethodCaller as LocalMethodCaller
    from moothall.calls.named_callers import MCPServiceCaller as MCPServiceCaller
    from moothall.calls.named_callers import RemoteAgentCaller as RemoteAgentCaller
    from moothall.calls.reply import Reply as Reply
    from moothall.capability.adapters import AdapterLayer as AdapterLayer
    from moothall.capability.adapters import DocumentGenerator as DocumentGenerator
    from moothall.capability.adapters import ErrorHandler as ErrorHandler
    from moothall.capability.adapters import TypeConverter as TypeConverter
    from moothall.capability.adapters import ValidationLayer as ValidationLayer
    from moothall.capability.agents import Agent as Agent
    from moothall.capability.agents import register_local_methods_to_agent as register_local_methods_to_agent
    from moothall.capability.anp_user import ANPUser as ANPUser
    from moothall.capability.anp_user import AutonomousAgent as AutonomousAgent
    from moothall.capability.business_handler import wrap_business_handler as wrap_business_handler
    from moothall.capability.context import CallContext as CallContext
    from moothall.capability.decorators import ANPServiceDecorator as ANPServiceDecorator
    from moothall.capability.decorators import CapabilityDecorator as CapabilityDecorator
    from moothall.capability.decorators import a2a_service as a2a_service
    from moothall.capability.decorators import anp_service as anp_service
    from moothall.capability.decorators import api_service as api_service
    from moothall.capability.decorators import capability as capability
    from moothall.capability.decorators import group_message_handler as group_message_handler
    from moothall.capability.decorators import llm_generated as llm_generated
    from moothall.capability.decorators import local_method as local_method
    from moothall.capability.decorators import mcp_service as mcp_service
    from moothall.capability.decorators import prompt as prompt
    from moothall.capability.decorators import resource as resource
    from moothall.capability.options import OptionError as OptionError
    from moothall.capability.plugins import Source as Source
    from moothall.capability.plugins import Template as Template
    from moothall.capability.plugins import register_source as register_source
    from moothall.capability.plugins import register_template as register_template
    from moothall.capability.registry import Registry as Registry
    from moothall.capability.service_registry import ServiceRegistry as ServiceRegistry
    from moothall.capability.service_template import ServiceTemplate as ServiceTemplate
    from moothall.capability.wrappers import LocalMethodWrapper as LocalMethodWrapper
    from moothall.capability.wrappers import MCPToolWrapper as MCPToolWrapper
    from moothall.capability.wrappers import NetworkServiceWrapper as NetworkServiceWrapper
    from moothall.capability.wrappers import RemoteAPIWrapper as RemoteAPIWrapper
    from moothall.codegen.extraction import extract_code_from_llm_output as extract_code_from_llm_output
    from moothall.codegen.forge import LLMCodeGenerator as LLMCodeGenerator
    from moothall.directory.crawler import CallOrchestrator as CallOrchestrator
    from moothall.directory.crawler import IntelligentMatcher as IntelligentMatcher
    from moothall.directory.crawler import ResourceDiscoverer as ResourceDiscoverer
    from moothall.directory.crawler import UnifiedCrawler as UnifiedCrawler
    from moothall.directory.crawler import unified_crawler as unified_crawler
    from moothall.directory.profiles import AgentProfile as AgentProfile
    from moothall.directory.registry import AgentRegistry as AgentRegistry
    from moothall.directory.search.cache import CacheManager as CacheManager
    from moothall.errors import A2AServiceError as A2AServiceError
    from moothall.errors import AgentNotFound as AgentNotFound
    from moothall.errors import ApprovalPending as ApprovalPending
    from moothall.errors import AuthenticationError as AuthenticationError
    from moothall.errors import AuthorizationRequired as AuthorizationRequired
    from moothall.errors import BadDemand as BadDemand
    from moothall.errors import BudgetSpent as BudgetSpent
    from moothall.errors import CallTimeout as CallTimeout
    from moothall.errors import ChannelNotFound as ChannelNotFound
    from moothall.errors import CodeRefused as CodeRefused
    from moothall.errors import Conflict as Conflict
    from moothall.errors import DecisionRefused as DecisionRefused
    from moothall.errors import DemandNotFound as DemandNotFound
    from moothall.errors import EventPushFailed as EventPushFailed
    from moothall.errors import Forbidden as Forbidden
    from moothall.errors import Gone as Gone
    from moothall.errors import HostRefused as HostRefused
    from moothall.errors import InputRequired as InputRequired
    from moothall.errors import IntegrityError as IntegrityError
    from moothall.errors import InternalError as InternalError
    from moothall.errors import InvalidInput as InvalidInput
    from moothall.errors import LeaseLost as LeaseLost
    from moothall.errors import MethodNotAllowed as MethodNotAllowed
    from moothall.errors import ModelTimeout as ModelTimeout
    from moothall.errors import ModelUnavailable as ModelUnavailable
    from moothall.errors import MoothallError as MoothallError
    from moothall.errors import MoreInformation as MoreInformation
    from moothall.errors import NegotiationExpired as NegotiationExpired
    from moothall.errors import NegotiationRejected as NegotiationRejected
    from moothall.errors import NegotiationTimeout as NegotiationTimeout
    from moothall.errors import NoCandidates as NoCandidates
    from moothall.errors import NodeUnreachable as NodeUnreachable
    from moothall.errors import NoMatchingInterface as NoMatchingInterface
    from moothall.errors import OriginRefused as OriginRefused
    from moothall.errors import Overloaded as Overloaded
    from moothall.errors import PayloadTooLarge as PayloadTooLarge
    from moothall.errors import PermissionDeniedError as PermissionDeniedError
    from moothall.errors import ProtocolViolation as ProtocolViolation
    from moothall.errors import RateLimited as RateLimited
    from moothall.errors import SandboxFault as SandboxFault
    from moothall.errors import ServiceNotFoundError as ServiceNotFoundError
    from moothall.errors import SessionEnded as SessionEnded
    from moothall.errors import SettingsError as SettingsError
    from moothall.errors import StorageError as StorageError
    from moothall.errors import StoreLocked as StoreLocked
    from moothall.errors import Unauthenticated as Unauthenticated
    from moothall.errors import Unavailable as Unavailable
    from moothall.errors import UnsupportedContent as UnsupportedContent
    from moothall.errors import UnsupportedMediaType as UnsupportedMediaType
    from moothall.errors import UnsupportedMode as UnsupportedMode
    from moothall.errors import UnsupportedProfile as UnsupportedProfile
    from moothall.errors import UnsupportedSecurity as UnsupportedSecurity
    from moothall.errors import UpstreamError as UpstreamError
    from moothall.errors import UpstreamInvalid as UpstreamInvalid
    from moothall.errors import UsageError as UsageError
    from moothall.errors import ValidationError as ValidationError
    from moothall.grants.delegation_system import AgentDelegationSystem as AgentDelegationSystem
    from moothall.identity.middleware import AuthMiddleware as AuthMiddleware
    from moothall.identity.middleware import IdentityResult as IdentityResult
    from moothall.identity.principal import Principal as Principal
    from moothall.llm.base import BaseLLM as BaseLLM
    from moothall.llm.decision import LLMServiceWithFallback as LLMServiceWithFallback
    from moothall.llm.named import AnthropicLLM as AnthropicLLM
    from moothall.llm.named import AzureLLM as AzureLLM
    from moothall.llm.named import OpenAILLM as OpenAILLM
    from moothall.llm.named import OpenRouterLLM as OpenRouterLLM
    from moothall.llm.scripted import ScriptedLLM as ScriptedLLM
    from moothall.negotiation.demand.channel_admin import ChannelAdmin as ChannelAdmin
    from moothall.negotiation.demand.channel_admin import ChannelAdminAgent as ChannelAdminAgent
    from moothall.negotiation.demand.coordinator import Coordinator as Coordinator
    from moothall.negotiation.demand.machine import ChannelStatus as ChannelStatus
    from moothall.negotiation.demand.participants import Participant as Participant
    from moothall.negotiation.demand.participants import ParticipantFactory as ParticipantFactory
    from moothall.negotiation.demand.remote.agent import DemandAgent as DemandAgent
    from moothall.negotiation.demand.remote.messages import DemandInvitation as DemandInvitation
    from moothall.negotiation.demand.remote.messages import OfferReply as OfferReply
    from moothall.negotiation.demand.remote.messages import PlanReview as PlanReview
    from moothall.negotiation.demand.remote.messages import ReviewReply as ReviewReply
    from moothall.negotiation.demand.subnet import SubnetManager as SubnetManager
    from moothall.negotiation.demand.user_agent import UserAgent as UserAgent
    from moothall.negotiation.protocol.bases import ProviderBase as ProviderBase
    from moothall.negotiation.protocol.bases import RequesterBase as RequesterBase
    from moothall.negotiation.protocol.generating import ProtocolCodeGenerator as ProtocolCodeGenerator
    from moothall.negotiation.protocol.interfaces import (
        generate_code_for_protocol_provider_callback as generate_code_for_protocol_provider_callback,
    )
    from moothall.negotiation.protocol.interfaces import (
        generate_code_for_protocol_requester_interface as generate_code_for_protocol_requester_interface,
    )
    from moothall.negotiation.protocol.meta import MetaProtocol as MetaProtocol
    from moothall.negotiation.protocol.negotiator import ProtocolNegotiator as ProtocolNegotiator
    from moothall.negotiation.protocol.provider_session import ProviderSession as ProviderSession
    from moothall.negotiation.protocol.requester_session import RequesterSession as RequesterSession
    from moothall.negotiation.protocol.results import NegotiationHistoryEntry as NegotiationHistoryEntry
    from moothall.negotiation.protocol.results import NegotiationResult as NegotiationResult
    from moothall.negotiation.protocol.results import NegotiationStatus as NegotiationStatus
    from moothall.node import Node as Node
    from moothall.people.collaborations import CollaborationPolicies as CollaborationPolicies
    from moothall.people.identities import UserIdentityManager as UserIdentityManager
    from moothall.people.profile import UserProfile as UserProfile
    from moothall.people.structure import OrganizationStructure as OrganizationStructure
    from moothall.people.team_authorization import TeamAuthorizationConfig as TeamAuthorizationConfig
    from moothall.people.team_authorization import TeamAuthorizationManager as TeamAuthorizationManager
    from moothall.people.teams import TeamRegistry as TeamRegistry
    from moothall.policy.decision import PermissionResult as PermissionResult
    from moothall.policy.named.agent_router import AgentRouter as AgentRouter
    from moothall.policy.named.agent_router import APIRegistry as APIRegistry
    from moothall.policy.named.agent_trust import AgentTrustPolicy as AgentTrustPolicy
    from moothall.policy.named.auditing import AuditPolicy as AuditPolicy
    from moothall.policy.named.authorization_engine import AuthorizationEngine as AuthorizationEngine
    from moothall.policy.named.authorization_engine import ContextAnalyzer as ContextAnalyzer
    from moothall.policy.named.authorization_engine import RuleEngine as RuleEngine
    from moothall.policy.named.checks import PermissionManager as PermissionManager
    from moothall.policy.named.classification import DataClassificationPolicy as DataClassificationPolicy
    from moothall.policy.named.classification import ResourceClassification as ResourceClassification
    from moothall.policy.named.compliance import CompliancePolicy as CompliancePolicy
    from moothall.policy.named.enterprise import EnterpriseAuthorizationConfig as EnterpriseAuthorizationConfig
    from moothall.policy.named.hierarchy import AuthorizationHierarchy as AuthorizationHierarchy
    from moothall.policy.named.hierarchy import DepartmentLevel as DepartmentLevel
    from moothall.policy.named.hierarchy import EnterpriseLevel as EnterpriseLevel
    from moothall.policy.named.hierarchy import PersonalLevel as PersonalLevel
    from moothall.policy.named.hierarchy import PublicLevel as PublicLevel
    from moothall.policy.named.hierarchy import TeamLevel as TeamLevel
    from moothall.policy.named.isolation import DepartmentIsolationPolicy as DepartmentIsolationPolicy
    from moothall.policy.named.multi_agent import MultiAgentPermissionManager as MultiAgentPermissionManager
    from moothall.policy.named.personal import PersonalAuthorizationConfig as PersonalAuthorizationConfig
    from moothall.policy.named.privacy import PersonalDataProtectionPolicy as PersonalDataProtectionPolicy
    from moothall.policy.named.privacy import PrivacyControlPolicy as PrivacyControlPolicy
    from moothall.policy.named.privacy import PrivacySettings as PrivacySettings
    from moothall.policy.named.role_hierarchy import RoleHierarchy as RoleHierarchy
    from moothall.policy.named.roles import RoleBasedAccessPolicy as RoleBasedAccessPolicy
    from moothall.policy.named.usage import UsageLimitPolicy as UsageLimitPolicy
    from moothall.policy.store import PolicyStore as PolicyStore
    from moothall.policy.trust import TrustNetwork as TrustNetwork
    from moothall.settings import Settings as Settings
    from moothall.simple_node.node import SimpleNegotiationNode as SimpleNegotiationNode
    from moothall.toolkit.decorator import mcp_tool as mcp_tool
    from moothall.toolkit.kit import ANPLLMToolkit as ANPLLMToolkit
    from moothall.toolkit.methods import mcp_unified_caller as mcp_unified_caller
    from moothall.toolkit.methods import mcp_unified_crawler as mcp_unified_crawler
    from moothall.toolkit.methods import unified_caller_method as unified_caller_method
    from moothall.toolkit.registry import LLMToolRegistry as LLMToolRegistry
    from moothall.toolkit.server import ANPMCPServer as ANPMCPServer

_EXPORTS: Final[dict[str, tuple[str, ...]]] = {
    "moothall.approvals.workflow": ("ApprovalStep", "ApprovalWorkflow"),
    "moothall.calls.caller": ("UnifiedCaller", "unified_caller"),
    "moothall.calls.hub": ("current_hub", "get_current_sdk", "using"),
    "moothall.calls.named_callers": ("A2AServiceCaller", "LocalMethodCaller", "MCPServiceCaller", "RemoteAgentCaller"),
    "moothall.calls.reply": ("Reply",),
    "moothall.capability.adapters": (
        "AdapterLayer",
        "DocumentGenerator",
        "ErrorHandler",
        "TypeConverter",
        "ValidationLayer",
    ),
    "moothall.capability.agents": ("Agent", "register_local_methods_to_agent"),
    "moothall.capability.anp_user": ("ANPUser", "AutonomousAgent"),
    "moothall.capability.business_handler": ("wrap_business_handler",),
    "moothall.capability.context": ("CallContext",),
    "moothall.capability.decorators": (
        "ANPServiceDecorator",
        "CapabilityDecorator",
        "a2a_service",
        "anp_service",
        "api_service",
        "capability",
        "group_message_handler",
        "llm_generated",
        "local_method",
        "mcp_service",
        "prompt",
        "resource",
    ),
    "moothall.capability.options": ("OptionError",),
    "moothall.capability.plugins": ("Source", "Template", "register_source", "register_template"),
    "moothall.capability.registry": ("Registry",),
    "moothall.capability.service_registry": ("ServiceRegistry",),
    "moothall.capability.service_template": ("ServiceTemplate",),
    "moothall.capability.wrappers": (
        "LocalMethodWrapper",
        "MCPToolWrapper",
        "NetworkServiceWrapper",
        "RemoteAPIWrapper",
    ),
    "moothall.codegen.extraction": ("extract_code_from_llm_output",),
    "moothall.codegen.forge": ("LLMCodeGenerator",),
    "moothall.directory.crawler": (
        "CallOrchestrator",
        "IntelligentMatcher",
        "ResourceDiscoverer",
        "UnifiedCrawler",
        "unified_crawler",
    ),
    "moothall.directory.profiles": ("AgentProfile",),
    "moothall.directory.registry": ("AgentRegistry",),
    "moothall.directory.search.cache": ("CacheManager",),
    "moothall.errors": (
        "A2AServiceError",
        "AgentNotFound",
        "ApprovalPending",
        "AuthenticationError",
        "AuthorizationRequired",
        "BadDemand",
        "BudgetSpent",
        "CallTimeout",
        "ChannelNotFound",
        "CodeRefused",
        "Conflict",
        "DecisionRefused",
        "DemandNotFound",
        "EventPushFailed",
        "Forbidden",
        "Gone",
        "HostRefused",
        "InputRequired",
        "IntegrityError",
        "InternalError",
        "InvalidInput",
        "LeaseLost",
        "MethodNotAllowed",
        "ModelTimeout",
        "ModelUnavailable",
        "MoothallError",
        "MoreInformation",
        "NegotiationExpired",
        "NegotiationRejected",
        "NegotiationTimeout",
        "NoCandidates",
        "NoMatchingInterface",
        "NodeUnreachable",
        "OriginRefused",
        "Overloaded",
        "PayloadTooLarge",
        "PermissionDeniedError",
        "ProtocolViolation",
        "RateLimited",
        "SandboxFault",
        "ServiceNotFoundError",
        "SessionEnded",
        "SettingsError",
        "StorageError",
        "StoreLocked",
        "Unauthenticated",
        "Unavailable",
        "UnsupportedContent",
        "UnsupportedMediaType",
        "UnsupportedMode",
        "UnsupportedProfile",
        "UnsupportedSecurity",
        "UpstreamError",
        "UpstreamInvalid",
        "UsageError",
        "ValidationError",
    ),
    "moothall.grants.delegation_system": ("AgentDelegationSystem",),
    "moothall.identity.middleware": ("AuthMiddleware", "IdentityResult"),
    "moothall.identity.principal": ("Principal",),
    "moothall.llm.base": ("BaseLLM",),
    "moothall.llm.decision": ("LLMServiceWithFallback",),
    "moothall.llm.named": ("AnthropicLLM", "AzureLLM", "OpenAILLM", "OpenRouterLLM"),
    "moothall.llm.scripted": ("ScriptedLLM",),
    "moothall.negotiation.demand.channel_admin": ("ChannelAdmin", "ChannelAdminAgent"),
    "moothall.negotiation.demand.coordinator": ("Coordinator",),
    "moothall.negotiation.demand.machine": ("ChannelStatus",),
    "moothall.negotiation.demand.participants": ("Participant", "ParticipantFactory"),
    "moothall.negotiation.demand.remote.agent": ("DemandAgent",),
    "moothall.negotiation.demand.remote.messages": ("DemandInvitation", "OfferReply", "PlanReview", "ReviewReply"),
    "moothall.negotiation.demand.subnet": ("SubnetManager",),
    "moothall.negotiation.demand.user_agent": ("UserAgent",),
    "moothall.negotiation.protocol.bases": ("ProviderBase", "RequesterBase"),
    "moothall.negotiation.protocol.generating": ("ProtocolCodeGenerator",),
    "moothall.negotiation.protocol.interfaces": (
        "generate_code_for_protocol_provider_callback",
        "generate_code_for_protocol_requester_interface",
    ),
    "moothall.negotiation.protocol.meta": ("MetaProtocol",),
    "moothall.negotiation.protocol.negotiator": ("ProtocolNegotiator",),
    "moothall.negotiation.protocol.provider_session": ("ProviderSession",),
    "moothall.negotiation.protocol.requester_session": ("RequesterSession",),
    "moothall.negotiation.protocol.results": ("NegotiationHistoryEntry", "NegotiationResult", "NegotiationStatus"),
    "moothall.node": ("Node",),
    "moothall.people.collaborations": ("CollaborationPolicies",),
    "moothall.people.identities": ("UserIdentityManager",),
    "moothall.people.profile": ("UserProfile",),
    "moothall.people.structure": ("OrganizationStructure",),
    "moothall.people.team_authorization": ("TeamAuthorizationConfig", "TeamAuthorizationManager"),
    "moothall.people.teams": ("TeamRegistry",),
    "moothall.policy.decision": ("PermissionResult",),
    "moothall.policy.named.agent_router": ("APIRegistry", "AgentRouter"),
    "moothall.policy.named.agent_trust": ("AgentTrustPolicy",),
    "moothall.policy.named.auditing": ("AuditPolicy",),
    "moothall.policy.named.authorization_engine": ("AuthorizationEngine", "ContextAnalyzer", "RuleEngine"),
    "moothall.policy.named.checks": ("PermissionManager",),
    "moothall.policy.named.classification": ("DataClassificationPolicy", "ResourceClassification"),
    "moothall.policy.named.compliance": ("CompliancePolicy",),
    "moothall.policy.named.enterprise": ("EnterpriseAuthorizationConfig",),
    "moothall.policy.named.hierarchy": (
        "AuthorizationHierarchy",
        "DepartmentLevel",
        "EnterpriseLevel",
        "PersonalLevel",
        "PublicLevel",
        "TeamLevel",
    ),
    "moothall.policy.named.isolation": ("DepartmentIsolationPolicy",),
    "moothall.policy.named.multi_agent": ("MultiAgentPermissionManager",),
    "moothall.policy.named.personal": ("PersonalAuthorizationConfig",),
    "moothall.policy.named.privacy": ("PersonalDataProtectionPolicy", "PrivacyControlPolicy", "PrivacySettings"),
    "moothall.policy.named.role_hierarchy": ("RoleHierarchy",),
    "moothall.policy.named.roles": ("RoleBasedAccessPolicy",),
    "moothall.policy.named.usage": ("UsageLimitPolicy",),
    "moothall.policy.store": ("PolicyStore",),
    "moothall.policy.trust": ("TrustNetwork",),
    "moothall.settings": ("Settings",),
    "moothall.simple_node.node": ("SimpleNegotiationNode",),
    "moothall.toolkit.decorator": ("mcp_tool",),
    "moothall.toolkit.kit": ("ANPLLMToolkit",),
    "moothall.toolkit.methods": ("mcp_unified_caller", "mcp_unified_crawler", "unified_caller_method"),
    "moothall.toolkit.registry": ("LLMToolRegistry",),
    "moothall.toolkit.server": ("ANPMCPServer",),
}
"""Module -> its public names. A test keeps the imports above, which type checkers read, equal to this table."""

_HOME: Final = {name: module for module, names in _EXPORTS.items() for name in names}

__all__ = sorted(_HOME)  # noqa: PLE0605 - one table, not two


def __getattr__(name: str) -> object:
    if name == "__version__":
        return import_module("importlib.metadata").version("moothall")
    if name not in _HOME:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    if name == "capability":
        return import_module("moothall.capability")  # the package of that name can be called as the decorator
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__, "__version__"]
