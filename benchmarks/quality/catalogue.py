"""What the generated worlds are made of: capabilities with their words and usual prices, cities, undertakings."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.quality.world import Lang


@dataclass(frozen=True, slots=True)
class Kind:
    """A capability: words for it in both languages (the first are the plainest), and its usual price for an event."""

    concept: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    price: int
    per_person: bool = False
    several: bool = False

    def words(self, lang: Lang) -> tuple[str, ...]:
        """The words in one language."""
        return self.zh if lang == "zh" else self.en


KINDS = tuple(
    Kind(concept, tuple(zh.split("|")), tuple(en.split("|")), price, per_person="p" in marks, several="s" in marks)
    for concept, zh, en, price, marks in (
        ("venue", "场地提供|会场|宴会厅|活动场地", "venue|event space|function room|venue hire", 6000, ""),
        ("catering", "茶歇餐饮|餐饮|茶歇|自助餐", "catering|caterer|buffet|refreshments", 70, "p"),
        ("photography", "摄影|摄影师|跟拍", "photography|photographer|event photography", 1800, ""),
        ("event_filming", "活动拍摄|摄像|活动录像", "event filming|videographer|camera crew", 2600, ""),
        ("host_mc", "活动主持|主持人|司仪", "master of ceremonies|emcee|event host", 1600, ""),
        ("speaker", "演讲嘉宾|分享嘉宾|主讲嘉宾", "guest speaker|keynote speaker|speaker", 2200, "s"),
        ("facilitation", "引导主持|引导师|工作坊引导", "facilitation|facilitator|workshop facilitator", 2000, ""),
        ("sound_equipment", "音响设备|音响租赁|扩声", "sound equipment|sound system|pa system", 1500, ""),
        ("lighting", "灯光设备|舞台灯光|灯光租赁", "lighting|stage lighting|lighting equipment", 1700, ""),
        ("screen_equipment", "投影大屏|投影设备|屏幕租赁", "screens and projection|projector|led screen", 1400, ""),
        ("live_streaming", "直播服务|直播推流|直播团队", "live streaming|livestreaming|streaming crew", 3200, ""),
        ("stage_design", "舞台搭建|会场布置|舞美设计", "stage set-up|stage building|set design", 3600, ""),
        ("floristry", "花艺布置|花艺|花艺师", "floristry|florist|flower arrangement", 1300, ""),
        ("live_music", "现场音乐|乐队|弦乐四重奏", "live music|live band|string quartet", 2900, ""),
        ("dj", "打碟混音|打碟师|打碟", "DJ|disc jockey|dj set", 1500, ""),
        (
            "interpretation",
            "同声传译|同传|会议口译",
            "simultaneous interpretation|interpreter|live translation",
            3800,
            "s",
        ),
        ("crowd_safety", "安保服务|安保|保安", "event security|security staff|crowd control", 1200, "s"),
        ("first_aid", "急救保障|急救员|医疗保障", "first aid|first aider|medical cover", 900, ""),
        ("makeup", "化妆造型|化妆师|造型师", "make-up and styling|makeup artist|stylist", 1100, ""),
        ("coffee_bar", "咖啡服务|咖啡车|咖啡师", "coffee service|coffee cart|barista", 1500, ""),
        ("bartending", "调酒服务|调酒师|酒水服务", "bartending|bartender|bar service", 1700, ""),
        ("event_staff", "现场执行|签到接待|礼仪接待", "event staff|registration desk|ushers", 1000, "s"),
        ("transport", "交通接送|大巴|包车", "transport|shuttle bus|coach hire", 2100, ""),
        ("cleaning", "保洁服务|会后清洁|保洁", "cleaning|clean-up|cleaning service", 600, ""),
        ("childcare", "儿童看护|现场托管|托管", "childcare|babysitting|creche", 1000, ""),
        ("event_planning", "活动策划|会务统筹|活动统筹", "event planning|event planner|event management", 2800, ""),
        ("team_building", "团建拓展|拓展训练|拓展教练", "team building|team games|outward bound", 2600, ""),
        ("wedding_planning", "婚礼策划|婚庆|婚礼统筹", "wedding planning|wedding planner|bridal planner", 4200, ""),
        ("children_party", "亲子策划|亲子游戏|儿童表演", "children's entertainment|kids entertainer|clown", 1900, ""),
        ("training", "培训授课|培训师|内训", "training|corporate training|trainer", 3000, ""),
        ("exhibition_design", "展览策划|策展|布展", "exhibition planning|curator|booth design", 3900, ""),
    )
)
BY_CONCEPT = {kind.concept: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Undertaking:
    """A kind of event: its name in both languages, and the capability that everybody takes for granted with it."""

    zh: str
    en: str
    implies: str


UNDERTAKINGS = (
    Undertaking("聚会", "gathering", "event_planning"),
    Undertaking("沙龙", "salon", "event_planning"),
    Undertaking("论坛", "forum", "event_planning"),
    Undertaking("发布会", "product launch", "event_planning"),
    Undertaking("公司年会", "annual party", "event_planning"),
    Undertaking("团建", "team outing", "team_building"),
    Undertaking("婚礼", "wedding", "wedding_planning"),
    Undertaking("家庭日", "family day", "children_party"),
    Undertaking("内训会", "training day", "training"),
    Undertaking("画展", "exhibition", "exhibition_design"),
)
IMPLIED = frozenset(item.implies for item in UNDERTAKINGS)
NAMEABLE = tuple(kind for kind in KINDS if kind.concept not in IMPLIED)

CITIES = (("北京", "Beijing"), ("上海", "Shanghai"), ("广州", "Guangzhou"), ("深圳", "Shenzhen"), ("杭州", "Hangzhou"))


def city_name(city: str, lang: Lang) -> str:
    """A city (by its Chinese name) as it is called in a language."""
    return city if lang == "zh" else dict(CITIES)[city]
