import PartnerBooking
import Testing

/// Words that have more than one meaning. Most of them were read wrongly once. Today is Monday,
/// 14 January 2030.
@Suite struct WishAmbiguityTests {
    private func read(_ when: String, _ time: String = "", _ locale: VoiceLocale = .americanEnglish) -> String {
        summary(when, time, locale: locale, now: "2030-01-14T10:00:00-05:00")
    }

    @Test(arguments: [
        "at three or in the morning", "tuesday at eight or in the evening", "after five or in the morning",
        "before 11 or in the evening", "noon or in the evening", "after 3 pm in the morning", "tuesday 14 to 16",
        "for an hour on tuesday", "I need an hour on tuesday", "I need two hours on tuesday", "in 2 hrs", "in 2h",
        "after work on tuesday", "before work on friday", "I work until five", "I work nights", "I work mondays",
        "can I come by tomorrow", "come by at three", "come by in the morning", "I may be free on tuesday",
        "may be tuesday", "with April on tuesday", "hi I'm June", "tuesday onwards",
        "I have an appointment at three on tuesday", "I have appointments until three on tuesday",
        "my next appointment is tuesday", "it's my first appointment, tuesday", "after my appointment on tuesday",
        "tuesday, well, wednesday or thursday", "tuesday is the earliest I can do",
        "the earliest I can come is tuesday", "the earliest I can do is three o'clock", "from next week on tuesdays",
        "before next week on friday", "from february on mondays", "this month but after friday",
        "in the next two weeks but not before thursday", "by tuesday next week", "before ten and after four",
        "tonight or in the morning", "this afternoon or in the morning", "tomorrow or tuesday to thursday",
        "tomorrow or every friday", "tuesday or any friday", "monday or tuesday the 22nd",
        "tomorrow, tuesday or wednesday", "evenings and weekends", "mornings and saturdays",
        "after five and saturdays", "tomorrow or monday", "next january", "in the next days", "tonight at three",
        "the ten", "I'll take the two", "tuesday's good", "first thing tuesday or wednesday afternoon",
        "early tuesday or wednesday afternoon",
    ])
    func asksBackInEnglish(_ when: String) {
        #expect(read(when).hasPrefix("!"), "\(read(when))")
    }

    @Test(arguments: [
        "a las 3 o por la mañana", "el martes al mediodía o por la tarde", "el viernes, 8 de la mañana",
        "el lunes 4 de la tarde", "a partir del 15 a las 10", "no antes del 15 a las 10", "15 a las 10",
        "mañana 15 a las 10", "quiero una hora para el martes", "en 2 hs", "dentro de 2h", "con Julio el martes",
        "el martes para adelante", "después de la cita del martes", "el martes, mejor miércoles o jueves",
        "desde febrero los lunes", "tardes y sábados", "le 14.02", "el martes en ocho",
    ])
    func asksBackInSpanish(_ when: String) {
        #expect(read(when, "", .spanish).hasPrefix("!"), "\(read(when, "", .spanish))")
    }

    @Test(arguments: [
        "à huit heures ou le soir", "après 17h ou le matin", "à partir du 15 à 10h", "15 à 10h",
        "pour une heure mardi", "dans 2h", "dans 1h30", "après le rendez-vous de mardi", "avant de venir mardi",
        "mardi, plutôt mercredi ou jeudi", "mardi au plus tôt", "à dix heures au plus tôt",
        "à partir de février le lundi", "le soir et le samedi", "dans les prochains jours", "le 14.02",
    ])
    func asksBackInFrench(_ when: String) {
        #expect(read(when, "", .french).hasPrefix("!"), "\(read(when, "", .french))")
    }

    @Test(arguments: [
        ("tuesday", "1 hour"), ("tuesday morning", "after three"), ("tuesday morning", "from 4"),
        ("tuesday morning", "3"), ("tuesday evening", "3"),
    ])
    func asksBackAboutTheTime(_ when: String, _ time: String) {
        #expect(read(when, time).hasPrefix("!"), "\(read(when, time))")
    }

    @Test(arguments: [
        ("3 pm onwards", "2030-01-14..2030-03-15 15:00-"), ("from tuesday onwards", "2030-01-15..2030-03-15"),
        ("can I have an appointment at three on tuesday", "2030-01-15 ~15:00 ?afternoon"),
        ("well, wednesday or thursday", "2030-01-16..2030-01-17"), ("tuesday the first opening", "2030-01-15 first"),
        ("before the end of the month", "2030-01-14..2030-01-31"),
        ("before the end of the week", "2030-01-14..2030-01-18"), ("on or after the 20th", "2030-01-20..2030-03-15"),
        ("on or before friday", "2030-01-14..2030-01-18"), ("this morning or afternoon", "2030-01-14 06:00-18:00"),
        ("just a second, tuesday", "2030-01-15"), ("I am free tuesday", "2030-01-15"),
    ])
    func readsEnglish(_ when: String, _ expected: String) {
        #expect(read(when, "", .americanEnglish) == expected)
    }

    @Test(arguments: [
        ("el martes de 10 a 12", "2030-01-15 10:00-12:00 ?morning"),
        ("todos los martes de 3 a 5", "2030-01-14..2030-03-15 tue 15:00-17:00 ?afternoon"),
        ("quiero una cita para el 15 a las 10", "2030-01-15 ~10:00 ?morning"),
        ("el 15 para las 10", "2030-01-15 ~10:00 ?morning"), ("el 20 para las 4", "2030-01-20 ~16:00 ?afternoon"),
        ("el martes 15 para las 10", "2030-01-15 ~10:00 ?morning"), ("el martes 15 10h", "2030-01-15 ~10:00 ?morning"),
        ("el quince diez en punto", "2030-01-15 ~10:00 ?morning"),
        ("el primer turno disponible", "2030-01-14..2030-03-15 first"),
        ("antes de fin de mes", "2030-01-14..2030-01-31"), ("de aquí a viernes", "2030-01-14..2030-01-18"),
        ("de aquí a fin de mes", "2030-01-14..2030-01-31"), ("para el 20", "2030-01-20"),
        ("para el 20 por la mañana", "2030-01-20 06:00-12:00"),
        ("mañana para las tres", "2030-01-15 ~15:00 ?afternoon"),
    ])
    func readsSpanish(_ when: String, _ expected: String) {
        #expect(read(when, "", .spanish) == expected)
    }

    @Test(arguments: [
        ("mardi de 14 à 16", "2030-01-15 14:00-16:00"), ("jeudi de 17 à 19 heures", "2030-01-17 17:00-19:00"),
        ("mardi de 12 à 14h", "2030-01-15 12:00-14:00"), ("mardi de 9 à 11 heures", "2030-01-15 09:00-11:00 ?morning"),
        ("mardi 15 10h", "2030-01-15 ~10:00 ?morning"), ("le 15 10h", "2030-01-15 ~10:00 ?morning"),
        ("le premier rendez-vous", "2030-01-14..2030-03-15 first"), ("avant la fin du mois", "2030-01-14..2030-01-31"),
        ("avant fin janvier", "2030-01-14..2030-01-31"),
        ("l'après-midi entre 16h et 19h", "2030-01-14..2030-03-15 16:00-19:00"), ("je suis libre mardi", "2030-01-15"),
    ])
    func readsFrench(_ when: String, _ expected: String) {
        #expect(read(when, "", .french) == expected)
    }

    @Test func readsATimeBesideAPart() {
        #expect(read("tuesday afternoon", "until 7 pm") == "2030-01-15 12:00-19:00")
    }
}
