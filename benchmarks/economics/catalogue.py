"""The eleven kinds of tasks. Invented."""

from __future__ import annotations

from benchmarks.economics.terms import Field, Task, Type


def _field(text: str) -> Field:
    """``name type: word, word / synonym, synonym`` read as a field."""
    head, _, rest = text.partition(": ")
    name, kind = head.split()
    words, _, synonyms = rest.partition(" / ")
    types: dict[str, Type] = {"text": "text", "whole": "whole", "flag": "flag", "texts": "texts"}
    return Field(name, types[kind], tuple(words.split(", ")), tuple(synonyms.split(", ")))


def _task(name: str, about: str, wants: str, given: str, wanted: str) -> Task:
    return Task(
        name,
        about,
        tuple(wants.split("; ")),
        tuple(_field(each) for each in given.split("; ")),
        tuple(_field(each) for each in wanted.split("; ")),
    )


TASKS: tuple[Task, ...] = (
    _task(
        "forecast",
        "Weather forecast",
        "the weather forecast; a forecast of the weather; what the weather will be, as a forecast",
        "town text: the town, where I am / locality, settlement; day text: the day, when / moment, calendar_mark",
        "sky text: the sky / cloud_cover, heavens; warmest whole: the most degrees / peak, upper_mark; "
        "dry flag: whether it stays dry / umbrella, precipitation",
    ),
    _task(
        "journey",
        "Journey times by rail",
        "the time of a journey; how long a journey by rail takes; a rail journey",
        "origin text: from, the start / departure_point, outset; destination text: to, the end / terminus, goal",
        "minutes whole: how many minutes / duration, length; stops texts: the stops / halts, waypoints",
    ),
    _task(
        "table",
        "Free restaurant tables",
        "a table at a restaurant; restaurant tables that are free; a free restaurant table",
        "evening text: the evening, which night / slot, sitting; guests whole: how many of us, people / covers, heads",
        "free flag: whether there is one / fully_booked, no_room; places texts: where / venues, houses",
    ),
    _task(
        "courses",
        "Completed courses of students",
        "the courses that a student completed; completed courses; which courses a student has done",
        "student text: the student, whom / matriculation, enrolled_person; year whole: the year / session, intake",
        "titles texts: their titles / subjects, modules; credits whole: the credits / weight, points",
    ),
    _task(
        "loan",
        "Library books on loan",
        "whether a library book is on loan; a book of the library; library loans of a book",
        "shelfmark text: the shelfmark, which book / call_number, signature",
        "available flag: whether it is there / lent_out, away; days whole: days that it is away / weeks, return_in; "
        "branch text: the branch / house, location",
    ),
    _task(
        "parcel",
        "Tracking of parcels",
        "where a parcel is; the tracking of a parcel; parcel tracking",
        "number text: its number, the parcel / consignment, waybill",
        "place text: where it is / position, depot; delivered flag: whether it was delivered / in_transit, pending; "
        "weight whole: its grams / mass, load",
    ),
    _task(
        "fare",
        "Prices of ferry tickets",
        "the price of a ferry ticket; what ferry tickets cost; ferry prices",
        "crossing text: the crossing, which ferry / passage, line; cars whole: how many cars, cars / vehicles, decks",
        "cents whole: the price in cents / amount, tariff; operator text: who runs it / company, carrier",
    ),
    _task(
        "clinic",
        "Appointments at clinics",
        "an appointment at a clinic; when a clinic has appointments; clinic appointments",
        "speciality text: the speciality, what for / discipline, branch_of_medicine; "
        "patient_age whole: the age, years old / lifetime, seniority",
        "times texts: when / openings, vacancies; referral flag: whether a referral is needed / walk_in, direct",
    ),
    _task(
        "recipe",
        "Recipes by ingredient",
        "a recipe with an ingredient; recipes for what I have; a recipe",
        "ingredient text: the ingredient, what I have / foodstuff, component; "
        "portions whole: for how many, portions / servings, plates",
        "dish text: the dish / course_name, meal; steps texts: the steps / instructions, method; "
        "seconds whole: how many seconds / effort, cooking",
    ),
    _task(
        "museum",
        "Opening hours of museums",
        "the opening hours of a museum; when a museum is open; museum hours",
        "museum text: the museum, which one / institution, gallery; weekday text: the weekday, on / dow, day_name",
        "opens text: when it opens / from_time, unlock; rooms texts: the rooms / halls, wings; "
        "crowded flag: whether it is crowded / calm, quiet",
    ),
    _task(
        "stock",
        "Spare parts in stock",
        "whether a spare part is in stock; spare parts that are in stock; the stock of a spare part",
        "part text: the part, which part / article, item_code; amount whole: how many, pieces / quantity, lots",
        "in_stock flag: whether there are enough / sold_out, lacking; bins texts: the bins / racks, positions; "
        "remaining whole: how many are left / rest, surplus",
    ),
)
