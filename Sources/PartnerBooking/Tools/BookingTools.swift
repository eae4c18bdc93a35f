/// The tools that a language model uses to book on the phone, and a text for its prompt.
///
///     let tools = BookingTools(services: ["cleaning", "check-up"])
///     tools.json(for: .openAIRealtime)  // the array `tools` of a session
///     tools.prompt                      // for the session's instructions
///     tools.filler                      // "One moment, please.", while a tool takes long
///
/// Every field is required and may be null. There are no other constraints. This is the
/// strictest subset that all dialects accept.
public struct BookingTools: Sendable {
    /// The form in which an API takes tools.
    public enum Dialect: Sendable {
        /// Chat Completions of OpenAI and of many others, in strict mode.
        case openAI
        /// The Responses API of OpenAI, in strict mode.
        case openAIResponses
        /// A session of OpenAI's Realtime API. It has no strict mode.
        case openAIRealtime
        /// The Messages API of Anthropic, in strict mode.
        case anthropic
        /// The Gemini API and its Live API: one element with `functionDeclarations`.
        case gemini
        /// The result of `tools/list` of the Model Context Protocol.
        case mcp

        /// Creates the dialect with a name such as `openai_realtime`. Returns nil for an
        /// unknown name.
        public init?(_ name: String) {
            switch name {
            case "openai": self = .openAI
            case "openai_responses": self = .openAIResponses
            case "openai_realtime": self = .openAIRealtime
            case "anthropic": self = .anthropic
            case "gemini": self = .gemini
            case "mcp": self = .mcp
            default: return nil
            }
        }
    }

    /// The caller's language.
    public var locale: VoiceLocale
    /// The names of the bookable services, for the model.
    public var services: [String]
    /// True when nothing is booked before the caller has heard name and time again, and has
    /// said yes.
    public var readsBack: Bool
    /// True when there is a tool that looks up the caller by phone number.
    public var looksUpCaller: Bool

    /// Creates the two tools that every model gets, and with `looksUpCaller` the third.
    public init(
        locale: VoiceLocale = .americanEnglish, services: [String] = [], readsBack: Bool = true, looksUpCaller: Bool = false
    ) {
        self.locale = locale
        self.services = services
        self.readsBack = readsBack
        self.looksUpCaller = looksUpCaller
    }

    /// Returns the JSON array of tools, in the form that the API takes.
    public func json(for dialect: Dialect) -> [UInt8] {
        var text = ToolWording(dialect)
        text.start(
            "find_appointment_slots", "Finds free times. Call it whenever the caller asks for or changes a day or time.")
        text.field("when", "The day in the caller's own words. Never a date you computed. null: any day")
        text.field("time", "The time of day in the caller's own words. null: any time")
        text.field("service", "What the appointment is for. null: not said", services)
        text.field("more", "true: the caller wants other times than those offered. Else null", isFlag: true)
        text.end()
        text.start(
            "book_appointment",
            readsBack
                ? "Books one offered time. First call: caller_confirmed null. Read the result back and wait for a yes. Second call: true."
                : "Books one offered time.")
        text.field("slot", "A slot of the last result, copied exactly. Never one you made up")
        text.field("name", "The caller's full name, never a guess. null: not known")
        text.field("phone", "Only a number the caller said, in their words. null: the one they call from")
        text.field("email", "As said. null: none")
        text.field("notes", "For the clinic, only what the caller asked to note. null: none")
        text.field(
            "caller_confirmed", "true: only after the caller said yes to exactly this booking. Else null", isFlag: true)
        text.field("another", "true: only if the caller wants a second appointment. Else null", isFlag: true)
        text.end(isReadOnly: false)
        if looksUpCaller {
            text.start("look_up_caller", "Looks up the caller's name by their phone number. Call it once, first.")
            text.end()
        }
        return text.array
    }
}

/// A writer of tools in a dialect. Names and descriptions need no escapes, except names of
/// services.
private struct ToolWording {
    private let dialect: BookingTools.Dialect
    private var bytes: [UInt8] = []
    /// The names of a tool's fields, as a list in JSON.
    private var names: [UInt8] = []

    init(_ dialect: BookingTools.Dialect) {
        self.dialect = dialect
        bytes.reserveCapacity(2560)
        add(dialect == .gemini ? #"[{"functionDeclarations":["# : "[")
    }

    /// The whole array.
    var array: [UInt8] { bytes + (dialect == .gemini ? "]}]" : "]").utf8 }

    mutating func start(_ name: StaticString, _ description: StaticString) {
        if bytes.last == UInt8(ascii: "}") { add(",") }
        switch dialect {
        case .openAI: add(#"{"type":"function","function":{"name":""#)
        case .openAIResponses, .openAIRealtime: add(#"{"type":"function","name":""#)
        default: add(#"{"name":""#)
        }
        add(name)
        add(#"","description":""#)
        add(description)
        add("\"")
        names = []
    }

    @inline(never)
    mutating func field(
        _ name: StaticString, _ description: StaticString, _ services: [String] = [], isFlag: Bool = false
    ) {
        if names.isEmpty { startSchema() } else { add(",") }
        add("\"")
        add(name)
        switch (dialect, isFlag) {
        // The schema of OpenAPI 3.0. The Live API does not know `parametersJsonSchema`.
        case (.gemini, false): add(#"":{"type":"STRING","nullable":true,"description":""#)
        case (.gemini, true): add(#"":{"type":"BOOLEAN","nullable":true,"description":""#)
        case (_, false): add(#"":{"type":["string","null"],"description":""#)
        case (_, true): add(#"":{"type":["boolean","null"],"description":""#)
        }
        add(description)
        for (index, service) in services.enumerated() {
            add(index == 0 ? ". One of: " : ", ")
            let quoted = JSONWriter.string(service)
            bytes += quoted[1..<quoted.count - 1]
        }
        add("\"}")
        names += (names.isEmpty ? "\"" : ",\"").utf8
        name.withUTF8Buffer { names += $0 }
        names.append(UInt8(ascii: "\""))
    }

    private mutating func startSchema() {
        switch dialect {
        case .gemini: add(#","parameters":{"type":"OBJECT","properties":{"#)
        case .anthropic: add(#","input_schema":{"type":"object","properties":{"#)
        case .mcp: add(#","inputSchema":{"type":"object","properties":{"#)
        default: add(#","parameters":{"type":"object","properties":{"#)
        }
    }

    @inline(never)
    mutating func end(isReadOnly: Bool = true) {
        // Gemini refuses an object without properties.
        if names.isEmpty, dialect != .gemini { startSchema() }
        if !names.isEmpty || dialect != .gemini {
            add(#"},"required":["#)
            bytes += names
            add(dialect == .gemini ? "]}" : #"],"additionalProperties":false}"#)
        }
        switch dialect {
        case .openAI: add(#","strict":true}}"#)
        case .openAIResponses, .anthropic: add(#","strict":true}"#)
        case .mcp:
            add(
                isReadOnly
                    ? #","annotations":{"readOnlyHint":true}}"#
                    : #","annotations":{"readOnlyHint":false,"destructiveHint":false,"idempotentHint":true}}"#)
        case .openAIRealtime, .gemini: add("}")
        }
    }

    @inline(never)
    private mutating func add(_ text: StaticString) { text.withUTF8Buffer { bytes += $0 } }
}
