"""Phone numbers as people say them: written once more for the tests, from the grammar of each language."""

LOCALES = ("en-US", "en-GB", "es", "fr")

ENGLISH = ("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
           "seventeen eighteen nineteen").split()
ENGLISH_TENS = "- - twenty thirty forty fifty sixty seventy eighty ninety".split()
SPANISH = ("cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis "
           "diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis "
           "veintisiete veintiocho veintinueve").split()
SPANISH_TENS = "- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa".split()
SPANISH_HUNDREDS = ("- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos "
                    "novecientos").split()
FRENCH = ("zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept "
          "dix-huit dix-neuf").split()
FRENCH_TENS = "- - vingt trente quarante cinquante soixante".split()

FILLERS = {
    "en": (["it's", "my number is", "um", "okay, it's", "sure, the number is", "you can reach me at", "call me on"],
           ["um", "uh", "then", "dash", "and"], ["please", "thanks", "thank you", "and my name is John"]),
    "es": (["es el", "mi número es el", "eh", "bueno, es el", "claro, mi teléfono es"],
           ["eh", "luego", "guión", "y"], ["gracias", "por favor"]),
    "fr": (["c'est le", "mon numéro c'est le", "euh", "alors c'est le", "oui, mon portable c'est le"],
           ["euh", "puis", "tiret"], ["merci", "s'il vous plaît"]),
}


def english(number):
    if number < 20:
        return ENGLISH[number]
    tens = ENGLISH_TENS[number // 10]
    return tens if number % 10 == 0 else tens + " " + ENGLISH[number % 10]


def spanish(number):
    if number >= 100:
        rest = number % 100
        return "cien" if number == 100 else SPANISH_HUNDREDS[number // 100] + (" " + spanish(rest) if rest else "")
    if number < 30:
        return SPANISH[number]
    return SPANISH_TENS[number // 10] + (" y " + SPANISH[number % 10] if number % 10 else "")


def french(number):
    if number < 20:
        return FRENCH[number]
    if number >= 80:
        return "quatre-vingts" if number == 80 else "quatre-vingt-" + french(number - 80)
    tens, rest = FRENCH_TENS[min(number // 10, 6)], number - 10 * min(number // 10, 6)
    return tens if rest == 0 else tens + " et " + french(rest) if rest in (1, 11) else tens + "-" + french(rest)


NUMBERS = {"en": english, "es": spanish, "fr": french}
DIGITS = {"en": ENGLISH, "es": SPANISH, "fr": FRENCH}
REPEATS = {"en": ("double", "triple"), "es": ("doble", "triple"), "fr": ("double", "triple")}
PLUS = {"en": "plus", "es": "más", "fr": "plus"}


def parts(digits, language, locale, generator):
    """The words of each part of the number, and whether only a pause may follow it."""
    place = 0
    while place < len(digits):
        rest = digits[place:]
        run = len(rest) - len(rest.lstrip(rest[0]))
        choice = generator.random()
        zero = generator.choice(("zero", "oh", "o")) if language == "en" else DIGITS[language][0]
        name = zero if rest[0] == "0" else DIGITS[language][int(rest[0])]
        if run >= 2 and choice < 0.3:
            times = 3 if run >= 3 and generator.random() < 0.6 else 2
            yield REPEATS[language][times - 2] + " " + name, False
            place += times
        elif len(rest) >= 2 and rest[0] != "0" and choice < 0.5:
            yield NUMBERS[language](int(rest[:2])), True
            place += 2
        elif len(rest) >= 3 and rest[0] != "0" and language == "es" and choice < 0.7:
            yield spanish(int(rest[:3])), True
            place += 3
        elif len(rest) >= 3 and rest[0] != "0" and rest[1:3] == "00" and language == "en":
            yield name + " hundred", True
            place += 3
        elif choice > 0.9:
            yield rest[0], language == "fr"
            place += 1
        else:
            # "Dix sept" would be 17, "quatre vingt" 80.
            yield name, language == "fr"
            place += 1


def spoken(digits, plus, locale, generator):
    """The number in words, as somebody might say it and a recogniser might write it."""
    language = locale[:2]
    before, between, after = FILLERS[language]
    words = PLUS[language] + " " if plus else ""
    needs_pause = False
    for part, pause_follows in parts(digits, language, locale, generator):
        if words and not words.endswith(" "):
            # Beside a filler or a pause an "oh" may be a sigh.
            may_be_sigh = words.split()[-1] in ("oh", "o") or part in ("oh", "o")
            choice = 1 if may_be_sigh and not needs_pause else generator.random()
            if choice < 0.06 and not needs_pause:
                words += " " + generator.choice(between) + " "
            elif needs_pause or choice < 0.3:
                words += generator.choice((", ", ". ", " - ", "; "))
            else:
                words += generator.choice((" ", " ", " ", "-"))
        words += part
        needs_pause = pause_follows
    if generator.random() < 0.4:
        words = generator.choice(before) + " " + words
    if generator.random() < 0.2 and words.split()[-1] not in ("oh", "o"):
        words += generator.choice((" ", ", ")) + generator.choice(after)
    return words.capitalize() if generator.random() < 0.3 else words
