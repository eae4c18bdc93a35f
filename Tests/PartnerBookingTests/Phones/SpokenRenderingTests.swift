import Testing

@testable import PartnerBooking

/// Thousands of numbers as people say them, which come back digit by digit.
@Suite struct SpokenRenderingTests {
    /// A region whose numbers all have one length, the prefix before them, and how they begin.
    struct Place: Sendable {
        let region: String
        let code: String
        let trunk: String
        let first: [Int]
        let count: Int

        func digits(_ generator: inout SplitMix64) -> [Int] {
            let begin = first[0] == 0 ? first : [first.randomElement(using: &generator) ?? 0]
            return begin + (begin.count..<count).map { _ in Int.random(in: 0...9, using: &generator) }
        }
    }

    static let places = [
        Place(region: "US", code: "1", trunk: "", first: Array(2...9), count: 10),
        Place(region: "US", code: "1", trunk: "1", first: Array(2...9), count: 10),
        Place(region: "FR", code: "33", trunk: "0", first: Array(1...9), count: 9),
        Place(region: "ES", code: "34", trunk: "", first: Array(6...9), count: 9),
        Place(region: "MX", code: "52", trunk: "", first: Array(2...9), count: 10),
        Place(region: "GB", code: "44", trunk: "0", first: [7], count: 10),
        Place(region: "AU", code: "61", trunk: "0", first: [4], count: 9),
        Place(region: "CI", code: "225", trunk: "", first: [0, 7], count: 10),
    ]

    /// 10,000 numbers; the seed is the argument.
    @Test(arguments: 1...10)
    func spokenNumbersAreReadBack(_ seed: UInt64) {
        var generator = SplitMix64(state: seed)
        for index in 0..<1_000 {
            let place = Self.places[index % Self.places.count]
            let language = SpokenRendering.Language.allCases[index / 8 % 3]
            var digits = place.digits(&generator)
            // Runs of one digit, which random numbers seldom have.
            if index % 3 == 0 { for place in 4..<7 { digits[place] = digits[3] } }
            var rendering = SpokenRendering(language, seed: generator.next())
            let words = rendering.words(place.trunk.compactMap(\.wholeNumberValue) + digits)
            let locale: VoiceLocale =
                switch language {
                case .english: index % 2 == 0 ? .americanEnglish : .britishEnglish
                case .spanish: .spanish
                case .french: .french
                }
            let wanted = "+" + place.code + digits.map(String.init).joined()
            #expect(PhoneNumberTests.read(words, place.region, locale) == wanted, "\(place.region): \(words)")
        }
    }

    /// One digit less or more is noticed where all numbers have one length.
    @Test func aLostDigitIsNoticed() {
        var generator = SplitMix64(state: 18)
        for index in 0..<2_000 {
            let place = Self.places[[0, 3, 4][index % 3]]
            var digits = place.digits(&generator)
            if index % 2 == 0 { digits.removeLast() } else { digits.append(5) }
            var rendering = SpokenRendering(index % 3 == 0 ? .english : .spanish, seed: generator.next())
            let words = rendering.words(digits)
            let read = PhoneNumberTests.read(words, place.region, index % 3 == 0 ? .americanEnglish : .spanish)
            #expect(["too_short", "too_long", "ambiguous"].contains(read), "\(place.region): \(words): \(read)")
        }
    }
}
