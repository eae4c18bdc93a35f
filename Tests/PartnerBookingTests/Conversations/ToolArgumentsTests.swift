import Testing

@testable import PartnerBooking

/// Arguments as language models write them.
@Suite struct ToolArgumentsTests {
    private func arguments(_ json: String) throws -> ToolArguments {
        let document = try JSONDocument(Array(#"{"arguments":\#(json)}"#.utf8), profile: .reply)
        return ToolArguments(document.root["arguments"])
    }

    @Test(arguments: [
        #"{"slot":"a"}"#, #""{\"slot\":\"a\"}""#, #""```json\n{\"slot\":\"a\"}\n```""#, #""\"{\\\"slot\\\":\\\"a\\\"}\"""#,
        #""Sure: {\"slot\": \" a \"}.""#, #"{"slot":"a","unknown":[1,2]}"#,
    ])
    func objectIsFound(_ json: String) throws {
        let arguments = try arguments(json)
        #expect(arguments.isReadable)
        #expect(arguments.text("slot") == "a")
    }

    @Test(arguments: [
        "null", #""""#, #""  ""#, #"{"slot":null}"#, #"{"slot":"null"}"#, #"{"slot":""}"#, "{}", #"{"slot":[]}"#,
    ])
    func nothingIsNothing(_ json: String) throws {
        let arguments = try arguments(json)
        #expect(arguments.isReadable)
        #expect(arguments.text("slot") == nil)
    }

    @Test(arguments: ["[]", "7", "true", #""what?""#, #""{""#]) func otherValuesAreNoArguments(_ json: String) throws {
        #expect(try !arguments(json).isReadable)
    }

    @Test(arguments: [
        ("true", true), (#""true""#, true), (#""Yes""#, true), ("1", true), ("false", false), (#""no""#, false),
        ("null", false),
        (#""maybe""#, false), ("0", false),
    ])
    func booleans(_ value: String, _ isTrue: Bool) throws {
        #expect(try arguments(#"{"another":\#(value)}"#).isTrue("another") == isTrue)
    }

    @Test func numbersAreTexts() throws { #expect(try arguments(#"{"phone":2125550123}"#).text("phone") == "2125550123") }

    @Test(arguments: [
        ("Jean-Luc O'Neill", "Jean-Luc O'Neill"), ("José <b>2</b>", "José b b"), ("<3>", ""), ("Ann\u{2019}s", "Ann's"),
    ])
    func namesAreCleaned(_ name: String, _ spoken: String) { #expect(ToolWords.name(name) == spoken) }
}
