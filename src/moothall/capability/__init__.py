"""What can be called: the decorator, its options, schemas, and the registry.

The package has the name of its decorator, and the import system puts the package where ``from moothall import
capability`` looks. So the package can be called as the decorator, and every decorator can be imported from it, lazily.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from moothall.capability.agents import register_local_methods_to_agent as register_local_methods_to_agent
    from moothall.capability.business_handler import wrap_business_handler as wrap_business_handler
    from moothall.capability.decorators import ANPServiceDecorator as ANPServiceDecorator
    from moothall.capability.decorators import CapabilityDecorator as CapabilityDecorator
    from moothall.capability.decorators import a2a_service as a2a_service
    from moothall.capability.decorators import anp_service as anp_service
    from moothall.capability.decorators import api_service as api_service
    from moothall.capability.decorators import capability as capability
    from moothall.capability.decorators import group_message_handler as group_message_handler
    from moothall.capability.decorators import local_method as local_method
    from moothall.capability.decorators import mcp_service as mcp_service
    from moothall.capability.decorators import prompt as prompt
    from moothall.capability.decorators import resource as resource

_HOMES: Final = {
    "ANPServiceDecorator": "decorators",
    "CapabilityDecorator": "decorators",
    "a2a_service": "decorators",
    "anp_service": "decorators",
    "api_service": "decorators",
    "capability": "decorators",
    "group_message_handler": "decorators",
    "local_method": "decorators",
    "mcp_service": "decorators",
    "prompt": "decorators",
    "register_local_methods_to_agent": "agents",
    "resource": "decorators",
    "wrap_business_handler": "business_handler",
}


class _DecoratorPackage(ModuleType):
    def __call__(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - the decorator's own
        return self.capability(*args, **options)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever is asked for
        if name not in _HOMES:
            message = f"module {self.__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(import_module(f"{self.__name__}.{_HOMES[name]}"), name)
        self.__dict__[name] = value
        return value


sys.modules[__name__].__class__ = _DecoratorPackage
