/// The error messages that are whole sentences.
///
/// A message shows what is wrong, what was found and what to do, in at most two sentences. It has
/// no full stop at its end. Names of members have no quotes: `timeout_ms`. Values have double
/// quotes only if they are JSON strings.
package enum ErrorMessage {
    // MARK: Clients and calls

    package static var invalidClient: String { "The client handle is NULL or never came from pbk_client_open" }
    static var clientClosed: String { "The client is closed" }
    package static var clientOfParent: String { "The client belongs to the parent process: open a client after the fork" }
    static var cancelled: String { "The call was cancelled" }
    package static var wouldDeadlock: String { "A blocking function was called from a callback: call it on another thread" }
    static var timeout: String { "No definite answer came within timeout_ms" }
    static var isExiting: String { "The process is exiting: no new client can be opened" }
    static var unknownTicket: String { "The ticket was never given by this client" }
    static var noSandbox: String { "The client does not talk to the sandbox: open one with \"endpoint\":\"sandbox\"" }

    static func queueFull(_ limit: Int) -> String {
        "Queue full: \(limit) calls outstanding (max_in_flight + max_queued)"
    }

    static func silent(_ limit: String) -> String { "No answer within \(limit)" }

    // MARK: Arguments

    package static var operation: String { "operation must be one of pbk_operation" }
    package static var logLevel: String { "level must be one of pbk_log_level" }
    package static var noCallback: String { "callback is NULL: give one, or PBK_LOG_OFF" }
    package static var noBatchNumber: String { "batch is NULL: give a place for the number of the batch" }
    static var callID: String { "call_id must have 1 to 256 bytes" }

    package static func null(_ name: String) -> String { "\(name) must not be NULL" }
    static func tooLong(_ text: String, _ maxBytes: Int) -> String { "The \(text) is longer than \(maxBytes) bytes" }
    static func notJSON(_ text: String, at offset: Int, _ reason: String) -> String {
        "The \(text) is not valid JSON at byte \(offset): \(reason)"
    }

    /// Joins the path of a member and a fault from `MemberMessage`.
    static func member(_ path: String, _ fault: String) -> String { "\(path) \(fault)" }
    static func timeZone(_ reason: String) -> String { "time_zone cannot be used: \(reason)" }

    // MARK: Names of texts

    static let request: StaticString = "The request"
    static let configuration: StaticString = "The configuration"
    static let options: StaticString = "The options"
    static var ledgerAnswer: String { "ledger's answer" }

    // MARK: Advice about a request that is not JSON

    static var empty: String { "Send the JSON object alone, from { to }" }
    static var byteOrderMark: String { "It begins with a byte order mark: leave it out" }
    static var codeFence: String { "It is in a code fence: send the JSON object alone, from { to }" }
    static var textBefore: String { "Text is in front of the object: send the JSON object alone, from { to }" }
    static var textBehind: String { "Text is behind the object: send the JSON object alone, from { to }" }
    static var cutOff: String { "It may be cut off: send all of it" }
    static var otherQuotes: String { "Use the quotation mark \" for names and texts" }
    static var otherLiteral: String { "Write true, false and null in small letters, and nothing else without quotes" }
    static var trailingComma: String { "Remove the comma behind the last member" }
    static var comment: String { "JSON has no comments: remove it" }

    static func advised(_ reason: String, _ advice: String) -> String { "\(reason). \(advice)" }

    /// The shape of a search request, for the message about a missing object.
    static var searchShape: String {
        #". The shape is {"query":{"filter":{"start_at_range":{"start_at":...,"end_at":...}}}}"#
    }
    static var bookingShape: String {
        #". The shape is {"booking":{"start_at":...,"duration_minutes":...,"customer":{"phone":...,"name":...}}}"#
    }
    static var lookupShape: String { #". The shape is {"customer":{"phone":...}}"# }

    // MARK: Spoken texts

    static var noDigits: String { "The phone number has no digits" }
    static var noRegion: String { "The phone number has no calling code: begin with +, or give a region" }
    static var phoneNotUnderstood: String { "A part of the phone number is no digit: ask for the number alone" }
    static var phoneAmbiguous: String { "The phone number has two readings: ask for it digit by digit" }
    static var noSuchNumber: String { "No phone number begins with these digits" }

    static func digits(_ count: Int, needed: Int) -> String {
        "The phone number has \(count) digits and needs \(needed)"
    }

    static func timeNotUnderstood(_ field: String) -> String {
        "A part of \(field) is not understood: ask for a day or a time alone"
    }

    static func noSuchTime(_ field: String) -> String { "\(field) names a day or a time that does not exist" }
    static func past(_ field: String) -> String { "\(field) is past: ask for a later time" }
    static func contradictory(_ field: String) -> String {
        "\(field) contradicts itself: ask for the day and the time again"
    }

    // MARK: Bookings

    static var notRecorded: String {
        "No booking is recorded under the idempotency_key: send the whole request with the same key"
    }
    static var replyNotKept: String {
        "The booking was made, but its reply was not kept (journal_keeps_replies). "
            + "Send the whole request with the same key to get it from the service"
    }
    static var nothingToGiveUp: String { "No booking is recorded under the idempotency_key: nothing was given up" }
    static var notMade: String { "The booking was not made, and its idempotency_key is free: send a whole request to book" }
    static var accountChanged: String {
        "The booking may have been made in the account that the bot had before: settle it in that account"
    }
    static var mayBeMade: String {
        "The booking may have been made: repeat it with the same idempotency_key, never with a new one"
    }

    static var keyIsBooked: String {
        "The idempotency_key has another booking, which is made: resume it to get its reply. "
            + "Use a new key for this request"
    }
    static var keyInFlight: String {
        "The idempotency_key has another booking, which is in flight: resume it to get its result. "
            + "Use a new key for this request"
    }
    static var keyInDoubt: String {
        "The idempotency_key has another booking, which is in doubt: resume it to settle it. "
            + "Use a new key for this request"
    }

    static func lastAnswer(_ answer: String) -> String { "\(mayBeMade). Last answer: \(answer)" }

    // MARK: Configured bots

    static var noLookups: String {
        "The Partner API has no customer lookup: use \"endpoint\":\"platform_webhook\" or the sandbox"
    }
    static var unknownBot: String { "The bot_id is not in the configuration's platforms: add it there" }
    static var noWebhook: String { "The bot_id has no webhook_url in the configuration's platforms: add one" }

    // MARK: Journals and ledgers

    static func ledgerFull(_ limit: Int) -> String {
        "Ledger full: \(limit) bookings of this service are in doubt or in flight. "
            + "Resume or give up those that pbk_pending_bookings lists"
    }

    static func notRecorded(_ reason: String) -> String { "The booking could not be recorded in the journal (\(reason))" }
    static func journalLocked(_ path: String) -> String {
        "Another client, in this process or another, has the journal \(path) open: close it, or use another path"
    }

    static func journalNotOpened(_ reason: String) -> String { "The journal could not be opened (\(reason))" }

    static var ledgerAnswerIncomplete: String { "The ledger's answer needs an array results, or an object error" }
    static var batchesPushed: String { "The client gives its batches to the ledger callback: do not ask for them" }
    static var noLedger: String { "The client was opened without a ledger: use pbk_client_open_with_ledger" }

    static func resultWithoutOperation(_ id: String) -> String {
        "The ledger's answer has a result with the id \(id), which the batch does not have"
    }

    static func unknownResult(_ operation: String, _ id: String) -> String {
        "The ledger's answer has a result for \(operation) \(id) that is not one of docs/ledger-protocol.md"
    }

    static func resultTwice(_ id: String) -> String { "The ledger's answer has two results with the id \(id)" }
    static func resultCount(_ count: Int, operations: Int) -> String {
        "The ledger's answer has \(count) results for \(operations) operations"
    }

    static func noBatch(_ number: UInt64) -> String {
        "There is no open batch \(number): it was answered before, or never handed out"
    }
}
