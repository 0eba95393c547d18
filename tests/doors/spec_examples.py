"""Word for word the examples of spec B §1.14, without their comments."""

from moothall import capability


@capability()
def add_numbers(a: int, b: int) -> int:
    return a + b


@capability(source="mcp", server="filesystem")
def read_file(path: str) -> str:
    pass


@capability(source="a2a", endpoint="http://weather.api.com/current")
def get_weather(city: str) -> dict:
    pass


@capability(source="a2a", endpoint="http://private.api.com", auth=True)
def private_service(data: str) -> dict:
    pass


@capability(expose_to="net")
def network_only_api(param: str) -> str:
    return f"Network response: {param}"


@capability(source="mcp", server="database", method="query_users")
def get_users(limit: int = 10) -> list:
    pass


@capability(
    source="a2a",
    endpoint="http://api.example.com",
    expose_to="net",
    auth=True,
    timeout=60,
    retry=3,
    cache_ttl=300,
    rate_limit="100/hour",
    tags=["ai", "nlp"],
    version="2.0.0",
)
def advanced_ai_service(prompt: str, model: str = "gpt-4") -> dict:
    pass
