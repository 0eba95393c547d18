"""Words that show that a part of a list is no capability: people, days, sums, moods and the grammar between them."""

from __future__ import annotations

from moothall.negotiation.demand.extract.folding import rule

NO_ITEM_EN = frozenset(
    # grammar
    "i we you he she they it us them my our your their this that these those there here not no nor or but if so as is "
    "are was were be been will would should could can may must shall have has had do does did let please thanks thank "
    "to of for in on at from by about than then also too very really quite just only maybe perhaps ideally preferably "
    "possibly hopefully probably etc someone somebody something anyone anything everyone everything who what when "
    "where how why which while because since until after before during want need like love prefer hope plan find get "
    # people who are the audience
    "people persons guests attendees participants friends family families colleagues clients customers partners "
    "kids children students employees members parents visitors users founders engineers developers designers "
    # days, sums, places, sizes
    "date dates day days week weeks weekend weekends month months year today tomorrow tonight morning afternoon "
    "evening noon night monday tuesday wednesday thursday friday saturday sunday january february march april june "
    "july august september october november december hour hours minutes time budget price prices cost costs total yuan "
    "rmb cny usd eur fee fees money place location city area town downtown metro subway station size capacity "
    # manner
    "mood vibe vibes atmosphere style feel feeling theme topic topics quality experience level tone ambience fun "
    "possible available required needed welcome relaxed casual formal informal quiet lively cosy cozy simple modern "
    "bright cheap nice good great big small large spacious professional experienced friendly creative premium elegant "
    "low-key high-end eco-friendly warm intimate flexible urgent asap online offline remote virtual hybrid indoor "
    "indoors outdoor outdoors english chinese mandarin more less others other things stuff rest everything "
    "whatever".split()
)
BY_MANNER = rule(
    r"^(?:(?:bilingual|professional|experienced|good|great|nice|friendly|funny|local|live|young|english-speaking|fresh"
    r"|simple|light|background|wedding|party|event)\s)+|^(?:双语|专业|资深|现场)的?"
)
"""What stands before the word for a capability without making it another one."""
QUALITY_EN = rule(r"(?:ly|ous|ful|able|ible|less|est)$")
NO_ITEM_ZH = rule(
    r"[我你您他她它咱]|预算|价格|费用|[元块万]|人均|总共|合计|时间|日期|日程|周[一二三四五六日末]|星期|上午|下午|晚上|傍晚|中午"
    r"|左右|以内|以上|以下|之间|前后|人数|规模|地点|城市|市区|郊区|附近|地铁|交通便利|方便|风格|氛围|气氛|主题|话题|领域|方向|行业|类型"
    r"|最好|希望|尽量|优先|可以|能够|能[够容]|不|没|有[经趣意]|经验|便宜|安静|轻松|温馨|热闹|正式|简单|低调|高端|专业|明亮|宽敞|舒适|干净"
    r"|互动|创意|客人|朋友|同事|同学|家人|家属|客户|员工|学生|嘉年|大家|一起|我们|等等|其他|其它|相关|各种|谢谢|麻烦|请|帮|找"
    r"|办|举行|举办|组织|参加|来自|关于|如果|因为|所以|但|而且|然后|提前|确认|安排|负责|进行|线上|线下|同时|另外|[了吗呢吧啊]$|的$"
)
