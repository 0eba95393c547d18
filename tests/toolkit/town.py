"""What the node of these tests offers."""

from __future__ import annotations

from typing import Any

import jsonschema

from moothall import Agent, capability
from moothall.capability.context import CallContext
from moothall.toolkit.decorator import mcp_tool


def get_current(location: str) -> dict[str, str]:
    """Tell the current weather of a location."""
    return {"location": location, "weather": "windy"}


@mcp_tool("forecast", access="authenticated")
async def forecast(city: str, **parameters: Any) -> dict[str, Any]:
    """Tell tomorrow's weather of a city."""
    return {"city": city, **parameters}


@capability(access="authenticated", read_only=True, tags=["天气"])
async def weather(city: str) -> dict[str, str]:
    """获取一个城市的天气信息"""
    return {"city": city, "weather": "晴"}


@capability(access="authenticated", read_only=True)
async def calculate(expression: str) -> str:
    """计算一个表达式"""
    return f"= {expression}"


@capability(expose_to="both", access="authenticated")
def data_validation(data: dict, schema: dict) -> bool:
    """数据验证服务 - 可被多个业务场景重用"""
    return jsonschema.Draft202012Validator(schema).is_valid(data)


@capability(access="authenticated")
async def order(ctx: CallContext, data: dict) -> str:
    """Take an order that is valid."""
    schema = {"type": "object", "required": ["item"]}
    valid = await ctx.call("local:shop.data_validation", data=data, schema=schema)
    return "taken" if valid else "refused"


@capability(access="authenticated", expose_to="llm")
async def for_models() -> str:
    """For models alone."""
    return "hello, model"


@capability(expose_to="local", access="authenticated")
async def for_code() -> str:
    """For code alone."""
    return "hello, code"


@capability(access="owner")
async def for_the_owner() -> str:
    """For the owner alone."""
    return "hello, owner"


def agents() -> list[Agent]:
    return [
        Agent("sky", weather),
        Agent("math_agent", calculate),
        Agent("shop", data_validation, order, for_models, for_code, for_the_owner),
    ]
