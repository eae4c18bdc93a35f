// Without @testable: what stands here a program that depends on the package can write, too.
import PartnerBooking
import Testing

/// Calls of the typed client, on the embedded sandbox.
enum TypedCalls {
    static func sandbox(_ members: String = "", latency: Int = 0) throws -> PartnerBookingClient {
        let clinic = #"{"now":"2030-01-14T08:00:00Z","latency_ms":\#(latency)}"#
        return try PartnerBookingClient(json: #"{"endpoint":"sandbox","sandbox":\#(clinic)\#(members)}"#)
    }

    static func search(_ options: CallOptions = CallOptions()) -> SearchAvailabilityRequest {
        SearchAvailabilityRequest(
            botID: "bot_1", startAt: "2030-01-14T09:00:00Z", endAt: "2030-01-14T12:00:00Z", options: options)
    }

    static func booking(
        key: String = "key-1", at startAt: String = "2030-01-14T10:00:00Z", _ options: CallOptions = CallOptions()
    ) -> CreateBookingRequest {
        CreateBookingRequest(
            botID: "bot_1", idempotencyKey: key, startAt: startAt, durationMinutes: 30,
            customer: .init(phone: "+15551234567", name: "Jürgen \"JJ\" \\ 李小龍 😀", email: "j@example.com"), notes: "a\nb",
            options: options)
    }

    /// The error of a call that must fail.
    static func failure<Reply>(_ call: () async throws -> Reply) async -> PartnerBookingError? {
        do {
            _ = try await call()
            Issue.record("the call succeeded")
            return nil
        } catch {
            return error as? PartnerBookingError
        }
    }
}
