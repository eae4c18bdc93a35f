import Testing

@testable import PartnerBooking

/// Phone numbers as people say and write them.
@Suite struct PhoneNumberTests {
    static func read(_ text: String, _ region: String? = "US", _ locale: VoiceLocale = .americanEnglish) -> String {
        do {
            let phone = try PhoneNumber(text, region: region, locale: locale)
            return phone.e164 + (phone.extensionDigits.map { " x\($0)" } ?? "")
        } catch {
            return error.phoneProblem?.reason.rawValue ?? "\(error)"
        }
    }

    @Test(arguments: [
        "5551234567", "555-123-4567", "555.123.4567", "555 123 4567", "(555) 123-4567", "(555)123-4567", "1-555-123-4567",
        "1 (555) 123 4567", "+1 555 123 4567", "+15551234567", "tel:+1-555-123-4567", "tel:5551234567", "555/123/4567",
        "011 1 555 123 4567", "+1 (555) 123–4567", "5 5 5 1 2 3 4 5 6 7", "５５５１２３４５６７",
        "+1\u{A0}555\u{A0}123\u{A0}4567", "\u{202A}+1 555-123-4567\u{202C}", "Phone: 555-123-4567", "555-123-4567 (mobile)",
        "five five five one two three four five six seven", "five five five, one two three, four five six seven",
        "five five five - one two three - four five six seven", "five-five-five, one-two-three, four-five-six-seven",
        "Five five five. One two three. Four five six seven.", "it's 555 123 4567", "It’s five five five 123 4567.",
        "um, my number is 555, uh, 123 4567", "area code 555, one two three four five six seven",
        "sure, it's area code five five five, then one two three, four five six seven, thank you",
        "You can reach me at 555-123-4567", "call Johnny on 555 123 4567", "555 123 4567 and my name is John",
        "plus one five five five one two three four five six seven", "one five five five one two three four five six seven",
        "triple five one two three four five six seven", "double five five one two three four five six seven",
        "five double five one two three four five six seven", "Triple 5, 1 2 3, 4 5 6 7",
        "five fifty five one twenty three forty five sixty seven",
        "five fifty-five one twenty-three forty-five sixty-seven", "555 one 23 four 5 67",
        "five five five one to three for five six seven", "Oh, five five five one two three four five six seven",
        "oh it's five five five one two three four five six seven", "no, five five five one two three four five six seven",
    ])
    func readsANumberOfTheUnitedStates(_ text: String) {
        #expect(Self.read(text) == "+15551234567")
    }

    @Test(arguments: [
        ("one eight hundred five five five one two one two", "+18005551212"),
        ("eight hundred, five five five, twelve twelve", "+18005551212"),
        ("1 8 hundred 555 1212", "+18005551212"),
        ("eight hundred twenty two, five five five, twelve", "too_short"),
        ("eight twenty two five five five twelve twelve", "+18225551212"),
        ("eight hundred and twenty two five five five twelve twelve", "+18225551212"),
        ("two oh two five five five oh one hundred", "+12025550100"),
        ("two oh two, five five five, five thousand", "+12025555000"),
        ("two oh two, five five five, twenty five hundred", "+12025552500"),
        ("two oh two, five five five, five thousand five", "not_understood"),
        ("two oh two, five five five, nineteen eighty four", "+12025551984"),
        ("two oh two, five five five, twenty twenty", "+12025552020"),
        ("two oh two, five five five, twenty, one nine", "+12025552019"),
        ("two oh two, five five five, twenty, one", "too_short"),
        ("two oh two five five five 2O2O", "+12025552020"),
    ])
    func readsNumbersOfSeveralWords(_ text: String, _ wanted: String) {
        #expect(Self.read(text) == wanted)
    }

    @Test(arguments: [
        ("07400 123456", "+447400123456"), ("+44 7400 123456", "+447400123456"), ("+44 (0)7400 123456", "+447400123456"),
        ("0044 7400 123456", "+447400123456"), ("447400123456", "+447400123456"), ("7400 123456", "+447400123456"),
        ("oh seven four double oh, one two three, four five six", "+447400123456"),
        ("oh, seven four hundred, one two three, four five six", "+447400123456"),
        ("oh seven four zero zero one treble two, three four", "+447400122234"),
        ("nought seven four hundred 123 456", "+447400123456"), ("020 7946 0958", "+442079460958"),
        ("oh two oh seven nine four six oh nine five eight", "+442079460958"),
        ("double oh one five five five one two three four five six seven", "+15551234567"),
    ])
    func readsANumberOfGreatBritain(_ text: String, _ wanted: String) {
        #expect(Self.read(text, "GB", .britishEnglish) == wanted)
    }

