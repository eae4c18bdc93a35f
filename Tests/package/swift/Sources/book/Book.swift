import PartnerBooking

@main
struct Book {
    static func main() async throws {
        let zone = "America/New_York"
        let now = 1_894_626_000  // 08:00 on Monday 14 January 2030: for the sandbox. Leave it out in production.
        var clinic = ClientConfiguration.SandboxClinic(now: "2030-01-14T08:00:00-05:00")
        clinic.timeZone = zone
        let client = try PartnerBookingClient(
            configuration: ClientConfiguration(endpoint: .sandbox(clinic)))

        let wish = try TimeWish(when: "tomorrow at ten thirty", timeZone: zone, now: now)
        let reading = wish.readings[0]  // If `wish.isClear` is false, ask the caller which one is meant.
        let bot = "bot_01h2xcejqtf2nbrexx3vqjhp41"
        let found = try await client.searchAvailability(
            SearchAvailabilityRequest(botID: bot, startAt: reading.startAt, endAt: reading.endAt))

        var options = SlotOptions(timeZone: zone, reading: reading)
        options.durationMinutes = 30  // of this kind of appointment: a listed item may be a whole free day
        options.offers = 3
        options.now = now
        if let slot = try SlotList(reply: found.json, options: options).offers.first {
            let speech = try Speech(timeZone: zone)
            print("I have \(try speech.words(for: slot.startAt, now: now)).")
            let phone = try PhoneNumber("five five five, one two three, four five six seven", region: "US")
            let booked = try await client.createBooking(
                CreateBookingRequest(
                    botID: bot, idempotencyKey: "call-7-booking-1", startAt: slot.startAt,
                    durationMinutes: slot.durationMinutes, customer: .init(phone: phone.e164, name: "John Doe")))
            // To the caller: the reply's own start and status. A platform may confirm later.
            print(booked.id ?? "", booked.startAt ?? "", booked.status ?? "", booked.timing.total)
        }
        try await client.close(timeout: .seconds(1))
    }
}
