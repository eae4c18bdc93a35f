import Testing

@testable import PartnerBooking

extension PartnerBookingClient {
    /// The blocking calls, for tests whose body is asynchronous only because it runs in a process of its own.
    func wait(_ operation: PartnerBooking.CallOperation, _ json: [UInt8]) -> CallResult { call(operation, request: json) }

    /// The states of the bookings whose end nobody has heard. nil once it is closed.
    var pendingStates: [PendingBooking.State]? { try? pendingBookings().map(\.state) }

    func closeAndWait(_ milliseconds: Int = 0) throws(PartnerBookingError) -> Int {
        try close(timeout: .milliseconds(milliseconds))
    }
}

extension PartnerBookingClient {
    /// A client of a server on this machine, which retries at once and connects for calls alone; `more` is put behind its
    /// members, and starts with a comma.
    convenience init(_ url: String, attempts: Int = 3, _ more: String = "") throws {
        let retry = #"{"max_attempts":\#(attempts),"base_delay_ms":1,"max_delay_ms":1,"budget":0}"#
        let calm = #""circuit_breaker":{"failures":0}"#
        let json =
            #"{"api_key":"sk_ptnr_loopback","base_url":"\#(url)","keep_warm_ms":0,"retry":\#(retry),\#(calm)\#(more)}"#
        try self.init(json: Array(json.utf8))
    }

    /// The error of a call that must fail. Unless it is given a request, a booking has a key of its own.
    func failure(_ operation: PartnerBooking.CallOperation, _ json: [UInt8]? = nil) throws -> PartnerBookingError {
        let json = json ?? Sample.request(operation, key: BookingKey.random())
        return try #require(call(operation, request: json).failure, "the call succeeded")
    }

    func book(_ json: [UInt8] = Sample.booking()) -> CallResult { call(.createBooking, request: json) }
    func search(_ json: [UInt8] = Sample.search()) -> CallResult { call(.searchAvailability, request: json) }
}
