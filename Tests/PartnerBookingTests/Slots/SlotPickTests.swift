import Testing

@testable import PartnerBooking

/// A slot is found by its name, and never another one.
@Suite struct SlotPickTests {
    private func list(_ change: (inout SlotOptions) -> Void = { _ in }) throws -> SlotList {
        try slots([("2030-01-15T14:00:00Z", 120), ("2030-01-16T19:00:00Z", 60)], "America/New_York", change)
    }

    @Test(arguments: [
        ("tue15-0930u", "09:30"), ("tue15 0930", "09:30"), ("2030-01-15T09:30:00-05:00", "09:30"),
        ("2030-01-15T14:30:00Z", "09:30"), ("2030-01-15 09:30", "09:30"), ("the second one", "09:30"), ("2nd", "09:30"),
        ("option 2", "09:30"), ("#2", "09:30"), ("the last one, please", "14:30"), ("I'll take the first", "09:00"),
    ])
    func finds(_ text: String, _ time: String) throws {
        let list = try list()
        let named = text == "tue15-0930u" ? list.tokens[1] : text
        #expect(list.slot(named: named).map { String($0.local.suffix(5)) } == time)
    }

    @Test(arguments: [
        "", "2", "nine thirty", "the seventh one", "the second or the third", "the second 2", "tue15-0931",
        "2030-01-15T09:31:00-05:00",
        "2030-01-15T09:30:00", "option 0", "option 99999999999999999999", "not the second", "wed15-0930",
    ])
    func findsNoOther(_ text: String) throws {
        let found = try list { $0.notBefore = text.hasSuffix("09:30:00") ? 10 * 60 : nil }.slot(named: text)
        #expect(found == nil)
    }

    @Test(arguments: [("es", "la segunda"), ("es", "el segundo"), ("es", "opción dos"), ("fr", "le deuxième"), ("fr", "2e")])
    func understandsOtherLanguages(_ name: String, _ text: String) throws {
        let locale = try #require(VoiceLocale(name))
        let found = try list().slot(named: text, locale: locale)
        #expect(text == "opción dos" ? found == nil : found.map { String($0.local.suffix(5)) } == "09:30")
    }

    /// "16:00Z" is 11:00 here, but a model that writes it may mean the slot at 16:00.
    @Test(arguments: [
        ("2030-01-15T16:00:00Z", nil), ("2030-01-15T15:30:00-04:00", nil), ("2030-01-15T21:00:00Z", "16:00"),
        ("2030-01-15T11:00:00-05:00", "11:00"), ("2030-01-15T11:00", "11:00"),
    ])
    func anOffsetDoesNotMoveATimeToAnotherSlot(_ text: String, _ expected: String?) throws {
        let day = try slots([("2030-01-15T14:00:00Z", 480)], "America/New_York")
        #expect(day.slot(named: text).map { String($0.local.suffix(5)) } == expected)
    }

    /// Mon 17 December and Mon 7 January.
    @Test(arguments: ["Mon 1/7 09:00", "mon 1-7 0900", "Mon 1.7. 09:00", "!mon17-0900", "mon17-0 900", "~mon170900"])
    func aDateIsNoToken(_ text: String) throws {
        let days = try slots([("2029-12-17T14:00:00Z", 30), ("2030-01-07T14:00:00Z", 30)], "America/New_York") {
            $0.now = Timestamp("2029-12-14T14:00:00Z")?.instantSeconds
        }
        #expect(days.slots.count == 2 && days.slot(named: text) == nil)
        #expect(days.slot(named: "(mon17-0900)") == days.slots[0])
    }

    /// Wed 30 January to Fri 1 February.
    @Test(arguments: [
        ("the 1st", nil), ("the first", nil), ("the first one", "30"), ("option 1", "30"), ("the second one", "31"),
        ("the last one", "01"), ("one second please", nil), ("that one second", nil), ("number one the second", nil),
        ("option 1/0", nil), ("option 1.0", nil), ("option -1", nil), ("#1, 0", nil), ("slot[1]", nil), ("option: 2", "31"),
        ("slot last one", nil),
    ])
    func aPlaceIsNoDay(_ text: String, _ expected: String?) throws {
        let days = try slots(
            [("2030-01-30T14:00:00Z", 30), ("2030-01-31T14:00:00Z", 30), ("2030-02-01T14:00:00Z", 30)],
            "America/New_York")
        #expect(days.slot(named: text).map { String($0.local.dropFirst(8).prefix(2)) } == expected)
    }

    @Test(arguments: ["la 1 o esa", "la 2 o una", "las 3 o esa hora", "quiero una segunda", "primera hora"])
    func aSpanishTimeIsNoPlace(_ text: String) throws {
        #expect(try list().slot(named: text, locale: .spanish) == nil)
    }

    @Test func placesAreThoseOfTheOffer() throws {
        let offered = try list { $0.offers = 2 }
        #expect(offered.slot(named: "the second one") == offered.offers[1])
        #expect(offered.offers[1] != offered.slots[1])
    }

    @Test func twoTimesOfAnHourNeedTheLetter() throws {
        let night = try slots([("2030-11-03T04:30:00Z", 210)], "America/New_York", duration: 60)
        #expect(night.slot(named: "sun03-0100") == nil)
        #expect(night.slot(named: "2030-11-03T01:00") == nil)
        for slot in night.slots { #expect(night.slot(named: slot.token) == slot) }
    }

    @Test func noMutationIsAnotherSlot() throws {
        let list = try slots([("2030-01-15T14:00:00Z", 480), ("2030-01-16T14:00:00Z", 480)], "America/New_York", step: 10)
        let names = list.slots.map { Array($0.token.utf8) }
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789-: ".utf8)
        var generator = SplitMix64(state: 18)
        for _ in 0..<(100_000) {
            let index = Int(generator.next() % UInt64(names.count))
            var text = names[index]
            let place = Int(generator.next() % UInt64(text.count))
            switch generator.next() % 4 {
            case 0: text[place] = letters[Int(generator.next() % UInt64(letters.count))]
            case 1: text.insert(letters[Int(generator.next() % UInt64(letters.count))], at: place)
            case 2: text.swapAt(place, max(0, place - 1))
            default: text.remove(at: place)
            }
            let found = text.withUnsafeBytes { list.pick($0, .americanEnglish) }
            let isOther = found.map { $0.instant != list.listed[index].instant } ?? false
            #expect(!isOther, "\(String(decoding: text, as: UTF8.self))")
        }
    }
}
