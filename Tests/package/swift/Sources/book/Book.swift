import PartnerBooking

@main
struct Book {
    static func main() async throws {
        var clinic = ClientConfiguration.SandboxClinic(now: "2030-01-14T08:00:00-05:00")
        clinic.timeZone = "-05:00"
        let client = try PartnerBookingClient(
            configuration: ClientConfiguration(endpoint: .sandbox(clinic)))
        let bot = "bot_01h2xcejqtf2nbrexx3vqjhp41"
        let found = try await client.searchAvailability(
            SearchAvailabilityRequest(
                botID: bot, startAt: "2030-01-14T09:00:00-05:00", endAt: "2030-01-14T17:00:00-05:00"))
        let minutes = 30  // of this kind of appointment: a listed item may be a whole free day
        if let slot = found.availabilities.first(where: { ($0.durationMinutes ?? minutes) >= minutes }) {
            let booked = try await client.createBooking(
                CreateBookingRequest(
                    botID: bot, idempotencyKey: "call-7-booking-1", startAt: slot.startAt,
                    durationMinutes: minutes, customer: .init(phone: "+15551234567", name: "John Doe")))
            // To the caller: the reply's own start and status. A platform may confirm later.
            print(booked.id ?? "", booked.startAt ?? "", booked.status ?? "", booked.timing.total)
        }
        try await client.close(timeout: .seconds(1))
    }
}
