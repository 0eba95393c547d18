"""Word for word the example of spec B, §10.3, way 3."""

# ruff: noqa: F841

from moothall import capability


@capability(source="local", expose_to="both")
async def intelligent_assistant(query: str, tools: dict) -> dict:
    """LLM编写的智能助手"""

    # 1. 先发现可用资源
    discovery_result = await tools["unified_crawler"](action="discover")

    # 2. 根据查询智能调用
    if "天气" in query:
        result = await tools["unified_caller"](target="auto:获取天气信息", parameters={"query": query})
    elif "计算" in query:
        result = await tools["unified_caller"](target="local:math_agent.calculate", parameters={"expression": query})
    else:
        # 使用爬虫智能匹配
        result = await tools["unified_crawler"](action="intelligent_call", query=query)

    return {"query": query, "result": result, "method": "intelligent_routing"}
