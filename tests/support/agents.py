"""User agents in the forms that browsers, apps and programs send, each with the name that is kept of it.

Written from the public grammar of these strings, not copied from anybody's log: `{v}` is a major version that shipped.
"""

from __future__ import annotations

from itertools import cycle, islice

KIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
WINDOWS, WINDOWS_7 = "Windows NT 10.0; Win64; x64", "Windows NT 6.1; WOW64"
MAC, MAC_ARM = "Macintosh; Intel Mac OS X 10_15_7", "Macintosh; Intel Mac OS X 14_5"
LINUX, UBUNTU = "X11; Linux x86_64", "X11; Ubuntu; Linux x86_64"
PIXEL, GALAXY, TABLET = "Linux; Android 14; Pixel 8", "Linux; Android 13; SM-S918B", "Linux; Android 12; SM-X906C"
MODERN = "Linux; Android 10; K"  # what a current browser says of any telephone
IPHONE, IPAD = "iPhone; CPU iPhone OS 17_5_1 like Mac OS X", "iPad; CPU OS 16_7 like Mac OS X"
CHROMEBOOK = "X11; CrOS x86_64 14541.0.0"

FORMS: dict[str, str] = {
    **{
        f"Mozilla/5.0 ({system}) {KIT} Chrome/{{v}}.0.0.0{mobile} Safari/537.36{more}": f"{name} {browser}"
        for system, name, mobile in (
            (WINDOWS, "Windows", ""), (WINDOWS_7, "Windows", ""), (MAC, "macOS", ""), (LINUX, "Linux", ""),
            (MODERN, "Android", " Mobile"), (PIXEL, "Android", " Mobile"), (TABLET, "Android", ""),
        )
        for more, browser in (
            ("", "Chrome"),
            (f" {'EdgA' if name == 'Android' else 'Edg'}/{{v}}.0.0.0", "Edge"),
            (" OPR/{v}.0.0.0", "Opera"),
            (" Vivaldi/6.{v}", "Chrome"),
            (" YaBrowser/24.{v}.0", "Chrome"),
        )
    },
    f"Mozilla/5.0 ({CHROMEBOOK}) {KIT} Chrome/{{v}}.0.0.0 Safari/537.36": "ChromeOS Chrome",
    f"Mozilla/5.0 ({CHROMEBOOK}) {KIT} Chrome/{{v}}.0.0.0 Safari/537.36 Edg/{{v}}.0": "Other",
    f"Mozilla/5.0 ({GALAXY}) {KIT} SamsungBrowser/{{v}}.0 Chrome/115.0.0.0 Mobile Safari/537.36": "Android Samsung",
    f"Mozilla/5.0 ({PIXEL}; wv) {KIT} Version/4.0 Chrome/{{v}}.0.0.0 Mobile Safari/537.36": "Android Chrome",
    f"Mozilla/5.0 ({WINDOWS}) {KIT} Chrome/64.0.3282.140 Safari/537.36 Edge/{{v}}.17134": "Windows Edge",
    **{
        f"Mozilla/5.0 ({system}; rv:{{v}}.0) Gecko/{trail} Firefox/{{v}}.0": f"{name} Firefox"
        for system, name, trail in (
            (WINDOWS, "Windows", "20100101"), (MAC, "macOS", "20100101"), (LINUX, "Linux", "20100101"),
            (UBUNTU, "Linux", "20100101"), ("Android 14; Mobile", "Android", "{v}.0"),
        )
    },
    **{
        f"Mozilla/5.0 ({system}) {APPLE} Version/{{v}}.4{mobile} Safari/604.1": f"{name} Safari"
        for system, name, mobile in (
            (MAC, "macOS", ""), (MAC_ARM, "macOS", ""),
            (IPHONE, "iOS", " Mobile/15E148"), (IPAD, "iOS", " Mobile/15E148"),
        )
    },
    **{
        f"Mozilla/5.0 ({system}) {APPLE} {token}/{{v}}.0 Mobile/15E148 Safari/604.1": f"iOS {browser}"
        for system in (IPHONE, IPAD)
        for token, browser in (("CriOS", "Chrome"), ("FxiOS", "Firefox"), ("Version/17.0 EdgiOS", "Edge"))
    },
    # Pages inside other applications, old machines, programs and robots: what no list needs to know is "Other".
    f"Mozilla/5.0 ({IPHONE}) {APPLE} Mobile/15E148 [FBAN/FBIOS;FBAV/{{v}}.0]": "Other",
    "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:{v}.0) like Gecko": "Other",
    "Mozilla/4.0 (compatible; MSIE {v}.0; Windows NT 5.1)": "Other",
    f"Mozilla/5.0 ({LINUX}) {APPLE} Version/{{v}}.0 Safari/605.1.15": "Other",
    "Mozilla/5.0 (compatible; Googlebot/2.{v}; +http://www.google.com/bot.html)": "Other",
    "Mozilla/5.0 (PlayStation 5/{v}.00) AppleWebKit/605.1.15": "Other",
    "Mozilla/5.0 (Nintendo Switch; WebApplet) AppleWebKit/609.{v}": "Other",
    "python-requests/2.{v}.0": "Other", "curl/8.{v}.0": "Other", "okhttp/4.{v}.0": "Other",
    "Go-http-client/{v}": "Other",
    "Dalvik/2.1.0 (Linux; U; Android 13; Build/{v})": "Other", "CFNetwork/{v} Darwin/23.5.0": "Other",
    "PostmanRuntime/7.{v}.0": "Other", "Java/17.0.{v}": "Other", "Wget/1.{v}": "Other", "{v}": "Other",
}  # fmt: skip

FIRST_VERSION = 90
PEOPLE = ("jane.canary@example.com", "Jane Canary <jane@example.com>", "mailto:jane.canary@example.com")


def agents(n: int) -> list[tuple[str, str]]:
    """So many different agents with what is kept of each; every tenth has an e-mail address inside."""
    made: list[tuple[str, str]] = []
    for place, form in enumerate(islice(cycle(FORMS), n)):
        version = FIRST_VERSION + place // len(FORMS)
        text = form.replace("{v}", str(version))
        if place % 10 == 9:
            text = _with(text, PEOPLE[place // 10 % len(PEOPLE)], place)
        made.append((text, FORMS[form]))
    return made


def _with(text: str, person: str, place: int) -> str:
    """The address at the end, in the first brackets, or at the front."""
    inside = text.replace("(", f"({person}; ", 1) if "(" in text else f"{text} ({person})"
    return (f"{text} {person}", inside, f"{person} {text}")[place // 10 % 3]
