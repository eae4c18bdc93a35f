import Testing

@testable import PartnerBooking

/// The example numbers of phonenumbers, in the forms that people write. Tests/voice/phones.py compares many more.
@Suite struct PhoneOracleTests {
    struct Example {
        let region: String
        let e164: String
        let national: String

        var code: Int { (1...3).lazy.compactMap { PhonePlan(code: Int(e164.dropFirst().prefix($0)) ?? 0) }.first?.code ?? 0 }
    }

    static let examples: [Example] = PhoneExampleTable.text.description.split(separator: ";").compactMap { entry in
        let parts = entry.split(separator: " ", maxSplits: 2).map(String.init)
        return parts.count == 3 ? Example(region: parts[0], e164: parts[1], national: parts[2]) : nil
    }

    @Test func thereAreExamplesOfAllRegions() {
        #expect(Self.examples.count == 560)
        #expect(Set(Self.examples.map(\.region)).count == 211)
        #expect(Self.examples.allSatisfy { $0.code != 0 })
    }

    @Test func numbersAreReadInEveryForm() {
        for example in Self.examples {
            let digits = String(example.e164.dropFirst())
            var forms = [
                (example.e164, nil), (example.e164, example.region), ("tel:\(example.e164)", "US"),
                (example.national, example.region),
                (String(example.national.map { $0.isNumber ? $0 : "." }), example.region),
                ("+\(example.code) \(digits.dropFirst(String(example.code).count))", "FR"),
            ]
            for (caller, exit) in [("US", "011"), ("GB", "00"), ("JP", "010"), ("AU", "0011")] {
                forms.append(("\(exit) \(digits)", caller))
            }
            for (text, region) in forms {
                #expect(PhoneNumberTests.read(text, region) == example.e164, "\(text) in \(region ?? "no region")")
            }
        }
    }

    @Test func theRegionIsFound() throws {
        for example in Self.examples {
            #expect(try PhoneNumber(example.e164).region == example.region, "\(example.e164)")
        }
    }

    @Test(arguments: VoiceLocale.all)
    func whatIsSaidIsReadBack(_ locale: VoiceLocale) throws {
        for example in Self.examples {
            for region in [example.region, "US", "FR"] {
                let phone = try PhoneNumber(example.e164, region: region, locale: locale)
                #expect(phone.words.utf8.allSatisfy { !$0.isDigit })
                #expect(try PhoneNumber(phone.words, region: region, locale: locale) == phone, "\(phone.words)")
                #expect(try PhoneNumber(phone.groups.joined(separator: " "), region: region, locale: locale) == phone)
            }
        }
    }
}
