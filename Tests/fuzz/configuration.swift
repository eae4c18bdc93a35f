// The input is a client's configuration.
@testable import PartnerBooking

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzConfiguration(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = [UInt8](data, size)
    do throws(PartnerBookingError) {
        check(try Configuration(json: input))
    } catch {
        requireUsable(error, of: input)
        requireSecretsKept(error, of: input)
    }
    return 0
}

private func check(_ configuration: Configuration) {
    for origin in configuration.connection.origins { requireProtected(origin.warmUpURL) }
    switch configuration.service {
    case .partnerAPI(let settings), .sandbox(_, let settings):
        let endpoint = PartnerAPIEndpoint(settings)
        for operation in CallOperation.allCases { check(endpoint, sample(operation, bot: "b")) }
    case .platformWebhook(let directory):
        let endpoint = PlatformWebhookEndpoint(directory)
        require(endpoint.serviceCount == directory.webhookCount, "each webhook is a service")
        for bot in directory.platforms.keys.sorted().prefix(4) {
            for operation in CallOperation.allCases { check(endpoint, sample(operation, bot: bot)) }
        }
    }
}

private func check(_ endpoint: some Endpoint, _ request: Request) {
    do throws(PartnerBookingError) {
        let message = try endpoint.message(for: request)
        requireProtected(message.target.url)
        requireHeaderLines(message.target.headers + message.httpRequest(seconds: { 1_705_312_800 }).headers)
        require((0..<endpoint.serviceCount).contains(message.service), "a request goes to one of the services")
        require((try? JSON.validate(message.body, profile: .request)) != nil, "what is sent is JSON: \(message.body.text)")
    } catch {
        require([.noWebhook, .unsupportedOperation].contains(error.code), "nothing else can be wrong: \(error.message)")
    }
}

/// https, or http that cannot leave this machine.
private func requireProtected(_ url: String) {
    let (text, isLoopback) = (url.lowercased(), URLParts(url)?.isLoopback ?? false)
    require(text.hasPrefix("https://") || text.hasPrefix("http://") && isLoopback, "a protected address: \(url)")
    require(text.utf8.allSatisfy { (0x21...0x7E).contains($0) }, "an address without white space: \(url.debugDescription)")
    require(!text.contains { "?#".contains($0) }, "an address without query or fragment: \(url)")
    let authority = text.split(separator: "/").dropFirst().first ?? ""
    require(!authority.contains("@"), "an address without user: \(url)")
}

private func sample(_ operation: CallOperation, bot: String) -> Request {
    let json = JSONWriter.object { root in
        root.member("bot_id", bot)
        switch operation {
        case .searchAvailability:
            root.object("query") { query in
                query.object("filter") { filter in
                    filter.object("start_at_range") {
                        $0.member("start_at", "2030-01-14")
                        $0.member("end_at", "2030-01-15")
                    }
                }
            }
        case .createBooking:
            root.member("idempotency_key", "call-7-booking-1")
            root.object("booking") { booking in
                booking.member("start_at", "2030-01-14T10:00:00Z")
                booking.member("duration_minutes", 30)
                booking.object("customer") {
                    $0.member("phone", "+15551234567")
                    $0.member("name", "John Doe")
                }
            }
        case .lookupCustomer: root.object("customer") { $0.member("phone", "+15551234567") }
        }
    }
    return required(try? Request(operation, json: json), "a bot can ask: \(json.text)")
}

/// No error tells a key or a secret. Looked for are those with digits that no message holds, and which stand nowhere else.
private func requireSecretsKept(_ error: PartnerBookingError, of input: [UInt8]) {
    guard let root = (try? JSONDocument(input, profile: .request))?.root else { return }
    var secrets = [root["api_key"], root["sandbox"]?["api_key"]]
    for platform in root["platforms"].map({ Array($0.members) }) ?? [] {
        guard let secret = platform.value["webhook_secret"] else { continue }
        secrets += secret.kind == .array ? Array(secret.elements) : [secret]
    }
    let shown = Array(error.json)
    for case let secret? in secrets {
        let written = input[secret.span.dropFirst().dropLast()]
        guard occurrences(of: ArraySlice("0123456789".utf8), in: written) > 0,
            occurrences(of: written, in: input[...]) == 1
        else { continue }
        require(occurrences(of: written, in: shown[...]) == 0, "an error tells no secret: \(shown.text)")
    }
}

private func occurrences(of part: ArraySlice<UInt8>, in text: ArraySlice<UInt8>) -> Int {
    guard text.count >= part.count else { return 0 }
    return (text.startIndex...text.endIndex - part.count).count { text[$0...].starts(with: part) }
}
