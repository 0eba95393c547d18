"""Word for word the examples of spec B, §1.3 and §1.8."""

# ruff: noqa: ANN201, PIE790, RET503, RET505

from moothall import a2a_service, anp_service, api_service, group_message_handler, mcp_service


# MCP服务快速接入
@mcp_service(server_name="weather", method="get_weather")
def weather_service(location: str):
    pass


# A2A服务快速接入
@a2a_service(endpoint="http://api.example.com/translate")
def translate_service(text: str, target_lang: str):
    pass


# 群组消息处理
@group_message_handler(group_id="support_group")
def handle_support_message(message: dict):
    pass


# API服务暴露
@api_service(path="/calculate", methods=["POST"])
def calculate_service(a: float, b: float, operation: str):
    pass


# 1. 简单API暴露
@anp_service(scope="both", template="api")
def calculate(a: float, b: float, op: str) -> float:
    """计算服务"""
    if op == "add":
        return a + b
    elif op == "multiply":
        return a * b


# 2. MCP服务快速接入
@mcp_service(server_name="weather", method="get_current_weather")
def get_weather(location: str) -> dict:
    """获取天气信息"""
    pass  # 实际调用由装饰器处理


# 3. 群组消息处理
@group_message_handler(group_id="support")
def handle_support(message: dict):
    """处理支持消息"""
    return {"status": "received", "response": "We'll help you soon"}


# 4. 权限控制的服务
@anp_service(scope="anp", permissions=["admin"], auth_required=True)
def admin_function(action: str):
    """管理员功能"""
    return {"action": action, "status": "executed"}
