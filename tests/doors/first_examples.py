"""Word for word the first examples of spec B, §1.2a and §1.13."""

# ruff: noqa: ANN201, PIE790

from moothall import capability


@capability(source="local", expose_to="both")  # 同时暴露为本地方法和MCP工具
async def weather_service(city: str) -> dict:
    """获取天气信息"""
    # 业务逻辑
    return {"city": city, "weather": "sunny"}


@capability(source="llm", expose_to="network", auto_publish=True)
async def intelligent_analysis(data: dict) -> dict:
    """LLM生成的智能分析服务"""
    # LLM生成的代码，自动发布到网络
    pass


@capability(source="mcp", server="weather")
def get_weather(location: str):
    """获取天气信息"""
    pass


@capability(source="a2a", endpoint="http://api.translate.com")
def translate(text: str, target_lang: str):
    """翻译文本"""
    pass


@capability()  # 默认为本地API
def calculate(a: float, b: float):
    """计算服务"""
    return a + b
