"""What a browser is called in plain words, from how it presents itself."""

# The first that fits: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrom", "Chrome"),
    ("Safari", "Safari"),
)
_PLACES = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("CrOS", "a Chromebook"),
    ("Linux", "Linux"),
)
UNKNOWN = "Another program"


def browser_name(user_agent: str) -> str:
    """`Firefox on Windows`; only names we know are ever said, so nothing can be smuggled in."""
    name = next((name for mark, name in _BROWSERS if mark in user_agent), UNKNOWN)
    place = next((place for mark, place in _PLACES if mark in user_agent), None)
    return f"{name} on {place}" if place else name
