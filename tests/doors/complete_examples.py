"""Word for word the complete example of spec B, §1.11."""

# ruff: noqa: ANN201, PIE790, RET503, RET505

from moothall import a2a_service, anp_service, mcp_service


# 1. MCP天气服务
@mcp_service(server_name="weather_server", method="get_current_weather")
def get_weather(location: str, units: str = "celsius"):
    """获取当前天气 - 通过MCP调用"""
    pass


# 2. A2A翻译服务
@a2a_service(endpoint="http://translate-api.com/v1/translate")
def translate_text(text: str, source_lang: str, target_lang: str):
    """文本翻译 - 通过A2A调用"""
    pass


# 3. 群组消息处理
@anp_service(template="group", scope="anp")
def handle_group_message(group_id: str, event_type: str, event_data: dict):
    """处理群组消息"""
    if event_type == "message":
        return {"response": f"收到消息: {event_data.get('content')}"}


# 4. 标准API服务
@anp_service(template="api", scope="both", ai_optimized=True)
def calculate(a: float, b: float, operation: str):
    """计算服务 - 标准API"""
    if operation == "add":
        return a + b
    elif operation == "multiply":
        return a * b
