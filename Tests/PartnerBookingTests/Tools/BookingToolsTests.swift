import Testing

@testable import PartnerBooking

/// The tools for language models, and the JSON contract of `pbk_tools`.
@Suite struct BookingToolsTests {
    private static let dialects = ["openai", "openai_responses", "openai_realtime", "anthropic", "gemini", "mcp"]

    private func reply(_ options: String) throws -> String {
        String(decoding: try BookingTools.reply(json: Array(options.utf8)), as: UTF8.self)
    }

    private func refusal(_ options: String) -> PartnerBookingError? {
        #expect(throws: PartnerBookingError.self) { try reply(options) }
    }

    private func tools(_ tools: BookingTools, _ dialect: String) throws -> JSONDocument {
        try JSONDocument(tools.json(for: #require(BookingTools.Dialect(dialect))), profile: .reply)
    }

    @Test(arguments: [
        ("openai", #"[{"type":"function","function":{"name":"find_appointment_slots","description":"#),
        ("openai_responses", #"[{"type":"function","name":"find_appointment_slots","description":"#),
        ("openai_realtime", #"[{"type":"function","name":"find_appointment_slots","description":"#),
        ("anthropic", #"[{"name":"find_appointment_slots","description":"#),
        ("gemini", #"[{"functionDeclarations":[{"name":"find_appointment_slots","description":"#),
        ("mcp", #"[{"name":"find_appointment_slots","description":"#),
    ])
    func eachDialectHasItsOwnForm(_ dialect: String, _ start: String) throws {
        let json = String(decoding: try tools(BookingTools(), dialect).bytes, as: UTF8.self)
        #expect(json.hasPrefix(start))
        #expect(json.contains(#""strict":true"#) == ["openai", "openai_responses", "anthropic"].contains(dialect))
        #expect(json.contains(#""nullable":true"#) == (dialect == "gemini"))
        #expect(json.contains(#""additionalProperties":false"#) == (dialect != "gemini"))
        #expect(json.contains(#""readOnlyHint":false"#) == (dialect == "mcp"))
        #expect(json.utf8.count <= 2500)
    }

    @Test func noOtherDialectIsKnown() {
        for name in Self.dialects { #expect(BookingTools.Dialect(name) != nil) }
        for name in ["", "OpenAI", "openai_", "claude"] { #expect(BookingTools.Dialect(name) == nil) }
    }

    @Test(arguments: dialects)
    func theCallerIsLookedUpOnRequestOnly(_ dialect: String) throws {
        func count(_ looksUp: Bool) throws -> Int {
            let root = try tools(BookingTools(looksUpCaller: looksUp), dialect).root
            let list = dialect == "gemini" ? try #require(root.elements.first { _ in true }?["functionDeclarations"]) : root
            return Array(list.elements).count
        }
        #expect(try count(false) == 2)
        #expect(try count(true) == 3)
    }

    @Test func servicesMayHaveAnyCharacter() throws {
        let names = ["cleaning", #"the "big" one\"#, "détartrage"]
        let document = try tools(BookingTools(services: names), "mcp")
        let find = try #require(document.root.elements.first { _ in true })
        let service = find["inputSchema"]?["properties"]?["service"]?["description"]?.string
        #expect(service == #"What the appointment is for. null: not said. One of: cleaning, the "big" one\, détartrage"#)
    }

    @Test func thePromptFitsTheSettings() {
        let prompt = BookingTools(looksUpCaller: true).prompt
        #expect(prompt.hasPrefix("You book appointments on the phone with tools.\n- Ask one question"))
        #expect(prompt.contains("\nreadback: ") && prompt.contains("\nknown: ") && !prompt.contains("\n\n"))
        let brief = BookingTools(locale: .french, readsBack: false).prompt
        #expect(!brief.contains("readback") && !brief.contains("known: ") && brief.contains("\n- Speak French"))
        for locale in VoiceLocale.all {
            #expect(BookingTools(locale: locale, looksUpCaller: true).prompt.utf8.count <= 1500)
        }
    }

    @Test func aReplyHasToolsAndPrompt() throws {
        let json = try reply(#"{"dialect":"openai_realtime"}"#)
        let plain = String(decoding: BookingTools().json(for: .openAIRealtime), as: UTF8.self)
        #expect(json.hasPrefix(#"{"tools":"# + plain + #","prompt":"You book"#))
    }

    @Test func aBotHasItsOwnMembers() throws {
        let general = #""confirm":"none","locale":"es","services":[{"name":"A"}],"time_zone":"UTC""#
        let voice = #"{\#(general),"bots":{"b":{"confirm":"readback","services":[{"name":"B"}]}}}"#
        func changed(_ bot: String) throws -> String {
            try reply(#"{"dialect":"mcp","bot_id":"\#(bot)","voice":\#(voice)}"#)
        }
        #expect(try changed("a").contains("One of: A\"") && !changed("a").contains("readback"))
        #expect(try changed("b").contains("One of: B\"") && changed("b").contains("readback"))
        #expect(try changed("b").contains("Speak Spanish"))
    }

    @Test(arguments: [
        (#"{}"#, "dialect"), (#"{"dialect":"gpt"}"#, "dialect"), (#"{"dialect":1}"#, "dialect"),
        (#"{"dialect":"mcp","dialect":"mcp"}"#, "dialect"), (#"{"dialect":"mcp","x":1}"#, "x"),
        (#"{"dialect":"mcp","voice":{"zone":"UTC"}}"#, "voice.zone"),
        (#"{"dialect":"mcp","voice":{"confirm":"yes"}}"#, "voice.confirm"),
        (#"{"dialect":"mcp","voice":{"locale":"de"}}"#, "voice.locale"),
        (#"{"dialect":"mcp","voice":{"services":[{"title":"A"}]}}"#, "voice.services.title"),
        (#"{"dialect":"mcp","voice":{"bots":{"b":{"locale":"de"}}}}"#, "voice.bots.b.locale"),
    ])
    func refusesByName(_ options: String, _ field: String) {
        let error = refusal(options)
        #expect(error?.code == .invalidField)
        #expect(error?.field == field)
    }
}
