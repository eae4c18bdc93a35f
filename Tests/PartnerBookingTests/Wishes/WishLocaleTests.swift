import PartnerBooking
import Testing

/// Wishes in the words of each locale. Today is Wednesday, 16 January 2030.
@Suite struct WishLocaleTests {
    @Test(arguments: [
        ("tomorrow at half nine", "2030-01-17 ~09:30 ?morning"), ("Tuesday week", "2030-01-29"),
        ("in a fortnight", "2030-01-28..2030-02-03"), ("14/2", "2030-02-14"), ("tomorrow at 14.30", "2030-01-17 ~14:30"),
        ("a week on Tuesday", "2030-01-29"), ("at the weekend", "2030-01-19..2030-01-20"),
    ])
    func readsBritishEnglish(_ when: String, _ expected: String) {
        #expect(summary(when, locale: .britishEnglish) == expected)
    }

    @Test(arguments: [
        ("mañana por la mañana", "2030-01-17 06:00-12:00"), ("manana a las nueve y media", "2030-01-17 ~09:30 ?morning"),
        ("pasado mañana", "2030-01-18"), ("el próximo viernes", "2030-01-18 / 2030-01-25"),
        ("el martes que viene a las cuatro menos cuarto", "2030-01-22 ~15:45 ?afternoon"),
        ("el martes 22 de enero", "2030-01-22"), ("del 21 al 23 de enero", "2030-01-21..2030-01-23"),
        ("mañana a las diez y cinco", "2030-01-17 ~10:05 ?morning"), ("esta tarde", "2030-01-16 12:00-20:00"),
        ("lo antes posible", "2030-01-16..2030-03-17 first"), ("dentro de quince días", "2030-01-28..2030-02-03"),
        ("mañana a un cuarto para las tres", "2030-01-17 ~14:45 ?afternoon"), ("no el martes", "!when not_understood"),
        ("cualquier día menos el lunes", "!when not_understood"), ("el martes pasado", "!when not_understood"),
        ("el martes o mejor el jueves", "!when not_understood"),
    ])
    func readsSpanish(_ when: String, _ expected: String) {
        #expect(summary(when, locale: .spanish) == expected)
    }

    @Test(arguments: [
        ("demain après-midi", "2030-01-17 12:00-18:00"), ("après-demain", "2030-01-18"),
        ("vendredi prochain", "2030-01-18 / 2030-01-25"), ("mardi en huit", "2030-01-29"),
        ("demain à quinze heures trente", "2030-01-17 ~15:30"), ("demain à 15h30", "2030-01-17 ~15:30"),
        ("demain à dix heures moins le quart", "2030-01-17 ~09:45 ?morning"), ("le 1er février", "2030-02-01"),
        ("le mardi 22 janvier", "2030-01-22"), ("du 21 au 23 janvier", "2030-01-21..2030-01-23"),
        ("dans quinze jours", "2030-01-28..2030-02-03"), ("dès que possible", "2030-01-16..2030-03-17 first"),
        ("le vingt et un", "2030-01-21"), ("demain à dix-sept heures", "2030-01-17 ~17:00"),
        ("pas mardi", "!when not_understood"), ("n'importe quel jour sauf lundi", "!when not_understood"),
        ("la semaine d'après", "!when not_understood"), ("mardi ou plutôt jeudi", "!when not_understood"),
    ])
    func readsFrench(_ when: String, _ expected: String) {
        #expect(summary(when, locale: .french) == expected)
    }

    @Test func capitalsAccentsAndSignsDoNotCount() {
        #expect(summary("TOMORROW, Morning!") == "2030-01-17 06:00-12:00")
        #expect(summary("Miércoles próximo", locale: .spanish) == summary("miercoles proximo", locale: .spanish))
        #expect(summary("aujourd’hui", locale: .french) == "2030-01-16")
    }
}
