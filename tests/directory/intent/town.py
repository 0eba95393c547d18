"""Agents that the tests of calls in words find, and those that they must not find."""

from __future__ import annotations

from typing import Any, Final

from moothall.capability.agents import Agent
from moothall.capability.decorators import capability

_THINGS: Final = (
    *("订单 order", "发票 invoice", "库存 stock", "员工 employee", "会议室 meeting room", "快递 parcel", "菜谱 recipe"),
    *(
        "电影 film",
        "音乐 music",
        "新闻 news",
        "汇率 exchange rate",
        "航班 flight",
        "酒店 hotel",
        "地图 map",
        "照片 photo",
    ),
    *("合同 contract", "客户 customer", "日历 calendar", "邮件 mail", "短信 message", "翻译 translation", "图书 book"),
    *("课程 course", "成绩 grade", "病历 medical record", "药品 medicine", "停车位 parking", "公交 bus", "地铁 metro"),
    *("电费 power bill", "水费 water bill", "保险 insurance", "贷款 loan", "基金 fund", "税率 tax rate", "专利 patent"),
    *(
        "商标 trademark",
        "法规 law",
        "招聘 vacancy",
        "简历 curriculum",
        "门票 ticket",
        "博物馆 museum",
        "餐厅 restaurant",
    ),
    *("咖啡 coffee", "健身 gym", "跑步 running", "睡眠 sleep", "体重 weight", "食谱 diet", "宠物 pet", "植物 plant"),
)


def weather(name: str = "sky") -> Agent:
    """An agent that knows the weather of cities."""

    @capability(read_only=True, access="authenticated")
    def get_weather(city: str) -> dict[str, Any]:
        """获取城市当前的天气 current weather of a city"""
        return {"city": city, "celsius": 4}

    return Agent(name, get_weather)


def distractors(number: int) -> Agent:
    """An agent with capabilities that have nothing to do with what is asked for."""

    def made(thing: str, at: int) -> Any:
        chinese, _, english = thing.partition(" ")

        def query(city: str, limit: int = 10) -> list[str]:
            return [city] * limit

        return capability(name=f"item_{at}", description=f"获取{chinese}信息 get {english} of a city", read_only=True)(
            query
        )

    return Agent("others", *(made(thing, at) for at, thing in enumerate(_THINGS[:number])))
