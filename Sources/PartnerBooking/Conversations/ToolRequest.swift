/// A tool call of a language model, with the host's knowledge of the phone call.
final class ToolRequest: Sendable {
    /// The tools, by their names for a model.
    enum Tool: String, Sendable, CaseIterable {
        case find = "find_appointment_slots"
        case book = "book_appointment"
        case lookUp = "look_up_caller"
    }

    /// As the model wrote it.
    let toolName: String
    /// nil when there is no such tool.
    let tool: Tool?
    let callID: String
    let botID: String
    let arguments: ToolArguments
    /// The caller's number, as the host has it.
    let callerPhone: String?
    /// True when the model may take the call back. Then nothing is booked.
    let isSpeculative: Bool
    /// True when a cancel must not end the call once its booking is sent.
    let isDetached: Bool
    let timeoutMilliseconds: Int?
    let slowAfterMilliseconds: Int?
    let tag: String?
    let traceparent: String?

    /// The name of the phone call that a request belongs to.
    struct CallName: Hashable, Sendable {
        let botID: String
        let callID: String

        init(botID: String, callID: String) { (self.botID, self.callID) = (botID, callID) }

        init(_ root: ObjectReader) throws(PartnerBookingError) {
            let isName: (UnsafeRawBufferPointer) -> Bool = { !$0.isEmpty && FieldRules.isLine($0) }
            botID = try root.checkText("bot_id", maxBytes: 256, Form.text1To256, isName).string ?? ""
            callID = try root.checkText("call_id", maxBytes: 256, Form.text1To256, isName).string ?? ""
        }
    }

    var call: CallName { CallName(botID: botID, callID: callID) }

    /// Reads a request as docs/json-contract.md describes it: strict with the host, lenient
    /// with the model's arguments.
    init(json: [UInt8]) throws(PartnerBookingError) {
        let document = try JSONDocument(json, what: "request", maxBytes: Request.maxBytes)
        let root = try ObjectReader(document.root, what: ErrorMessage.request, .request)
        tag = try root.optionalString("tag", maxBytes: 256, Form.textUpTo256)
        do throws(PartnerBookingError) {
            try root.refuseMembers(except: [
                "tool", "call_id", "bot_id", "arguments", "caller_phone", "speculative", "timeout_ms", "slow_after_ms",
                "tag", "traceparent", "detach",
            ])
            toolName =
                try root.checkText("tool", maxBytes: 128, Form.toolName).string
                ?? ""
            tool = Tool(rawValue: toolName)
            let call = try CallName(root)
            (botID, callID) = (call.botID, call.callID)
            let phone = try root.value("caller_phone").flatMap { $0.kind == .null ? nil : $0 }
            guard phone.map({ $0.kind == .string }) ?? true else {
                throw root.refuse("caller_phone", MemberMessage.callerPhone)
            }
            // Networks send all kinds of text here. A text that is not a number counts as
            // missing.
            callerPhone = phone?.string
            isDetached = try root.optionalBoolean("detach") ?? false
            isSpeculative = try root.optionalBoolean("speculative") ?? false
            timeoutMilliseconds = try root.optionalInteger("timeout_ms", in: 1...600_000)
            slowAfterMilliseconds = try root.optionalInteger("slow_after_ms", in: 1...600_000)
            traceparent = try root.optionalString(
                "traceparent", maxBytes: 55, Form.traceparent, FieldRules.isTraceparent)
            arguments = ToolArguments(try root.value("arguments"))
        } catch {
            var error = error
            error.tag = tag
            throw error
        }
    }
}
