import PartnerBooking

@main
struct Book {
    static func main() async throws {
        let clinic = ClientConfiguration.SandboxClinic(now: "2030-01-14T08:00:00Z")
        let client = try PartnerBookingClient(
            configuration: ClientConfiguration(endpoint: .sandbox(clinic)))
        let bot = "bot_01h2xcejqtf2nbrexx3vqjhp41"
        let found = try await client.searchAvailability(
            SearchAvailabilityRequest(botID: bot, startAt: "2030-01-14", endAt: "2030-01-15"))
        if let slot = found.availabilities.first {
            let booked = try await client.createBooking(
                CreateBookingRequest(
                    botID: bot, idempotencyKey: "call-7-booking-1", startAt: slot.startAt,
                    durationMinutes: 30,  // of this kind of appointment, not of the slot
                    customer: .init(phone: "+15551234567", name: "John Doe")))
            print(booked.id ?? "", booked.startAt ?? "", booked.timing.total)
        }
        try await client.close(timeout: .seconds(1))
    }
}