    @Test(arguments: [
        ("ES", "es", "seiscientos doce, trescientos cuarenta y cinco, seiscientos setenta y ocho", "+34612345678"),
        ("ES", "es", "es el seis doce treinta y cuatro cincuenta y seis setenta y ocho, gracias", "+34612345678"),
        ("ES", "es", "más treinta y cuatro seis uno dos tres cuatro cinco seis siete ocho", "+34612345678"),
        ("MX", "es", "cincuenta y cinco, doble cero, veintidós, dieciséis, triple uno", "too_long"),
        ("MX", "es", "es el cincuenta y cinco doce treinta y cuatro cincuenta y seis setenta y ocho", "+525512345678"),
        ("FR", "fr", "zéro six, douze, trente-quatre, cinquante-six, soixante-dix-huit", "+33612345678"),
        ("FR", "fr", "c'est le zero six douze trente quatre cinquante six soixante dix huit", "+33612345678"),
        ("FR", "fr", "zéro quatre vingt-deux trente et un zéro zéro douze", "+33422310012"),
        ("FR", "fr", "zéro un quatre-vingts, quatre-vingt-dix-neuf soixante et onze quatre-vingt-un", "+33180997181"),
        ("FR", "fr", "zéro six, soixante, dix, onze, vingt et un, soixante-dix", "too_long"),
        ("CH", "fr", "zéro septante-neuf, deux cent trente-quatre, cinquante-six, septante-huit", "+41792345678"),
        ("BE", "fr", "zéro quatre cent septante-cinq, douze, trente-quatre, cinquante-six", "+32475123456"),
    ])
    func readsOtherLanguages(_ region: String, _ locale: String, _ text: String, _ wanted: String) throws {
        #expect(Self.read(text, region, try #require(VoiceLocale(locale))) == wanted)
    }

    @Test(arguments: [
        "555-123-4567 ext. 9", "(555) 123-4567 x9", "555 123 4567 extension nine", "555 123 4567 #9",
        "tel:+1-555-123-4567;ext=9", "five five five one two three four five six seven, extension nine",
    ])
    func readsAnExtension(_ text: String) {
        #expect(Self.read(text) == "+15551234567 x9")
    }

    struct Written: Sendable {
        let from: String?
        let e164: String
        let region: String?
        let groups: String

        init(_ from: String?, _ e164: String, _ region: String?, _ groups: String) {
            (self.from, self.e164, self.region, self.groups) = (from, e164, region, groups)
        }
    }

    @Test(arguments: [
        Written(nil, "+15551234567", "US", "+1 555 123 4567"), Written("US", "+15551234567", "US", "555 123 4567"),
        Written("CA", "+15551234567", "US", "555 123 4567"), Written("US", "+14165550123", "CA", "416 555 0123"),
        Written("GB", "+15551234567", "US", "+1 555 123 4567"), Written("GB", "+447400123456", "GB", "07400 123 456"),
        Written("US", "+447400123456", "GB", "+44 7400 123 456"), Written("GB", "+442079460958", "GB", "020 7946 0958"),
        Written("FR", "+33612345678", "FR", "06 12 34 56 78"), Written("IT", "+390612345678", "IT", "06 1234 5678"),
        Written("RU", "+79123456789", "RU", "8912 345 67 89"), Written("US", "+80012345678", nil, "+800 1234 5678"),
    ])
    func writesGroupsAsTheRegionDoes(_ written: Written) throws {
        let phone = try PhoneNumber(written.e164, region: written.from)
        #expect(phone.e164 == written.e164)
        #expect(phone.region == written.region)
        #expect(phone.groups.joined(separator: " ") == written.groups)
    }

    @Test(arguments: [
        ("+15551234567", "US", "en-US", "five five five, one two three, four five six seven"),
        ("+15551234567", "GB", "en-GB", "plus one, five five five, one two three, four five six seven"),
        ("555 123 4567 x20", "US", "en-US", "five five five, one two three, four five six seven, extension two zero"),
        ("+34612345678", "ES", "es", "seis uno dos, tres cuatro, cinco seis, siete ocho"),
        ("+34612345678", "FR", "fr", "plus trois quatre, six un deux, trois quatre, cinq six, sept huit"),
        ("+52 55 1234 5678", "ES", "es", "más cinco dos, cinco cinco, uno dos tres cuatro, cinco seis siete ocho"),
    ])
    func saysGroups(_ text: String, _ region: String, _ locale: String, _ words: String) throws {
        let locale = try #require(VoiceLocale(locale))
        let phone = try PhoneNumber(text, region: region, locale: locale)
        #expect(phone.words == words)
        #expect(try PhoneNumber(phone.words, region: region, locale: locale) == phone)
    }
}
