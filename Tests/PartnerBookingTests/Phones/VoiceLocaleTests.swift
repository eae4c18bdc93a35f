import Testing

@testable import PartnerBooking

/// The texts that native speakers correct.
@Suite struct VoiceLocaleTests {
    static let texts: [LocaleText] = [.americanEnglish, .britishEnglish, .spanish, .french]

    private func words(_ text: StaticString) -> [String] { text.description.split(separator: " ").map(String.init) }

    private func key(_ word: String) -> WordKey? {
        var word = word
        return word.withUTF8 { bytes in
            var tokens = SpokenTokens(UnsafeRawBufferPointer(bytes))
            guard case .word(let key) = tokens.next(), tokens.next() == nil else { return nil }
            return key
        }
    }

    @Test func eachLocaleHasItsName() {
        #expect(VoiceLocale.all.map(\.name) == Self.texts.map(\.name.description))
        for locale in VoiceLocale.all { #expect(VoiceLocale(locale.name) == locale) }
        for name in ["", "en", "de", "en-us", "en_US", "EN-US"] { #expect(VoiceLocale(name) == nil) }
        #expect(VoiceLocale.americanEnglish != .britishEnglish)
    }

    @Test(arguments: texts.indices)
    func everyWordIsUnderstood(_ index: Int) throws {
        let (text, vocabulary) = (Self.texts[index], VoiceLocale.all[index].vocabulary)
        let (numbers, phones) = (text.numbers, text.phones)
        #expect(words(numbers.digits).count == 10)
        for (place, word) in words(numbers.digits).enumerated() {
            #expect(vocabulary.meaning(try #require(key(word))) == .number(Int16(place)), "\(word)")
        }
        let valued = words(numbers.others) + words(phones.soundsLike)
        let plain = [
            numbers.digits, numbers.teens, numbers.tens, numbers.hundred, numbers.thousand, numbers.joiner, phones.plus,
            phones.double, phones.triple, phones.quadruple, phones.extensions, phones.oh, phones.fillers, phones.openings,
        ].flatMap(words)
        var seen: Set<UInt64> = []
        for word in plain + valued.map({ String($0.prefix { $0 != "=" }) }) {
            let known = try #require(key(word), "\(word)")
            #expect(known.value != 0, "\(word) is too long, or has a letter that is not known")
            #expect(vocabulary.meaning(known) != nil, "\(word)")
            #expect(seen.insert(known.value).inserted, "\(word) stands there twice")
        }
        for word in valued {
            let parts = word.split(separator: "=")
            #expect(parts.count == 2 && parts.last.flatMap { Int($0) } != nil, "\(word)")
        }
    }

    /// A speech synthesiser reads nothing but letters, blanks, commas, apostrophes and hyphens well.
    @Test(arguments: VoiceLocale.all)
    func whatIsSaidHasNoDigit(_ locale: VoiceLocale) throws {
        let groups = ["+0123456789", "0", "98"]
        let said = locale.digitNames.words(groups, extension: "12")
        #expect(said.unicodeScalars.allSatisfy { $0.properties.isAlphabetic || " ,'-".unicodeScalars.contains($0) })
        #expect(said.split(separator: ",").count == 4)
        #expect(!said.contains("  ") && !said.hasSuffix(" ") && !said.hasPrefix(" "))
    }

    @Test func wordsAreComparedWithoutCapitalsAndAccents() throws {
        #expect(key("zéro") == key("ZERO"))
        #expect(key("zéro") == key("ze\u{301}ro"))
        #expect(key("it's") == key("It’s"))
        #expect(key("señor") == key("senor"))
        #expect(key("abcdefghijklm")?.value != 0)
        for word in ["abcdefghijklmn", "ß", "straße", "цифра", "五", String(repeating: "a", count: 99)] {
            #expect(key(word)?.value == 0, "\(word)")
        }
        // Different words differ, also where one begins with the other.
        #expect(key("a") != key("aa"))
        #expect(key("zzzzzzzzzzzzz") != key("zzzzzzzzzzzz"))
    }
}
