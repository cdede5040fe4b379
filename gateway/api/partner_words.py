"""What the partner's page says, in English and Spanish, and how it says a time."""

from collections.abc import Mapping
from datetime import datetime

LANGUAGES: Mapping[str, str] = {"en": "English", "es": "Español"}
_ENGLISH = {
    "ride": "Can you drive someone on {day}?",
    "ride_anytime": "Can you drive someone?",
    "help": "Can you help someone?",
    "request": "Request {number}",
    "answer_by": "Please answer by {time}.",
    "when": "When",
    "until": "until {time}",
    "where": "Where",
    "language": "Language",
    "wheelchair": "Wheelchair",
    "wheelchair_yes": "Yes, a wheelchair has to fit in.",
    "wheelchair_no": "No wheelchair.",
    "agreed": "The person agreed to this request. You get name, address and phone after you say yes.",
    "yes": "Yes, we can",
    "no": "No, not this time",
    "no_capacity": "No: nobody is free",
    "too_far": "No: too far",
    "more": "Can you take more requests this week?",
    "more_yes": "Yes",
    "more_no": "No",
    "more_waitlist": "Only a waiting list",
    "more_assessment": "We look at each one first",
    "noted": "We have noted it. Thank you.",
    "taken": "All your drivers are taken at that time. Please say no, or call us.",
    "do": "Thank you. Here is what you need.",
    "name": "Name",
    "address": "Address",
    "to": "To",
    "phone": "Phone",
    "after": "Come back to this page when it is over.",
    "done": "Done",
    "could_not": "Could not: other reason",
    "absent": "Could not: nobody was there",
    "declined": "Could not: they did not want it",
    "thanks_done": "Thank you. We have noted that it is done.",
    "thanks_closed": "Thank you for telling us. We ask somebody else.",
    "close": "You can close this page.",
    "gone": "This link does not work, or no longer.",
    "gone_text": "Perhaps the request is over. If you have questions, call the person who sent it.",
    "busy": "That did not work just now.",
    "busy_text": "Nothing was lost. Please try again in a minute, or call us.",
    "questions": "Questions? Call {facility}, {phone}.",
    "questions_no_phone": "Questions? Ask {facility}.",
    "link_until": "No account needed. This link works until {time}.",
}
_SPANISH = {
    "ride": "¿Puede llevar a una persona el {day}?",
    "ride_anytime": "¿Puede llevar a una persona?",
    "help": "¿Puede ayudar a una persona?",
    "request": "Solicitud {number}",
    "answer_by": "Por favor responda antes de: {time}",  # "a. m." ends it
    "when": "Cuándo",
    "until": "hasta {time}",
    "where": "Dónde",
    "language": "Idioma",
    "wheelchair": "Silla de ruedas",
    "wheelchair_yes": "Sí, debe caber una silla de ruedas.",
    "wheelchair_no": "Sin silla de ruedas.",
    "agreed": "La persona está de acuerdo. Usted recibe el nombre, la dirección y el teléfono después de decir que sí.",
    "yes": "Sí, podemos",
    "no": "No, esta vez no",
    "no_capacity": "No: nadie está libre",
    "too_far": "No: está muy lejos",
    "more": "¿Puede atender más solicitudes esta semana?",
    "more_yes": "Sí",
    "more_no": "No",
    "more_waitlist": "Solo en lista de espera",
    "more_assessment": "Primero revisamos cada una",
    "noted": "Lo anotamos. Gracias.",
    "taken": "Todos sus conductores están ocupados a esa hora. Por favor diga que no, o llámenos.",
    "do": "Gracias. Esto es lo que necesita.",
    "name": "Nombre",
    "address": "Dirección",
    "to": "Destino",
    "phone": "Teléfono",
    "after": "Vuelva a esta página cuando termine.",
    "done": "Hecho",
    "could_not": "No se pudo: otra razón",
    "absent": "No se pudo: no había nadie",
    "declined": "No se pudo: la persona no quiso",
    "thanks_done": "Gracias. Anotamos que está hecho.",
    "thanks_closed": "Gracias por avisarnos. Preguntamos a alguien más.",
    "close": "Puede cerrar esta página.",
    "gone": "Este enlace no funciona, o ya no.",
    "gone_text": "Quizás la solicitud terminó. Si tiene preguntas, llame a la persona que se lo envió.",
    "busy": "No funcionó en este momento.",
    "busy_text": "No se perdió nada. Intente de nuevo en un minuto, o llámenos.",
    "questions": "¿Preguntas? Llame a {facility}, {phone}.",
    "questions_no_phone": "¿Preguntas? Hable con {facility}.",
    "link_until": "No necesita cuenta. Este enlace funciona hasta: {time}",
}
WORDS: Mapping[str, Mapping[str, str]] = {"en": _ENGLISH, "es": _SPANISH}
SPOKEN: Mapping[str, Mapping[str, str]] = {
    "en": {"en": "English", "es": "Spanish"},
    "es": {"en": "inglés", "es": "español"},
}
_DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "es": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
}
_MONTHS = {
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
           "noviembre", "diciembre"),
}  # fmt: skip


def language_of(asked: str, accepted: str) -> str:
    """The language that was asked for, else the first that the browser takes and we speak, else English."""
    if asked in WORDS:
        return asked
    for part in accepted.split(","):
        code = part.split(";")[0].strip()[:2].lower()
        if code in WORDS:
            return code
    return "en"


def day(local: datetime, lang: str) -> str:
    """The name of the day: enough for a question that has the date below."""
    return _DAYS[lang][local.weekday()]


def moment(local: datetime, lang: str) -> str:
    """A local time as people say it."""
    name, month = _DAYS[lang][local.weekday()], _MONTHS[lang][local.month - 1]
    if lang == "es":
        return f"{name} {local.day} de {month}, {clock(local, lang)}"
    return f"{name}, {month} {local.day}, {clock(local, lang)}"


def clock(local: datetime, lang: str) -> str:
    half = ("AM", "PM") if lang == "en" else ("a. m.", "p. m.")
    return f"{local.hour % 12 or 12}:{local.minute:02d} {half[local.hour >= 12]}"
