"""Checks that no warning sign has been dropped from the safety content."""

from collections.abc import Iterator

from funnel.content.catalog import Safety

_URGENT = {
    "both legs": "numbness or weakness in both legs",
    "genitals": "numbness around the genitals",
    "pee": "trouble peeing",
    "poo": "trouble pooing",
    "sex": "loss of feeling during sex",
    "chest pain": "chest pain",
    "accident": "a serious accident or fall",
    "sepsis": "signs of sepsis",
}
_SOON = {
    "high temperature": "a high temperature",
    "losing weight": "losing weight without trying",
    "lump": "a lump, swelling or change of shape",
    "at night": "pain that is worse at night",
    "sneeze": "pain worse on sneezing, coughing or pooing",
    "shoulder blades": "pain high between the shoulder blades",
    "osteoporosis": "a minor knock with weak bones",
    "unsteady": "unsteady walking",
    "cancer": "a history of cancer",
    "under 20": "a first episode under 20 or over 55",
}


def lint_safety(safety: Safety, where: str) -> Iterator[str]:
    """One finding for each warning sign that is no longer there."""
    for lines, required in ((safety.urgent, _URGENT), (safety.soon, _SOON)):
        text = " ".join(lines).lower()
        for word, sign in required.items():
            if word not in text:
                yield f"{where}:1: the warning sign '{sign}' has gone: put it back"
    if "999" not in safety.urgent_title or "999" not in safety.one_line:
        yield f"{where}:1: the urgent lines must say to call 999: put it back"
    if "111" not in safety.soon_title:
        yield f"{where}:1: the second list must say to call 111: put it back"
