// The input's first line is the configuration of a sandbox, and each line behind it a request, one minute later each.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzSandbox(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let lines = [UInt8](data, size).split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first, let read = try? Configuration(json: Array(first)),
        case .sandbox(let clinic, let settings) = read.service
    else { return -1 }
    var visit = Visit(clinic, settings)
    for line in lines.dropFirst().prefix(20) {
        for operation in CallOperation.allCases {
            if let request = try? Request(operation, json: Array(line)), !request.isResuming { visit.ask(request) }
        }
        visit.now += 60
    }
    visit.checkBooks()
    return 0
}

private struct Visit {
    private let clinic: SandboxSettings
    private let endpoint: PartnerAPIEndpoint
    private var sandbox: Sandbox
    private var replies: [String: [UInt8]] = [:]
    var now: Int

    init(_ clinic: SandboxSettings, _ settings: PartnerAPISettings) {
        self.clinic = clinic
        endpoint = PartnerAPIEndpoint(settings)
        sandbox = Sandbox(clinic, settings)
        now = clinic.now ?? 1_893_484_800
    }

    mutating func ask(_ request: Request) {
        let reply = answer(request)
        let root = required(
            (try? JSONDocument(reply.body, profile: .request))?.root, "an answer is JSON: \(reply.body.text)")
        switch AttemptResult(.reply(reply), to: .init(operation: request.operation)).result {
        case .success: check(root, of: request, reply)
        case .failure(let error):
            require(
                [400, 401, 404, 409, 422].contains(reply.status) && error.isFromService,
                "a refusal is the API's: \(reply.body.text)")
        }
    }

    private mutating func answer(_ request: Request) -> HTTPReply {
        let message = required(try? endpoint.message(for: request), "the sandbox takes everything")
        return sandbox.answer(message.httpRequest(), now: now)
    }

    private mutating func check(_ root: JSONValue, of request: Request, _ reply: HTTPReply) {
        switch request.operation {
        case .searchAvailability:
            guard let slots = root["availabilities"].map({ Array($0.elements) }), let bot = request.botID else { return }
            for slot in Set([0, slots.count / 2, slots.count - 1]) where slots.indices.contains(slot) {
                checkFree(slots[slot], bot: bot)
            }
        case .createBooking:
            guard let key = request.idempotencyKey, clinic.keys == .first else { return }
            require(reply.status == (replies[key] == nil ? 201 : 200), "a key books once: \(reply.status)")
            require(replies[key, default: reply.body] == reply.body, "and has one reply: \(reply.body.text)")
            replies[key] = reply.body
        case .lookupCustomer:
            let start = root["customer"]?["existing_appointment"]?["start_at"]?.string
            let booked = sandbox.bookings.map { sandbox.time($0.slot.lowerBound) }
            require(start.map(booked.contains) ?? true, "an appointment is one that was booked: \(reply.body.text)")
        }
    }

    /// What is said to be free can be booked, in a sandbox like this one.
    private func checkFree(_ slot: JSONValue, bot: String) {
        let json = JSONWriter.object { root in
            root.member("bot_id", bot)
            root.member("idempotency_key", "a-key-that-nobody-has")
            root.object("booking") { booking in
                booking.member("start_at", slot["start_at"]?.string)
                booking.member("duration_minutes", slot["duration_minutes"]?.integer)
                booking.object("customer") {
                    $0.member("phone", "+15551234567")
                    $0.member("name", "John Doe")
                }
            }
        }
        var other = self
        let request = required(try? Request(.createBooking, json: json), "a slot can be asked for: \(slot.text)")
        let reply = other.answer(request)
        require(reply.status == 201, "a free slot can be booked: \(slot.text): \(reply.body.text)")
    }

    /// The number of bookings at once is greatest where one of them starts.
    func checkBooks() {
        let slots = sandbox.bookings.map(\.slot)
        for slot in slots {
            let rivals = slots.count { $0.contains(slot.lowerBound) }
            require(rivals <= clinic.capacity, "no more bookings at once than fit: \(rivals)")
        }
        require((try? JSON.validate(sandbox.bookingsJSON, profile: .request)) != nil, "the list of bookings is JSON")
    }
}
