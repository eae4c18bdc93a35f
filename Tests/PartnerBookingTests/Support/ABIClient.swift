import CPartnerBooking
import Glibc
import Testing

@testable import PartnerBooking
@testable import PartnerBookingABI

/// A reply of the C interface, copied and given back.
struct ABIReply {
    var status: pbk_status
    var json: [UInt8]

    /// nil for a NULL.
    init?(_ status: pbk_status, _ string: UnsafeMutablePointer<CChar>?) {
        guard let string else { return nil }
        self.status = status
        json = Array(UnsafeRawBufferPointer(start: string, count: strlen(string)))
        pbk_string_free(string)
    }

    /// A member of the object `error`, as it is written.
    func error(_ name: String) throws -> String? {
        let document = try JSONDocument(json, profile: .request)
        let error = try #require(document.root["error"], "no error object")
        return error.members.first { $0.key.string == name }.map { String(decoding: json[$0.value.span], as: UTF8.self) }
    }
}

/// A C string, which need not be UTF-8.
func withCString<Result>(_ bytes: [UInt8], _ body: (UnsafePointer<CChar>) throws -> Result) rethrows -> Result {
    try (bytes + [0]).withUnsafeBufferPointer { buffer in
        try buffer.withMemoryRebound(to: CChar.self) { chars in
            guard let start = chars.baseAddress else { fatalError("There is one byte at least") }
            return try body(start)
        }
    }
}

/// A client of the embedded sandbox behind its handle.
struct ABIClient: @unchecked Sendable {
    let handle: OpaquePointer

    init(_ configuration: String = #"{"endpoint":"sandbox","sandbox":{"now":"2030-01-14T08:00:00Z"}}"#) throws {
        handle = try #require(withCString(Array(configuration.utf8)) { pbk_client_open($0, nil, nil) })
    }

    func search(_ json: [UInt8] = Sample.search()) throws -> ABIReply {
        try call(json) { pbk_search_availability(handle, $0, $1) }
    }

    func book(_ json: [UInt8] = Sample.booking()) throws -> ABIReply {
        try call(json) { pbk_create_booking(handle, $0, $1) }
    }

    private func call(
        _ json: [UInt8], _ function: (UnsafePointer<CChar>, UnsafeMutablePointer<pbk_status>) -> UnsafeMutablePointer<CChar>?
    ) throws -> ABIReply {
        var status = pbk_status(rawValue: 999)
        let string = withCString(json) { function($0, &status) }
        return try #require(ABIReply(status, string))
    }

    @discardableResult
    func close(_ timeout: Int32 = 1_000) -> pbk_status { pbk_client_close(handle, timeout) }
}

extension ABIClient {
    /// A sandbox with room for one booking at a time, whose calls are not repeated.
    static func configuration(faults: String = "", _ more: String = "") -> String {
        let sandbox = #"{"now":"2030-01-14T08:00:00Z","capacity":1,"faults":[\#(faults)]}"#
        let calm = #""retry":{"max_attempts":1},"circuit_breaker":{"failures":0}"#
        return #"{"endpoint":"sandbox",\#(calm),"sandbox":\#(sandbox)\#(more)}"#
    }

    /// The bookings whose end nobody has heard, such as `key-1: booked`.
    func pending() throws -> [String] {
        var status = pbk_status(rawValue: 999)
        let text = pbk_pending_bookings(handle, &status)
        let reply = try #require(ABIReply(status, text))
        #expect(reply.status == PBK_OK)
        let list = try #require(try JSONDocument(reply.json, profile: .reply).root["pending_bookings"])
        return list.elements.map { "\($0["idempotency_key"]?.string ?? ""): \($0["state"]?.string ?? "")" }
    }

    /// Takes a completion, and does not free it.
    func take() throws -> OpaquePointer { try #require(pbk_next_completion(handle, 20_000, nil)) }

    /// Submits a booking, and takes its completion.
    func bookAndTake(_ json: [UInt8] = Sample.booking()) throws -> OpaquePointer {
        #expect(submit(PBK_CREATE_BOOKING, json).status == PBK_OK)
        return try take()
    }
}
