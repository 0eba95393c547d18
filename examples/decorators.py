"""The decorators of the framework's specification (§1.2 to §1.16), as they work here: local functions, and functions
whose work is done at an HTTP endpoint or by another agent. For MCP and A2A see mcp_tools.py and a2a_agents.py; the
sources llm and auto come later.

moot serve examples/decorators.py
moot tools calculate
moot call local:calculate a=6 b=7 op=multiply
"""

import asyncio
import os

from moothall import ANPUser, Node, anp_service, api_service, capability, local_method

TRANSLATOR = os.environ.get("TRANSLATOR", "https://translate.example.com/v1/translate")
WEATHER = os.environ.get("WEATHER", "did:wba:weather.example.com")


# The plain form: a function of this process, for this process and the network, for its owner.
@capability()
def add_numbers(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


# Named by the specification: anp_service(scope, template, auth_required, permissions).
@anp_service(scope="both", template="api", ai_optimized=True)
def calculate(a: float, b: float, op: str) -> float:
    """Add or multiply."""
    return a * b if op == "multiply" else a + b


@anp_service(scope="anp", permissions=["admin"], auth_required=True)
def admin_function(action: str) -> dict[str, str]:
    """For holders of the permission admin, over the network."""
    return {"action": action, "status": "executed"}


@local_method()
def private_note() -> str:
    """For callers of this process only."""
    return "nobody on the network can ask for this"


@capability(expose_to="net", access="authenticated")
def network_only_api(param: str) -> str:
    """For whoever proves an identity over the network."""
    return f"Network response: {param}"


# An HTTP address of its own, with the verbs that it answers.
@api_service(path="/calculate", methods=["GET", "POST"], access="public", include_metadata=True)
def calculate_service(a: float, b: float, operation: str) -> float:
    """The same at an address of its own."""
    return calculate(a, b, operation)


# Work that is done elsewhere: the body stays empty.
@capability(source="http", endpoint=TRANSLATOR)
async def translate(text: str, target_lang: str) -> str:
    """Translate a text at an HTTP endpoint."""


@capability(source="did", did=WEATHER, method="forecast")
async def get_weather(city: str) -> list[dict[str, object]]:
    """Ask another agent for the weather."""


# Providers in order: the endpoint first, the function below when that fails.
@capability(source="http", endpoint=TRANSLATOR, timeout=5)
@capability(source="local", timeout=5)
async def translate_or_quote(text: str, target_lang: str) -> str:
    """Translate a text, or give it back as it is."""
    return f"[{target_lang}] {text}"


# Everything at once.
@capability(
    source="http",
    endpoint=TRANSLATOR,
    http_method="POST",
    expose_to="net",
    auth=True,
    access="authenticated",
    timeout=60,
    retry=3,
    idempotent=True,
    cache_ttl=300,
    rate_limit="100/hour",
    tags=["ai", "nlp"],
    version="2.0.0",
)
async def advanced_service(text: str, target_lang: str = "zh") -> str:
    """Translate with repetitions, a cache and a limit."""


# The specification's class of agents; expose_api adds a function to one of them.
shop = ANPUser("shop", description="Sells what it is asked for")


@shop.expose_api("/shop/buy", access="public")
async def buy(item: str, number: int = 1) -> str:
    """Buy something."""
    await asyncio.sleep(0)
    return f"{number} × {item}"


node = Node()
node.include(
    add_numbers, calculate, admin_function, private_note, network_only_api, calculate_service,
    translate, get_weather, translate_or_quote, advanced_service,
)  # fmt: skip
node.add(shop)
