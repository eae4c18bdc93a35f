import PartnerBooking
import Testing

/// Greetings, commitments, numbers side by side and other words that were misread once. Today is
/// Monday, 14 January 2030.
@Suite struct WishMisreadingTests {
    private func read(_ when: String, _ time: String, _ locale: VoiceLocale) -> String {
        summary(when, time, locale: locale, now: "2030-01-14T10:00:00-05:00")
    }

    @Test(arguments: [
        "tuesday may work", "the afternoon may work", "may we come tuesday", "tuesday mornings",
        "friday evenings after 5", "the earliest would be tuesday", "the earliest for me is tuesday",
        "the earliest that works is tuesday", "i got work until 5", "have work until 5",
        "we have an appointment tuesday at 3", "tomorrow at 3 30 minute appointment", "the coming week",
        "this coming week", "coming month", "tuesday 22 10", "ten to nine tomorrow", "five to nine am tomorrow",
        "around the 15th", "around tuesday", "this is april i need tuesday", "every 2 weeks on tuesday",
        "tomorrow 3-5 or later", "friday morning from 9 to 5", "asap or tuesday", "anytime or tomorrow",
        ">3pm tomorrow", "tomorrow before 9 after 5",
    ])
    func asksBackInEnglish(_ when: String) {
        #expect(read(when, "", .americanEnglish).hasPrefix("!"), "\(read(when, "", .americanEnglish))")
    }

    @Test(arguments: [
        ("good morning i'd like tuesday", "", "2030-01-15"), ("good afternoon can i get tomorrow", "", "2030-01-15"),
        ("tomorrow works have a good night", "", "2030-01-15"),
        ("we'd prefer the afternoon", "", "2030-01-14..2030-03-15 12:00-18:00"),
        ("we'd prefer next week", "", "2030-01-21..2030-01-27"),
        ("we'd be free in the morning", "", "2030-01-14..2030-03-15 06:00-12:00"),
        ("wed prefer after 3", "", "2030-01-14..2030-03-15 15:00- ?afternoon"),
        ("2030-01-15 15:00-17:00", "", "2030-01-15 15:00-17:00"),
        ("1/15 10:00-11:00", "", "2030-01-15 10:00-11:00 ?morning"),
        ("2030-01-15 to 2030-01-17 09:00-12:00", "", "2030-01-15..2030-01-17 09:00-12:00"),
        ("2030-01-15T09:00:00-05:00", "", "2030-01-15 ~09:00"), ("mornings", "", "2030-01-14..2030-03-15 06:00-12:00"),
        ("tuesdays", "", "2030-01-14..2030-03-15 tue"),
        ("can we have an appointment tuesday at 3", "", "2030-01-15 ~15:00 ?afternoon"),
        ("tuesday 10 30", "", "2030-01-15 ~10:30 ?morning"),
        ("tomorrow from ten to two", "", "2030-01-15 10:00-14:00 ?morning"),
        ("tomorrow nine to five", "", "2030-01-15 09:00-17:00 ?morning"),
        ("around three tomorrow", "", "2030-01-15 ~15:00 ?afternoon"),
        ("three or later", "", "2030-01-14..2030-03-15 15:00- ?afternoon"), ("2030-01-15T00:00:00", "", "2030-01-15"),
        ("either tuesday or wednesday", "", "2030-01-15..2030-01-16"),
    ])
    func readsEnglish(_ when: String, _ time: String, _ expected: String) {
        #expect(read(when, time, .americanEnglish) == expected)
    }

    @Test(arguments: [
        "martes mañana y tarde", "prefiero de mañana", "una mañana", "turno de mañana", "los martes de mañana",
        "mañana a las 3 30 minutos", "el 22 y 23", "los días 22 y 23", "martes 15 y 16", "el diez y once", "9 y 10",
        "martes 22 10", "el 15 10", "el 15 a 10", "15 al 20", "del 17 en adelante", "el día después del martes",
        "sobre el 15", "lo antes posible o el martes",
    ])
    func asksBackInSpanish(_ when: String) {
        #expect(read(when, "", .spanish).hasPrefix("!"), "\(read(when, "", .spanish))")
    }

    @Test(arguments: [
        ("buenas tardes quiero una cita para mañana", "", "2030-01-15"),
        ("martes", "mañana", "2030-01-15 06:00-12:00"), ("2030-01-15", "mañana", "2030-01-15 06:00-12:00"),
        ("mañana", "mañana", "2030-01-15 06:00-12:00"), ("mañana martes", "", "2030-01-15"),
        ("15/01/2030 10:00-12:00", "", "2030-01-15 10:00-12:00 ?morning"),
        ("a las nueve y diez", "", "2030-01-14..2030-03-15 ~09:10 ?morning"),
        ("martes 10 30", "", "2030-01-15 ~10:30 ?morning"), ("del 14 al 16", "", "2030-01-14..2030-01-16"),
        ("después de 5", "", "2030-01-14..2030-03-15 17:00- ?afternoon"),
        ("hasta 18", "", "2030-01-14..2030-03-15 -18:00"), ("antes del 20", "", "2030-01-14..2030-01-19"),
        ("después del 20", "", "2030-01-21..2030-03-15"),
    ])
    func readsSpanish(_ when: String, _ time: String, _ expected: String) {
        #expect(read(when, time, .spanish) == expected)
    }

    @Test(arguments: [
        "un rendez-vous de deux heures mardi", "rdv de 2h mardi", "mardi 22 10", "le 15 10", "le 15 à 10",
        "le jour après mardi", "vers le 15",
    ])
    func asksBackInFrench(_ when: String) {
        #expect(read(when, "", .french).hasPrefix("!"), "\(read(when, "", .french))")
    }

    @Test(arguments: [
        ("bon matin je voudrais mardi", "", "2030-01-15"), ("bon après-midi mardi", "", "2030-01-15"),
        ("mardi de 2h à 4h", "", "2030-01-15 14:00-16:00 ?afternoon"),
        ("après 17", "", "2030-01-14..2030-03-15 17:00-"), ("avant 10", "", "2030-01-14..2030-03-15 -10:00 ?morning"),
        ("jusqu'au 20", "", "2030-01-14..2030-01-20"), ("après le 20", "", "2030-01-21..2030-03-15"),
        ("à partir du 20", "", "2030-01-20..2030-03-15"), ("vers 15h demain", "", "2030-01-15 ~15:00"),
    ])
    func readsFrench(_ when: String, _ time: String, _ expected: String) {
        #expect(read(when, time, .french) == expected)
    }
}
